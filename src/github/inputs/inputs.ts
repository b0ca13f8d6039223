import type { V1EnvVar, V1ResourceRequirements } from '@kubernetes/client-node';
import type { InputName } from '../contract.ts';
import { defined } from '../defined.ts';
import { StepError } from '../failure.ts';
import { describe } from '../yaml.ts';
import { readEnvVars } from './env-vars.ts';
import { InputReader, isMapping, isNull, isScalar } from './reader.ts';
import { readResources } from './resources.ts';
import { readSecrets, type SecretUse } from './secrets.ts';
import { readWords } from './words.ts';

/** Labels and annotations with this prefix say whose a pod is; setting one in an input is an error, for cleanup rests on them. */
export const RESERVED_PREFIX = 'kubernetes-pod-step/';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
const FINISH_ACTIONS = ['delete_pod', 'delete_succeeded_pod', 'delete_active_pod', 'keep_pod'] as const;
export type OnFinishAction = (typeof FINISH_ACTIONS)[number];

/** The inputs that say which cluster, and as whom. */
export interface ClusterInputs {
  /** The content of a kubeconfig, decoded. */
  kubeconfig?: string;
  configFile?: string;
  context?: string;
  namespace?: string;
}

/** Everything the step was asked for: read once, at the start, and passed on. `undefined` means that the user said nothing. */
export interface Inputs {
  cluster: ClusterInputs;
  image: string;
  imagePullPolicy?: (typeof PULL_POLICIES)[number];
  cmds?: string[];
  arguments?: string[];
  envVars: V1EnvVar[];
  secrets: SecretUse[];
  resources?: V1ResourceRequirements;
  name?: string;
  randomNameSuffix: boolean;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  serviceAccountName?: string;
  activeDeadlineSeconds?: number;
  getLogs: boolean;
  /** Whether a result is read from the termination message. */
  readResult: boolean;
  onFinishAction: OnFinishAction;
}

/**
 * Reads the step's inputs from the `INPUT_*` variables in `env`.
 * @throws StepError that lists all that is wrong with them, each with the input's name, the place in it, what was expected and what was found.
 */
export function readInputs(env: NodeJS.ProcessEnv): Inputs {
  const reader = new InputReader(env);
  const inputs = {
    ...defined({
      imagePullPolicy: reader.choice('image_pull_policy', PULL_POLICIES),
      cmds: readWords(reader, 'cmds'),
      arguments: readWords(reader, 'arguments'),
      resources: readResources(reader),
      name: reader.word('name'),
      serviceAccountName: reader.word('service_account_name'),
      activeDeadlineSeconds: reader.seconds('active_deadline_seconds', 1),
    }),
    cluster: readCluster(reader),
    image: readImage(reader),
    envVars: readEnvVars(reader),
    secrets: readSecrets(reader),
    randomNameSuffix: reader.boolean('random_name_suffix') ?? true,
    labels: readTexts(reader, 'labels'),
    annotations: readTexts(reader, 'annotations'),
    getLogs: reader.boolean('get_logs') ?? true,
    readResult: readResultMode(reader),
    onFinishAction: reader.choice('on_finish_action', FINISH_ACTIONS) ?? 'delete_pod',
  };
  checkVariables(reader, inputs);
  reader.unknownInputs();
  refuse(reader.problems);
  return inputs;
}

/** Of two variables of one name Kubernetes takes the last, without a word. */
function checkVariables(reader: InputReader, { envVars, secrets }: Pick<Inputs, 'envVars' | 'secrets'>): void {
  const seen = new Set<string>();
  const fromSecrets = secrets.flatMap(use => (use.kind === 'variable' ? [use.name] : []));
  for (const [input, name] of [
    ...envVars.map(({ name }) => ['env_vars', name] as const),
    ...fromSecrets.map(name => ['secrets', name] as const),
  ]) {
    if (seen.has(name))
      reader.problem(input, `${name} is set twice. Kubernetes would take the last one; remove one of them.`);
    seen.add(name);
  }
}

/** The inputs that say which cluster, for the post step: it is not to fail over an input that the main step has refused. */
export function readClusterInputs(env: NodeJS.ProcessEnv): ClusterInputs {
  return readCluster(new InputReader(env));
}

function refuse(problems: string[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  const list = more.length === 0 ? first : problems.map(problem => `- ${problem}`).join('\n');
  throw new StepError('InvalidInput', more.length === 0 ? 'Invalid input' : `${problems.length} invalid inputs`, list);
}

function readCluster(reader: InputReader): ClusterInputs {
  const kubeconfig = reader.raw('kubeconfig');
  const configFile = reader.word('config_file');
  if (kubeconfig !== undefined && configFile !== undefined) {
    reader.problem('kubeconfig', 'config_file is given too. Keep the one that is meant.');
  }
  return defined({
    kubeconfig: kubeconfig === undefined ? undefined : decodeKubeconfig(reader, kubeconfig),
    configFile,
    context: reader.word('cluster_context'),
    namespace: readNamespace(reader),
  });
}

/** A kubeconfig in plain text holds a `:` in its first lines; base64 knows no such character. */
function decodeKubeconfig(reader: InputReader, value: string): string | undefined {
  const compact = value.replace(/\s/g, '');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(compact);
  if (!isBase64 && /[:{]/.test(value)) return value;
  const decoded = Buffer.from(compact, 'base64').toString('utf8');
  if (isBase64 && /[:{]/.test(decoded) && !decoded.includes('\ufffd')) return decoded;
  reader.problem(
    'kubeconfig',
    'expected the content of a kubeconfig, plain or base64; this is neither. (For the path of a file there is config_file.)',
  );
  return undefined;
}

function readNamespace(reader: InputReader): string | undefined {
  const namespace = reader.word('namespace');
  if (namespace === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) return namespace;
  reader.problem(
    'namespace',
    `"${namespace}" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.`,
  );
  return undefined;
}

function readImage(reader: InputReader): string {
  const image = reader.word('image');
  if (image === undefined) reader.problem('image', 'expected the image to run, e.g. python:3.13-slim; found nothing.');
  else if (/\s/.test(image)) reader.problem('image', 'an image name holds no white space.');
  return image ?? '';
}

function readResultMode(reader: InputReader): boolean {
  // KPO's users write True and False, as in Python.
  const written = reader.word('do_xcom_push');
  const mode = /^(true|false)$/i.test(written ?? '')
    ? written?.toLowerCase()
    : reader.choice('do_xcom_push', ['auto', 'false', 'true']);
  if (mode === 'true')
    reader.problem('do_xcom_push', 'true (results above 4 KiB) is not available yet. Use auto, or leave it out.');
  return mode !== 'false';
}

function readTexts(reader: InputReader, name: InputName & ('labels' | 'annotations')): Record<string, string> {
  const tree = reader.tree(name);
  if (tree === undefined || isNull(tree)) return {};
  if (!isMapping(tree)) {
    reader.problem(name, `expected a mapping, e.g. {team: data}; found ${describe(tree)}.`);
    return {};
  }
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(tree)) {
    if (key.startsWith(RESERVED_PREFIX))
      reader.problem(
        name,
        `the prefix ${RESERVED_PREFIX} is reserved, for cleanup rests on it. Use another.`,
        `.${key}`,
      );
    else if (!isScalar(value)) reader.problem(name, `expected text, found ${describe(value)}.`, `.${key}`);
    else texts.push([key, isNull(value) ? '' : String(value)]);
  }
  return Object.fromEntries(texts);
}
