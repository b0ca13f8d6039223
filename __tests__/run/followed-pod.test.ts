import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { FollowedPod, type FollowingStep } from '../../src/run/followed-pod.ts';
import { gated, unscheduled } from './pods.ts';
import { ShownPod } from './shown-pod.ts';

const T0 = Date.UTC(2026, 2, 1, 12);
const created = (pod: V1Pod): V1Pod => ({
  ...pod,
  metadata: { ...pod.metadata, creationTimestamp: new Date(T0) },
  spec: pod.spec ?? { containers: [] },
});
const pass = (seconds: number) => jest.advanceTimersByTimeAsync(1000 * seconds);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function follow(pod: V1Pod): { shown: ShownPod; followed: FollowedPod } {
  const step = {
    plan: { base: 'base' },
    inputs: { onFinishAction: 'delete_pod', logs: { eventsOnFailure: true } },
    stop: new AbortController().signal,
  };
  const shown = new ShownPod(created(pod));
  return { shown, followed: new FollowedPod(shown.observed, step as unknown as FollowingStep) };
}
const stages = (followed: FollowedPod) =>
  followed.facts().stages.map(({ kind, fromMs, toMs }) => `${kind} ${(fromMs - T0) / 1000}-${(toMs - T0) / 1000}`);

test('when the last gate goes is known, though the pod does not tell', async () => {
  const { shown, followed } = follow(gated());
  expect(stages(followed)).toEqual([]);
  await pass(20.5);
  expect(stages(followed)).toEqual(['queued 0-20']);
  const free = unscheduled();
  shown.become(created(free));
  await pass(10);
  const { nodeName: _, ...spec } = free.spec ?? { containers: [] };
  shown.become(created({ ...free, spec }));
  expect(stages(followed)).toEqual(['queued 0-20', 'scheduling 20-30']);
});
