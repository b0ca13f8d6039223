import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { REASONS, type Reason } from '../../../src/github/failure.ts';
import type { RetryRule } from '../../../src/github/inputs/retry.ts';
import { delayBefore, triesAgain } from '../../../src/run/attempts/retry.ts';

const rule = (more: Partial<RetryRule> = {}): RetryRule => ({ lost: false, any: false, exitCodes: [], ...more });
const failed = (reason: Reason, more = {}) => ({ reason, mayHaveRun: false, mayPass: false, ...more });
const ran = { mayHaveRun: true };

/** By default, with `lost`, with `75`, with `any`. */
test.each<[string, ReturnType<typeof failed>, [boolean, boolean, boolean, boolean]]>([
  ['the kubelet refused the pod', failed('Rejected'), [true, true, true, true]],
  ['evicted before it started', failed('Evicted'), [true, true, true, true]],
  ['preempted before it started', failed('Preempted'), [true, true, true, true]],
  ['its node shut down before it started', failed('NodeShutdown'), [true, true, true, true]],
  ['no room in the quota', failed('QuotaExceeded'), [true, true, true, true]],
  ['a registry in trouble', failed('ImagePull', { mayPass: true }), [true, true, true, true]],
  ['no such image', failed('ImagePull'), [false, false, false, true]],
  ['a Secret is missing', failed('ContainerConfig'), [false, false, false, true]],
  ['no node in time', failed('Unschedulable'), [false, false, false, true]],
  ['an init container failed, and has run', failed('InitContainer', { exitCode: 75 }), [false, false, false, true]],
  ['evicted while it ran', failed('Evicted', ran), [false, true, false, true]],
  ['preempted while it ran', failed('Preempted', ran), [false, true, false, true]],
  ['its node was lost', failed('NodeLost', ran), [false, true, false, true]],
  ['evicted, with that exit code', failed('Evicted', { ...ran, exitCode: 75 }), [false, true, false, true]],
  ['that exit code', failed('ExitCode', { ...ran, exitCode: 75 }), [false, false, true, true]],
  ['another exit code', failed('ExitCode', { ...ran, exitCode: 1 }), [false, false, false, true]],
  ['out of memory', failed('OOMKilled', { ...ran, exitCode: 137 }), [false, false, false, true]],
  ['somebody deleted it', failed('PodDeleted', ran), [false, false, false, true]],
  ['its deadline is over', failed('DeadlineExceeded', { ...ran, exitCode: 75 }), [false, false, false, true]],
  ['no usable result', failed('InvalidResult', ran), [false, false, false, true]],
  ['cancelled', failed('Cancelled'), [false, false, false, false]],
  ['a bad input', failed('InvalidInput'), [false, false, false, false]],
  ['not allowed', failed('Forbidden'), [false, false, false, false]],
  ['a bug of ours', failed('Bug', { mayPass: true }), [false, false, false, false]],
])('%s', (_, try_, expected) => {
  const rules = [rule(), rule({ lost: true }), rule({ exitCodes: [75] }), rule({ any: true })];
  expect(rules.map(one => triesAgain(try_, one))).toEqual(expected);
});

test('what may have run is never run twice unless the user has said so', () => {
  const reasons = fc.constantFrom(...(Object.keys(REASONS) as Reason[]));
  fc.assert(
    fc.property(reasons, fc.option(fc.nat(255), { nil: undefined }), fc.boolean(), (reason, exitCode, mayPass) => {
      const one = { reason, mayHaveRun: true, mayPass, ...(exitCode !== undefined && { exitCode }) };
      expect(triesAgain(one, rule())).toBe(false);
    }),
  );
});

describe('the delay before the next try', () => {
  test.each([
    [1, 10, 10],
    [2, 10, 20],
    [5, 10, 160],
    [20, 10, 3600],
    [1, 7200, 7200],
    [3, 7200, 7200],
    [4, 0, 0],
  ])('after %d failures, at %d s, is %d s, give or take a quarter', (count, seconds, expected) => {
    expect([0, 0.5, 1].map(dice => delayBefore(count, seconds, dice))).toEqual([
      expected * 0.75,
      expected,
      expected * 1.25,
    ]);
  });
});
