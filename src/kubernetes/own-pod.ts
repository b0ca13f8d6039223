import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { isObjectName } from '../github/inputs/cluster.ts';
import type { ApiClient } from './client.ts';
import { SERVICE_ACCOUNT } from './config.ts';
import { getPodOnce, type PodIdentity } from './pods.ts';
import { ApiError } from './status.ts';

/** What a process can see of the pod that it runs in, if it does. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Where the kubelet mounts a service account's token, and the name of the pod's namespace. */
  serviceAccount: string;
  /** @returns the addresses of this host's network interfaces, loopback left out. */
  addresses(): string[];
}

/** The pod that this process runs in, or why it is not known. */
export type OwnPod = { pod: PodIdentity } | { unknown: string };

/** Nobody waits longer for an answer that the step can do without. */
const PATIENCE_MS = 2000;
/** How often a server that answers with errors of its own is asked again. */
const RETRIES = 3;

/**
 * Finds the pod that this very process runs in, if it runs in one of this namespace of this cluster.
 * What the process sees around it only says where to look. An owner that does not exist costs its dependents their lives, at once, and the kubeconfig may be for another cluster with a pod of the same name: so the pod has to be
 * there, and to be us, by the UID in the token that the kubelet has given us, or by an address that is this host's too.
 * @param signal ends it with an error; nothing else does
 * @returns nothing where the process is in no pod at all: no request is made then
 */
export async function findOwnPod(
  client: ApiClient,
  namespace: string,
  signal: AbortSignal,
  { env, serviceAccount, addresses }: Surroundings = surroundings(),
): Promise<OwnPod | undefined> {
  const token = readIn(serviceAccount, 'token');
  if (!env['KUBERNETES_SERVICE_HOST'] && token === undefined) return undefined;
  const claimed = token === undefined ? undefined : podOfToken(token);
  const home = claimed?.namespace ?? readIn(serviceAccount, 'namespace')?.trim();
  if (home !== undefined && home !== namespace) return { unknown: `this process runs in namespace ${home}` };
  const names = claimed === undefined ? [env['HOSTNAME'], env['ACTIONS_RUNNER_POD_NAME']] : [claimed.name];
  let unknown = 'nothing says which pod this process runs in';
  try {
    for (const name of new Set(names)) {
      if (name === undefined || !isObjectName(name)) continue;
      const pod = await look(client, namespace, name, signal);
      const against = pod === undefined ? 'there is none' : contradiction(pod, claimed?.uid, addresses);
      const uid = pod?.metadata?.uid;
      if (against === undefined && uid) return { pod: { namespace, name, uid } };
      unknown = `pod ${namespace}/${name}: ${against ?? 'it has no UID'}`;
    }
  } catch (error) {
    signal.throwIfAborted();
    unknown = (error as Error).message;
  }
  return { unknown };
}

/** A server that is away is waited for here as it would be at the create, and not twice: it is the same outage to the client. */
async function look(
  client: ApiClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<V1Pod | undefined> {
  for (let tries = 0; ; tries++) {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // Credentials may take their time, and are needed anyhow.
    const onSend = () => {
      timer = setTimeout(() => late.abort(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    };
    try {
      return await getPodOnce(client, { namespace, name }, onSend, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      if (error instanceof ApiError && tries >= RETRIES) throw error;
      // What was too late is no outage, and thrown.
      await client.endure(error, tries, signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * @param uid of the pod that this process runs in, where it is known
 * @returns what speaks against a pod's being that; nothing where it is proven
 */
function contradiction({ metadata = {}, status = {} }: V1Pod, uid: string | undefined, addresses: () => string[]) {
  if (uid !== undefined && metadata.uid !== uid) return 'it has another UID than the one this process runs in';
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return 'it has ended';
  // A pod that is told to stop may still take its time, and takes its dependents along when it goes; deleted so, it does at once.
  if (metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes('foregroundDeletion'))
    return 'it is being deleted with all that is its own';
  if (uid !== undefined) return undefined;
  const own = new Set(addresses().map(address => address.toLowerCase()));
  const shared = (status.podIPs ?? []).some(({ ip }) => own.has(ip.toLowerCase()));
  return shared ? undefined : 'none of its addresses is this host’s';
}

/** @returns the pod that a service account token is bound to (KEP-1205). Nothing of the token is ever in a message. */
function podOfToken(token: string): PodIdentity | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { namespace, pod } = claims['kubernetes.io'];
    const texts = [namespace, pod.name, pod.uid].every(text => typeof text === 'string' && text !== '');
    return texts ? { namespace, name: pod.name, uid: pod.uid } : undefined;
  } catch {
    return undefined;
  }
}

function readIn(folder: string, file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return undefined;
  }
}

function surroundings(): Surroundings {
  return { env: process.env, serviceAccount: SERVICE_ACCOUNT, addresses: ownAddresses };
}

function ownAddresses(): string[] {
  try {
    return Object.values(networkInterfaces()).flatMap(addresses =>
      (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
    );
  } catch {
    // Some sandboxes do not let a process look.
    return [];
  }
}
