import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import type { Report } from '../../support/witness.ts';
import type { Played } from './play.ts';

const FOLDER = join(import.meta.dirname, '../../run/recorded/failures');

/**
 * Writes with RECORD=1 what the cluster told in each scenario, for tests of what is made of it: the pod as it was when it showed that there is no hope, whether it was gone then, its events up to the verdict, and, where it matters in what order things came, each of its states.
 */
export function record(topic: string, played: [name: string, runs: Played[]][]): void {
  if (!process.env['RECORD']) return;
  mkdirSync(FOLDER, { recursive: true });
  const all = Object.fromEntries(
    played.flatMap(([name, [one]]) => (one?.reports.length ? [[name, recorded(one)]] : [])),
  );
  if (Object.keys(all).length === 0) return;
  const file = join(FOLDER, `${topic}.json`);
  // From one line the formatter makes as few as fit.
  writeFileSync(file, JSON.stringify(all));
  execFileSync(process.execPath, ['node_modules/.bin/biome', 'format', '--write', file]);
}

function recorded({ scenario, reports, shown, verdictAtMs = Number.POSITIVE_INFINITY }: Played): object {
  const before = reports.filter(({ atMs }) => atMs <= verdictAtMs);
  const pods = before.filter(({ pod }) => pod);
  const telling = shown?.pod ? shown : pods.findLast(({ pod }) => pod?.metadata?.deletionTimestamp === undefined);
  const events = new Map(
    before.flatMap(({ event }) =>
      event && event.reason !== 'MissingClusterDNS' ? [[event.metadata.uid, strippedEvent(event)]] : [],
    ),
  );
  return {
    ...(telling && { pod: stripped(telling.pod), gone: telling.type === 'DELETED' }),
    events: [...events.values()],
    ...(scenario.inOrder && { states: inOrder(pods) }),
  };
}

/** Each state that differs from the one before it. */
function inOrder(pods: Report[]): object[] {
  const states = pods.map(report => ({ seconds: since(pods, report), ...moving(report) }));
  const gist = ({ seconds: _, ...state }: (typeof states)[number]) => JSON.stringify(state);
  return states.filter((state, index) => {
    const before = states[index - 1];
    return before === undefined || gist(before) !== gist(state);
  });
}

function since([first]: Report[], { atMs }: Report): number {
  return Math.round((atMs - (first?.atMs ?? 0)) / 100) / 10;
}

/** What changes of a pod, and matters. */
function moving({ type, pod }: Report): object {
  const { metadata, status } = stripped(pod, NOISE_OF_STATES);
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  const { conditions = [], ...rest } = status ?? {};
  const told = conditions.filter(condition => ['Ready', 'DisruptionTarget', 'PodScheduled'].includes(condition.type));
  const deleted = deletionTimestamp && { metadata: { deletionTimestamp, deletionGracePeriodSeconds } };
  return { type, ...deleted, status: { ...rest, conditions: told } };
}

const NOISE = new Set([
  ...['managedFields', 'generation', 'observedGeneration', 'lastProbeTime', 'tolerations', 'preemptionPolicy'],
  ...['labels', 'annotations', 'imageID', 'terminationMessagePath', 'serviceAccount', 'recursiveReadOnly'],
  ...['podIP', 'podIPs', 'hostIP', 'hostIPs', 'allocatedResources', 'dnsPolicy', 'schedulerName', 'enableServiceLinks'],
]);

const NOISE_OF_STATES = new Set([...NOISE, 'image', 'volumeMounts', 'resources', 'ready', 'started', 'qosClass']);

/** Without what is about something else. */
function stripped(pod: V1Pod = {}, noise = NOISE): V1Pod {
  const isToken = ({ name }: { name: string }) => name.startsWith('kube-api-access-');
  return JSON.parse(JSON.stringify(pod), (key, value) => {
    if (noise.has(key)) return undefined;
    return (key === 'volumes' || key === 'volumeMounts') && Array.isArray(value)
      ? value.filter(one => !isToken(one))
      : value;
  }) as V1Pod;
}

/** As far as it is read. */
function strippedEvent({ metadata, involvedObject, source, ...event }: CoreV1Event): object {
  return {
    ...event,
    metadata: { creationTimestamp: metadata.creationTimestamp },
    ...(involvedObject.fieldPath && { involvedObject: { fieldPath: involvedObject.fieldPath } }),
    ...(source?.component && { source: { component: source.component } }),
  };
}
