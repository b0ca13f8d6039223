import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe, plain, type Tree } from '../../github/yaml.ts';
import type { JsonObject } from '../json.ts';
import { hash } from '../naming.ts';
import { spellOut } from '../positional.ts';
import type { Fragment } from './fragment.ts';

/** KPO's Secret: which existing Kubernetes Secret the container sees, and as what. */
const FIELDS = ['deploy_type', 'deploy_target', 'secret', 'key', 'items'] as const;
const ITEM = '{key: cert, path: tls.crt}';
const EXAMPLE = '{deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}';

/** `secrets`: a variable from one key, all keys as variables, or files. */
export function readSecrets(reader: InputReader): Fragment[] {
  const tree = reader.tree('secrets');
  if (tree === undefined || isNull(tree)) return [];
  if (!Array.isArray(tree)) {
    reader.problem('secrets', `expected a list, e.g. [${EXAMPLE}]; found ${describe(tree)}.`);
    return [];
  }
  return tree.flatMap((item, index) => readSecret(reader, item, `[${index}]`));
}

function readSecret(reader: InputReader, item: Tree, path: string): Fragment[] {
  if (!isMapping(item)) {
    const meant = spellOut(item, 'Secret');
    reader.problem('secrets', `expected a mapping, e.g. ${meant ?? EXAMPLE}; found ${describe(item)}.`, path);
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
  if (type === 'env') return readVariable(reader, item, path, { target, secret, key });
  if (type === 'volume') return readVolume(reader, item, path, { target, secret, key });
  reader.problem(
    'secrets',
    `expected env or volume, found ${type === undefined ? 'nothing' : `"${type}"`}.`,
    `${path}.deploy_type`,
  );
  return [];
}

interface Use {
  target: string | undefined;
  secret: string;
  key: string | undefined;
}

function readVariable(reader: InputReader, item: { [key: string]: Tree }, path: string, use: Use): Fragment[] {
  const { target, secret, key } = use;
  const from = `secrets${path}`;
  if (item['items'] !== undefined && !isNull(item['items']))
    reader.problem('secrets', 'items belong to deploy_type: volume.', path);
  if (key === undefined && target === undefined)
    return [{ from, of: 'container', fields: { envFrom: [{ secretRef: { name: secret } }] } }];
  if (key === undefined || target === undefined) {
    const half =
      key === undefined
        ? 'has a deploy_target, so it also needs the key whose value goes there.'
        : 'has a key, so it also needs a deploy_target, the name of the variable.';
    reader.problem('secrets', `${half} (Without both, all keys become variables.)`, path);
    return [];
  }
  if (target.includes('=')) {
    reader.problem(
      'secrets',
      `"${target}" cannot be the name of a variable: it must not hold a =.`,
      `${path}.deploy_target`,
    );
    return [];
  }
  if (target !== target.toUpperCase())
    reader.notices.add(
      `${from}.deploy_target: the variable is called ${target}, as it is written. Airflow would have called it ${target.toUpperCase()}.`,
    );
  const variable = { name: target, valueFrom: { secretKeyRef: { name: secret, key } } };
  return [{ from, of: 'container', fields: { env: [variable] } }];
}

function readVolume(reader: InputReader, item: { [key: string]: Tree }, path: string, use: Use): Fragment[] {
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
  const from = `secrets${path}`;
  const name = `secret-${hash(JSON.stringify([use, items]), 8)}`;
  const volume = { name, secret: { secretName: use.secret, ...(items && { items }) } };
  const mount = { name, mountPath: use.target, readOnly: true };
  return [
    { from, of: 'spec', fields: { volumes: [volume] } },
    { from, of: 'container', fields: { volumeMounts: [mount] } },
  ];
}

function readItems(reader: InputReader, items: Tree | undefined, path: string): JsonObject[] | undefined {
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

/** A null counts as unset, as KPO's users write it, also in Python's spelling. */
function textField(reader: InputReader, item: { [key: string]: Tree }, name: string, path: string): string | undefined {
  const value = item[name];
  if (value === undefined || isNull(value) || value === 'None') return undefined;
  if (isScalar(value)) return String(value) || undefined;
  reader.problem('secrets', `expected text, found ${describe(value)}.`, `${path}.${name}`);
  return undefined;
}
