import { readFileSync } from 'node:fs';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import type { KubeUser } from './kubeconfig.ts';

/** @returns as whom the step acts, to be shown: nothing of a credential but the name of a service account */
export function whoIs(user: KubeUser, isNamed: boolean, { oidcAudience }: ClusterInputs): string {
  if (oidcAudience !== undefined) return 'the job itself';
  const name = isNamed ? `user ${user.name}` : (serviceAccountOf(user) ?? 'whom the token is of');
  const as = user.impersonation?.['Impersonate-User'];
  return as === undefined ? name : `${name} as ${as}`;
}

/** A service account's token says whose it is, for all to read. */
function serviceAccountOf({ token, tokenFile }: KubeUser): string | undefined {
  try {
    const text = String(token ?? (tokenFile === undefined ? '' : readFileSync(tokenFile, 'utf8')));
    const { sub } = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      sub?: unknown;
    };
    const [, namespace, name] = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(String(sub)) ?? [];
    return name === undefined ? undefined : `service account ${namespace}/${name}`;
  } catch {
    return undefined;
  }
}
