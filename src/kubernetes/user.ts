import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Context } from '@kubernetes/client-node/dist/config_types.js';
import { StepError } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import type { CredentialSource } from './credentials/credential.ts';
import { GitHubIdentity } from './credentials/github-identity.ts';
import { sourceOf } from './credentials/of-user.ts';
import { type KubeCluster, type KubeUser, unusable } from './kubeconfig.ts';

/** As whom a step acts on a cluster. */
export interface Acting {
  /** To be shown: the kubeconfig's name for the user, or a service account's; nothing else of a credential. */
  user: string;
  /** Where the credentials come from, where they do not stand in the kubeconfig. */
  credentials?: CredentialSource;
  /** The headers that say as whom the user acts. */
  impersonation?: KubeUser['impersonation'];
  /** Whether what is sent can be read by anybody on the way: nothing of a credential is sent then. */
  open: boolean;
  /** Every secret value that stands in the kubeconfig's user. */
  secrets: string[];
}

/**
 * Takes the user of a context, or the job itself in its place. The kubeconfig keeps what client-node is to send of it.
 * @param from what the user gave, or the runner has, for messages
 * @param isNamed whether the names in it are the user's, not ours
 * @throws StepError where the user cannot be used
 */
export function actingOn(
  cluster: KubeCluster,
  { config, context, from, isNamed }: { config: KubeConfig; context: Context; from: string; isNamed: boolean },
  { oidcAudience }: ClusterInputs,
  env: NodeJS.ProcessEnv,
): Acting {
  const { user, credentials } =
    oidcAudience === undefined ? userOf(config, context, cluster, from) : jobItself(context, oidcAudience, env);
  const open = isReadable(cluster.server);
  // As kubectl does over plain http: it says nothing of whom it is.
  const kept = open ? { name: context.user } : user;
  config.users = [...config.users.filter(({ name }) => name !== context.user), kept];
  // YAML makes a number of a token of digits.
  const secrets = [user.token, user.password, user.keyData].flatMap(secret => (secret ? [String(secret)] : []));
  const { impersonation } = user;
  return {
    user: oidcAudience === undefined ? nameOf(user, isNamed) : 'the job itself',
    open,
    secrets,
    ...(credentials && !open && { credentials }),
    ...(impersonation && !open && { impersonation }),
  };
}

interface Found {
  user: KubeUser;
  credentials?: CredentialSource;
}

/** What of its credentials is obtained is ours to obtain: client-node runs a plugin without what it may be told, and cannot be asked for another credential. */
function userOf(config: KubeConfig, context: Context, cluster: KubeCluster, from: string): Found {
  const user: KubeUser | null = config.getCurrentUser();
  if (!user)
    throw unusable(`${from}: context ${context.name} names user ${context.user}, which the kubeconfig does not have.`);
  try {
    const credentials = sourceOf(user, cluster);
    if (credentials === undefined) return { user };
    const { exec: _, authProvider: __, ...rest } = user;
    return { user: rest, credentials };
  } catch (error) {
    throw unusable(`${from}: the user ${user.name} cannot be used: ${(error as Error).message}.`);
  }
}

/** In place of the context's user, whoever that is. */
function jobItself(context: Context, audience: string, env: NodeJS.ProcessEnv): Found {
  try {
    return { user: { name: context.user }, credentials: new GitHubIdentity(audience, env) };
  } catch (error) {
    throw new StepError('InvalidKubeconfig', 'No credentials', `oidc_audience: ${(error as Error).message}.`, {
      remedy: 'Set it for the job, or the workflow. A pull request from a fork has none.',
    });
  }
}

function nameOf(user: KubeUser, isNamed: boolean): string {
  const name = isNamed ? `user ${user.name}` : (serviceAccountOf(user) ?? 'whom the token is of');
  const as = user.impersonation?.['Impersonate-User'];
  return as === undefined ? name : `${name} as ${as}`;
}

/** A service account's token says whose it is, for all to read. */
function serviceAccountOf({ token, tokenFile }: KubeUser): string | undefined {
  try {
    const text = String(token ?? (tokenFile === undefined ? '' : readFileSync(tokenFile, 'utf8')));
    const [, payload = ''] = text.split('.');
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { sub?: unknown };
    const [, namespace, name] = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(String(sub)) ?? [];
    return name === undefined ? undefined : `service account ${namespace}/${name}`;
  } catch {
    return undefined;
  }
}

/** What goes to this machine, as to a `kubectl proxy`, is not on the way anywhere. */
function isReadable(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
