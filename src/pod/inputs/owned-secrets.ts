import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe, type Tree } from '../../github/yaml.ts';
import { type NamedValue, readVariables } from './env-vars.ts';

/** A value that becomes a file in the container. */
export interface SecretFile {
  path: string;
  content: string;
  /** File mode; absent: readable by all, for the container may run as any user. */
  mode?: number;
  from: string;
}

/** What the step was given as secrets: it goes into Secrets that belong to the pod, and nowhere else. */
export interface OwnedSecretInputs {
  env: NamedValue[];
  files: SecretFile[];
  /** Without a server that of the image is meant. */
  registry?: { server?: string; username: string; password: string };
}

/** Reads `secret_env`, `secret_files`, and `registry_username` with what belongs to it. */
export function readOwnedSecrets(reader: InputReader): OwnedSecretInputs {
  const registry = readRegistry(reader);
  const placed = <T extends { from: string }>(item: T): T => ({ ...item, from: reader.place(item.from) });
  return {
    env: readSecretEnv(reader).map(placed),
    files: readSecretFiles(reader).map(placed),
    ...(registry && { registry }),
  };
}

function readSecretEnv(reader: InputReader): NamedValue[] {
  const values = readVariables<NamedValue>(reader, 'secret_env', (_, input, __, path) => {
    const example = '{PASSWORD: ${{ secrets.PASSWORD }}}';
    if (path === '[0]') reader.problem(input, `expected a mapping, e.g. ${example}, or KEY=value lines; found a list.`);
    return [];
  });
  return (values ?? []).filter(({ name, value, from }) => {
    // A key of a Secret is what a variable of that name is read from.
    if (!/^[-._a-zA-Z0-9]+$/.test(name)) {
      reader.problem('secret_env', `"${name}" cannot be used: letters, digits, dashes, underscores and dots.`);
      return false;
    }
    if (value === '')
      reader.warnings.add(
        `${from} is empty. A secret that is not set, or not for this event, is empty text in a workflow.`,
      );
    return true;
  });
}

function readSecretFiles(reader: InputReader): SecretFile[] {
  const tree = reader.tree('secret_files');
  if (tree === undefined || isNull(tree)) return [];
  if (!isMapping(tree)) {
    const example = '{/etc/app/key.json: {env: KEY_JSON}}';
    reader.problem(
      'secret_files',
      `expected a mapping of paths to contents, e.g. ${example}; found ${describe(tree)}.`,
    );
    return [];
  }
  const folders = Object.keys(tree);
  return Object.entries(tree).flatMap(([path, value]) => {
    const place = `[${path}]`;
    if (folders.some(other => other.startsWith(`${path}/`)))
      reader.problem('secret_files', 'is a file, and the folder of another one too.', place);
    if (!/^\/.*[^/]$/.test(path) || path.split('/').includes('..')) {
      reader.problem('secret_files', 'expected the absolute path of a file in the container.', place);
      return [];
    }
    const file = isMapping(value) ? fromMapping(reader, value, place) : { content: textOf(reader, value, place) };
    const { content, mode } = file;
    if (content === undefined) return [];
    const from = `secret_files${place}`;
    if (content === '')
      reader.warnings.add(
        `${from} is empty. A secret that is not set, or not for this event, is empty text in a workflow.`,
      );
    return [{ path, content, from, ...(mode !== undefined && { mode }) }];
  });
}

function fromMapping(
  reader: InputReader,
  value: { [key: string]: Tree },
  place: string,
): { content?: string | undefined; mode?: number | undefined } {
  // What is there may be the secret itself, pasted as JSON: nothing of it is quoted.
  if (Object.keys(value).some(key => !['content', 'env', 'mode'].includes(key)))
    reader.problem(
      'secret_files',
      'expected content or env, and perhaps mode; found another key. Quote JSON that is the content, or give it by env.',
      place,
    );
  const { content, env, mode } = value;
  const has = (tree: Tree | undefined): tree is Tree => tree !== undefined && !isNull(tree);
  if (has(content) === has(env)) {
    reader.problem('secret_files', 'expected either content, or env with the name of a variable of the step.', place);
    return {};
  }
  const modeNumber = readMode(reader, mode, `${place}.mode`);
  if (has(content)) return { content: textOf(reader, content, `${place}.content`), mode: modeNumber };
  const name = has(env) ? textOf(reader, env, `${place}.env`) : undefined;
  if (name === undefined) return {};
  const passed = reader.env[name];
  if (passed === undefined)
    reader.problem(
      'secret_files',
      'the step has no variable of that name. Set it under env: of the step.',
      `${place}.env`,
    );
  return { content: passed, mode: modeNumber };
}

function readMode(reader: InputReader, mode: Tree | undefined, place: string): number | undefined {
  if (mode === undefined || isNull(mode)) return undefined;
  const value = typeof mode === 'object' && 'value' in mode ? mode.value : undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0o777) return value;
  reader.problem('secret_files', `expected a file mode, e.g. 0400, without quotes.`, place);
  return undefined;
}

function textOf(reader: InputReader, tree: Tree, place: string): string | undefined {
  if (isScalar(tree)) return isNull(tree) ? '' : String(tree);
  reader.problem('secret_files', `expected text, found ${describe(tree)}.`, place);
  return undefined;
}

function readRegistry(reader: InputReader): OwnedSecretInputs['registry'] {
  const [username, password, server] = [
    reader.word('registry_username'),
    reader.raw('registry_password')?.trim(),
    reader.word('registry'),
  ];
  if (username === undefined && password === undefined) {
    if (server !== undefined)
      reader.problem('registry', 'expected registry_username and registry_password with it; found neither.');
    return undefined;
  }
  if (username === undefined || password === undefined) {
    const [there, missing] = username === undefined ? ['password', 'username'] : ['username', 'password'];
    reader.problem(
      `registry_${missing}`,
      `registry_${there} is given, so this is needed too. A secret that is not set is empty text in a workflow.`,
    );
    return undefined;
  }
  return { ...(server !== undefined && { server }), username, password };
}
