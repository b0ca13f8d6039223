import type { V1Secret } from '@kubernetes/client-node';
import type { ApiClient } from './client.ts';
import type { PodIdentity } from './pods.ts';
import { ApiError } from './status.ts';

/**
 * Creates an immutable Secret that belongs to a pod, so that the cluster deletes it with the pod.
 * One that is there already was made by a request whose answer got lost: nobody else knows the name.
 * @param data clear text
 */
export async function createSecretOf(
  client: ApiClient,
  pod: PodIdentity,
  {
    name,
    type,
    data,
    labels,
  }: { name: string; type: string; data: Record<string, string>; labels: Record<string, string> },
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
  try {
    await client.call(
      {
        method: 'POST',
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
        body: secret,
        asked: { verb: 'create', resource: 'secrets', namespace, name },
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 409)) throw error;
  }
}
