import type { V1Pod } from '@kubernetes/client-node';
import type { PodEvent } from '../kubernetes/events.ts';
import { containerStarted, containerStatus, instancesOf, isSidecar } from './containers.ts';
import { gatesOf } from './start/scheduling.ts';

/** A part of a pod's life. Times are the cluster's, in ms since the epoch, and mostly whole seconds. */
export interface Stage {
  /** `starting` is what goes on between the others: volumes, network, creating a container. */
  kind: 'queued' | 'scheduling' | 'starting' | 'pulling' | 'initialising' | 'running';
  /** The container that was pulled for, or that ran. */
  container?: string;
  fromMs: number;
  toMs: number;
  /** Whether it had not ended when the pod was last seen. */
  open?: true;
}

/** What the pod as last seen does not tell. */
export interface Seen {
  /** When the step looked last, by the cluster's clock. */
  untilMs: number;
  /** When the last scheduling gate went, if there were any. */
  gatesGoneMs?: number;
  /** As last read. */
  events?: readonly PodEvent[];
}

/**
 * What a pod's time went into, in order. A stage whose bounds are not known is left out, and so is one that took no time by the cluster's clocks, which tell whole seconds.
 * @param base the container that the step is about
 */
export function stagesOf(pod: V1Pod, base: string, seen: Seen): Stage[] {
  const created = ms(pod.metadata?.creationTimestamp);
  const scheduled = scheduledMs(pod);
  const stages = [...untilScheduled(pod, created, scheduled, seen)];
  const runs = runsOf(pod, base, seen);
  if (scheduled !== undefined) stages.push(...onTheNode(pod, base, scheduled, runs, seen));
  return joined([...stages, ...runs].filter(({ fromMs, toMs }) => toMs > fromMs));
}

/** What was only interrupted by a stage that took no time goes on. */
function joined(stages: Stage[]): Stage[] {
  const all: Stage[] = [];
  for (const stage of stages) {
    const last = all.at(-1);
    if (stage.kind === 'starting' && last?.kind === 'starting') all[all.length - 1] = { ...stage, fromMs: last.fromMs };
    else all.push(stage);
  }
  return all;
}

function untilScheduled(pod: V1Pod, created: number | undefined, scheduled: number | undefined, seen: Seen): Stage[] {
  if (created === undefined) return [];
  if (gatesOf(pod).length > 0) return [{ kind: 'queued', fromMs: created, toMs: seen.untilMs, open: true }];
  const toMs = scheduled ?? seen.untilMs;
  // On a node, but since when is not known.
  if (scheduled === undefined && pod.spec?.nodeName) return [];
  // Measured by another clock than the rest.
  const gatesGone = Math.min(Math.max(seen.gatesGoneMs ?? created, created), toMs);
  return [
    { kind: 'queued', fromMs: created, toMs: gatesGone },
    { kind: 'scheduling', fromMs: gatesGone, toMs, ...(scheduled === undefined && { open: true }) },
  ];
}

/** Init containers and pulls up to the base container's first start, and what is between them. */
function onTheNode(pod: V1Pod, base: string, scheduled: number, runs: Stage[], seen: Seen): Stage[] {
  const { restartCount = 0, state } = containerStatus(pod, base) ?? {};
  // Which of its runs was the first is forgotten after the second.
  if (restartCount > 1) return [];
  const first = runs[0]?.fromMs;
  // A container that could not be started has an end alone.
  const until = first ?? ms(state?.terminated?.finishedAt) ?? seen.untilMs;
  const known = [...initialising(pod, seen), ...pulls(pod, seen, until)]
    .filter(({ fromMs, toMs }) => fromMs >= scheduled && toMs <= until && fromMs <= toMs)
    .sort((one, other) => one.fromMs - other.fromMs);
  const stages: Stage[] = [];
  let at = scheduled;
  for (const stage of known) {
    stages.push({ kind: 'starting', fromMs: at, toMs: stage.fromMs }, stage);
    at = Math.max(at, stage.toMs);
  }
  const open = first === undefined && state?.terminated === undefined && known.every(stage => !stage.open);
  stages.push({ kind: 'starting', fromMs: at, toMs: until, ...(open && { open }) });
  return stages;
}

function initialising(pod: V1Pod, { untilMs }: Seen): Stage[] {
  return (pod.spec?.initContainers ?? [])
    .filter(container => !isSidecar(container))
    .flatMap(({ name }): Stage[] => {
      const { running, terminated } = containerStatus(pod, name)?.state ?? {};
      const fromMs = ms(running?.startedAt ?? terminated?.startedAt);
      const toMs = ms(terminated?.finishedAt);
      if (fromMs === undefined) return [];
      const stage = { kind: 'initialising', container: name, fromMs } as const;
      if (running) return [{ ...stage, toMs: untilMs, open: true }];
      return toMs === undefined ? [] : [{ ...stage, toMs }];
    });
}

/** From the first try of a container's image to the one that went well. */
function pulls(pod: V1Pod, { events = [], untilMs }: Seen, until: number): Stage[] {
  return events
    .filter(({ reason, container }) => reason === 'Pulling' && container !== undefined)
    .flatMap(({ container = '', firstMs }): Stage[] => {
      const stage = { kind: 'pulling', container, fromMs: firstMs } as const;
      const pulled = events.find(event => event.reason === 'Pulled' && event.container === container);
      if (pulled !== undefined) return [{ ...stage, toMs: pulled.firstMs }];
      // The events may be older than the rest, so a pull is known to go on only where nothing has come after it.
      const goesOn = until === untilMs && !containerStarted(pod, container);
      return goesOn ? [{ ...stage, toMs: untilMs, open: true }] : [];
    });
}

/** The base container's runs, as far as the kubelet still tells of them. */
function runsOf(pod: V1Pod, base: string, { untilMs }: Seen): Stage[] {
  return instancesOf(pod, base).flatMap(({ startedAt, ended, previous }): Stage[] => {
    const [fromMs, toMs] = [ms(startedAt), ms(ended?.finishedAt)];
    if (fromMs === undefined) return [];
    const stage = { kind: 'running', container: base, fromMs } as const;
    if (toMs !== undefined) return [{ ...stage, toMs }];
    return ended || previous ? [] : [{ ...stage, toMs: untilMs, open: true }];
  });
}

function scheduledMs({ status }: V1Pod): number | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'True' ? ms(scheduled.lastTransitionTime) : undefined;
}

/** @returns `undefined` for 1970 too, which a container that could not be started has for its start. */
function ms(time: Date | string | undefined): number | undefined {
  return time ? new Date(time).getTime() || undefined : undefined;
}
