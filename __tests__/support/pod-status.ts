import type { ContainerObject, ContainerStatusObject, PodObject } from './pod-object.ts';

export function waitingStatus(container: ContainerObject, reason: string): ContainerStatusObject {
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
    lastState: {},
  };
}

export function statusOf(pod: PodObject, container: string): ContainerStatusObject | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  return [...initContainerStatuses, ...containerStatuses].find(status => status.name === container);
}

/** An init container that has to end before the next one starts; a sidecar (restartPolicy Always) has not. */
export function isPlainInit(pod: PodObject, container: ContainerObject): boolean {
  return (pod.spec.initContainers ?? []).includes(container) && container.restartPolicy !== 'Always';
}

/** The phase as the kubelet reckons it for restartPolicy Never: it ends once the sidecars have ended too, and they do not decide it. */
export function phaseOf(pod: PodObject): string {
  const main = pod.status.containerStatuses ?? [];
  const inits = pod.spec.initContainers ?? [];
  const terminated = (container: ContainerObject) => statusOf(pod, container.name)?.state.terminated;
  if (inits.some(init => isPlainInit(pod, init) && (terminated(init)?.exitCode ?? 0) !== 0)) return 'Failed';
  const sidecars = inits.filter(init => !isPlainInit(pod, init));
  if (main.every(status => status.state.terminated) && sidecars.every(terminated)) {
    return main.every(status => status.state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  return main.some(status => status.state.running || status.state.terminated) ? 'Running' : pod.status.phase;
}
