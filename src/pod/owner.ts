import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import type { PodIdentity } from '../kubernetes/pods.ts';
import { LIFETIME_LABEL } from './lifetime.ts';

/**
 * Whether a pod may be given an owner: it is to outlive nobody, and its template has given it none.
 * With two owners the cluster would wait until both are gone, so that one of ours beside the user's could only ever make the pod stay longer.
 */
export function mayBeOwned({ metadata }: V1Pod): boolean {
  return metadata?.labels?.[LIFETIME_LABEL] === 'owned' && (metadata.ownerReferences ?? []).length === 0;
}

/** @returns the pod as the cluster's to delete once `owner` is gone. */
export function ownedBy(pod: V1Pod, owner: PodIdentity): V1Pod {
  return { ...pod, metadata: { ...pod.metadata, ownerReferences: [referenceTo(owner)] } };
}

/** To block the owner's deletion, or to be its controller, takes rights on it, and is nobody's wish. */
function referenceTo({ name, uid }: PodIdentity): V1OwnerReference {
  return { apiVersion: 'v1', kind: 'Pod', name, uid };
}

/**
 * A pod that an earlier attempt has made goes with that attempt's runner, which may be on its way out while this attempt follows the pod.
 * @param owner the pod of this attempt's runner, where it has one
 * @returns what its owners are to be from now on; nothing where they are right as they are, or not ours to change
 */
export function ownersAfter(live: V1Pod, owner: PodIdentity | undefined): V1OwnerReference[] | undefined {
  const { ownerReferences = [], labels } = live.metadata ?? {};
  const ours = ownerReferences.every(
    ({ apiVersion, kind, controller }) => apiVersion === 'v1' && kind === 'Pod' && !controller,
  );
  if (labels?.[LIFETIME_LABEL] !== 'owned' || ownerReferences.length > 1 || !ours) return undefined;
  if (ownerReferences[0]?.uid === owner?.uid) return undefined;
  return owner === undefined ? [] : [referenceTo(owner)];
}

/** Whether the cluster deletes a live pod once `owner` is gone. */
export function isOwnedBy({ metadata }: V1Pod, owner: PodIdentity): boolean {
  const owners = metadata?.ownerReferences ?? [];
  return owners.length > 0 && owners.every(({ uid }) => uid === owner.uid);
}
