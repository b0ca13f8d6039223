import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { StepError } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import { didYouMean } from '../github/inputs/reader.ts';
import {
  type KubeCluster,
  type KubeUser,
  kubeconfigOf,
  mergedKubeconfigs,
  parseKubeconfig,
  unusable,
} from './kubeconfig.ts';
import { proxiesOf, proxyAddress, proxyFor, secretsOf } from './proxy.ts';
import { type Acting, actingOn } from './user.ts';

/** Where the kubelet mounts it, in a pod. */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Which cluster, and as whom: chosen, checked, not yet connected to. */
export interface Target extends Acting {
  kubeConfig: KubeConfig;
  /** The API server's URL, without a slash at its end. */
  server: string;
  /** The cluster's name in the kubeconfig, if it came from one. */
  cluster?: string;
  /** Where all of it came from, for messages: `context kind of config_file ./kube.yaml`. */
  source: string;
  /** Whether the server is taken at its word (`insecure-skip-tls-verify`). */
  unverified: boolean;
  /** The namespace to use where the pod names none. */
  namespace: string;
  /** What requests go through. */
  proxy?: URL;
  /** Every secret value in all of it, to be masked before anything is printed. */
  secrets: string[];
}

/**
 * Finds the cluster: what the inputs name first, then what the runner has (`KUBECONFIG`, the runner's own service account when it is a pod, `~/.kube/config`).
 * @throws StepError when there is none, or what there is cannot be used.
 */
export function findCluster(inputs: ClusterInputs, env: NodeJS.ProcessEnv): Target {
  if (inputs.kubeconfig !== undefined)
    return target(parseKubeconfig(inputs.kubeconfig, 'kubeconfig'), 'kubeconfig', inputs, env);
  if (inputs.url !== undefined) return target(fromAddress(inputs.url, inputs), 'cluster_url', inputs, env, false);
  if (inputs.inCluster) {
    if (!isInCluster(env))
      throw new StepError(
        'InvalidKubeconfig',
        'Not in a cluster',
        env['KUBERNETES_SERVICE_HOST']
          ? `in_cluster: the pod that the runner is has no token of its service account: ${join(SERVICE_ACCOUNT, 'token')} is not there.`
          : 'in_cluster: the runner is no pod: there is no KUBERNETES_SERVICE_HOST.',
        {
          remedy: env['KUBERNETES_SERVICE_HOST']
            ? 'Take automountServiceAccountToken: false out of the pod, or its service account; a container that the job itself runs in by Docker has none.'
            : 'Say where the cluster is by another input.',
        },
      );
    return inCluster(inputs, env);
  }
  if (inputs.configFile !== undefined)
    return target(kubeconfigOf(inputs.configFile, 'config_file'), `config_file ${inputs.configFile}`, inputs, env);
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== '');
  // As kubectl does, which passes over those that are not there.
  const there = files.filter(file => existsSync(file));
  const [first, ...more] = (there.length > 0 ? there : files).map(file =>
    kubeconfigOf(file, 'KUBECONFIG', there.length > 1),
  );
  if (first !== undefined)
    return target(mergedKubeconfigs([first, ...more]), `KUBECONFIG ${files.join(delimiter)}`, inputs, env);
  if (isInCluster(env)) return inCluster(inputs, env);
  const home = join(homedir(), '.kube', 'config');
  if (existsSync(home)) return target(kubeconfigOf(home, home), home, inputs, env);
  throw new StepError(
    'InvalidKubeconfig',
    'No cluster given',
    'kubeconfig: there is no cluster to run on: no input names one, and the runner has no KUBECONFIG, no service account and no ~/.kube/config.',
    {
      remedy:
        inputs.oidcAudience === undefined
          ? 'Give `kubeconfig` the content of a kubeconfig, from a secret: kubeconfig: ${{ secrets.KUBECONFIG }}. A secret that is not set, or not for this event or environment, is empty text.'
          : 'Give `cluster_url` the address of the API server, and `cluster_ca` its authority.',
    },
  );
}

function isInCluster(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env['KUBERNETES_SERVICE_HOST']) && existsSync(join(SERVICE_ACCOUNT, 'token'));
}

