import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { gistOf, type PodEvent, type PodEvents } from '../kubernetes/events.ts';
import { brief } from './brief.ts';
import { containerStatus, isSidecar } from './containers.ts';
import { secondsBetween } from './durations.ts';

const MOST_EVENTS = 10;

/**
 * What is known of a pod that failed, for the log: each container's state, and the cluster's warnings.
 * @param pod as last seen
 * @param base its container's last words are not repeated: they are the result, or stand in the log
 * @returns the lines
 */
export function accountOf(pod: V1Pod, base: string, events: PodEvents): string[] {
  // Not the phase, which lags behind the containers' states [measured].
  const { reason, message } = pod.status ?? {};
  const why = [reason, message && brief(message)].filter(Boolean).join(': ');
  const node = pod.spec?.nodeName;
  return [
    `Pod ${pod.metadata?.namespace}/${pod.metadata?.name}${node ? ` on node ${node}` : ', on no node'}${why && `, ${why}`}:`,
    ...containers(pod, base),
    ...warnings(events),
  ];
}

/** One line for each container that the pod was to have. */
function containers(pod: V1Pod, base: string): string[] {
  const accounts = containerAccounts(pod, base);
  const width = Math.max(...accounts.map(({ name }) => name.length));
  return accounts.map(({ name, state }) => `  ${name.padEnd(width)}  ${state}`);
}

/** How each container stands that the pod was to have, init containers first. */
export function containerAccounts({ spec, status }: V1Pod, base: string): { name: string; state: string }[] {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => {
    const own = statuses.find(status => status.name === name);
    return { name, state: own === undefined ? 'not created' : `${stateOf(own, name === base)}${restartsOf(own)}` };
  });
}

function stateOf({ state = {} }: V1ContainerStatus, isBase: boolean): string {
  const { waiting, running, terminated } = state;
  if (terminated) {
    const { exitCode, signal, reason, message, startedAt, finishedAt } = terminated;
    const seconds = secondsBetween(startedAt, finishedAt);
    const how = reason && !['Completed', 'Error'].includes(reason) ? `, ${reason}` : '';
    return `ended with exit code ${exitCode}${signal ? ` by signal ${signal}` : ''}${how}${seconds === undefined ? '' : ` after ${seconds} s`}${message && !isBase ? `: ${brief(message)}` : ''}`;
  }
  if (running) return `running since ${running.startedAt}`;
  return `waiting${waiting?.reason ? `, ${waiting.reason}` : ''}${waiting?.message ? `: ${brief(waiting.message)}` : ''}`;
}

/**
 * @param own the pod as it was asked for: what the cluster has added does not count
 * @returns what to say of the other containers that had failed when the base container succeeded
 */
export function failedBeside(pod: V1Pod, own: V1Pod, base: string): string[] {
  return [...(own.spec?.initContainers ?? []).filter(isSidecar), ...(own.spec?.containers ?? [])]
    .map(({ name }) => ({ name, ended: containerStatus(pod, name)?.state?.terminated }))
    .filter(({ name, ended }) => name !== base && ended !== undefined && ended.exitCode !== 0)
    .map(
      ({ name, ended }) =>
        `Container ${name} ended with exit code ${ended?.exitCode}, which does not count: the step follows container ${base} alone.`,
    );
}

function restartsOf({ restartCount = 0 }: V1ContainerStatus): string {
  if (restartCount === 0) return '';
  return restartCount === 1 ? '; restarted once' : `; restarted ${restartCount} times`;
}

function warnings(events: PodEvents): string[] {
  if (events === 'not allowed') return ['Its events are not shown: the credentials may not read them.'];
  const lines = warningsIn(events).map(line => `  ${line}`);
  return lines.length === 0 ? [] : ['Warnings of the cluster:', ...lines];
}

/** @returns the last of the cluster's warnings, each on one line. */
export function warningsIn(events: PodEvents): string[] {
  if (!Array.isArray(events)) return [];
  return merged(events.filter(({ type, reason }) => type === 'Warning' || ENDINGS.has(reason)))
    .filter(({ message }) => !SAYS_NOTHING.test(message))
    .slice(-MOST_EVENTS)
    .map(({ reason, message, count = 1 }) => `${reason}${count > 1 ? ` (${count} times)` : ''}: ${brief(message)}`);
}

/** Beside the event that says why. */
const SAYS_NOTHING = /^Error: (ErrImagePull|ImagePullBackOff)$/;

/** Events that say who ended a pod, and are no warnings to the cluster. */
const ENDINGS = new Set(['Preempted', 'TaintManagerEviction']);

/** Events that say the same of different moments or ids are one. */
function merged(events: readonly PodEvent[]): PodEvent[] {
  const byGist = new Map<string, PodEvent>();
  for (const event of events) {
    const gist = `${event.reason} ${gistOf(event.message)}`;
    const before = byGist.get(gist);
    byGist.delete(gist);
    byGist.set(gist, { ...event, count: (event.count ?? 1) + (before === undefined ? 0 : (before.count ?? 1)) });
  }
  return [...byGist.values()];
}
