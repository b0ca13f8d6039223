import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { PodEvent, PodEvents } from '../../src/kubernetes/events.ts';
import { accountOf, failedBeside } from '../../src/run/account.ts';
import { containerStatus, ended, podWith, running, starting, unscheduled, waiting } from './pods.ts';

const event = (reason: string, message: string, count = 1, type = 'Warning'): PodEvent => ({
  type,
  reason,
  message,
  count,
  firstMs: 1,
  lastMs: 1,
});
const several: V1Pod = podWith(
  undefined,
  {
    phase: 'Failed',
    initContainerStatuses: [containerStatus(ended(0), 'prep')],
    containerStatuses: [
      containerStatus(ended(137, 'OOMKilled', 'its result')),
      { ...containerStatus(running, 'proxy'), restartCount: 3 },
      { ...containerStatus(waiting('CrashLoopBackOff', 'back-off 10s'), 'late'), restartCount: 1 },
      containerStatus(ended(2, 'Error', 'two\n::error::lines'), 'other'),
    ],
  },
  {
    spec: {
      initContainers: [{ name: 'prep' }],
      containers: ['base', 'proxy', 'late', 'other', 'none'].map(name => ({ name })),
    },
  },
);

test.each<[string, V1Pod, string[]]>([
  [
    'each container',
    several,
    [
      'Pod etl/p on node node-1:',
      '  prep   ended with exit code 0 after 4 s',
      '  base   ended with exit code 137, OOMKilled after 4 s',
      '  proxy  running since 2026-03-01T12:00:01Z; restarted 3 times',
      '  late   waiting, CrashLoopBackOff: back-off 10s; restarted once',
      '  other  ended with exit code 2 after 4 s: two ::error::lines',
      '  none   not created',
    ],
  ],
  [
    'a pod without a node',
    { ...unscheduled('no cpu'), spec: { containers: [{ name: 'base' }] } },
    ['Pod etl/p, on no node:', '  base  not created'],
  ],
  [
    'a container that waits',
    starting('ErrImagePull', 'not found'),
    ['Pod etl/p on node node-1:', '  base  waiting, ErrImagePull: not found'],
  ],
  [
    'a pod that its node has ended',
    podWith(undefined, { phase: 'Failed', reason: 'Evicted', message: 'low on\nmemory ' }),
    ['Pod etl/p on node node-1, Evicted: low on memory:', '  base  not created'],
  ],
])('the account of a failure has %s', (_, pod, lines) => expect(accountOf(pod, 'base', [])).toEqual(lines));

test.each<[string, PodEvents, string[]]>([
  ['only warnings', [event('Pulling', 'x', 1, 'Normal')], []],
  [
    'the same thing once, with how often it was said, where it was said last',
    [
      event('FailedMount', 'timed out after 12 s', 4),
      event('Unhealthy', 'probe failed'),
      event('FailedMount', 'timed out after 15 s', 3),
    ],
    ['Warnings of the cluster:', '  Unhealthy: probe failed', '  FailedMount (7 times): timed out after 15 s'],
  ],
  [
    'the last ten',
    Array.from({ length: 12 }, (_, index) => event(`R${'abcdefghijkl'[index]}`, 'x')),
    ['Warnings of the cluster:', ...[...'cdefghijkl'].map(letter => `  R${letter}: x`)],
  ],
  ['long texts cut', [event('Failed', 'x'.repeat(600))], ['Warnings of the cluster:', `  Failed: ${'x'.repeat(500)}…`]],
  ['why there are none', 'not allowed', ['Its events are not shown: the credentials may not read them.']],
  ['nothing where they are not to be had', 'unavailable', []],
])('of events it has %s', (_, events, lines) =>
  expect(accountOf(unscheduled(), 'base', events).slice(2)).toEqual(lines),
);

test('containers of the step’s own that failed beside it are told of, those that the cluster added are not', () => {
  const own = { spec: { containers: ['base', 'proxy', 'other', 'none'].map(name => ({ name })) } };
  expect(failedBeside(several, own, 'base')).toEqual([
    'Container other ended with exit code 2, which does not count: the step follows container base alone.',
  ]);
  expect(failedBeside(several, { spec: { containers: [{ name: 'base' }] } }, 'base')).toEqual([]);
});
