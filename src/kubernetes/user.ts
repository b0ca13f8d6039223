import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Context } from '@kubernetes/client-node/dist/config_types.js';
import { StepError } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import type { CredentialSource } from './credentials/credential.ts';
import { ExecPlugin } from './credentials/exec-plugin.ts';
import { GitHubIdentity } from './credentials/github-identity.ts';
import { claimsOf } from './credentials/jwt.ts';
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
  login: Login;
}

/** What a server that refuses the credentials is told of. */
export interface Login {
  /** What they are, to people: `cluster_token`. */
  what: string;
  /** Half a sentence: why they may be refused. */
  why: string;
  remedy: string;
}

/** Where a user stands. */
interface Place {
  config: KubeConfig;
  context: Context;
  /** What the user gave, or the runner has, for messages. */
  from: string;
  /** Whether the names in it are the user's, not ours. */
  isNamed: boolean;
  /** Whether a proxy is on the way to the server. */
  isProxied: boolean;
}

/**
 * Takes the user of a context, or the job itself in its place. The kubeconfig keeps what client-node is to send of it.
 * @throws StepError where the user cannot be used
 */
export function actingOn(
  cluster: KubeCluster,
  { config, context, from, isNamed, isProxied }: Place,
  { oidcAudience }: ClusterInputs,
  env: NodeJS.ProcessEnv,
): Acting {
  const { user: found, credentials } =
    oidcAudience === undefined ? userOf(config, context, cluster, from) : jobItself(context, oidcAudience, env);
  const user = withToken(found, from);
  const open = isReadable(cluster.server, isProxied);
  // As kubectl does over plain http: it says nothing of whom it is.
  const kept = open ? { name: context.user } : { ...user, ...(user.username && { password: user.password ?? '' }) };
  config.users = [...config.users.filter(({ name }) => name !== context.user), kept];
  // YAML makes a number of a token of digits.
  const secrets = [user.token, user.password, user.keyData].flatMap(secret => (secret ? [String(secret)] : []));
  const { impersonation } = user;
  return {
    user: oidcAudience === undefined ? nameOf(user, isNamed) : 'the job itself',
    open,
    secrets,
    login: loginOf(user, credentials, from),
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

/** A line break at its end is no part of a token; one in its middle would be told of as a fault of the network. */
function withToken(user: KubeUser, from: string): KubeUser {
  if (!user.token) return user;
  const token = String(user.token).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return { ...user, token };
  const which = from === 'cluster_url' ? 'cluster_token' : `${from}: the token of user ${user.name}`;
  throw unusable(`${which} is no token: it has blanks, line breaks or other characters in it that none has.`);
}

const OF_KUBECONFIG = {
  what: 'the credentials of the kubeconfig',
  why: 'the token or client certificate has expired, was revoked, or belongs to another cluster',
};
const WHY = 'it has expired, was revoked, or belongs to another cluster';

function loginOf({ token, tokenFile }: KubeUser, credentials: CredentialSource | undefined, from: string): Login {
  if (credentials instanceof ExecPlugin)
    return {
      what: `what ${credentials.name} has obtained`,
      why: 'the cluster does not know whom it has logged in as, or it is for another one',
      remedy: 'See as whom the plugin logs in, and whether the cluster knows that one.',
    };
  if (tokenFile !== undefined) return { what: `the token in ${tokenFile}`, why: WHY, remedy: 'Renew it.' };
  if (from === 'cluster_url')
    return {
      what: 'cluster_token',
      why: wrongToken(token ?? '') ?? WHY,
      remedy: 'Give it another, e.g. of kubectl create token.',
    };
  const where = /^(kubeconfig|config_file)/.test(from) ? 'in `kubeconfig` or `config_file`' : `which is ${from}`;
  return { ...OF_KUBECONFIG, remedy: `Renew the kubeconfig, ${where}.` };
}

/** @returns what is wrong with a token that was copied with too much, or too little done to it */
function wrongToken(token: string): string | undefined {
  if (/^bearer/i.test(token)) return 'it begins with Bearer, which is no part of the token';
  // A JSON Web Token begins with eyJ.
  return token.startsWith('ZXlK') ? 'it is still in base64, as it stands in a Secret' : undefined;
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
  const name = isNamed ? `user ${user.name}` : (serviceAccountOf(user) ?? 'user of cluster_token');
  const as = user.impersonation?.['Impersonate-User'];
  return as === undefined ? name : `${name} as ${as}`;
}

/** A service account's token says whose it is, for all to read. */
function serviceAccountOf({ token, tokenFile }: KubeUser): string | undefined {
  try {
    const { sub } = claimsOf(String(token ?? (tokenFile === undefined ? '' : readFileSync(tokenFile, 'utf8'))));
    const [, namespace, name] = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(String(sub)) ?? [];
    return name === undefined ? undefined : `service account ${namespace}/${name}`;
  } catch {
    return undefined;
  }
}

/** What goes to this machine, as to a `kubectl proxy`, is not on the way anywhere. */
function isReadable(server: string, isProxied: boolean): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'http:' && (isProxied || !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}
