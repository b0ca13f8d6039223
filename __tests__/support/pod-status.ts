import type { ContainerObject, ContainerStatusObject, PodObject } from './pod-object.ts';

export interface Ending {
  /** Default is the pod's first container. */
  container?: string;
  exitCode?: number;
  reason?: string;
  /** What the container wrote to its termination message path. */
  message?: string;
}

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

/** A container starts; one that has run before, once more. */
export function start(status: ContainerStatusObject, podUid: string, startedAt: string): void {
  if (status.state.terminated) status.lastState = status.state;
  if (status.lastState.terminated) status.restartCount++;
  status.state = { running: { startedAt } };
  status.containerID = `containerd://${podUid}-${status.name}-${status.restartCount}`;
  status.imageID = `${status.image}@sha256:${'0'.repeat(64)}`;
  status.ready = true;
  status.started = true;
}

export function end(status: ContainerStatusObject, ending: Ending, now: string): void {
  const { exitCode = 0, reason, message } = ending;
  status.ready = false;
  status.started = false;
  status.state = {
    terminated: {
      exitCode,
      reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      ...(message !== undefined && { message }),
      startedAt: status.state.running?.startedAt ?? now,
      finishedAt: now,
      ...(status.state.running && status.containerID !== undefined && { containerID: status.containerID }),
    },
  };
}

/** A container that has ended waits to be started again; it keeps the number of its restarts, and the id of its last run. */
export function backOff(status: ContainerStatusObject): void {
  status.lastState = status.state;
  status.state = {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off 10s restarting failed container=${status.name}`,
    },
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

/** The phase as the kubelet reckons it (getPhase in pkg/kubelet/kubelet_pods.go): sidecars keep a pod running and do not decide how it ends, and what will be started again has not ended. */
export function phaseOf(pod: PodObject): string {
  const over = pod.metadata.deletionTimestamp !== undefined;
  const known = (list: readonly ContainerObject[] = []) =>
    list.map(container => {
      const status = statusOf(pod, container.name);
      const ended = status?.state.terminated ?? (status?.state.waiting && status.lastState.terminated);
      return {
        plain: isPlainInit(pod, container),
        running: status?.state.running,
        ended,
        again: restarts(pod, container, ended),
      };
    });
  const inits = known(pod.spec.initContainers);
  const main = known(pod.spec.containers);
  const plain = inits.filter(init => init.plain);
  if (plain.some(({ ended, again }) => ended && ended.exitCode !== 0 && !again)) return 'Failed';
  if (plain.some(({ running }) => running)) return 'Pending';
  if ([...inits, ...main].some(({ ended, running }) => !ended && !running)) return 'Pending';
  if ([...inits, ...main].some(({ running }) => running)) return 'Running';
  if (!over && main.some(({ again }) => again)) return 'Running';
  return main.every(({ ended }) => ended?.exitCode === 0) ? 'Succeeded' : 'Failed';
}

function restarts({ spec }: PodObject, { restartPolicy }: ContainerObject, ended?: { exitCode: number }): boolean {
  if (ended === undefined) return false;
  const policy = restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && ended.exitCode !== 0);
}
