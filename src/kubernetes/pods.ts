import type { V1OwnerReference, V1Pod, V1PodList } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import type { ApiClient, ApiRequest } from './client.ts';
import { NetworkError } from './network-error.ts';
import type { Outage } from './patience.ts';
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

/**
 * Creates a pod, once. A create whose answer got lost may have been carried out, so before every further try the name is looked up.
 * @param stop ends the trying; what is on its way by then is waited for, as the server may carry it out whether or not anybody listens
 * @param lastCall ends that wait too
 */
export async function createPod(
  client: ApiClient,
  pod: V1Pod,
  { stop, lastCall }: { stop: AbortSignal; lastCall: AbortSignal },
): Promise<Creation> {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const create: ApiRequest = {
    method: 'POST',
    path: podsPath(namespace),
    query: { fieldValidation: 'Strict' },
    body: pod,
    asked: { verb: 'create', resource: 'pods', namespace, name },
    deadlineSeconds: CREATE_DEADLINE_SECONDS,
  };
  let sent = false;
  let maybeCreated = false;
  let failing: Outage | undefined;
  for (let tries = 0; ; tries++) {
    try {
      stop.throwIfAborted();
      const waiting = untilSent(stop, lastCall);
      const onSend = () => {
        sent = true;
        waiting.sent();
      };
      const answer = await client.once<V1Pod>({ ...create, onSend }, waiting.signal);
      if (answer.kind === 'Pod') return { pod: answer };
      return { error: client.noApiServer('it answers the create of a pod with something else'), maybeCreated: false };
    } catch (error) {
      const taken = error instanceof ApiError && error.code === 409 && error.status.reason === 'AlreadyExists';
      const lost =
        lastCall.aborted ||
        (error instanceof NetworkError && error.failing === 'unknown') ||
        (error instanceof ApiError && error.code >= 500);
      maybeCreated ||= sent && lost;
      failing ??= { since: performance.now(), told: false };
      try {
        // The pause comes before the look-up: the first request may still be on its way to the store.
        if (!taken) await client.endure(error, tries, stop, failing);
        if (!taken && !maybeCreated) continue;
        const existing = await getPod(client, namespace, name, lastCall);
        if (existing !== undefined) return { pod: existing };
      } catch (final) {
        return { error: final, maybeCreated };
      }
    }
  }
}

/** @returns a signal that is aborted by `stop` before the request has been sent, and by `lastCall` after. */
function untilSent(stop: AbortSignal, lastCall: AbortSignal): { signal: AbortSignal; sent: () => void } {
  const unsent = new AbortController();
  const abort = () => unsent.abort(stop.reason);
  stop.addEventListener('abort', abort);
  return {
    signal: AbortSignal.any([unsent.signal, lastCall]),
    sent: () => stop.removeEventListener('abort', abort),
  };
}

/** @returns the pod as it stands (a quorum read), or `undefined` when there is none of that name. */
export function getPod(
  client: ApiClient,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<V1Pod | undefined> {
  return ifFound(client.call<V1Pod>(getRequest(namespace, name), signal));
}

/** As {@link getPod}, once: an outage ends it. */
export function getPodOnce(
  client: ApiClient,
  { namespace, name }: Pick<PodIdentity, 'namespace' | 'name'>,
  onSend: () => void,
  signal: AbortSignal,
): Promise<V1Pod | undefined> {
  return ifFound(client.once<V1Pod>({ ...getRequest(namespace, name), onSend }, signal));
}

const getRequest = (namespace: string, name: string): ApiRequest => ({
  method: 'GET',
  path: podPath(namespace, name),
  asked: { verb: 'get', resource: 'pods', namespace, name },
});

async function ifFound(getting: Promise<V1Pod>): Promise<V1Pod | undefined> {
  try {
    return await getting;
  } catch (error) {
    if (error instanceof ApiError && error.podNotFound) return undefined;
    throw error;
  }
}

/** @returns the pods that a label selector finds: a few. */
export async function listPods(
  client: ApiClient,
  namespace: string,
  labelSelector: string,
  signal: AbortSignal,
): Promise<V1Pod[]> {
  const asked = { verb: 'list', resource: 'pods', namespace } as const;
  const path = podsPath(namespace);
  const { items } = await client.call<V1PodList>({ method: 'GET', path, query: { labelSelector }, asked }, signal);
  return items;
}

/**
 * Sets annotations of exactly this pod, once, and its owners where they are given.
 * @param resourceVersion the pod as it has to stand for that
 * @throws ApiError of code 409 where it is another pod or stands otherwise, 404 where it is gone
 */
export async function annotatePod(
  client: ApiClient,
  { namespace, name, uid }: PodIdentity,
  annotations: Record<string, string>,
  {
    resourceVersion,
    ownerReferences,
    signal,
  }: { resourceVersion?: string; ownerReferences?: V1OwnerReference[] | undefined; signal?: AbortSignal },
): Promise<void> {
  const metadata = {
    uid,
    annotations,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(ownerReferences && { ownerReferences }),
  };
  await client.once(
    {
      method: 'PATCH',
      path: podPath(namespace, name),
      body: { metadata },
      asked: { verb: 'patch', resource: 'pods', namespace, name },
    },
    signal,
  );
}

/**
 * Deletes exactly this pod: one that is gone, or a namesake with another UID, is left alone without complaint.
 * @param graceSeconds how long its containers may take to end after SIGTERM; without it what the pod itself says
 */
export async function deletePod(
  client: ApiClient,
  { namespace, name, uid }: PodIdentity,
  { signal, graceSeconds }: { signal?: AbortSignal; graceSeconds?: number } = {},
): Promise<void> {
  try {
    await client.call(
      {
        method: 'DELETE',
        path: podPath(namespace, name),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions: { uid },
          ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
        },
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

/** @returns what the server says to a request for the log of a pod that is gone. */
export function podGone({ namespace, name }: PodIdentity): ApiError {
  const status = { reason: 'NotFound', message: `pods "${name}" not found`, details: { name, kind: 'pods' } };
  return new ApiError(404, status, { verb: 'get', resource: 'pods/log', namespace, name });
}
