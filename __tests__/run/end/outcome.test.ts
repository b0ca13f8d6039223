import { describe, expect, test } from '@jest/globals';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { secondsBetween } from '../../../src/run/durations.ts';
import { outcomeOf } from '../../../src/run/end/outcome.ts';
import { containerStatus, ended, podWith, running, waiting } from '../pods.ts';

const outcome = (pod: V1Pod, gone = false) => outcomeOf({ pod, gone }, 'base');
const failed = (reason: string, sentence: string) => ({ state: 'failed', reason, sentence });
const limited = { spec: { containers: [{ name: 'base', resources: { limits: { memory: '32Mi' } } }] } };
const deleting = { metadata: { deletionTimestamp: new Date(0) } };
const sidecar = containerStatus(running, 'istio-proxy');

test.each<[string, V1Pod, boolean]>([
  ['no status', { metadata: { name: 'p' } }, false],
  ['pending', podWith(undefined, { phase: 'Pending' }), false],
  ['waiting', podWith(waiting('ContainerCreating'), { phase: 'Pending' }), false],
  ['running', podWith(running), false],
  [
    'another container has ended',
    podWith(undefined, { containerStatuses: [containerStatus(ended(0), 'other')] }),
    false,
  ],
  ['running, while the pod is called failed', podWith(running, { phase: 'Failed', reason: 'NodeLost' }), false],
])('the end is not known: %s', (_, pod, gone) => {
  expect(outcome(pod, gone)).toBeUndefined();
});

const at = (time: string) => `2026-03-01T${time}Z` as unknown as Date;

/** The container ended at 12:00:05. What stops with exit code 0 because it was told to has seldom done its work. */
describe('exit code 0 is no success', () => {
  test.each<[string, V1Pod, object]>([
    [
      'when the deadline stopped it',
      podWith(ended(0), { phase: 'Failed', reason: 'DeadlineExceeded', startTime: at('11:59:04') }),
      { reason: 'DeadlineExceeded', sentence: expect.stringContaining('was stopped after 4 s') },
    ],
    [
      'when the pod was deleted while it ran',
      podWith(ended(0), {}, { metadata: { deletionTimestamp: at('12:00:34'), deletionGracePeriodSeconds: 30 } }),
      { reason: 'PodDeleted', sentence: expect.stringContaining('somebody or something else deleted the pod') },
    ],
    [
      'when its node evicted it',
      podWith(ended(0), {
        phase: 'Failed',
        reason: 'Evicted',
        conditions: [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: at('12:00:04') }],
      }),
      { reason: 'Evicted' },
    ],
  ])('%s', (_, pod, expected) => expect(outcome(pod, false)).toMatchObject({ state: 'failed', ...expected }));
});

describe('an init container that failed', () => {
  const init = (exitCode: number, reason = 'Error', message?: string): V1Pod =>
    podWith(undefined, {
      phase: 'Failed',
      initContainerStatuses: [containerStatus(ended(exitCode, reason, message), 'migrate')],
    });

  test.each<[string, V1Pod, string, string]>([
    ['by its exit code', init(4), 'InitContainer', 'Init container migrate of pod etl/p exited with code 4 after 4 s.'],
    [
      'with last words',
      init(4, 'Error', 'no such table\n'),
      'InitContainer',
      'Init container migrate of pod etl/p exited with code 4 after 4 s. Its last words: no such table',
    ],
    [
      'for want of memory',
      init(137, 'OOMKilled'),
      'OOMKilled',
      'Init container migrate of pod etl/p was killed after 4 s because its node ran out of memory (OOMKilled, exit code 137).',
    ],
    [
      'before it started',
      init(128, 'StartError', 'exec: "nope": not found'),
      'StartError',
      'Init container migrate of pod etl/p could not be started (StartError, exit code 128): exec: "nope": not found',
    ],
  ])('%s is why the base container never ran', (_, pod, reason, sentence) =>
    expect(outcome(pod, false)).toMatchObject({
      ...failed(reason, sentence),
      remedy: expect.stringContaining('`init_containers`'),
    }),
  );
});

