import type { V1SelfSubjectAccessReview, V1SelfSubjectReview } from '@kubernetes/client-node';
import type { SelfReview } from './access.ts';
import type { ApiClient } from './client.ts';
import { ApiError, type Asked } from './status.ts';

/** Not worth waiting for: what it would tell is told later, too. */
const DEADLINE_SECONDS = 5;

/**
 * Asks whether the credentials may run programs in pods of their namespace, which a pod would have to be there to be refused for.
 * `get` is what every server wants of a WebSocket; from 1.36 on it wants `create`, too, which others do not know of (AuthorizePodWebsocketUpgradeCreatePermission).
 * Whoever is logged in may ask (ClusterRole `system:basic-user`), by default; a server that does not tell is taken at its silence.
 * @throws ApiError as it would be thrown then
 */
export async function mayExec(client: ApiClient, namespace: string, signal: AbortSignal): Promise<void> {
  const asked: Asked = { verb: 'get', resource: 'pods/exec', namespace };
  const resourceAttributes = { namespace, verb: asked.verb, resource: 'pods', subresource: 'exec' };
  const review = await post<V1SelfSubjectAccessReview>(
    'authorization.k8s.io',
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
    { resourceAttributes },
  );
  if (review?.status?.allowed !== false) return;
  const self = await post<V1SelfSubjectReview>('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview');
  const user = JSON.stringify(
    self?.status?.userInfo?.username ?? client.target.kubeConfig.getCurrentUser()?.name ?? '',
  );
  const message = `pods is forbidden: User ${user} cannot get resource "pods/exec" in API group "" in the namespace "${namespace}"`;
  throw new ApiError(403, { message }, asked);

  async function post<T>(
    group: string,
    resource: SelfReview['resource'],
    kind: string,
    spec?: object,
  ): Promise<T | undefined> {
    const body = { apiVersion: `${group}/v1`, kind, ...(spec && { spec }) };
    const path = `/apis/${group}/v1/${resource}`;
    const creates: Asked = { verb: 'create', resource, namespace };
    const call = { method: 'POST' as const, path, body, asked: creates, deadlineSeconds: DEADLINE_SECONDS };
    try {
      return await client.once<T>(call, signal);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}
