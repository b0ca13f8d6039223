import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { PodEvent } from '../../src/kubernetes/events.ts';
import { type Seen, stagesOf } from '../../src/run/timeline.ts';
import { containerStatus, podWith, waiting } from './pods.ts';

/** The second `n` of the pod's life. */
const at = (n: number) =>
  new Date(Date.UTC(2026, 2, 1, 12, 0, n)).toISOString().replace('.000Z', 'Z') as unknown as Date;
const ms = (n: number) => Date.UTC(2026, 2, 1, 12, 0, n);
const ran = (from: number, to: number, exitCode = 0): V1ContainerState => ({
  terminated: { exitCode, startedAt: at(from), finishedAt: at(to), containerID: `containerd://${from}` },
});
const runs = (from: number): V1ContainerState => ({ running: { startedAt: at(from) } });
const notStartable: V1ContainerState = {
  terminated: { exitCode: 128, startedAt: '1970-01-01T00:00:00Z' as unknown as Date, finishedAt: at(4) },
};

interface Life {
  scheduled?: number;
  base?: V1ContainerState | V1ContainerStatus;
  inits?: Record<string, V1ContainerState>;
  sidecars?: Record<string, V1ContainerState>;
  gates?: string[];
  node?: string;
}

/** A pod that was created at second 0. */
function pod({ scheduled, base, inits = {}, sidecars = {}, gates, node }: Life): V1Pod {
  const status = base && ('name' in base ? base : containerStatus(base as V1ContainerState));
  const { spec, ...rest } = podWith(undefined, {
    conditions: [
      scheduled === undefined
        ? { type: 'PodScheduled', status: 'False', lastTransitionTime: at(0) }
        : { type: 'PodScheduled', status: 'True', lastTransitionTime: at(scheduled) },
    ],
    ...(status && { containerStatuses: [status] }),
    initContainerStatuses: Object.entries({ ...inits, ...sidecars }).map(([name, state]) =>
      containerStatus(state, name),
    ),
  });
  const { nodeName: _, ...unplaced } = spec ?? { containers: [] };
  return {
    ...rest,
    metadata: { ...rest.metadata, creationTimestamp: at(0) },
    spec: {
      ...unplaced,
      ...((scheduled !== undefined || node) && { nodeName: node ?? 'node-1' }),
      initContainers: [
        ...Object.keys(inits).map(name => ({ name })),
        ...Object.keys(sidecars).map(name => ({ name, restartPolicy: 'Always' })),
      ],
      ...(gates && { schedulingGates: gates.map(name => ({ name })) }),
    },
  };
}

const event = (reason: string, container: string, first: number, last = first): PodEvent => ({
  type: 'Normal',
  reason,
  message: '',
  container,
  firstMs: ms(first),
  lastMs: ms(last),
});

/** `pulling base 1-4`, with a `+` behind what had not ended. */
const told = (life: V1Pod, seen: Partial<Seen> = {}) =>
  stagesOf(life, 'base', { untilMs: ms(100), ...seen }).map(
    ({ kind, container, fromMs, toMs, open }) =>
      `${[kind, container].filter(Boolean).join(' ')} ${(fromMs - ms(0)) / 1000}-${(toMs - ms(0)) / 1000}${open ? '+' : ''}`,
  );

test.each<[string, Life, string[]]>([
  ['that ran', { scheduled: 2, base: ran(5, 20) }, ['scheduling 0-2', 'starting 2-5', 'running base 5-20']],
  ['that was done within a second', { scheduled: 0, base: ran(0, 0) }, []],
  [
    'with an init container that took no time',
    { scheduled: 0, inits: { fetch: ran(2, 2) }, base: ran(4, 5) },
    ['starting 0-4', 'running base 4-5'],
  ],
  [
    'with init containers',
    { scheduled: 0, inits: { fetch: ran(1, 4), unpack: ran(5, 9, 1) }, base: ran(10, 12) },
    [
      'starting 0-1',
      'initialising fetch 1-4',
      'starting 4-5',
      'initialising unpack 5-9',
      'starting 9-10',
      'running base 10-12',
    ],
  ],
  [
    'whose sidecars are no stage',
    { scheduled: 0, sidecars: { proxy: runs(1) }, base: ran(3, 5) },
    ['starting 0-3', 'running base 3-5'],
  ],
  ['that still runs', { scheduled: 0, base: runs(3) }, ['starting 0-3', 'running base 3-100+']],
  [
    'whose init container runs',
    { scheduled: 0, inits: { fetch: runs(2) }, base: waiting('PodInitializing') },
    ['starting 0-2', 'initialising fetch 2-100+'],
  ],
  [
    'whose init container failed',
    { scheduled: 1, inits: { fetch: ran(2, 6, 1) }, base: waiting('PodInitializing') },
    ['scheduling 0-1', 'starting 1-2', 'initialising fetch 2-6', 'starting 6-100+'],
  ],
  ['that never got a node', {}, ['scheduling 0-100+']],
  ['that a gate holds', { gates: ['q'] }, ['queued 0-100+']],
  [
    'that waits on its node',
    { scheduled: 3, base: waiting('ContainerCreating') },
    ['scheduling 0-3', 'starting 3-100+'],
  ],
  ['whose command cannot be started', { scheduled: 1, base: notStartable }, ['scheduling 0-1', 'starting 1-4']],
  [
    'whose node’s clock is behind the scheduler’s',
    { scheduled: 5, base: ran(3, 9) },
    ['scheduling 0-5', 'running base 3-9'],
  ],
])('the stages of a pod %s', (_, life, stages) => expect(told(pod(life))).toEqual(stages));

