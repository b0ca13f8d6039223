import type { V1EnvVar, V1EnvVarSource } from '@kubernetes/client-node';
import { describe, plain, type Tree } from '../yaml.ts';
import { type InputReader, isMapping, isNull, isScalar } from './reader.ts';

/** The first line of the `KEY=value` form, which is looked for first: YAML would read `URL=http://host: 8080` as a mapping. */
const LINE = /^[A-Za-z_][A-Za-z0-9_.-]*(=|\s*$)/;

/**
 * `env_vars`: a mapping, a list of Kubernetes' EnvVar, or `KEY=value` lines. Values are the text they were written as: `1.10` stays `1.10`.
 * A bare `KEY` takes the step's own environment variable, so untrusted text (`${{ github.event... }}`) need not be pasted into YAML.
 */
export function readEnvVars(reader: InputReader): V1EnvVar[] {
  const text = reader.raw('env_vars');
  if (text === undefined) return [];
  const firstLine = text.split(/\r?\n/).find(line => !/^\s*(#|$)/.test(line)) ?? '';
  return LINE.test(firstLine.trimStart()) ? fromLines(reader, text) : fromTree(reader);
}

function fromLines(reader: InputReader, text: string): V1EnvVar[] {
  return text.split(/\r?\n|\r$/).flatMap((line, index): V1EnvVar[] => {
    const where = ` (line ${index + 1})`;
    const content = line.trimStart();
    if (/^(#|$)/.test(content)) return [];
    const equals = content.indexOf('=');
    const name = equals === -1 ? content.trimEnd() : content.slice(0, equals);
    if (!LINE.test(`${name}=`)) {
      reader.problem('env_vars', `expected KEY=value, or a bare KEY to pass on the step's own variable${where}.`);
      return [];
    }
    if (equals !== -1) return [{ name, value: content.slice(equals + 1) }];
    const value = reader.env[name];
    // Kubernetes replaces $(OTHER) in a value, and $$ by $: what comes from elsewhere is to arrive as it is.
    if (value !== undefined) return [{ name, value: value.replaceAll('$', '$$$$') }];
    reader.problem(
      'env_vars',
      `the bare ${name} passes on the step's own variable of that name, which is not set${where}. Set it under env: of the step, or write ${name}=value.`,
    );
    return [];
  });
}

function fromTree(reader: InputReader): V1EnvVar[] {
  const tree = reader.tree('env_vars');
  if (tree === undefined || isNull(tree)) return [];
  if (Array.isArray(tree)) return tree.flatMap((item, index) => fromItem(reader, item, `[${index}]`));
  if (isMapping(tree))
    return Object.entries(tree).flatMap(([name, value]) => fromPair(reader, name, value, '', `.${name}`));
  reader.problem('env_vars', `expected a mapping, a list of EnvVar, or KEY=value lines; found ${describe(tree)}.`);
  return [];
}

function fromPair(reader: InputReader, name: string, value: Tree, path: string, valuePath: string): V1EnvVar[] {
  if (isNull(value)) return named(reader, { name, value: '' }, path);
  if (isScalar(value)) return named(reader, { name, value: String(value) }, path);
  reader.problem('env_vars', `expected text, found ${describe(value)}. Quote JSON to pass it on as text.`, valuePath);
  return [];
}

function fromItem(reader: InputReader, item: Tree, path: string): V1EnvVar[] {
  if (!isMapping(item)) {
    reader.problem('env_vars', `expected an EnvVar, e.g. {name: MODE, value: fast}; found ${describe(item)}.`, path);
    return [];
  }
  reader.unknownKeys('env_vars', path, item, ['name', 'value', 'valueFrom']);
  const { name, value, valueFrom } = item;
  if (name === undefined || !isScalar(name) || isNull(name)) {
    reader.problem('env_vars', 'expected a name, e.g. {name: MODE, value: fast}.', path);
    return [];
  }
  if (valueFrom === undefined) return fromPair(reader, String(name), value ?? '', path, `${path}.value`);
  if (value !== undefined)
    reader.problem('env_vars', 'has both value and valueFrom. Kubernetes takes one of them.', path);
  if (isMapping(valueFrom))
    return named(reader, { name: String(name), valueFrom: plain(valueFrom) as V1EnvVarSource }, path);
  reader.problem(
    'env_vars',
    `expected a mapping, e.g. {fieldRef: {fieldPath: metadata.name}}; found ${describe(valueFrom)}.`,
    `${path}.valueFrom`,
  );
  return [];
}

/** @returns the variable if it has a name that Kubernetes takes: any printable text without `=`. */
function named(reader: InputReader, variable: V1EnvVar, path: string): V1EnvVar[] {
  if (variable.name !== '' && !variable.name.includes('=')) return [variable];
  reader.problem(
    'env_vars',
    `"${variable.name}" cannot be the name of a variable: it must not be empty, nor hold a =.`,
    path,
  );
  return [];
}
