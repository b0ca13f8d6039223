import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { phaseOf } from '../../src/run/phase.ts';
import { condition, containerStatus, ended, gated, podWith, running, starting, unscheduled, waiting } from './pods.ts';

const init = (restartPolicy?: string): V1Pod => {
  const pod = podWith(waiting('PodInitializing'), {
    phase: 'Pending',
    conditions: [condition('True')],
    initContainerStatuses: [containerStatus(running, 'prep')],
  });
  const containers = pod.spec?.containers ?? [];
  return {
    ...pod,
    spec: { ...pod.spec, containers, initContainers: [{ name: 'prep', ...(restartPolicy && { restartPolicy }) }] },
  };
};
const between = podWith(undefined, {
  containerStatuses: [
    {
      ...containerStatus(waiting('CrashLoopBackOff')),
      restartCount: 1,
      lastState: { terminated: { ...ended(1).terminated, containerID: 'containerd://1' } },
    },
  ],
});

test.each<[string, V1Pod, string[]]>([
  ['queued', gated(), []],
  ['scheduling', unscheduled(), []],
  ['scheduling', unscheduled('no cpu'), []],
  ['starting', starting('ContainerCreating'), []],
  ['pulling', starting('ContainerCreating'), ['Pulling']],
  ['starting', starting('ContainerCreating'), ['Pulling', 'Pulled']],
  ['pulling', starting('ErrImagePull'), ['Pulling', 'Failed', 'Pulling']],
  ['initializing', init(), ['Pulling', 'Pulled']],
  ['starting', init('Always'), []],
  ['running', podWith(running), []],
  ['running', between, []],
  ['ended', podWith(ended(0)), []],
  ['ended', podWith(undefined, { phase: 'Failed' }), []],
])('a run is %s', (phase, pod, reasons) => {
  const events = reasons.map(reason => ({ type: 'Normal', reason, message: '', firstMs: 0, lastMs: 0 }));
  expect(phaseOf(pod, 'base', events)).toBe(phase);
});