describe('a container that is started again (restartPolicy OnFailure)', () => {
  const again = { spec: { restartPolicy: 'OnFailure', containers: [] } };

  test.each<[string, V1Pod, boolean, object | undefined]>([
    ['has not ended by failing once', podWith(ended(1), { phase: 'Running' }, again), false, undefined],
    ['has ended by succeeding', podWith(ended(0), { phase: 'Succeeded' }, again), false, { state: 'succeeded' }],
    ['has ended when its pod is over', podWith(ended(1), { phase: 'Failed' }, again), false, { reason: 'ExitCode' }],
    [
      'has ended when its pod is on its way out',
      podWith(ended(143), { phase: 'Running' }, { ...again, ...deleting }),
      false,
      { reason: 'PodDeleted' },
    ],
    ['has ended when its pod is gone', podWith(ended(1), { phase: 'Running' }, again), true, { state: 'failed' }],
  ])('%s', (_, pod, gone, expected) => {
    if (expected === undefined) expect(outcome(pod, gone)).toBeUndefined();
    else expect(outcome(pod, gone)).toMatchObject(expected);
  });
});

describe('success', () => {
  test.each<[string, V1Pod, boolean]>([
    ['exit code 0', podWith(ended(0), { phase: 'Succeeded' }), false],
    [
      'exit code 0 with a sidecar still running',
      podWith(ended(0), { containerStatuses: [sidecar, containerStatus(ended(0))] }),
      false,
    ],
    ['exit code 0, and the pod is gone', podWith(ended(0)), true],
    ['exit code 0, and a sidecar that failed', podWith(ended(0), { phase: 'Failed' }), false],
    ['exit code 0, and a child that ran out of memory', podWith(ended(0, 'OOMKilled')), false],
    [
      'exit code 0 before the deadline took the sidecar',
      podWith(ended(0), { phase: 'Failed', reason: 'DeadlineExceeded', startTime: at('12:00:00') }),
      false,
    ],
    [
      'exit code 0 before somebody deleted the pod',
      podWith(ended(0), {}, { metadata: { deletionTimestamp: at('12:00:40'), deletionGracePeriodSeconds: 30 } }),
      true,
    ],
  ])('%s', (_, pod, gone) => {
    expect(outcome(pod, gone)).toMatchObject({ state: 'succeeded', ended: { exitCode: 0 } });
  });
});