describe('nothing is invented', () => {
  const { metadata: { creationTimestamp: _, ...metadata } = {}, ...rest } = pod({ scheduled: 2, base: ran(5, 9) });

  test.each<[string, V1Pod, string[]]>([
    ['without a creation time', { metadata, ...rest }, ['starting 2-5', 'running base 5-9']],
    ['on a node since nobody knows when', pod({ node: 'node-1', base: ran(5, 9) }), ['running base 5-9']],
    ['without a status', { metadata: { creationTimestamp: at(0) }, spec: { containers: [], nodeName: 'n' } }, []],
    ['that is empty', {}, []],
    [
      'whose times are no times',
      {
        metadata: { creationTimestamp: 'soon' as unknown as Date },
        status: { containerStatuses: [containerStatus({ running: {} })] },
      },
      [],
    ],
  ])('of a pod %s', (_, life, stages) => expect(told(life)).toEqual(stages));
});

describe('of a container that was started again', () => {
  const again = (restartCount: number): V1ContainerStatus => ({
    ...containerStatus(ran(20, 30)),
    restartCount,
    lastState: ran(3, 9, 1),
  });

  test('once, both runs are told', () =>
    expect(told(pod({ scheduled: 1, base: again(1) }))).toEqual([
      'scheduling 0-1',
      'starting 1-3',
      'running base 3-9',
      'running base 20-30',
    ]));

  test('more often, the last two, and not when the first began', () =>
    expect(told(pod({ scheduled: 1, base: again(4) }))).toEqual([
      'scheduling 0-1',
      'running base 3-9',
      'running base 20-30',
    ]));
});

test.each<[string, number | undefined, Life, string[]]>([
  ['in a queue', 40, { scheduled: 42, base: ran(42, 50) }, ['queued 0-40', 'scheduling 40-42', 'running base 42-50']],
  [
    'let go later than it got a node, by two clocks',
    43,
    { scheduled: 42, base: ran(42, 50) },
    ['queued 0-42', 'running base 42-50'],
  ],
  ['let go, and still without a node', 40, {}, ['queued 0-40', 'scheduling 40-100+']],
])('a pod that was %s', (_, gone, life, stages) =>
  expect(told(pod(life), gone === undefined ? {} : { gatesGoneMs: ms(gone) })).toEqual(stages),
);

const pulled = [event('Pulling', 'base', 2), event('Pulled', 'base', 30)];
test.each<[string, PodEvent[], Life, string[]]>([
  [
    'between its two events',
    pulled,
    { scheduled: 0, base: ran(31, 40) },
    ['starting 0-2', 'pulling base 2-30', 'starting 30-31', 'running base 31-40'],
  ],
  [
    'from the first try on',
    [event('Pulling', 'base', 2, 20), event('Pulled', 'base', 30)],
    { scheduled: 0, base: ran(30, 40) },
    ['starting 0-2', 'pulling base 2-30', 'running base 30-40'],
  ],
  [
    'that goes on',
    [event('Pulling', 'base', 2)],
    { scheduled: 0, base: waiting('ErrImagePull') },
    ['starting 0-2', 'pulling base 2-100+'],
  ],
  [
    'whose end is not known',
    [event('Pulling', 'base', 2)],
    { scheduled: 0, base: ran(31, 40) },
    ['starting 0-31', 'running base 31-40'],
  ],
  [
    'that was not needed',
    [event('Pulled', 'base', 1)],
    { scheduled: 0, base: ran(1, 4) },
    ['starting 0-1', 'running base 1-4'],
  ],
  [
    'of an init container that runs by now, by older events',
    [event('Pulling', 'fetch', 1)],
    { scheduled: 0, inits: { fetch: runs(9) }, base: waiting('PodInitializing') },
    ['starting 0-9', 'initialising fetch 9-100+'],
  ],
  [
    'beside the container, of another one',
    [...pulled, event('Pulling', 'late', 31), event('Pulled', 'late', 35)],
    { scheduled: 0, base: ran(31, 40) },
    ['starting 0-2', 'pulling base 2-30', 'starting 30-31', 'running base 31-40'],
  ],
])('a pull %s', (_, events, life, stages) => expect(told(pod(life), { events })).toEqual(stages));
