import type { V1ContainerStateTerminated, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** @returns the status of a container, be it an init container or not; `undefined` while the kubelet has not reported it. */
export function containerStatus(pod: V1Pod, name: string): V1ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find(status => status.name === name);
}

/** How a container ended, if it has. */
export function terminated(pod: V1Pod, name: string): V1ContainerStateTerminated | undefined {
  return containerStatus(pod, name)?.state?.terminated;
}

/** The init container that kept the base container from starting, if one did. */
export function failedInit(pod: V1Pod): { name: string; ended: V1ContainerStateTerminated } | undefined {
  for (const { name, state } of pod.status?.initContainerStatuses ?? [])
    if (state?.terminated !== undefined && state.terminated.exitCode !== 0) return { name, ended: state.terminated };
  return undefined;
}

/** Whether a container runs, or has run: whether it has a log. */
export function containerStarted(pod: V1Pod, name: string): boolean {
  const state = containerStatus(pod, name)?.state;
  return state?.running !== undefined || state?.terminated !== undefined;
}

/** Whether a container will print nothing more: it has ended, or the whole pod has without it. */
export function containerEnded(pod: V1Pod, name: string): boolean {
  if (terminated(pod, name) !== undefined) return true;
  const over = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  return over && containerStatus(pod, name)?.state?.running === undefined;
}
