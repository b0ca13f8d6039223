import type { InputName } from '../../github/contract.ts';
import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe, type Tree } from '../../github/yaml.ts';
import { conform } from '../conform.ts';
import type { Json, JsonObject } from '../json.ts';
import { literal } from '../literal.ts';
import type { Fragment } from './fragment.ts';
import { readNames } from './volumes.ts';

/** The first line of the `KEY=value` form, which is looked for first: YAML would read `URL=http://host: 8080` as a mapping. */
const LINE = /^[A-Za-z_][A-Za-z0-9_.-]*(=|\s*$)/;

/** A variable, and the place in the input that sets it. */
export interface NamedValue {
  name: string;
  value: string;
  /** E.g. `env_vars.MODE` or `env_vars[2]`. */
  from: string;
}

/**
 * `env_vars`: a mapping, a list of Kubernetes' EnvVar, or `KEY=value` lines. Values are the text they were written as: `1.10` stays `1.10`.
 * A bare `KEY` takes the step's own environment variable, so untrusted text (`${{ github.event... }}`) need not be pasted into YAML.
 */
export function readEnvVars(reader: InputReader): Fragment[] {
  const variables = readVariables(reader, 'env_vars', fromItem, literal);
  if (variables === undefined) return [];
  if (variables.length === 0) return [{ from: 'env_vars', of: 'container', fields: { env: null } }];
  return variables.map(({ from, ...variable }) => ({
    from,
    of: 'container',
    fields: { env: [variable as unknown as JsonObject] },
  }));
}

/**
 * Reads variables in the three forms that `env_vars` has.
 * @param item reads one item of the list form
 * @param passedOn what becomes of the value of a bare `KEY`. Kubernetes replaces $(OTHER) in a variable's value, and $$ by $: what comes from elsewhere is to arrive as it is.
 * @returns `undefined` where nothing was said
 */
