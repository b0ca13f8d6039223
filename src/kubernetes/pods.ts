import type { V1Pod } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import type { ApiClient, ApiRequest, Outage } from './client.ts';
import { NetworkError } from './network-error.ts';
import { ApiError } from './status.ts';
import { type WatchEvent, watchObjects } from './watch.ts';

/** A pod by all that tells it from a namesake. */
export interface PodIdentity {
  namespace: string;
  name: string;
  uid: string;
}

/** Admission webhooks may take 30 s each; the server itself gives up after 60. */
const CREATE_DEADLINE_SECONDS = 65;

const podsPath = (namespace: string) => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
const podPath = (namespace: string, name: string) => `${podsPath(namespace)}/${encodeURIComponent(name)}`;

/** The pod that now has the name asked for: created now or by an earlier try, or somebody else's, which the caller has to tell apart. Or why there is none, unless a request got lost. */
export type Creation = { pod: V1Pod } | { error: unknown; maybeCreated: boolean };

/** Creates a pod, once. A create whose answer got lost may have been carried out, so before every further try the name is looked up. */
export async function createPod(client: ApiClient, pod: V1Pod, signal: AbortSignal): Promise<Creation> {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const create: ApiRequest = {
    method: 'POST',
    path: podsPath(namespace),
    query: { fieldValidation: 'Strict' },
    body: pod,
    asked: { verb: 'create', resource: 'pods', namespace, name },
    deadlineSeconds: CREATE_DEADLINE_SECONDS,
    onSend: () => {
      sent = true;
    },
  };
  let sent = false;
  let maybeCreated = false;
  let failing: Outage | undefined;
  for (let tries = 0; ; tries++) {
    try {
      const answer = await client.once<V1Pod>(create, signal);
      if (answer.kind === 'Pod') return { pod: answer };
      return { error: client.noApiServer('it answers the create of a pod with something else'), maybeCreated: false };
    } catch (error) {
      const taken = error instanceof ApiError && error.code === 409 && error.status.reason === 'AlreadyExists';
      const lost =
        signal.aborted ||
        (error instanceof NetworkError && error.failing === 'unknown') ||
        (error instanceof ApiError && error.code >= 500);
      maybeCreated ||= sent && lost;
      failing ??= { since: performance.now(), told: false };
      try {
        // The pause comes before the look-up: the first request may still be on its way to the store.
        if (!taken) await client.endure(error, tries, signal, failing);
        if (!taken && !maybeCreated) continue;
        const existing = await getPod(client, namespace, name, signal);
        if (existing !== undefined) return { pod: existing };
      } catch (final) {
        return { error: final, maybeCreated };
      }
    }
  }
}

/** @returns the pod as it stands (a quorum read), or `undefined` when there is none of that name. */
export async function getPod(
  client: ApiClient,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<V1Pod | undefined> {
  try {
    return await client.call<V1Pod>(
      { method: 'GET', path: podPath(namespace, name), asked: { verb: 'get', resource: 'pods', namespace, name } },
      signal,
    );
  } catch (error) {
    if (error instanceof ApiError && error.podNotFound) return undefined;
    throw error;
  }
}

/** Deletes exactly this pod: one that is gone, or a namesake with another UID, is left alone without complaint. */
export async function deletePod(
  client: ApiClient,
  { namespace, name, uid }: PodIdentity,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.call(
      {
        method: 'DELETE',
        path: podPath(namespace, name),
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } },
        asked: { verb: 'delete', resource: 'pods', namespace, name },
      },
      signal,
    );
  } catch (error) {
    const anotherUid = error instanceof ApiError && error.code === 409;
    if (!anotherUid && !(error instanceof ApiError && error.podNotFound)) throw error;
  }
}

/** Watches one pod by name, until the server ends the stream. */
export function watchPod(
  client: ApiClient,
  namespace: string,
  name: string,
  resourceVersion: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<V1Pod>> {
  const asked = { verb: 'watch', resource: 'pods', namespace, name } as const;
  return watchObjects(
    client,
    { path: podsPath(namespace), asked, fieldSelector: `metadata.name=${name}`, resourceVersion },
    signal,
  );
}

/** What of a log to read. Every line comes with its time stamp in front. */
export interface LogQuery {
  container: string;
  follow: boolean;
  /** RFC 3339, whole seconds: the server cuts the rest off (kubernetes/kubernetes#77856). */
  sinceTime?: string;
  /** The last lines alone. */
  tailLines?: number;
  /** The log of the container's run before this one. */
  previous?: boolean;
}

/** @returns the log's bytes, or `undefined` while the pod has no node. */
export function openLog(
  client: ApiClient,
  pod: PodIdentity,
  { container, follow, sinceTime, tailLines, previous }: LogQuery,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData['body'] | undefined> {
  return client.open(
    {
      method: 'GET',
      path: `${podPath(pod.namespace, pod.name)}/log`,
      query: { container, follow, timestamps: true, sinceTime, tailLines, previous },
      asked: { verb: 'get', resource: 'pods/log', namespace: pod.namespace, name: pod.name },
    },
    signal,
  );
}
