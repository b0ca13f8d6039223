import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { StepError } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/inputs.ts';
import { didYouMean, isMapping } from '../github/inputs/reader.ts';
import { parseYaml, plain, type Tree, YamlError } from '../github/yaml.ts';

/** Where the kubelet mounts it, in a pod. */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Which cluster, and as whom: chosen, checked, not yet connected to. */
export interface Target {
  kubeConfig: KubeConfig;
  /** The API server's URL, without a slash at its end. */
  server: string;
  /** Where that came from, for messages: `context kind of config_file ./kube.yaml`. */
  source: string;
  /** The namespace to use where the pod names none. */
  namespace: string;
  /** Every secret value in the credentials, to be masked before anything is printed. */
  secrets: string[];
}

/**
 * Finds the cluster: explicit inputs first, then what the runner has (`KUBECONFIG`, the runner's own service account when it is a pod, `~/.kube/config`).
 * @throws StepError when there is none, or what there is cannot be used.
 */
export function findCluster(inputs: ClusterInputs, env: NodeJS.ProcessEnv): Target {
  if (inputs.kubeconfig !== undefined) return target(parse(inputs.kubeconfig, 'kubeconfig'), 'kubeconfig', inputs);
  if (inputs.configFile !== undefined)
    return target(fromFile(inputs.configFile, 'config_file'), `config_file ${inputs.configFile}`, inputs);
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== '');
  if (files.length > 0) return target(fromFiles(files), `KUBECONFIG ${files.join(delimiter)}`, inputs);
  if (env['KUBERNETES_SERVICE_HOST'] && existsSync(join(SERVICE_ACCOUNT, 'token'))) return inCluster(inputs);
  const home = join(homedir(), '.kube', 'config');
  if (existsSync(home)) return target(fromFile(home, home), home, inputs);
  throw new StepError(
    'InvalidKubeconfig',
    'No cluster given',
    'kubeconfig: there is no cluster to run on: neither `kubeconfig` nor `config_file` is given, and the runner has no KUBECONFIG, no service account and no ~/.kube/config.',
    {
      remedy: 'Give `kubeconfig` the content of a kubeconfig, from a secret: kubeconfig: ${{ secrets.KUBECONFIG }}.',
    },
  );
}

function invalid(sentence: string, remedy?: string): StepError {
  return new StepError('InvalidKubeconfig', 'Unusable kubeconfig', sentence, remedy === undefined ? {} : { remedy });
}

function fromFiles(files: string[]): KubeConfig {
  const [first, ...more] = files.map(file => fromFile(file, 'KUBECONFIG'));
  if (first === undefined) throw new Error('no files');
  // As kubectl merges: the first file to name a cluster, user or context wins; client-node throws there.
  for (const next of more) {
    first.clusters = [
      ...first.clusters,
      ...next.clusters.filter(cluster => !first.clusters.some(({ name }) => name === cluster.name)),
    ];
    first.users = [...first.users, ...next.users.filter(user => !first.users.some(({ name }) => name === user.name))];
    first.contexts = [
      ...first.contexts,
      ...next.contexts.filter(context => !first.contexts.some(({ name }) => name === context.name)),
    ];
    first.currentContext ||= next.currentContext;
  }
  return first;
}

function fromFile(file: string, origin: string): KubeConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw invalid(
      `${origin}: cannot read ${file}: ${why}.`,
      origin === 'config_file' ? `Paths are relative to the step's working directory, ${process.cwd()}.` : undefined,
    );
  }
  const config = parse(text, origin === file ? file : `${origin} ${file}`);
  config.makePathsAbsolute(join(file, '..'));
  absoluteTokenFiles(config, join(file, '..'));
  return config;
}

/** Neither the text nor a part of it is ever quoted: it is full of secrets. */
function parse(text: string, origin: string): KubeConfig {
  const what = `${origin}: this is not a kubeconfig:`;
  let tree: ReturnType<typeof parseYaml>;
  try {
    tree = parseYaml(text);
  } catch (error) {
    if (error instanceof YamlError) throw invalid(`${what} it is not valid YAML: ${error.message}.`);
    throw error;
  }
  if (!isMapping(tree))
    throw invalid(`${what} it holds no mapping.`, 'Give the whole content of a kubeconfig file, plain or base64.');
  for (const list of ['clusters', 'users', 'contexts']) {
    const value = tree[list];
    if (!Array.isArray(value) || (list !== 'users' && value.length === 0))
      throw invalid(
        `${what} it has no list of ${list}.`,
        'Give the whole content of a kubeconfig file, plain or base64.',
      );
  }
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    throw invalid(`${what} ${(error as Error).message}.`);
  }
  readTokenFiles(config, tree);
  return config;
}

