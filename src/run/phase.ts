import type { V1Pod } from '@kubernetes/client-node';
import type { PodEvent } from '../kubernetes/events.ts';
import { containerEnded, containerStarted, isSidecar } from './containers.ts';
import { gatesOf } from './start/scheduling.ts';

/** Where the run of a step stands. */
export type Phase = 'queued' | 'scheduling' | 'pulling' | 'initializing' | 'starting' | 'running' | 'ended';

/**
 * @param base the step's own container: once it runs or has ended, the rest of the pod does not matter
 * @param events the pod's, newest last: that an image is being pulled stands nowhere else
 */
export function phaseOf(pod: V1Pod, base: string, events: readonly PodEvent[] = []): Phase {
  if (containerEnded(pod, base)) return 'ended';
  if (containerStarted(pod, base)) return 'running';
  if (gatesOf(pod).length > 0) return 'queued';
  if (pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.status !== 'True') return 'scheduling';
  if (runningInit(pod) !== undefined) return 'initializing';
  const last = events.findLast(({ reason }) => PULLS.has(reason));
  return last?.reason === 'Pulling' ? 'pulling' : 'starting';
}

/** @returns the init container that runs; a sidecar holds nothing up. */
export function runningInit({ spec, status }: V1Pod): string | undefined {
  const running = new Set(
    (status?.initContainerStatuses ?? []).filter(({ state }) => state?.running).map(({ name }) => name),
  );
  return (spec?.initContainers ?? []).find(container => !isSidecar(container) && running.has(container.name))?.name;
}

/** Events that begin and end a pull. */
const PULLS = new Set(['Pulling', 'Pulled', 'Failed']);
