import type { V1Pod } from '@kubernetes/client-node';
import type { ApiClient } from './client.ts';

/**
 * Has the server check a pod as if it were to be created: validation, admission, quotas and webhooks, and nothing kept.
 * @returns the pod as it would be, with the cluster's own defaults
 * @throws ApiError where the server refuses it, or a network error
 */
export function dryRunPod(client: ApiClient, pod: V1Pod, namespace: string, signal: AbortSignal): Promise<V1Pod> {
  return client.call<V1Pod>(
    {
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
      query: { fieldValidation: 'Strict', dryRun: 'All' },
      body: pod,
      asked: { verb: 'create', resource: 'pods', namespace },
    },
    signal,
  );
}
