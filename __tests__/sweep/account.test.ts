import { expect, test } from '@jest/globals';
import {
  type Account,
  closingLine,
  deletedLine,
  deletedPods,
  type Judged,
  leftLines,
} from '../../src/sweep/account.ts';
import type { MarkedPod } from '../../src/sweep/marks.ts';
import type { Left, Verdict } from '../../src/sweep/verdict.ts';

const pod = (name: string): MarkedPod => ({
  ...{ name, uid: 'u', runId: '7', lifetime: 'owned', terminating: false },
  ...{ created: new Date(0), expires: undefined },
});
const judged = (name: string, kind: Verdict['kind'], done?: Judged['done']): Judged => ({
  pod: kind === 'lookAlike' ? { name, lacks: 'it has no nonce' } : pod(name),
  verdict: { kind, why: `why ${name}` },
  ...(done !== undefined && { done }),
});
const account = (pods: Judged[], more: Partial<Account> = {}): Account => ({
  dryRun: false,
  secrets: [],
  pods,
  ...more,
});
const failure = { failure: 'no' };

test.each<[string, Account, string[], string]>([
  ['nothing', account([]), [], 'No pod deleted, none left.'],
  ['one', account([judged('a', 'delete', 'deleted')]), ['a'], '1 pod deleted, none left.'],
  [
    'several and a Secret',
    account([judged('a', 'delete', 'deleted'), judged('b', 'delete', 'deleted'), judged('c', 'active')], {
      secrets: ['s'],
    }),
    ['a', 'b'],
    '2 pods and 1 Secret deleted, 1 left (1 of a run that has not ended).',
  ],
  [
    'those that were left, by reason',
    account([judged('a', 'lookAlike'), judged('b', 'kept'), judged('c', 'active'), judged('d', 'active')]),
    [],
    'No pod deleted, 4 left (2 of a run that has not ended, 1 to be kept for longer, 1 without the marks of this action).',
  ],
  [
    'a dry run',
    account([judged('a', 'delete'), judged('b', 'own')], { dryRun: true }),
    ['a'],
    '1 pod would be deleted, 1 left (1 of this run).',
  ],
  [
    'one that broke off',
    account([judged('a', 'delete', 'deleted'), judged('b', 'delete', failure), judged('c', 'delete')]),
    ['a'],
    '1 pod deleted, 1 could not be, 1 not tried, none left.',
  ],
])('the closing line and the list of %s', (_, swept, names, line) => {
  expect(deletedPods(swept)).toEqual(names);
  expect(closingLine(swept)).toBe(line);
});

test('a pod that is deleted is told with its run and why', () => {
  expect(deletedLine(judged('a', 'delete'), false)).toBe('Deleted pod a (run 7): why a.');
  expect(deletedLine(judged('a', 'delete'), true)).toBe('Would delete pod a (run 7): why a.');
});

test('those that are left are told each by itself where they are few', () => {
  const pods = [judged('a', 'active'), judged('b', 'delete'), judged('c', 'lookAlike')];
  expect(leftLines(account(pods))).toEqual(['Left pod a (run 7): why a.', 'Left pod c: why c.']);
});

test('and by reason where they are many', () => {
  const many = (kind: Left, count: number) =>
    Array.from({ length: count }, (_, index) => judged(`${kind}-${index}`, kind));
  expect(leftLines(account([...many('kept', 2), ...many('active', 19)]))).toEqual([
    'Left 19 pods of a run that has not ended: active-0, active-1, active-2 and 16 more.',
    'Left 2 pods to be kept for longer: kept-0, kept-1.',
  ]);
});