/** client-node knows a user's `tokenFile` only under another name, and would send no token at all. It reads the file anew once a minute. */
function readTokenFiles(config: KubeConfig, tree: { [key: string]: Tree }): void {
  const users = plain(tree['users'] ?? []) as { name?: unknown; user?: { tokenFile?: unknown } | null }[];
  config.users = config.users.map(user => {
    const tokenFile = users.find(({ name }) => String(name) === String(user.name))?.user?.tokenFile;
    if (typeof tokenFile !== 'string' || user.token) return user;
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

function absoluteTokenFiles(config: KubeConfig, folder: string): void {
  for (const { authProvider } of config.users) {
    if (authProvider?.name === 'tokenFile')
      authProvider.config.tokenFile = resolve(folder, authProvider.config.tokenFile);
  }
}

function inCluster(inputs: ClusterInputs): Target {
  const config = new KubeConfig();
  config.loadFromCluster();
  return target(config, "the runner's own service account", inputs);
}

function target(config: KubeConfig, source: string, inputs: ClusterInputs): Target {
  // YAML makes a number of a name of digits.
  const names = config.contexts.map(({ name }) => String(name));
  const name = String(inputs.context ?? config.currentContext ?? '');
  if (!name)
    throw invalid(
      `${source}: the kubeconfig has no current context.`,
      `Name one in \`cluster_context\`: ${names.join(', ')}.`,
    );
  const context = config.contexts[names.indexOf(name)];
  if (!context) {
    const which = inputs.context === undefined ? `its current context ${name}` : `context ${name} (cluster_context)`;
    throw invalid(
      `${source}: the kubeconfig does not have ${which}. It has: ${names.join(', ')}.${didYouMean(name, names)}`,
    );
  }
  config.setCurrentContext(context.name);
  const cluster = config.getCluster(context.cluster);
  if (!cluster)
    throw invalid(`${source}: context ${name} names cluster ${context.cluster}, which the kubeconfig does not have.`);
  checkServer(cluster.server, `${source}: the server of cluster ${cluster.name}`);
  if (cluster.proxyUrl && (!URL.canParse(cluster.proxyUrl) || !/^https?:/.test(cluster.proxyUrl)))
    throw invalid(
      `${source}: the proxy-url of cluster ${cluster.name} is not an HTTP proxy’s address. SOCKS is not supported yet.`,
    );
  const user = config.getCurrentUser();
  if (!user)
    throw invalid(`${source}: context ${name} names user ${context.user}, which the kubeconfig does not have.`);
  // client-node refuses plain http unless told not to verify what is not there to be verified.
  if (cluster.server.startsWith('http:'))
    config.clusters = config.clusters.map(one => (one === cluster ? { ...cluster, skipTLSVerify: true } : one));
  // YAML makes a number of a token of digits.
  const secrets = [user.token, user.password, user.keyData].flatMap(secret => (secret ? [String(secret)] : []));
  return {
    kubeConfig: config,
    server: cluster.server.replace(/\/+$/, ''),
    source: `context ${name} of ${source}`,
    namespace: inputs.namespace ?? (context.namespace || serviceAccountNamespace() || 'default'),
    secrets,
  };
}

/** An address with more in it than a place would be printed, or silently cut. */
function checkServer(server: unknown, what: string): void {
  if (typeof server !== 'string' || !/^https?:\/\/[^/\s]+\S*$/.test(server) || !URL.canParse(server))
    throw invalid(`${what} is not an http(s) address.`);
  const { username, password, search, hash } = new URL(server);
  if (username || password)
    throw invalid(`${what} holds a user name or password.`, 'Put them under the user of the context.');
  if (search || hash) throw invalid(`${what} ends in a query (?) or a fragment (#).`);
}

function serviceAccountNamespace(): string {
  const file = join(SERVICE_ACCOUNT, 'namespace');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}
