import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { containerEnded, containerStarted, containerStatus, terminated } from '../../src/run/containers.ts';
import { ended, podWith, running, containerStatus as statusOf, waiting } from './pods.ts';

test.each<[string, V1Pod, { started: boolean; over: boolean }]>([
  ['no status', {}, { started: false, over: false }],
  ['no status of it', podWith(undefined), { started: false, over: false }],
  ['waiting', podWith(waiting('ContainerCreating')), { started: false, over: false }],
  ['running', podWith(running), { started: true, over: false }],
  ['terminated', podWith(ended(1)), { started: true, over: true }],
  ['waiting in a failed pod', podWith(waiting('PodInitializing'), { phase: 'Failed' }), { started: false, over: true }],
  ['not reported in a failed pod', podWith(undefined, { phase: 'Failed' }), { started: false, over: true }],
  ['not reported in a succeeded pod', podWith(undefined, { phase: 'Succeeded' }), { started: false, over: true }],
  ['running in a failed pod', podWith(running, { phase: 'Failed' }), { started: true, over: false }],
  ['in a pod of phase Unknown', podWith(undefined, { phase: 'Unknown' }), { started: false, over: false }],
])('%s', (_, pod, { started, over }) => {
  expect(containerStarted(pod, 'base')).toBe(started);
  expect(containerEnded(pod, 'base')).toBe(over);
});

test('init containers have a status too', () => {
  const pod = podWith(running, { initContainerStatuses: [statusOf(ended(5), 'init')] });
  expect(containerStatus(pod, 'init')?.name).toBe('init');
  expect(terminated(pod, 'init')?.exitCode).toBe(5);
  expect(terminated(pod, 'base')).toBeUndefined();
  expect(containerStatus(pod, 'other')).toBeUndefined();
});
