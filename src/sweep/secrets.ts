import type { ApiClient } from '../kubernetes/client.ts';
import { listMetadata, type ObjectMetadata } from '../kubernetes/metadata.ts';
import { isLifetime, LIFETIME_LABEL } from '../pod/lifetime.ts';

/** A Secret, and the pod that it was made for. */
export interface OwnedSecret {
  name: string;
  uid: string;
  owner: { name: string; uid: string };
}

/**
 * The Secrets that steps have made for their pods. One with another owner beside, or with none, is none of these.
 * @param secrets those with this repository's label
 */
export function ownedSecrets(secrets: ObjectMetadata[]): OwnedSecret[] {
  return secrets.flatMap(({ name, uid, labels = {}, ownerReferences = [], deletionTimestamp }) => {
    const [owner, ...others] = ownerReferences;
    if (!name || !uid || deletionTimestamp !== undefined || others.length > 0) return [];
    if (!isLifetime(labels[LIFETIME_LABEL] ?? '')) return [];
    if (owner?.apiVersion !== 'v1' || owner.kind !== 'Pod' || !owner.uid) return [];
    // It becomes a part of a selector.
    if (!owner.name || !/^[a-z0-9][a-z0-9.-]*$/.test(owner.name)) return [];
    return [{ name, uid, owner: { name: owner.name, uid: owner.uid } }];
  });
}

/**
 * Those whose pod is gone.
 * @param known UIDs of pods that there are. Others are looked for by their names: a pod may have lost its label, or be newer than the list that these come from.
 */
export async function orphansAmong(
  secrets: OwnedSecret[],
  known: ReadonlySet<string>,
  client: ApiClient,
  signal: AbortSignal,
): Promise<OwnedSecret[]> {
  const { namespace } = client.target;
  const asked = { verb: 'list', resource: 'pods', namespace } as const;
  const orphans: OwnedSecret[] = [];
  for (const secret of secrets) {
    const { name, uid } = secret.owner;
    if (known.has(uid)) continue;
    const found = await listMetadata(client, { asked, fieldSelector: `metadata.name=${name}` }, signal);
    if (!found.some(pod => pod.uid === uid)) orphans.push(secret);
  }
  return orphans;
}
