import type { V1Pod } from '@kubernetes/client-node';
import type { SavedPod } from '../github/state.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { pause } from '../kubernetes/pause.ts';
import { deletePod, getPod } from '../kubernetes/pods.ts';
import { CLAIM_ANNOTATION } from '../pod/identity.ts';
import { deletionOf, nonceOf } from '../pod/manifest.ts';

/** The server may be carrying out a create whose answer nobody waits for any more: it notices that soon. */
const LATE_CREATE_SECONDS = [1, 2];

/**
 * Finds the pod that a create has made, or may make yet.
 * @returns the pod of that name, if it is the one that was saved: by its UID, or by its mark where that is not known
 */
export async function findOurs(client: ApiClient, saved: SavedPod, signal: AbortSignal): Promise<V1Pod | undefined> {
  const { namespace, name, nonce, uid, mark } = saved;
  for (const seconds of [0, ...(uid === undefined ? LATE_CREATE_SECONDS : [])]) {
    await pause(1000 * seconds, signal);
    const pod = await getPod(client, namespace, name, signal);
    if (pod === undefined) continue;
    const isOurs = uid === undefined ? nonceOf(pod) === nonce : pod.metadata?.uid === uid;
    const isMarked = mark === undefined || pod.metadata?.annotations?.[CLAIM_ANNOTATION] === mark;
    return isOurs && isMarked ? pod : undefined;
  }
  return undefined;
}

/** Deletes the pod that a create has made, or may make yet. */
export async function deleteOurs(client: ApiClient, saved: SavedPod, signal: AbortSignal): Promise<void> {
  const pod = await findOurs(client, saved, signal);
  const { namespace, name } = saved;
  if (pod !== undefined)
    await deletePod(client, { namespace, name, uid: pod.metadata?.uid ?? '' }, { signal, ...deletionOf(pod) });
}
