import type { V1Secret } from '@kubernetes/client-node';
import { StepError } from '../github/failure.ts';
import type { ApiClient } from './client.ts';
import { NetworkError } from './network-error.ts';
import type { Outage } from './patience.ts';
import type { PodIdentity } from './pods.ts';
import { ApiError } from './status.ts';

/**
 * Creates an immutable Secret that belongs to a pod, so that the cluster deletes it with the pod.
 * One that is there already is ours only where the answer to an earlier try got lost.
 * @param data clear text
 * @throws StepError when it cannot be created, or somebody else has one of that name
 */
export async function createSecretOf(
  client: ApiClient,
  pod: PodIdentity,
  {
    name,
    type,
    data,
    labels,
    mayExist = false,
  }: {
    name: string;
    type: string;
    data: Record<string, string>;
    labels: Record<string, string>;
    /** Whether one of that name is taken for the pod's own. */
    mayExist?: boolean;
  },
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = pod;
  const secret: V1Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
    },
    type,
    immutable: true,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')]),
    ),
  };
  let sent = false;
  let lost = false;
  let failing: Outage | undefined;
  for (let tries = 0; ; tries++) {
    try {
      await client.once(
        {
          method: 'POST',
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
          body: secret,
          asked: { verb: 'create', resource: 'secrets', namespace, name },
          onSend: () => {
            sent = true;
          },
        },
        signal,
      );
      return;
    } catch (error) {
      const exists = error instanceof ApiError && error.status.reason === 'AlreadyExists';
      if (exists && (lost || mayExist)) return;
      // Whoever sees the pod sees the name, and could be quicker.
      if (exists)
        throw new StepError(
          'NameTaken',
          'Secret name taken',
          `Secret ${namespace}/${name} was made by somebody else, right after the pod that names it. The pod must not use it.`,
          { remedy: 'Find out who creates Secrets in this namespace.', cause: error },
        );
      lost ||= sent && (error instanceof NetworkError || (error instanceof ApiError && error.code >= 500));
      failing ??= { since: performance.now(), told: false };
      await client.endure(error, tries, signal, failing);
    }
  }
}

/**
 * Deletes a Secret; one that is gone is no complaint.
 * @param secret with its UID exactly this one: a namesake is left alone
 */
export async function deleteSecret(
  client: ApiClient,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string },
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.call(
      {
        method: 'DELETE',
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
        body: { apiVersion: 'v1', kind: 'DeleteOptions', ...(uid !== undefined && { preconditions: { uid } }) },
        asked: { verb: 'delete', resource: 'secrets', namespace, name },
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 409 && error.code !== 404)) throw error;
  }
}
