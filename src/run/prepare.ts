import { randomUUID } from 'node:crypto';
import { readRegularFile, whyUnread } from '../github/files.ts';
import { readIdentity, readMatrix, type StepIdentity } from '../github/identity.ts';
import type { AttachInputs } from '../github/inputs/attach.ts';
import { type Inputs, readInputs, refuseProblems } from '../github/inputs/inputs.ts';
import { InputReader, isMapping, isNull } from '../github/inputs/reader.ts';
import { readRunStart } from '../github/run-start.ts';
import { describe, parseYaml, YamlError } from '../github/yaml.ts';
import { conformPod, readPodInputs } from '../pod/inputs/pod-inputs.ts';
import type { JsonObject } from '../pod/json.ts';
import { type Plan, type PodMark, planPod } from '../pod/manifest.ts';
import { oldTopologyKeys } from '../pod/old-labels.ts';
import { looksSecret } from '../pod/secret-shapes.ts';
import { renderTemplate, type TemplateValue } from '../pod/template/render.ts';
import { templateVariables, usesRunStart } from '../pod/template/variables.ts';

/** What the step is to do, read and checked. */
export interface Prepared {
  inputs: Inputs;
  identity: StepIdentity;
  plan: Plan;
  /** The plan of the same step under another mark. */
  replan: (mark: Partial<PodMark>) => Plan;
  /** What the step was given as secrets. */
  secrets: string[];
  /** What was understood, and yet should be read by whoever wrote it. */
  warnings: string[];
  notices: string[];
}

/** What a step that makes no pod is to do, read and checked. */
export interface Attached extends Omit<Prepared, 'plan' | 'replan'> {
  pod: AttachInputs;
}

/** Opens the step's inputs, with those of `defaults_file` behind them. */
export function openInputs(env: NodeJS.ProcessEnv): InputReader {
  const reader = new InputReader(env);
  const file = reader.word('defaults_file');
  if (file === undefined) return reader;
  const text = readFile(reader, 'defaults_file', file);
  if (text === undefined) return reader;
  const uncommented = text.replace(/^\s*#.*$/gm, '');
  const expression = /\$\{\{[^}]{0,200}\}\}/.exec(uncommented)?.[0];
  if (expression !== undefined)
    reader.problem(
      'defaults_file',
      `${file} holds ${expression}: GitHub evaluates expressions in workflows alone. Give that input in the step.`,
    );
  const rendered = AIRFLOW_TEMPLATE.exec(uncommented);
  if (rendered !== null)
    reader.warnings.add(
      `defaults_file: ${file} holds ${shownTemplate(rendered)}, which is passed on as it is: it is no Jinja template. Use a pod_template_file.`,
    );
  try {
    const tree = parseYaml(text);
    if (isMapping(tree)) {
      const { defaults_file: nested, ...values } = tree;
      if (nested !== undefined) reader.problem('defaults_file', `${file} names a defaults_file itself. There is one.`);
      reader.useDefaults({ file, values });
    } else if (!isNull(tree))
      reader.problem('defaults_file', `expected a mapping of inputs in ${file}, found ${describe(tree)}.`);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    reader.problem('defaults_file', `${file} is not valid YAML: ${error.message}.`);
  }
  return reader;
}

/**
 * Reads a step that makes no pod, but follows one.
 * @returns nothing where it makes one
 * @throws StepError that lists all that is wrong
 */
export function prepareAttach(env: NodeJS.ProcessEnv): Attached | undefined {
  const reader = openInputs(env);
  const inputs = readInputs(reader);
  const { attach } = inputs;
  if (attach === undefined) return undefined;
  reader.unknownInputs();
  refuseProblems(reader);
  return {
    inputs,
    pod: attach,
    identity: readIdentity(env),
    secrets: [reader.raw('github_token') ?? ''].filter(secret => secret.trim() !== ''),
    warnings: [...reader.warnings],
    notices: [...reader.notices],
  };
}

/**
 * Reads everything that says what the step is to do, and plans the pod. Nothing is sent to the cluster.
 * @throws StepError that lists all that is wrong
 */