export function readVariables<T extends { name: string; from: string }>(
  reader: InputReader,
  input: InputName,
  item: (reader: InputReader, input: InputName, tree: Tree, path: string) => (T | NamedValue)[],
  passedOn: (value: string) => string = value => value,
): (T | NamedValue)[] | undefined {
  const given = reader.given(input);
  if (given === undefined) return undefined;
  if (reader.saysNothing(input)) return [];
  if ('text' in given) {
    const firstLine = given.text.split(/\r?\n/).find(line => !/^\s*(#|$)/.test(line)) ?? '';
    if (LINE.test(firstLine.trimStart())) return fromLines(reader, input, given.text, passedOn);
  }
  const tree = reader.tree(input);
  if (tree === undefined) return undefined;
  if (isNull(tree)) return [];
  if (Array.isArray(tree)) return tree.flatMap((element, index) => item(reader, input, element, `[${index}]`));
  if (isMapping(tree))
    return Object.entries(tree).flatMap(([name, value]) => fromPair(reader, input, name, value, '', `.${name}`));
  reader.problem(input, `expected a mapping, a list of EnvVar, or KEY=value lines; found ${describe(tree)}.`);
  return undefined;
}

function fromLines(
  reader: InputReader,
  input: InputName,
  text: string,
  passedOn: (value: string) => string,
): NamedValue[] {
  const seen = new Set<string>();
  return text.split(/\r?\n|\r$/).flatMap((line, index): NamedValue[] => {
    const where = ` (line ${index + 1})`;
    const content = line.trimStart();
    if (/^(#|$)/.test(content)) return [];
    const equals = content.indexOf('=');
    const name = equals === -1 ? content.trimEnd() : content.slice(0, equals);
    const from = `${input}.${name}`;
    if (!LINE.test(`${name}=`)) {
      reader.problem(input, `expected KEY=value, or a bare KEY to pass on the step's own variable${where}.`);
      return [];
    }
    if (seen.has(name))
      reader.problem(input, `${name} is set twice${where}. Kubernetes would take the last one; remove one of them.`);
    seen.add(name);
    const value = equals === -1 ? reader.env[name] : content.slice(equals + 1);
    if (input === 'secret_env' && equals !== -1 && /^=*$/.test(value ?? '') && !/^[A-Z_][A-Z0-9_]*$/.test(name)) {
      reader.problem(
        input,
        `expected KEY=value; found something without a value${where}, which may be the secret alone.`,
      );
      return [];
    }
    if (equals !== -1) return [{ name, value: value ?? '', from }];
    if (value !== undefined) return [{ name, value: passedOn(value), from }];
    // Where secrets are expected, the line may be one by mistake.
    const [bare, example] = input === 'secret_env' ? ['name', 'NAME'] : [name, name];
    reader.problem(
      input,
      `the bare ${bare} passes on the step's own variable of that name, which is not set${where}. Set it under env: of the step, or write ${example}=value.`,
    );
    return [];
  });
}

function fromPair(
  reader: InputReader,
  input: InputName,
  name: string,
  value: Tree,
  path: string,
  valuePath: string,
): NamedValue[] {
  const from = `${input}${path || valuePath}`;
  if (isNull(value)) {
    reader.warnings.add(`${from} has no value: the variable ${name} will be empty. Write "" if that is meant.`);
    return named(reader, input, { name, value: '', from }, path);
  }
  if (isScalar(value)) return named(reader, input, { name, value: String(value), from }, path);
  reader.problem(input, `expected text, found ${describe(value)}. Quote JSON to pass it on as text.`, valuePath);
  return [];
}

/** @returns the variable if it has a name that Kubernetes takes: any printable text without `=`. */
function named<T extends { name: string }>(reader: InputReader, input: InputName, variable: T, path: string): T[] {
  if (variable.name !== '' && !variable.name.includes('=')) return [variable];
  reader.problem(
    input,
    `"${variable.name}" cannot be the name of a variable: it must not be empty, nor hold a =.`,
    path,
  );
  return [];
}

/** One of Kubernetes' EnvVar. */
function fromItem(reader: InputReader, input: InputName, item: Tree, path: string) {
  const variable = readItem(reader, input, item, path);
  if (variable === undefined) return [];
  const { name, value, valueFrom } = variable;
  if (valueFrom === undefined) return fromPair(reader, input, name, value ?? '', path, `${path}.value`);
  if (value !== undefined) reader.problem(input, 'has both value and valueFrom. Kubernetes takes one of them.', path);
  if (!isMapping(valueFrom)) {
    const example = '{fieldRef: {fieldPath: metadata.name}}';
    reader.problem(input, `expected a mapping, e.g. ${example}; found ${describe(valueFrom)}.`, `${path}.valueFrom`);
    return [];
  }
  const source = conform(valueFrom, 'V1EnvVarSource', (place, sentence) =>
    reader.problem(input, sentence, `${path}.valueFrom${place}`),
  );
  return source === undefined ? [] : named(reader, input, { name, valueFrom: source, from: `${input}${path}` }, path);
}

function readItem(reader: InputReader, input: InputName, item: Tree, path: string) {
  if (!isMapping(item)) {
    reader.problem(input, `expected an EnvVar, e.g. {name: MODE, value: fast}; found ${describe(item)}.`, path);
    return undefined;
  }
  reader.unknownKeys(input, path, item, ['name', 'value', 'valueFrom', 'value_from']);
  const { name, value } = item;
  if (name !== undefined && isScalar(name) && !isNull(name))
    return { name: String(name), value, valueFrom: unlessNull(item['valueFrom'] ?? item['value_from']) };
  reader.problem(input, 'expected a name, e.g. {name: MODE, value: fast}.', path);
  return undefined;
}

function unlessNull(tree: Tree | undefined): Tree | undefined {
  return tree === undefined || isNull(tree) ? undefined : tree;
}

/** `pod_runtime_info_envs`: EnvVars with a valueFrom, or Airflow's older `{name, field_path}`. */
export function readRuntimeEnvs(reader: InputReader): Fragment[] {
  const input = 'pod_runtime_info_envs';
  const tree = reader.tree(input);
  if (tree === undefined || isNull(tree)) return [];
  if (!Array.isArray(tree)) {
    const example = '[{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]';
    reader.problem(input, `expected a list, e.g. ${example}; found ${describe(tree)}.`);
    return [];
  }
  return tree.flatMap((item, index): Fragment[] => {
    const path = `[${index}]`;
    const fieldPath = isMapping(item) ? (item['field_path'] ?? item['fieldPath']) : undefined;
    const modern =
      isMapping(item) && fieldPath !== undefined
        ? { name: item['name'] ?? '', valueFrom: { fieldRef: { fieldPath } } }
        : item;
    return fromItem(reader, input, modern, path).map(({ from, ...variable }) => ({
      from,
      of: 'container',
      fields: { env: [variable as JsonObject] },
    }));
  });
}

/** `env_from`: Kubernetes' own list. */
export function readEnvFrom(reader: InputReader): Fragment[] {
  const tree = reader.tree('env_from');
  if (tree === undefined) return [];
  const value = conform(tree, '[V1EnvFromSource]', (path, sentence) => reader.problem('env_from', sentence, path));
  if (value === undefined) return [];
  const envFrom: Json = Array.isArray(value) && value.length > 0 ? value : null;
  return [{ from: 'env_from', of: 'container', fields: { envFrom }, mirrors: 'envFrom' }];
}

/** `configmaps`: names of ConfigMaps whose keys all become variables. */
export function readConfigMaps(reader: InputReader): Fragment[] {
  return (readNames(reader, 'configmaps', '{name: settings}') ?? []).map((name, index) => ({
    from: `configmaps[${index}]`,
    of: 'container',
    fields: { envFrom: [{ configMapRef: { name } }] },
  }));
}
