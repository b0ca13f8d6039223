import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.ts';
import { FakeLog } from './fake-log.ts';
import type { FakePod } from './fake-pod.ts';

let cluster: FakeCluster;
/** Type and phase of each event, and the state of each container that has one. */
let told: string[];
beforeEach(() => {
  cluster = new FakeCluster('2026-03-01T12:00:00Z', 'Z');
  told = [];
  cluster.watch(cluster.version, ({ type, object: { status } }) => {
    const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const states = statuses.map(({ state }) => state.terminated?.exitCode ?? state.waiting?.reason ?? 'running');
    told.push([type, status.phase, ...states].join(' '));
  });
});

const create = (spec: object = {}): FakePod =>
  cluster.create(
    {
      metadata: { name: 'p' },
      spec: { restartPolicy: 'OnFailure', containers: [{ name: 'base' }], ...spec },
    },
    'default',
  );
const log = (pod: FakePod, { container = 'base', previous = false } = {}): string => {
  const found = pod.logOf(container, previous);
  if (found instanceof FakeLog) return found.reader({ timestamps: false }).read();
  return 'text' in found ? found.text : found.refusal;
};
const both = (pod: FakePod) => [log(pod), log(pod, { previous: true })];
const noPrevious = 'previous terminated container "base" in pod "p" not found';

describe('a container that fails and is started again', () => {
  test('has the last run’s log while it waits, asked for either way', () => {
    const pod = create().run().write('first').terminate({ exitCode: 3 });
    expect(pod.object.status.phase).toBe('Running'); // it will be started again
    expect(both(pod)).toEqual(['first\n', noPrevious]);
    pod.backOff();
    expect(pod.object.status.phase).toBe('Running');
    expect(pod.object.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      containerID: expect.stringMatching(/-0$/),
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3, containerID: expect.stringMatching(/-0$/) } },
    });
    expect(both(pod)).toEqual(['first\n', 'first\n']);
    pod.restart().write('second');
    expect(both(pod)).toEqual(['second\n', 'first\n']);
    expect(pod.object.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 3 } },
    });
    pod.terminate();
    expect(told.slice(2)).toEqual([
      'MODIFIED Running running',
      'MODIFIED Running 3',
      'MODIFIED Running CrashLoopBackOff',
      'MODIFIED Running running',
      'MODIFIED Succeeded 0',
    ]);
  });

  test('has no more than two runs’ logs', () => {
    const pod = create().run().write('first').restart().write('second').restart().write('third');
    expect(both(pod)).toEqual(['third\n', 'second\n']);
    expect(pod.object.status.containerStatuses?.[0]?.restartCount).toBe(2);
  });

  test('may be known to its node alone', () => {
    const pod = create().run().write('first');
    pod.restart('base', { unreported: true }).write('second');
    expect(both(pod)).toEqual(['second\n', 'first\n']);
    expect(pod.object.status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, state: { running: {} } });
    pod.report();
    expect(pod.object.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 1 } },
    });
    pod.write('more').restart('base', { unreported: true }).terminate({ exitCode: 0 }); // which reports it
    expect(pod.object.status).toMatchObject({ phase: 'Succeeded', containerStatuses: [{ restartCount: 2 }] });
    expect(both(pod)).toEqual(['', 'second\nmore\n']);
  });

  test('keeps to its own log for those who follow it, until that ends', async () => {
    const pod = create().run();
    pod.logLagMs = 20;
    const found = pod.logOf('base', false) as FakeLog;
    const reader = found.reader({ timestamps: false });
    pod.write('first').restart().write('second');
    expect([reader.read(), found.over]).toEqual(['first\n', false]);
    await new Promise<void>(resolve => reader.onChange(resolve));
    expect([reader.read(), found.over]).toEqual(['', true]);
  });
});

test('what a node has removed is told in the middle of a 200', () => {
  const pod = create({ initContainers: [{ name: 'init' }] })
    .run()
    .terminate()
    .collect('init');
  expect(log(pod, { container: 'init' })).toMatch(/^unable to retrieve container logs for containerd:\/\/.*-init-0$/);
  expect(log(pod)).toBe('');
});

test('native sidecars start before the others, run beside them and are ended after them', () => {
  const initContainers = [
    { name: 'init' },
    { name: 'a', restartPolicy: 'Always' },
    { name: 'b', restartPolicy: 'Always' },
  ];
  const pod = create({ initContainers });
  pod.run('init').write('i', { container: 'init' }).terminate({ container: 'init' });
  pod.run('a').run('b').run('base').write('side', { container: 'a' }).terminate({ exitCode: 0 });
  pod.stopSidecars();
  expect(log(pod, { container: 'a' })).toBe('side\n');
  expect(told.slice(2)).toEqual([
    'MODIFIED Pending running PodInitializing PodInitializing PodInitializing',
    'MODIFIED Pending 0 PodInitializing PodInitializing PodInitializing',
    'MODIFIED Pending 0 running PodInitializing PodInitializing',
    'MODIFIED Pending 0 running running PodInitializing',
    'MODIFIED Running 0 running running running',
    'MODIFIED Running 0 running running 0',
    'MODIFIED Succeeded 0 143 143 0',
  ]);
});

test.each<[string, object, string[]]>([
  ['Never', { restartPolicy: 'Never' }, ['Failed', 'Failed']],
  ['OnFailure', {}, ['Running', 'Succeeded']],
  ['Always', { restartPolicy: 'Always' }, ['Running', 'Running']],
  [
    'its own',
    { restartPolicy: 'Always', containers: [{ name: 'base', restartPolicy: 'Never' }] },
    ['Failed', 'Failed'],
  ],
])('the phase of a pod whose containers are started again: %s', (_, spec, [failed, then]) => {
  const pod = create(spec).run().terminate({ exitCode: 1 });
  expect(pod.object.status.phase).toBe(failed);
  if (failed === 'Running') pod.restart().terminate();
  expect(pod.object.status.phase).toBe(then);
});

test.each(['EvictionByEvictionAPI', 'PreemptionByScheduler', 'DeletionByTaintManager'])(
  'a disruption, %s, is told before the deletion, and the last event has the last status',
  async reason => {
    const seen: unknown[] = [];
    const pod = create({ terminationGracePeriodSeconds: 5 }).run();
    cluster.watch(cluster.version, ({ type, object: { metadata, status } }) =>
      seen.push([
        type,
        metadata.deletionTimestamp,
        status.conditions?.find(condition => condition.type === 'DisruptionTarget')?.reason,
        status.containerStatuses?.[0]?.state.terminated?.exitCode,
      ]),
    );
    pod.disrupt(reason);
    await new Promise(setImmediate);
    const deletionTimestamp = '2026-03-01T12:00:05Z'; // when the grace is over
    expect(seen).toEqual([
      ['MODIFIED', undefined, reason, undefined],
      ['MODIFIED', deletionTimestamp, reason, undefined],
      ['MODIFIED', deletionTimestamp, reason, 143],
      ['DELETED', deletionTimestamp, reason, 143],
    ]);
  },
);
