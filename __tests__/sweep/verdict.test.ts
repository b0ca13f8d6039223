import { expect, test } from '@jest/globals';
import type { WorkflowRun } from '../../src/github/workflow-runs.ts';
import type { LookAlike, MarkedPod } from '../../src/sweep/marks.ts';
import { needsRun, verdictOf } from '../../src/sweep/verdict.ts';

const now = new Date('2026-11-21T12:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const options = { ownRunId: '99', olderThanSeconds: 3600 };

const pod = (changes: Partial<MarkedPod> = {}): MarkedPod => ({
  name: 'p',
  uid: 'u',
  runId: '7',
  lifetime: 'owned',
  created: hoursAgo(30),
  expires: hoursAgo(-20),
  terminating: false,
  ...changes,
});
const ended = (hours: number): WorkflowRun => ({ state: 'ended', at: hoursAgo(hours) });
const active: WorkflowRun = { state: 'active', status: 'in_progress' };
const gone: WorkflowRun = { state: 'gone' };
const unknown: WorkflowRun = { state: 'unknown', why: 'GitHub answers HTTP 502' };

test.each<[string, MarkedPod | LookAlike, WorkflowRun | undefined, string, string]>([
  ['of a run that ended', pod(), ended(3), 'delete', 'its run ended 3 h ago'],
  ['of one that ended just long enough ago', pod(), ended(1), 'delete', 'its run ended 1 h ago'],
  ['of one that ended not long ago', pod(), ended(0.9), 'recent', 'its run ended 54 min ago, less than 1 h'],
  ['of one that ended in the future', pod(), ended(-1), 'recent', 'its run ended 0 s ago, less than 1 h'],
  ['of a run that goes on', pod(), active, 'active', 'its run has not ended (in_progress)'],
  [
    'of a run that goes on, past its expiry',
    pod({ expires: hoursAgo(9) }),
    active,
    'active',
    'its run has not ended (in_progress)',
  ],
  ['of a run that was deleted', pod(), gone, 'delete', 'its run is no longer on GitHub, and the pod was made 30 h ago'],
  [
    'of such a run, a young one',
    pod({ created: hoursAgo(0.5) }),
    gone,
    'recent',
    'its run is no longer on GitHub, and the pod was made 30 min ago, less than 1 h',
  ],
  ['of a run that nobody knows of', pod(), unknown, 'unknown', 'GitHub answers HTTP 502'],
  ['of a run that was not asked for', pod(), undefined, 'unknown', 'its run is not known'],
  ['of the run that sweeps', pod({ runId: '99' }), ended(3), 'own', 'its run is this one'],
  [
    'that is kept, of the run that sweeps',
    pod({ runId: '99', lifetime: 'kept', expires: hoursAgo(1) }),
    undefined,
    'own',
    'its run is this one',
  ],
  ['that is being deleted', pod({ terminating: true }), ended(3), 'terminating', 'it is being deleted already'],
  ['that is kept', pod({ lifetime: 'kept' }), ended(3), 'kept', 'it is kept until 2026-11-22T08:00:00Z'],
  ['that is detached', pod({ lifetime: 'detached' }), gone, 'kept', 'it is detached until 2026-11-22T08:00:00Z'],
  [
    'that was kept',
    pod({ lifetime: 'kept', expires: hoursAgo(0) }),
    undefined,
    'delete',
    'it was kept until 2026-11-21T12:00:00Z',
  ],
  [
    'that was detached, of a run that goes on',
    pod({ lifetime: 'detached', expires: hoursAgo(1) }),
    active,
    'delete',
    'it was detached until 2026-11-21T11:00:00Z',
  ],
  [
    'that is kept for nobody knows how long',
    pod({ lifetime: 'kept', expires: undefined }),
    ended(99),
    'unlimited',
    'it is kept, and its expires-at is missing or no time',
  ],
  ['that only looks like one', { name: 'p', lacks: 'it has no nonce' }, ended(3), 'lookAlike', 'it has no nonce'],
])('a pod %s', (_, judged, run, kind, why) => {
  expect(verdictOf(judged, run, now, options)).toEqual({ kind, why });
});

test('without a wait a run that has just ended is enough', () => {
  expect(verdictOf(pod(), ended(0), now, { ...options, olderThanSeconds: 0 }).kind).toBe('delete');
});

test.each<[string, MarkedPod | LookAlike, boolean]>([
  ['an owned pod', pod(), true],
  ['a kept one', pod({ lifetime: 'kept' }), false],
  ['a detached one', pod({ lifetime: 'detached', expires: undefined }), false],
  ['one of this run', pod({ runId: '99' }), false],
  ['one that is being deleted', pod({ terminating: true }), false],
  ['a look-alike', { name: 'p', lacks: 'x' }, false],
])('whether GitHub is asked about the run of %s: %j', (_, judged, expected) => {
  expect(needsRun(judged, options)).toBe(expected);
});
