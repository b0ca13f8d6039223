import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { StepError } from '../github/failure.ts';
import { isMapping, isNull } from '../github/inputs/reader.ts';
import { parseYaml, plain, type Tree, YamlError } from '../github/yaml.ts';

/** A user with what client-node does not read. */
export interface KubeUser extends User {
  tokenFile?: string;
  /** The headers that say as whom it acts (`as`, `as-groups`, `as-uid`, `as-user-extra`). */
  impersonation?: Record<string, string | string[]>;
}

/** A cluster with what client-node does not read. */
export interface KubeCluster extends Cluster {
  /** What credential plugins are told of it beside the rest (the extension `client.authentication.k8s.io/exec`). */
  execConfig?: unknown;
}

const WHOLE = 'Give the whole content of a kubeconfig file, plain or base64.';
const WHOLE_FILE = 'It has to be a whole kubeconfig file, in plain text; base64 is for the input `kubeconfig`.';
/** What kubectl prints in place of what it does not without `--raw`. */
const REDACTED = /:\s*['"]?(DATA\+OMITTED|REDACTED)['"]?\s*([,}]|$)/m;
const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/** @returns the error of a kubeconfig that cannot be used */
export function unusable(sentence: string, remedy?: string): StepError {
  return new StepError('InvalidKubeconfig', 'Unusable kubeconfig', sentence, remedy === undefined ? {} : { remedy });
}

/**
 * Reads a kubeconfig. Neither the text nor a part of it is ever quoted: it is full of secrets.
 * @param origin what the user gave, for messages
 * @param isPart whether there are more files, which may have what this one lacks
 * @throws StepError
 */
export function parseKubeconfig(text: string, origin: string, isPart = false): KubeConfig {
  const what = `${origin}: this is not a kubeconfig:`;
  const whole = origin === 'kubeconfig' ? WHOLE : WHOLE_FILE;
  let tree: ReturnType<typeof parseYaml>;
  try {
    tree = parseYaml(text);
  } catch (error) {
    if (error instanceof YamlError) throw unusable(`${what} it is not valid YAML: ${error.message}.`);
    throw error;
  }
  if (!isMapping(tree)) throw unusable(`${what} it holds no mapping.`, whole);
  if (REDACTED.test(text))
    throw unusable(
      `${origin}: the secrets of this kubeconfig were left out when it was printed.`,
      'Make it by kubectl config view --raw --minify --flatten.',
    );
  for (const list of ['clusters', 'users', 'contexts']) {
    const value = isNull(tree[list] ?? '') ? [] : (tree[list] ?? []);
    // One for a job that logs in as itself needs none, and `kubectl config delete-user` leaves null.
    const isMissing = list !== 'users' && Array.isArray(value) && value.length === 0;
    if (!Array.isArray(value) || (isMissing && !isPart)) throw unusable(`${what} it has no list of ${list}.`, whole);
    const names = value.map(entry => (isMapping(entry) ? String(entry['name']) : ''));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw unusable(`${origin}: two of the kubeconfig’s ${list} are called ${twice}.`);
  }
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    // Its message would quote the lines around.
    const { reason, mark } = error as { reason?: string; mark?: { line?: number } };
    const place = mark?.line === undefined ? '' : ` (line ${mark.line + 1})`;
    throw unusable(`${what} ${reason ?? (error as Error).message}${place}.`);
  }
  const users = entries(tree['users'], 'user');
  config.users = config.users.map(user => ({ ...user, ...restOfUser(users.get(String(user.name)) ?? {}) }));
  const clusters = entries(tree['clusters'], 'cluster');
  config.clusters = config.clusters.map(cluster => ({
    ...cluster,
    ...restOfCluster(clusters.get(String(cluster.name)) ?? {}),
  }));
  return config;
}

/**
 * Reads the file of a kubeconfig; what it names by relative paths is relative to it.
 * @throws StepError
 */
export function kubeconfigOf(file: string, origin: string, isPart = false): KubeConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw unusable(
      `${origin}: cannot read ${file}: ${why}.`,
      origin === 'config_file' ? `Paths are relative to the step's working directory, ${process.cwd()}.` : undefined,
    );
  }
  const config = parseKubeconfig(text, origin === file ? file : `${origin} ${file}`, isPart);
  const folder = dirname(file);
  config.makePathsAbsolute(folder);
  config.users = config.users.map((user: KubeUser) => ({
    ...user,
    ...(user.tokenFile !== undefined && { tokenFile: resolve(folder, user.tokenFile) }),
    ...(user.exec && { exec: { ...user.exec, command: beside(folder, user.exec.command) } }),
  }));
  return config;
}

/** As kubectl merges: the first file to name a cluster, user, context, or the current one, wins; client-node throws where two do. */
export function mergedKubeconfigs(configs: [KubeConfig, ...KubeConfig[]]): KubeConfig {
  const [first, ...more] = configs;
  for (const next of more) {
    first.clusters = firstOfEach(first.clusters, next.clusters);
    first.users = firstOfEach(first.users, next.users);
    first.contexts = firstOfEach(first.contexts, next.contexts);
    first.currentContext ||= next.currentContext;
  }
  return first;
}

function firstOfEach<T extends { name: string }>(known: T[], more: T[]): T[] {
  return [...known, ...more.filter(({ name }) => !known.some(one => one.name === name))];
}

/** A plain name is looked for in PATH. */
function beside(folder: string, command: unknown): unknown {
  return typeof command === 'string' && /[\\/]/.test(command) && !isAbsolute(command)
    ? resolve(folder, command)
    : command;
}

type Fields = Record<string, unknown>;

/** @returns what stands under `key` in each entry of a list, by the entry's name */
function entries(list: Tree | undefined, key: string): Map<string, Fields> {
  const all = plain(list ?? []) as Fields[];
  return new Map(all.map(entry => [String(entry['name']), (entry[key] ?? {}) as Fields]));
}

function restOfUser(user: Fields): Partial<KubeUser> {
  const tokenFile = user['tokenFile'];
  const impersonation = impersonationOf(user);
  return {
    ...(typeof tokenFile === 'string' && tokenFile !== '' && { tokenFile }),
    ...(impersonation && { impersonation }),
  };
}

function restOfCluster(cluster: Fields): Partial<KubeCluster> {
  const extensions = Array.isArray(cluster['extensions']) ? (cluster['extensions'] as Fields[]) : [];
  const execConfig = extensions.find(({ name }) => name === EXEC_EXTENSION)?.['extension'];
  return execConfig === undefined ? {} : { execConfig };
}

/** As client-go sends it (transport/round_trippers.go). */
function impersonationOf(user: Fields): Record<string, string | string[]> | undefined {
  const groups = user['as-groups'];
  const extra = Object.entries((user['as-user-extra'] ?? {}) as Record<string, unknown>);
  const headers: Record<string, string | string[]> = {
    ...(user['as'] ? { 'Impersonate-User': String(user['as']) } : {}),
    ...(user['as-uid'] ? { 'Impersonate-Uid': String(user['as-uid']) } : {}),
    ...(Array.isArray(groups) && groups.length > 0 ? { 'Impersonate-Group': groups.map(String) } : {}),
    ...Object.fromEntries(
      extra.map(([name, values]) => [
        `Impersonate-Extra-${encodeURIComponent(name)}`,
        (Array.isArray(values) ? values : [values]).map(String),
      ]),
    ),
  };
  return Object.keys(headers).length === 0 ? undefined : headers;
}