export async function prepare(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Prepared> {
  const reader = openInputs(env);
  const inputs = readInputs(reader);
  const pod = readPodInputs(reader);
  const template = await readTemplate(reader, inputs, signal);
  // Without it what the pod lacks is not known.
  if (inputs.podTemplateFile !== undefined && template === undefined) {
    reader.unknownInputs();
    refuseProblems(reader);
  }
  const identity = readIdentity(env);
  const sources = { inputs, pod, ...(template && { templateFile: template }) };
  const report = (sentence: string) => void reader.problems.push(sentence);
  const replan = (mark: Partial<PodMark>) =>
    planPod(sources, { identity, nonce: randomUUID(), now: new Date(), ...mark }, report);
  const plan = replan({});
  if (inputs.templateVars !== undefined && inputs.podTemplateFile === undefined)
    reader.warnings.add('template_vars are for pod_template_file, which is not given.');
  reader.unknownInputs();
  // What was meant to be rendered is often why the rest is wrong.
  if (reader.problems.length > 0) reader.problems.push(...unrendered(reader));
  refuseProblems(reader);
  const { owned } = pod;
  const secrets = [
    ...owned.env.map(({ value }) => value),
    ...owned.files.map(({ content }) => content),
    ...(owned.registry ? [owned.registry.password, basicAuth(owned.registry)] : []),
    reader.raw('github_token') ?? '',
  ].filter(secret => secret.trim() !== '');
  const warnings = [...reader.warnings, ...openSecrets(plan, secrets), ...oldLabels(plan), ...unrendered(reader)];
  return { inputs, identity, plan, replan, secrets, warnings, notices: [...reader.notices] };
}

async function readTemplate(
  reader: InputReader,
  inputs: Inputs,
  signal: AbortSignal,
): Promise<{ file: string; pod: JsonObject } | undefined> {
  const file = inputs.podTemplateFile;
  if (file === undefined) return undefined;
  const text = readFile(reader, 'pod_template_file', file);
  if (text === undefined) return undefined;
  const place = `pod_template_file (${file})`;
  const runStart = usesRunStart(text, inputs.templateVars)
    ? await readRunStart(reader.env, reader.raw('github_token'), signal)
    : undefined;
  const variables = templateVariables({
    env: reader.env,
    event: readEvent(reader.env),
    matrix: readMatrix(reader.env),
    templateVars: inputs.templateVars,
    runStart,
  });
  const { documents, problems } = renderTemplate(text, file, variables.variables);
  const all = [...variables.problems, ...problems];
  reader.problems.push(...all);
  if (all.length > 0) return undefined;
  const pods = documents.filter(document => isMapping(document) && String(document['kind'] ?? 'Pod') === 'Pod');
  const [pod] = pods;
  if (pod === undefined || pods.length > 1 || documents.length > 1) {
    const kinds = documents.map(document =>
      isMapping(document) ? String(document['kind'] ?? 'no kind') : describe(document),
    );
    const found = documents.length === 0 ? 'nothing' : kinds.join(', ');
    reader.problems.push(`${place}: expected one Pod, found ${found}. Other objects are not made by this action.`);
    return undefined;
  }
  const conformed = conformPod(pod, false, (path, sentence) =>
    reader.problems.push(`${place}: ${path === '' ? '' : `${path.replace(/^\./, '')}: `}${sentence}`),
  );
  return conformed && { file, pod: conformed };
}

/** The payload of the event that started the run, as the runner keeps it. */
function readEvent(env: NodeJS.ProcessEnv): TemplateValue | undefined {
  try {
    return JSON.parse(readRegularFile(env['GITHUB_EVENT_PATH'] ?? '')) as TemplateValue;
  } catch {
    return undefined;
  }
}

function readFile(reader: InputReader, input: 'defaults_file' | 'pod_template_file', file: string): string | undefined {
  try {
    return readRegularFile(file);
  } catch (error) {
    reader.problem(input, whyUnread(file, error));
    return undefined;
  }
}

/** Plain values that should not be in a pod's plain env, where everyone who may read pods reads them. */
function openSecrets(plan: Plan, secrets: string[]): string[] {
  const found = (plan.pod.spec?.containers ?? []).flatMap((container, index) =>
    (container.env ?? []).flatMap(({ name, value }, at) => {
      if (value === undefined) return [];
      const known = value.length > 3 && secrets.includes(value);
      if (!known && !looksSecret(name, value)) return [];
      return [plan.originOf(`spec.containers[${index}].env[${at}]`)];
    }),
  );
  if (found.length === 0) return [];
  return [
    `${found.join(', ')}: ${found.length === 1 ? 'this looks like a secret' : 'these look like secrets'}, and plain env is read by everyone who may read pods. Give ${found.length === 1 ? 'it' : 'them'} in secret_env instead.`,
  ];
}

function oldLabels(plan: Plan): string[] {
  const spec = { spec: plan.pod.spec } as unknown as JsonObject;
  return oldTopologyKeys(spec, path => plan.originOf(path));
}

/** What a registry that refuses a password may repeat of it (RFC 7617). */
function basicAuth({ username, password }: { username: string; password: string }): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** What Airflow would have rendered. */
const AIRFLOW_TEMPLATE =
  /\{\{-?\s{0,9}(ds|ts|ds_nodash|ts_nodash|run_id|var|params|macros|conn|dag|dag_run|task|ti|task_instance|execution_date|logical_date|data_interval_start|data_interval_end|next_ds|prev_ds)\b/;

/** Inputs of which nothing may be quoted. */
const SECRET_INPUTS = [
  'kubeconfig',
  'cluster_token',
  'secret_env',
  'secret_files',
  'registry_password',
  'github_token',
];

/** The template as far as it is a name: what else is in it may be anything. */
function shownTemplate({ 1: root = '', index, input }: RegExpExecArray): string {
  const whole = /^\{\{-?\s{0,9}([\w.]{1,80})\s{0,9}-?\}\}/.exec(input.slice(index, index + 120))?.[1];
  return whole === undefined ? `{{ ${root} ... }}` : `{{ ${whole} }}`;
}

function unrendered(reader: InputReader): string[] {
  return Object.entries(reader.env).flatMap(([variable, value = '']) => {
    const input = variable.startsWith('INPUT_') ? variable.slice('INPUT_'.length).toLowerCase() : '';
    const found = input === '' || SECRET_INPUTS.includes(input) ? null : AIRFLOW_TEMPLATE.exec(value);
    if (found === null) return [];
    const name = /^\{\{-?\s{0,9}var\.value\.(\w{1,100})/.exec(value.slice(found.index, found.index + 150))?.[1];
    return [
      `${input} holds ${shownTemplate(found)}, which is passed on as it is: inputs are no Jinja templates. Use an expression of the workflow${name ? `, \${{ vars.${name} }}` : ''}, or a pod_template_file.`,
    ];
  });
}
