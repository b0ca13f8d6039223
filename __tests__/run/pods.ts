import type { V1ContainerState, V1ContainerStatus, V1Pod, V1PodCondition, V1PodStatus } from '@kubernetes/client-node';

export function containerStatus(state: V1ContainerState, name = 'base', image = 'busybox'): V1ContainerStatus {
  return { name, image, imageID: '', ready: false, restartCount: 0, state };
}

/** A pod `etl/p` whose container `base` is in this state, with what else a test is about. Times are text on the wire. */
export function podWith(state: V1ContainerState | undefined, status: V1PodStatus = {}, pod: V1Pod = {}): V1Pod {
  return {
    ...pod,
    metadata: { namespace: 'etl', name: 'p', ...pod.metadata },
    spec: { containers: [{ name: 'base' }], nodeName: 'node-1', activeDeadlineSeconds: 60, ...pod.spec },
    status: {
      phase: 'Running',
      ...(state && { containerStatuses: [containerStatus(state)] }),
      ...status,
    },
  };
}

const time = (seconds: number) => `2026-03-01T12:00:0${seconds}Z` as unknown as Date;

export const running: V1ContainerState = { running: { startedAt: time(1) } };

export const ended = (exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error', message?: string) =>
  ({
    terminated: {
      exitCode,
      reason,
      startedAt: time(1),
      finishedAt: time(5),
      ...(message !== undefined && { message }),
    },
  }) satisfies V1ContainerState;

export const waiting = (reason: string, message?: string): V1ContainerState => ({
  waiting: { reason, ...(message !== undefined && { message }) },
});

export const condition = (status: string, message?: string): V1PodCondition => ({
  type: 'PodScheduled',
  status,
  ...(message !== undefined && { message }),
});

/** A pod that has no node yet. */
export const unscheduled = (message?: string): V1Pod => {
  const pod = podWith(undefined, {
    phase: 'Pending',
    ...(message !== undefined && { conditions: [condition('False', message)] }),
  });
  const { nodeName: _, ...spec } = pod.spec ?? { containers: [] };
  return { ...pod, spec };
};

/** A pod that a queue holds. */
export const gated = (): V1Pod =>
  podWith(
    undefined,
    {
      phase: 'Pending',
      conditions: [
        { ...condition('False', 'Scheduling is blocked due to non-empty scheduling gates'), reason: 'SchedulingGated' },
      ],
    },
    { spec: { containers: [{ name: 'base' }], schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] } },
  );

/** A pod on its node, whose container waits for this. */
export const starting = (reason: string, message?: string, image = 'busybox'): V1Pod =>
  podWith(undefined, {
    phase: 'Pending',
    conditions: [condition('True')],
    containerStatuses: [containerStatus(waiting(reason, message), 'base', image)],
  });
