import type { V1KeyToPath } from '@kubernetes/client-node';
import { describe, plain, type Tree } from '../yaml.ts';
import { type InputReader, isMapping, isNull, isScalar } from './reader.ts';

/** KPO's Secret: which existing Kubernetes Secret the container sees, and as what. */
export type SecretUse =
  | { kind: 'variable'; secret: string; key: string; name: string }
  | { kind: 'all variables'; secret: string }
  | { kind: 'files'; secret: string; mountPath: string; items?: V1KeyToPath[] };

const FIELDS = ['deploy_type', 'deploy_target', 'secret', 'key', 'items'] as const;
const ITEM = '{key: cert, path: tls.crt}';
const EXAMPLE = '{deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}';

export function readSecrets(reader: InputReader): SecretUse[] {
  const tree = reader.tree('secrets');
  if (tree === undefined || isNull(tree)) return [];
  if (!Array.isArray(tree)) {
    reader.problem('secrets', `expected a list, e.g. [${EXAMPLE}]; found ${describe(tree)}.`);
    return [];
  }
  return tree.flatMap((item, index) => readSecret(reader, item, `[${index}]`));
}

function readSecret(reader: InputReader, item: Tree, path: string): SecretUse[] {
  if (!isMapping(item)) {
    reader.problem('secrets', `expected a mapping, e.g. ${EXAMPLE}; found ${describe(item)}.`, path);
    return [];
  }
  reader.unknownKeys('secrets', path, item, FIELDS);
  const field = (name: (typeof FIELDS)[number]) => textField(reader, item, name, path);
  const [type, target, secret, key] = [field('deploy_type'), field('deploy_target'), field('secret'), field('key')];
  if (secret === undefined) {
    if (item['secret'] === undefined || isNull(item['secret']))
      reader.problem('secrets', `expected the name of a Kubernetes Secret, e.g. ${EXAMPLE}.`, `${path}.secret`);
    return [];
  }
  if (type === 'env') {
    if (item['items'] !== undefined && !isNull(item['items']))
      reader.problem('secrets', 'items belong to deploy_type: volume.', path);
    if (key === undefined && target === undefined) return [{ kind: 'all variables', secret }];
    if (key !== undefined && target !== undefined) return [{ kind: 'variable', secret, key, name: target }];
    reader.problem(
      'secrets',
      key === undefined
        ? 'has a deploy_target, so it also needs the key whose value goes there. (Without both, all keys become variables.)'
        : 'has a key, so it also needs a deploy_target, the name of the variable. (Without both, all keys become variables.)',
      path,
    );
    return [];
  }
  if (type === 'volume') return readVolume(reader, item, path, { target, secret, key });
  reader.problem(
    'secrets',
    `expected env or volume, found ${type === undefined ? 'nothing' : `"${type}"`}.`,
    `${path}.deploy_type`,
  );
  return [];
}

function readVolume(
  reader: InputReader,
  item: { [key: string]: Tree },
  path: string,
  use: { target: string | undefined; secret: string; key: string | undefined },
): SecretUse[] {
  if (use.target === undefined || !use.target.startsWith('/')) {
    reader.problem(
      'secrets',
      `expected the absolute path to mount the Secret at, found ${use.target === undefined ? 'nothing' : `"${use.target}"`}.`,
      `${path}.deploy_target`,
    );
    return [];
  }
  if (use.key !== undefined && item['items'] !== undefined && !isNull(item['items'])) {
    reader.problem('secrets', 'has both key and items, which say two things. Keep one of them.', path);
  }
  const items =
    readItems(reader, item['items'], `${path}.items`) ??
    (use.key === undefined ? undefined : [{ key: use.key, path: use.key }]);
  return [{ kind: 'files', secret: use.secret, mountPath: use.target, ...(items && { items }) }];
}

function readItems(reader: InputReader, items: Tree | undefined, path: string): V1KeyToPath[] | undefined {
  if (items === undefined || isNull(items)) return undefined;
  if (!Array.isArray(items)) {
    reader.problem('secrets', `expected a list, e.g. [{key: cert, path: tls.crt}]; found ${describe(items)}.`, path);
    return undefined;
  }
  return items.flatMap((item, index) => {
    const where = `${path}[${index}]`;
    if (!isMapping(item)) {
      reader.problem('secrets', `expected a mapping with key and path, e.g. ${ITEM}; found ${describe(item)}.`, where);
      return [];
    }
    reader.unknownKeys('secrets', where, item, ['key', 'path', 'mode']);
    const key = textField(reader, item, 'key', where);
    const target = textField(reader, item, 'path', where);
    for (const name of ['key', 'path']) {
      const value = item[name];
      if (value === undefined || isNull(value) || value === '')
        reader.problem('secrets', `expected a ${name}, e.g. ${ITEM}.`, where);
    }
    const mode = readMode(reader, item['mode'], `${where}.mode`);
    return key !== undefined && target !== undefined
      ? [{ key, path: target, ...(mode !== undefined && { mode }) }]
      : [];
  });
}

function readMode(reader: InputReader, tree: Tree | undefined, path: string): number | undefined {
  if (tree === undefined || isNull(tree)) return undefined;
  const mode = plain(tree);
  if (typeof mode === 'number' && Number.isInteger(mode) && mode >= 0 && mode <= 0o777) return mode;
  reader.problem(
    'secrets',
    `expected a file mode, e.g. 0400, without quotes; found ${isScalar(tree) ? `"${tree}"` : describe(tree)}.`,
    path,
  );
  return undefined;
}

/** A null counts as unset, as KPO's users write it. */
function textField(reader: InputReader, item: { [key: string]: Tree }, name: string, path: string): string | undefined {
  const value = item[name];
  if (value === undefined || isNull(value)) return undefined;
  if (isScalar(value)) return String(value) || undefined;
  reader.problem('secrets', `expected text, found ${describe(value)}.`, `${path}.${name}`);
  return undefined;
}
