import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { shouldDelete } from '../../src/run/cleanup.ts';
import { containerStatus, ended, podWith, running, waiting } from './pods.ts';

const sidecar = containerStatus(running, 'istio-proxy');

test.each<[string, V1Pod, { pod: boolean; succeeded: boolean; active: boolean }]>([
  ['succeeded', podWith(ended(0), { phase: 'Succeeded' }), { pod: true, succeeded: true, active: false }],
  ['failed', podWith(ended(1), { phase: 'Failed' }), { pod: true, succeeded: false, active: false }],
  ['just succeeded, its phase lags behind', podWith(ended(0)), { pod: true, succeeded: true, active: false }],
  [
    'succeeded, with a sidecar still running',
    podWith(undefined, { containerStatuses: [containerStatus(ended(0)), sidecar] }),
    { pod: true, succeeded: true, active: true },
  ],
  [
    'failed, with a sidecar still running',
    podWith(undefined, { containerStatuses: [containerStatus(ended(1)), sidecar] }),
    { pod: true, succeeded: false, active: true },
  ],
  [
    'failed by a code that means nothing to do',
    podWith(ended(99), { phase: 'Failed' }),
    { pod: true, succeeded: true, active: false },
  ],
  ['refused by its node', podWith(undefined, { phase: 'Failed' }), { pod: true, succeeded: false, active: false }],
  ['given up while it ran', podWith(running), { pod: true, succeeded: true, active: true }],
  [
    'given up while it waited',
    podWith(waiting('ImagePullBackOff'), { phase: 'Pending' }),
    { pod: true, succeeded: true, active: true },
  ],
  [
    'given up before it had a status',
    podWith(undefined, { phase: 'Pending' }),
    { pod: true, succeeded: true, active: true },
  ],
])('%s', (_, pod, expected) => {
  const deleted = (action: Parameters<typeof shouldDelete>[0], gone = false) =>
    shouldDelete(action, { pod, gone }, 'base', [99]);
  expect(deleted('delete_pod')).toBe(expected.pod);
  expect(deleted('delete_succeeded_pod')).toBe(expected.succeeded);
  expect(deleted('delete_active_pod')).toBe(expected.active);
  expect(deleted('keep_pod')).toBe(false);
  for (const action of ['delete_pod', 'delete_succeeded_pod', 'delete_active_pod', 'keep_pod'] as const)
    expect(deleted(action, true)).toBe(false);
});
