import type { CoreV1Event, CoreV1EventList } from '@kubernetes/client-node';
import type { ApiClient } from './client.ts';
import { pause } from './pause.ts';
import type { PodIdentity } from './pods.ts';
import { ApiError } from './status.ts';
import { type WatchQuery, watchObjects } from './watch.ts';

/** What the scheduler or the kubelet has to say of a pod. */
export interface PodEvent {
  type: string;
  reason: string;
  message: string;
  /** The container that it is about, if it is about one. */
  container?: string;
  /** How often it was said, if more than once. */
  count?: number;
  /** When it was first and last said, by the cluster's clock, in ms since the epoch and whole seconds: the same thing said again is counted, not listed again. */
  firstMs: number;
  lastMs: number;
}

/** Events of one moment may differ by this much, with whole seconds. */
export const SAME_TIME_MS = 2000;

/** A pod's events, newest last; or why there are none to be had. They explain, and decide nothing that cannot wait, so neither is a failure. */
export type PodEvents = PodEvent[] | 'not allowed' | 'unavailable';

/** An answer that takes longer is asked for again later. */
const DEADLINE_SECONDS = 5;
/** In seconds. */
const AGAIN = {
  /** After a list that failed, or a watch. */
  list: 10,
  /** A server that has just started refuses what it will soon allow. */
  refused: 60,
};
/** A watch that ends sooner did not end by itself. */
const SHORT_WATCH_MS = 5000;

/** Reads a pod's events, in one try. */
export async function listEvents(client: ApiClient, pod: PodIdentity, signal: AbortSignal): Promise<PodEvents> {
  const list = await readList(client, pod, signal);
  return typeof list === 'string' ? list : newestLast(list.items.map(podEvent));
}

/**
 * Reads a pod's events, and goes on reading as they come, until the signal is aborted. Where no watch is to be had they are listed now and then.
 * @param onNews called with all events, or why there are none, at first and whenever that changes
 * @param again in seconds, how soon to try again what has failed
 */
export async function followEvents(
  client: ApiClient,
  pod: PodIdentity,
  onNews: (events: PodEvents) => void,
  signal: AbortSignal,
  again = AGAIN,
): Promise<void> {
  const known = new Map<string | undefined, PodEvent>();
  const note = (event: CoreV1Event) => known.set(event.metadata?.uid, podEvent(event));
  const tell = () => onNews(newestLast([...known.values()]));
  for (;;) {
    const list = await readList(client, pod, signal);
    if (typeof list === 'string') {
      if (known.size === 0) onNews(list);
      await pause(1000 * (list === 'not allowed' ? again.refused : again.list), signal);
      continue;
    }
    list.items.forEach(note);
    tell();
    const since = performance.now();
    try {
      const query = { ...eventsOf(pod), resourceVersion: list.metadata?.resourceVersion };
      for await (const { type, object } of watchObjects<CoreV1Event>(client, query, signal)) {
        if (type !== 'ADDED' && type !== 'MODIFIED') continue;
        note(object);
        tell();
      }
    } catch {
      signal.throwIfAborted();
    }
    if (performance.now() - since < SHORT_WATCH_MS) await pause(1000 * again.list, signal);
  }
}

async function readList(
  client: ApiClient,
  pod: PodIdentity,
  signal: AbortSignal,
): Promise<CoreV1EventList | Exclude<PodEvents, PodEvent[]>> {
  const { path, fieldSelector } = eventsOf(pod);
  try {
    const list = await client.once<CoreV1EventList>(
      {
        method: 'GET',
        path,
        query: { fieldSelector },
        asked: { verb: 'list', resource: 'events', namespace: pod.namespace },
        deadlineSeconds: DEADLINE_SECONDS,
      },
      signal,
    );
    return Array.isArray(list.items) ? list : 'unavailable';
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof ApiError && error.code === 403 ? 'not allowed' : 'unavailable';
  }
}

function eventsOf({ namespace, uid }: PodIdentity): Omit<WatchQuery, 'resourceVersion'> {
  return {
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    fieldSelector: `involvedObject.uid=${uid}`,
    asked: { verb: 'watch', resource: 'events', namespace },
  };
}

function newestLast(events: PodEvent[]): PodEvent[] {
  return events.sort((one, other) => one.lastMs - other.lastMs);
}

/** The kubelet fills in the old time fields, the scheduler the new ones. */
export function podEvent(event: CoreV1Event): PodEvent {
  const created = event.metadata?.creationTimestamp;
  const first = ms(event.firstTimestamp ?? event.eventTime ?? created);
  const count = event.series?.count ?? event.count ?? 1;
  const container = /^spec\.\w+\{(.+)\}$/.exec(event.involvedObject?.fieldPath ?? '')?.[1];
  return {
    type: event.type ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
    ...(container !== undefined && { container }),
    ...(count > 1 && { count }),
    firstMs: first,
    lastMs: Math.max(first, ms(event.series?.lastObservedTime ?? event.lastTimestamp)),
  };
}

/** @returns what stays of the cluster's words when they are said again: they may differ in an id or a count alone. */
export function gistOf(text: string): string {
  return text.replace(/[0-9a-f]{8,}|[0-9]+/g, '#');
}

function ms(time: unknown): number {
  return time ? Math.floor(new Date(String(time)).getTime() / 1000) * 1000 || 0 : 0;
}
