import type { CoreV1Event, CoreV1EventList } from '@kubernetes/client-node';
import type { ApiClient } from './client.ts';
import type { PodIdentity } from './pods.ts';
import { ApiError } from './status.ts';

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

/** A pod's events, newest last; or why there are none to be had. They explain, and decide nothing that cannot wait, so neither is a failure. */
export type PodEvents = PodEvent[] | 'not allowed' | 'unavailable';

/** An answer that takes longer is asked for again later. */
const DEADLINE_SECONDS = 5;

/** Reads a pod's events, in one try. */
export async function listEvents(client: ApiClient, pod: PodIdentity, signal: AbortSignal): Promise<PodEvents> {
  try {
    const { items } = await client.once<CoreV1EventList>(
      {
        method: 'GET',
        path: `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/events`,
        query: { fieldSelector: `involvedObject.uid=${pod.uid}` },
        asked: { verb: 'list', resource: 'events', namespace: pod.namespace },
        deadlineSeconds: DEADLINE_SECONDS,
      },
      signal,
    );
    return Array.isArray(items) ? items.map(podEvent).sort((one, other) => one.lastMs - other.lastMs) : 'unavailable';
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof ApiError && error.code === 403 ? 'not allowed' : 'unavailable';
  }
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
