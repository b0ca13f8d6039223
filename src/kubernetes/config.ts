import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { StepError } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/inputs.ts';
import { didYouMean } from '../github/inputs/reader.ts';
import type { CredentialSource } from './credentials/credential.ts';
import { sourceOf } from './credentials/of-user.ts';
import { type KubeUser, kubeconfigOf, mergedKubeconfigs, parseKubeconfig, unusable } from './kubeconfig.ts';

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
  /** Where the user's credentials come from, where they do not stand in the kubeconfig. */
  credentials?: CredentialSource;
  /** The headers that say as whom the user acts. */
  impersonation?: KubeUser['impersonation'];
  /** Every secret value in the credentials, to be masked before anything is printed. */
  secrets: string[];
}

/**
 * Finds the cluster: explicit inputs first, then what the runner has (`KUBECONFIG`, the runner's own service account when it is a pod, `~/.kube/config`).
 * @throws StepError when there is none, or what there is cannot be used.
 */
export function findCluster(inputs: ClusterInputs, env: NodeJS.ProcessEnv): Target {
  if (inputs.kubeconfig !== undefined)
    return target(parseKubeconfig(inputs.kubeconfig, 'kubeconfig'), 'kubeconfig', inputs);
  if (inputs.configFile !== undefined)
    return target(kubeconfigOf(inputs.configFile, 'config_file'), `config_file ${inputs.configFile}`, inputs);
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== '');
  const [first, ...more] = files.map(file => kubeconfigOf(file, 'KUBECONFIG'));
  if (first !== undefined)
    return target(mergedKubeconfigs([first, ...more]), `KUBECONFIG ${files.join(delimiter)}`, inputs);
  if (env['KUBERNETES_SERVICE_HOST'] && existsSync(join(SERVICE_ACCOUNT, 'token'))) return inCluster(inputs);
  const home = join(homedir(), '.kube', 'config');
  if (existsSync(home)) return target(kubeconfigOf(home, home), home, inputs);
  throw new StepError(
    'InvalidKubeconfig',
    'No cluster given',
    'kubeconfig: there is no cluster to run on: neither `kubeconfig` nor `config_file` is given, and the runner has no KUBECONFIG, no service account and no ~/.kube/config.',
    {
      remedy: 'Give `kubeconfig` the content of a kubeconfig, from a secret: kubeconfig: ${{ secrets.KUBECONFIG }}.',
    },
  );
}

function inCluster(inputs: ClusterInputs): Target {
  const config = new KubeConfig();
  config.loadFromCluster();
  const tokenFile = join(SERVICE_ACCOUNT, 'token');
  config.users = config.users.map(({ authProvider: _, ...user }) => ({ ...user, tokenFile }));
  return target(config, "the runner's own service account", inputs);
}

function target(config: KubeConfig, from: string, inputs: ClusterInputs): Target {
  // YAML makes a number of a name of digits.
  const names = config.contexts.map(({ name }) => String(name));
  const name = String(inputs.context ?? config.currentContext ?? '');
  if (!name)
    throw unusable(
      `${from}: the kubeconfig has no current context.`,
      `Name one in \`cluster_context\`: ${names.join(', ')}.`,
    );
  const context = config.contexts[names.indexOf(name)];
  if (!context) {
    const which = inputs.context === undefined ? `its current context ${name}` : `context ${name} (cluster_context)`;
    throw unusable(
      `${from}: the kubeconfig does not have ${which}. It has: ${names.join(', ')}.${didYouMean(name, names)}`,
    );
  }
  config.setCurrentContext(context.name);
  const cluster = config.getCluster(context.cluster);
  if (!cluster)
    throw unusable(`${from}: context ${name} names cluster ${context.cluster}, which the kubeconfig does not have.`);
  checkServer(cluster.server, `${from}: the server of cluster ${cluster.name}`);
  if (cluster.proxyUrl && (!URL.canParse(cluster.proxyUrl) || !/^https?:/.test(cluster.proxyUrl)))
    throw unusable(
      `${from}: the proxy-url of cluster ${cluster.name} is not an HTTP proxy’s address. SOCKS is not supported yet.`,
    );
  const user = config.getCurrentUser();
  if (!user) throw unusable(`${from}: context ${name} names user ${context.user}, which the kubeconfig does not have.`);
  let source: CredentialSource | undefined;
  try {
    source = sourceOf(user, cluster);
  } catch (error) {
    throw unusable(`${from}: the user ${user.name} cannot be used: ${(error as Error).message}.`);
  }
  // What is obtained is ours to obtain: client-node runs a plugin without what it may be told, and cannot be asked for another credential.
  if (source !== undefined)
    config.users = config.users.map(one => {
      if (one !== user) return one;
      const { exec: _, authProvider: __, ...rest } = user;
      return rest;
    });
  // client-node refuses plain http unless told not to verify what is not there to be verified.
  if (cluster.server.startsWith('http:'))
    config.clusters = config.clusters.map(one => (one === cluster ? { ...cluster, skipTLSVerify: true } : one));
  // YAML makes a number of a token of digits.
  const secrets = [user.token, user.password, user.keyData].flatMap(secret => (secret ? [String(secret)] : []));
  return {
    kubeConfig: config,
    server: cluster.server.replace(/\/+$/, ''),
    source: `context ${name} of ${from}`,
    namespace: inputs.namespace ?? (context.namespace || serviceAccountNamespace() || 'default'),
    secrets,
    ...(source && { credentials: source }),
    ...((user as KubeUser).impersonation && { impersonation: (user as KubeUser).impersonation }),
  };
}

/** An address with more in it than a place would be printed, or silently cut. */
function checkServer(server: unknown, what: string): void {
  if (typeof server !== 'string' || !/^https?:\/\/[^/\s]+\S*$/.test(server) || !URL.canParse(server))
    throw unusable(`${what} is not an http(s) address.`);
  const { username, password, search, hash } = new URL(server);
  if (username || password)
    throw unusable(`${what} holds a user name or password.`, 'Put them under the user of the context.');
  if (search || hash) throw unusable(`${what} ends in a query (?) or a fragment (#).`);
}

function serviceAccountNamespace(): string {
  const file = join(SERVICE_ACCOUNT, 'namespace');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}
