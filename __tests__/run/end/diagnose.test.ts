import { expect, test } from '@jest/globals';
import type { PodEvent } from '../../../src/kubernetes/events.ts';
import { diagnose } from '../../../src/run/end/diagnose.ts';
import { outcomeOf } from '../../../src/run/end/outcome.ts';
import { ended, podWith } from '../pods.ts';

const event = (reason: string, message: string, container = 'base'): PodEvent => ({
  type: 'Warning',
  reason,
  message,
  container,
  firstMs: 0,
  lastMs: 0,
});
/** As recorded from Kubernetes 1.36. */
const killing = event('Killing', 'Stopping container base');
const liveness = event('Unhealthy', 'Liveness probe failed: ');
const hook = event('FailedPostStartHook', 'PostStartHook failed');

test.each<[string, number, PodEvent[], string, string]>([
  [
    'a liveness probe',
    137,
    [liveness, killing],
    'Unhealthy',
    'was killed after 4 s (exit code 137): its liveness probe failed.',
  ],
  [
    'a startup probe, with why',
    143,
    [event('Unhealthy', 'Startup probe failed: dial tcp 10.0.0.7:1: connect: connection refused'), killing],
    'Unhealthy',
    'was killed after 4 s (exit code 143): its startup probe failed: dial tcp 10.0.0.7:1: connect: connection refused',
  ],
  [
    'a liveness probe, and a container that exits with 0 when it is told to',
    0,
    [liveness, killing],
    'Unhealthy',
    'was killed after 4 s (exit code 0): its liveness probe failed.',
  ],
  [
    'a hook',
    137,
    [hook, event('Killing', 'FailedPostStartHook')],
    'FailedPostStartHook',
    'was killed after 4 s (exit code 137): its postStart hook failed.',
  ],
])('the end of a container is laid to %s', (_, exitCode, events, reason, said) => {
  const pod = podWith(ended(exitCode));
  const outcome = outcomeOf({ pod, gone: false }, 'base');
  expect(outcome && diagnose(outcome, pod, 'base', events)).toMatchObject({
    state: 'failed',
    reason,
    sentence: `Container base of pod etl/p ${said}`,
    ended: { exitCode },
  });
});

test.each<[string, PodEvent[]]>([
  ['a probe that failed, where the kubelet did not kill it', [liveness]],
  ['a readiness probe', [event('Unhealthy', 'Readiness probe failed: '), killing]],
  [
    'a probe of another container',
    [event('Unhealthy', 'Liveness probe failed: ', 'proxy'), { ...killing, container: 'proxy' }],
  ],
  ['a text that a container may have had a hand in', [event('Unhealthy', 'x Liveness probe failed: '), killing]],
])('it is not laid to %s', (_, events) => {
  const pod = podWith(ended(1));
  const outcome = outcomeOf({ pod, gone: false }, 'base') ?? { state: 'succeeded' };
  expect(diagnose(outcome, pod, 'base', events)).toEqual(outcome);
});