describe('failure', () => {
  test.each<[string, V1Pod, boolean, object]>([
    [
      'exit code 3',
      podWith(ended(3)),
      false,
      failed('ExitCode', 'Container base of pod etl/p exited with code 3 after 4 s.'),
    ],
    [
      'a signal',
      podWith(ended(139)),
      false,
      failed('ExitCode', 'Container base of pod etl/p exited with code 139 (SIGSEGV) after 4 s.'),
    ],
    [
      'SIGTERM of its own',
      podWith(ended(143)),
      false,
      { reason: 'ExitCode', sentence: expect.stringContaining('(SIGTERM)') },
    ],
    [
      'out of memory, with a limit',
      podWith(ended(137, 'OOMKilled'), {}, limited),
      false,
      {
        ...failed(
          'OOMKilled',
          'Container base of pod etl/p was killed after 4 s for exceeding its memory limit of 32Mi (OOMKilled, exit code 137).',
        ),
        remedy: 'Raise `container_resources.limits.memory`.',
      },
    ],
    [
      'out of memory, without a limit',
      podWith(ended(137, 'OOMKilled')),
      false,
      { reason: 'OOMKilled', sentence: expect.stringContaining('its node ran out of memory') },
    ],
    [
      'the deadline',
      podWith(ended(137), { phase: 'Failed', reason: 'DeadlineExceeded' }),
      false,
      {
        reason: 'DeadlineExceeded',
        sentence:
          'Container base of pod etl/p was stopped after 4 s (exit code 137): the pod ran into its active_deadline_seconds of 60 s.',
      },
    ],
    [
      'the deadline before it ran',
      podWith(undefined, { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active …' }),
      false,
      { reason: 'DeadlineExceeded', sentence: expect.stringContaining('before its container had run') },
    ],
    [
      'evicted',
      podWith(ended(137), { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' }),
      false,
      failed(
        'Evicted',
        'Container base of pod etl/p was stopped after 4 s (exit code 137): its node node-1 evicted the pod: The node was low on resource: memory.',
      ),
    ],
    [
      'evicted, of a class that is evicted early',
      podWith(ended(137), { phase: 'Failed', reason: 'Evicted', message: 'Low on memory.', qosClass: 'BestEffort' }),
      false,
      {
        ...failed(
          'Evicted',
          'Container base of pod etl/p was stopped after 4 s (exit code 137): its node node-1 evicted the pod, of QoS class BestEffort: Low on memory.',
        ),
        remedy: expect.stringContaining('raise the requests in `container_resources`'),
      },
    ],
    [
      'evicted before it ran',
      podWith(undefined, { phase: 'Failed', reason: 'Evicted', message: 'Disk pressure' }),
      false,
      failed(
        'Evicted',
        'Pod etl/p ended before its container had run: its node node-1 evicted the pod: Disk pressure.',
      ),
    ],
    [
      'a command that does not exist',
      podWith(ended(128, 'StartError', 'exec: "/nope": stat /nope: no such file or directory\n')),
      false,
      {
        reason: 'StartError',
        sentence: expect.stringMatching(
          /could not be started \(StartError, exit code 128\): exec: "\/nope".*directory$/,
        ),
      },
    ],
    [
      'a command that does not exist, and no word of why',
      podWith(ended(128, 'ContainerCannotRun')),
      false,
      { reason: 'StartError' },
    ],
    [
      'a container that got lost',
      podWith(ended(137, 'ContainerStatusUnknown')),
      false,
      { reason: 'NodeLost', sentence: expect.stringContaining('got lost on its node node-1') },
    ],
    [
      'a container that got lost, with 0 for its exit code',
      podWith(ended(0, 'ContainerStatusUnknown')),
      false,
      { state: 'failed', reason: 'NodeLost' },
    ],
    [
      'deleted by somebody',
      podWith(ended(143), {}, deleting),
      false,
      {
        reason: 'PodDeleted',
        sentence: expect.stringContaining('(exit code 143): somebody or something else deleted the pod.'),
      },
    ],
    [
      'its own exit code, after somebody deleted the pod',
      podWith(ended(2), {}, deleting),
      false,
      { reason: 'PodDeleted', sentence: expect.stringContaining('(exit code 2)') },
    ],
    [
      'an exit code of its own, in the second in which somebody deleted the pod',
      podWith(ended(2), {}, { metadata: { deletionTimestamp: at('12:00:35'), deletionGracePeriodSeconds: 30 } }),
      false,
      { reason: 'PodDeleted' },
    ],
    [
      'not known to have run when somebody deleted the pod',
      podWith({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } }, {}, deleting),
      false,
      {
        reason: 'PodDeleted',
        sentence:
          'Container base of pod etl/p was not there yet, or not any more, when its node stopped the pod: somebody or something else deleted the pod.',
      },
    ],
    [
      'gone while it ran',
      podWith(running),
      true,
      failed(
        'PodDeleted',
        'Pod etl/p is gone, and container base was running when it was last seen: somebody or something else deleted the pod.',
      ),
    ],
    [
      'gone before it ran',
      podWith(waiting('ContainerCreating'), { phase: 'Pending' }),
      true,
      failed(
        'PodDeleted',
        'Pod etl/p is gone, before container base had started: somebody or something else deleted the pod.',
      ),
    ],
    [
      'refused by its node',
      podWith(undefined, { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected: not enough cpu' }),
      false,
      {
        ...failed('Rejected', 'Node node-1 refused pod etl/p (OutOfcpu): not enough cpu'),
        title: 'Rejected by the node',
      },
    ],
    [
      'failed for no reason given',
      podWith(waiting('PodInitializing'), { phase: 'Failed' }),
      false,
      failed('Rejected', 'Node node-1 refused pod etl/p (no reason given).'),
    ],
    ['succeeded without it', podWith(undefined, { phase: 'Succeeded' }), false, { state: 'failed' }],
  ])('%s', (_, pod, gone, expected) => {
    expect(outcome(pod, gone)).toMatchObject({ state: 'failed', ...expected });
  });
});

describe('a container that has just failed, and was to be started again, when its pod runs into the deadline', () => {
  const again = { spec: { restartPolicy: 'OnFailure', containers: [], activeDeadlineSeconds: 60 } };
  const over = { phase: 'Failed', reason: 'DeadlineExceeded' };

  test('is not what ended the pod', () => {
    const pod = podWith(ended(4), { ...over, startTime: at('11:59:09') }, again);
    expect(outcome(pod)).toMatchObject({ reason: 'DeadlineExceeded', ended: { exitCode: 4 } });
  });

  test('in the very second it is, whatever its exit code', () => {
    const pod = podWith(ended(1), { ...over, startTime: at('11:59:05') });
    expect(outcome(pod)).toMatchObject({
      reason: 'DeadlineExceeded',
      sentence: expect.stringContaining('was stopped after 4 s (exit code 1)'),
    });
  });
});

describe('a container that waits to be started again when its pod runs into the deadline', () => {
  const last = { lastState: ended(4) };
  test.each<[string, V1ContainerState]>([
    ['waits', waiting('CrashLoopBackOff')],
    // As the kubelet sometimes has it in the end.
    ['is not found any more', { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } }],
  ])('%s', (_, state) => {
    const containerStatuses = [{ ...containerStatus(state), ...last }];
    const again = { restartPolicy: 'OnFailure', activeDeadlineSeconds: 60, containers: [] };
    const pod = podWith(undefined, { phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses }, { spec: again });
    expect(outcome(pod)).toMatchObject({
      reason: 'DeadlineExceeded',
      sentence:
        'Container base of pod etl/p had exited with code 4, and waited to be started again: the pod ran into its active_deadline_seconds of 60 s.',
      remedy: 'See why it fails, or raise `active_deadline_seconds`.',
      ended: { exitCode: 4 },
    });
  });
});

test('the end that the kubelet has as the one before is the end, where nothing is started again', () => {
  const unknown = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
  const containerStatuses = [{ ...containerStatus(unknown), lastState: ended(137) }];
  const pod = podWith(undefined, { phase: 'Failed', reason: 'Evicted', message: 'too much', containerStatuses });
  expect(outcome(pod)).toMatchObject({
    sentence: expect.stringMatching(/^Container base of pod etl\/p was stopped after 4 s \(exit code 137\): its node/),
    ended: { exitCode: 137 },
  });
});

test('a container that its node lost between two runs is started again', () => {
  const unknown = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
  const pod = podWith(undefined, { containerStatuses: [{ ...containerStatus(unknown), lastState: ended(4) }] });
  expect(outcome({ ...pod, spec: { containers: [], restartPolicy: 'OnFailure' } })).toBeUndefined();
});

test('a command that is not there is not waited for, whatever the restart policy', () => {
  const lastState = ended(128, 'StartError', 'exec: "nope": not found');
  const pod = podWith(undefined, {
    containerStatuses: [{ ...containerStatus(waiting('CrashLoopBackOff')), lastState }],
  });
  expect(outcome({ ...pod, spec: { containers: [], restartPolicy: 'OnFailure' } })).toMatchObject({
    reason: 'StartError',
  });
});

test('an exit code that the kubelet has made up is not told', () => {
  const unknown = podWith({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } });
  expect(outcome(unknown)?.ended).toBeUndefined();
});

test.each<[string | undefined, string | undefined, number | undefined]>([
  ['2026-03-01T12:00:00Z', '2026-03-01T12:01:30Z', 90],
  ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', 0],
  ['1970-01-01T00:00:00Z', '2026-03-01T12:00:00Z', undefined],
  ['2026-03-01T12:00:01Z', '2026-03-01T12:00:00Z', undefined],
  [undefined, '2026-03-01T12:00:00Z', undefined],
  ['2026-03-01T12:00:00Z', undefined, undefined],
])('from %s to %s are %s seconds', (start, end, seconds) => {
  expect(secondsBetween(start, end)).toBe(seconds);
});
