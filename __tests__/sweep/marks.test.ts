import { expect, test } from '@jest/globals';
import { readMarks } from '../../src/sweep/marks.ts';
import { type Changes, metadataOf } from './marked.ts';

const read = (changes: Changes = {}) => readMarks(metadataOf('p', '7', changes));

test('a pod of the action is read', () => {
  expect(read()).toEqual({
    name: 'p',
    uid: metadataOf('p', '7').uid,
    runId: '7',
    lifetime: 'owned',
    created: new Date('2026-11-20T08:00:00Z'),
    expires: new Date('2026-11-22T08:00:00Z'),
    terminating: false,
  });
});

test.each<[string, Changes]>([
  ['of a repository that was called otherwise then', { annotations: { repository: 'octo/old-name' } }],
  ['without a run-url', { annotations: { 'run-url': undefined } }],
  ['whose run-url is that of the old name', { annotations: { 'run-url': 'https://ghes/a/b/actions/runs/7' } }],
  ['of another attempt', { labels: { 'run-attempt': '3' } }],
  ['that somebody has labelled on', { labels: { 'example.com/team': 'etl' } }],
])('so is one %s', (_, changes) => {
  expect(read(changes)).toMatchObject({ runId: '7', lifetime: 'owned' });
});

test.each<[string, string | undefined, Date | undefined]>([
  ['2026-12-01T00:00:00Z', '2026-12-01T00:00:00Z', new Date(Date.UTC(2026, 11, 1))],
  ['an offset', '2026-12-01T02:00:00.5+02:00', new Date(Date.UTC(2026, 11, 1, 0, 0, 0, 500))],
  ['nothing', undefined, undefined],
  ['a date', '2026-12-01', undefined],
  ['seconds', '1796083200', undefined],
  ['words', 'tomorrow', undefined],
  ['a 13th month', '2026-13-01T00:00:00Z', undefined],
])('an expiry of %s', (_, written, expires) => {
  expect(read({ annotations: { 'expires-at': written } })).toMatchObject({ expires });
});

test('one that is being deleted says so', () => {
  expect(read({ metadata: { deletionTimestamp: '2026-11-20T09:00:00Z' } })).toMatchObject({ terminating: true });
});

test.each<[string, Changes]>([
  ['its run-id is no number', { labels: { 'run-id': undefined } }],
  ['its run-id is no number', { labels: { 'run-id': '7x' } }],
  ['its run-id is no number', { labels: { 'run-id': '0' } }],
  ['its run-id is no number', { labels: { 'run-id': '-7' } }],
  ['its run-id is no number', { labels: { 'run-id': '07' } }],
  ['its run-id is no number', { labels: { 'run-id': '7'.repeat(16) } }],
  ['its run-id is no number', { labels: { 'run-id': '7\n' } }],
  ['its run-id is no number', { labels: { 'run-id': '../7' } }],
  ['its run-url is not that of its run-id', { annotations: { 'run-url': 'javascript:8' } }],
  ['its run-url is not that of its run-id', { labels: { 'run-id': '8' } }],
  ['it has no nonce', { annotations: { nonce: undefined } }],
  ['it has no nonce', { annotations: { nonce: '' } }],
  ['it has no nonce', { annotations: { nonce: 'yes' } }],
  ['it has no nonce', { annotations: { nonce: '0b8ac1d4-6f5e-4c62-9c52-0d6f6a2f9d11\n' } }],
  ['it names no repository', { annotations: { repository: undefined } }],
  ['its lifetime is none that there is', { labels: { lifetime: undefined } }],
  ['its lifetime is none that there is', { labels: { lifetime: 'forever' } }],
  ['its lifetime is none that there is', { labels: { lifetime: 'toString' } }],
  ['it has no name, UID or time of creation', { metadata: { uid: undefined } }],
  ['it has no name, UID or time of creation', { metadata: { creationTimestamp: undefined } }],
])('it is none of ours where %s: %j', (lacks, changes) => {
  expect(read(changes)).toEqual({ name: 'p', lacks });
});

test('nothing at all is none of ours', () => {
  expect(readMarks({})).toEqual({ name: '', lacks: 'it has no name, UID or time of creation' });
});