/** A kubeconfig of what the inputs say. */
function fromAddress(server: string, { ca, token }: ClusterInputs): KubeConfig {
  const config = new KubeConfig();
  const name = 'inputs';
  config.loadFromOptions({
    clusters: [
      { name, server, skipTLSVerify: false, ...(ca !== undefined && { caData: Buffer.from(ca).toString('base64') }) },
    ],
    users: [{ name, ...(token !== undefined && { token }) }],
    contexts: [{ name, cluster: name, user: name }],
    currentContext: name,
  });
  return config;
}

function inCluster(inputs: ClusterInputs, env: NodeJS.ProcessEnv): Target {
  const config = new KubeConfig();
  config.loadFromCluster();
  const tokenFile = join(SERVICE_ACCOUNT, 'token');
  config.users = config.users.map(({ authProvider: _, ...user }) => ({ ...user, tokenFile }));
  return target(config, 'the runner’s own service account', inputs, env, false);
}

/**
 * @param from what the user gave, or the runner has, for messages
 * @param isNamed whether the names in it are the user's, not ours
 */
function target(
  config: KubeConfig,
  from: string,
  inputs: ClusterInputs,
  env: NodeJS.ProcessEnv,
  isNamed = true,
): Target {
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
  if (cluster.skipTLSVerify && (cluster.caData || cluster.caFile))
    throw unusable(
      `${from}: cluster ${cluster.name} has an authority and insecure-skip-tls-verify, which takes no notice of it.`,
      'Keep the one that is meant.',
    );
  const proxy = proxyTo(cluster, from, env);
  const { secrets, ...acting } = actingOn(
    cluster,
    { config, context, from, isNamed, isProxied: proxy !== undefined },
    inputs,
    env,
  );
  checkFiles(from, cluster, config.getCurrentUser());
  // client-node makes an agent of its own, which nobody uses, and refuses plain http unless told not to verify what is not there to be verified.
  const { proxyUrl: _, ...direct } = cluster;
  const unencrypted = cluster.server.startsWith('http:');
  config.clusters = config.clusters.map(one =>
    one === cluster ? { ...direct, ...(unencrypted && { skipTLSVerify: true }) } : one,
  );
  const proxies = [...(proxy ? [proxy] : []), ...proxiesOf(env)];
  return {
    kubeConfig: config,
    server: cluster.server.replace(/\/+$/, ''),
    ...(isNamed && { cluster: String(cluster.name) }),
    source: `${isNamed ? `context ${name} of ` : ''}${from}`,
    ...acting,
    unverified: cluster.skipTLSVerify && cluster.server.startsWith('https:'),
    namespace: inputs.namespace ?? (context.namespace || serviceAccountNamespace() || 'default'),
    secrets: [...new Set([...secrets, ...proxies.flatMap(secretsOf)])],
    ...(proxy && { proxy }),
  };
}

/** The kubeconfig's own word goes before the environment's. */
function proxyTo({ name, server, proxyUrl }: KubeCluster, from: string, env: NodeJS.ProcessEnv): URL | undefined {
  try {
    return proxyUrl ? proxyAddress(proxyUrl, `the proxy-url of cluster ${name}`) : proxyFor(new URL(server), env);
  } catch (error) {
    throw unusable(`${proxyUrl ? `${from}: ` : ''}${(error as Error).message}.`);
  }
}

/** What a kubeconfig names is of the machine that it was made on. */
function checkFiles(from: string, { name, caFile }: KubeCluster, user: KubeUser | null): void {
  const files = [
    [`the certificate-authority of cluster ${name}`, caFile],
    [`the client-certificate of user ${user?.name}`, user?.certFile],
    [`the client-key of user ${user?.name}`, user?.keyFile],
  ];
  for (const [what, file] of files) {
    if (!file) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not on the runner' : 'cannot be read';
      throw unusable(
        `${from}: ${what} is the file ${file}, which ${why}.`,
        'Have the kubeconfig hold it: kubectl config view --raw --minify --flatten.',
      );
    }
  }
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
