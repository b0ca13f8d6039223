import type { V1KeyToPath } from '@kubernetes/client-node';
import { describe, plain, type Tree } from '../yaml.ts';
import { type InputReader, isMapping, isNull, isScalar } from './reader.ts';

/** KPO's Secret: which existing Kubernetes Secret the container sees, and as what. */
export type SecretUse =
  | { kind: 'variable'; secret: string; key: string; name: string }
  | { kind: 'all variables'; secret: string }
  | { kind: 'files'; secret: string; mountPath: string; items?: V1KeyToPath[] };

const FIELDS = ['deploy_type', 'deploy_target', 'secret', 'key', 'items'] as const;
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
    reader.problem('secrets', `expected the name of a Kubernetes Secret, e.g. ${EXAMPLE}.`, `${path}.secret`);
    return [];
  }
  if (type === 'env') {
    if (item['items'] !== undefined) reader.problem('secrets', 'items belong to deploy_type: volume.', path);
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
    if (!isMapping(item) || item['key'] === undefined || item['path'] === undefined) {
      reader.problem(
        'secrets',
        `expected a mapping with key and path, e.g. {key: cert, path: tls.crt}; found ${describe(item)}.`,
        `${path}[${index}]`,
      );
      return [];
    }
    reader.unknownKeys('secrets', `${path}[${index}]`, item, ['key', 'path', 'mode']);
    const mode = item['mode'] === undefined ? undefined : plain(item['mode']);
    if (mode !== undefined && typeof mode !== 'number')
      reader.problem('secrets', 'expected a file mode, e.g. 0400.', `${path}[${index}].mode`);
    return [{ key: String(item['key']), path: String(item['path']), ...(typeof mode === 'number' && { mode }) }];
  });
}

/** A null counts as unset, as KPO's users write it. */
function textField(reader: InputReader, item: { [key: string]: Tree }, name: string, path: string): string | undefined {
  const value = item[name];
  if (value === undefined || isNull(value)) return undefined;
  if (isScalar(value)) return String(value) || undefined;
  reader.problem('secrets', `expected text, found ${describe(value)}.`, `${path}.${name}`);
  return undefined;
}
