import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ending } from '../../../src/run/end/ending.ts';
import { ended, podWith, running } from '../pods.ts';
import { ShownPod } from '../shown-pod.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

let told: string[];
beforeEach(() => {
  told = [];
});
const end = (pod: ShownPod) => {
  const log = { line: (text: string) => void told.push(text) };
  return ending(pod.observed, { plan: { base: 'base' }, log, stop: new AbortController().signal });
};

/** As recorded of a pod whose kubelet is dead, after the toleration of the node's taint is over. */
const taintManager = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
const notReady = [
  { type: 'Ready', status: 'False' },
  { type: 'ContainersReady', status: 'True' },
];
const deleting = podWith(
  running,
  { conditions: [...notReady, taintManager] },
  {
    metadata: { deletionTimestamp: '2026-03-01T12:00:35Z' as unknown as Date, deletionGracePeriodSeconds: 30 },
  },
);

test('a pod that its node does not stop is lost half a minute after its grace', async () => {
  const pod = new ShownPod(podWith(running));
  const outcome = end(pod);
  await jest.advanceTimersByTimeAsync(3_600_000);
  pod.become(deleting);
  await jest.advanceTimersByTimeAsync(59_999);
  expect(await Promise.race([outcome, 'not yet'])).toBe('not yet');
  await jest.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({
    state: 'failed',
    reason: 'NodeLost',
    sentence:
      'Container base of pod etl/p got lost with its node node-1, which does not answer any more: told to stop the pod, it has said nothing for 60 s. What became of it is not known.',
    remedy: expect.stringContaining('may still be running, until node node-1 is back'),
  });
  expect(jest.getTimerCount()).toBe(0);
});

test('a node that is not heard of any more is told of, and one that is again', async () => {
  const pod = new ShownPod(podWith(running));
  const outcome = end(pod);
  for (const conditions of [notReady, notReady, [], notReady]) pod.become(podWith(running, { conditions }));
  pod.become(deleting);
  pod.become(podWith(ended(0)));
  expect(await outcome).toMatchObject({ state: 'succeeded' });
  expect(told).toEqual([
    'The cluster hears nothing from node node-1 any more. The container may run on; the pod is deleted if that lasts.',
    'The cluster hears from node node-1 again.',
    'The cluster hears nothing from node node-1 any more. The container may run on; the pod is deleted if that lasts.',
    'The cluster hears from node node-1 again.',
  ]);
});

test('a pod that is stopped in time is not', async () => {
  const pod = new ShownPod(deleting);
  const outcome = end(pod);
  await jest.advanceTimersByTimeAsync(50_000);
  pod.become(podWith(ended(137), { conditions: [taintManager] }, { metadata: deleting.metadata ?? {} }));
  expect(await outcome).toMatchObject({ reason: 'Evicted', ended: { exitCode: 137 } });
  expect(jest.getTimerCount()).toBe(0);
});
