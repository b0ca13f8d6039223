import type { V1Container, V1ContainerStateTerminated, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { RESULT_SIDECAR } from '../pod/result.ts';

/** @returns the status of a container, be it an init container or not; `undefined` while the kubelet has not reported it. */
export function containerStatus(pod: V1Pod, name: string): V1ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find(status => status.name === name);
}

/** How a container ended, if it has. */
export function terminated(pod: V1Pod, name: string): V1ContainerStateTerminated | undefined {
  return containerStatus(pod, name)?.state?.terminated;
}

/** How the last run of a container ended that waits to be started again, or waited for it when its pod came to an end. */
export function lastEnd(pod: V1Pod, name: string): V1ContainerStateTerminated | undefined {
  const { state, lastState } = containerStatus(pod, name) ?? {};
  const ended = state?.running ?? (state?.terminated && !isUnknown(state.terminated));
  return ended ? undefined : lastState?.terminated;
}

/** Whether the kubelet could not find the container, or what was to be one: the exit code of such an end is made up. */
export function isUnknown({ reason }: V1ContainerStateTerminated): boolean {
  return reason === 'ContainerStatusUnknown';
}

/** The init container that kept the base container from starting, if one did. */
export function failedInit(pod: V1Pod): { name: string; ended: V1ContainerStateTerminated } | undefined {
  for (const { name, state } of pod.status?.initContainerStatuses ?? [])
    if (state?.terminated !== undefined && state.terminated.exitCode !== 0) return { name, ended: state.terminated };
  return undefined;
}

/** Whether the whole pod has ended. */
export function podEnded({ status }: V1Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

/** Whether a container runs, or has run: whether it has a log. */
export function containerStarted(pod: V1Pod, name: string): boolean {
  return instancesOf(pod, name).length > 0;
}

/** Whether a container will print nothing more: it has ended, or the whole pod has without it. */
export function containerEnded(pod: V1Pod, name: string): boolean {
  if (terminated(pod, name) !== undefined) return true;
  return podEnded(pod) && containerStatus(pod, name)?.state?.running === undefined;
}

/** Whether it is an init container that runs on beside the others (KEP-753). */
export function isSidecar({ restartPolicy }: V1Container): boolean {
  return restartPolicy === 'Always';
}

/** Whether it is the one that this action adds to send the result. */
export function isResultSidecar(container: V1Container): boolean {
  return container.name === RESULT_SIDECAR && isSidecar(container);
}

/** When a container is started again: by its own word (native sidecars, KEP-753; container restart rules, KEP-5307) or its pod's, which the API server always tells. */
export function restartPolicy({ spec }: V1Pod, name: string): string {
  const container = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find(one => one.name === name);
  return container?.restartPolicy ?? spec?.restartPolicy ?? 'Never';
}

/** Whether a container that has ended so is started again. A pod that is over or on its way out starts nothing. */
export function willRestart(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): boolean {
  if (podEnded(pod) || pod.metadata?.deletionTimestamp !== undefined) return false;
  return isToRestart(pod, name, ended);
}

/** Whether it would be, were the pod not over. */
export function isToRestart(pod: V1Pod, name: string, { exitCode }: V1ContainerStateTerminated): boolean {
  const policy = restartPolicy(pod, name);
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** One run of a container, with a log of its own. */
export interface Instance {
  /** The container's id on its node. */
  id: string;
  /** How often the container had been started before. */
  restarts: number;
  /** In RFC 3339. */
  startedAt: Date | string | undefined;
  ended: V1ContainerStateTerminated | undefined;
  /** Whether another one has begun since, so that its log is the previous one. */
  previous: boolean;
}

/** @returns the runs of a container that the kubelet still tells of, oldest first: at most the last two. */
export function instancesOf(pod: V1Pod, name: string): Instance[] {
  const status = containerStatus(pod, name);
  if (status === undefined) return [];
  const { state, lastState, restartCount = 0 } = status;
  // A container that the kubelet could not find may never have been: it has no log.
  const found = state?.terminated && (!isUnknown(state.terminated) || state.terminated.startedAt);
  const now = state?.running !== undefined || Boolean(found);
  const instances: Instance[] = [];
  const before = lastState?.terminated;
  if (before?.containerID) {
    const { containerID: id, startedAt } = before;
    instances.push({ id, restarts: now ? restartCount - 1 : restartCount, startedAt, ended: before, previous: now });
  }
  if (now) {
    const ended = state?.terminated;
    instances.push({
      id: ended?.containerID || status.containerID || `#${restartCount}`,
      restarts: restartCount,
      startedAt: state?.running?.startedAt ?? ended?.startedAt,
      ended,
      previous: false,
    });
  }
  return instances;
}
