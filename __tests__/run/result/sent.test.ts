import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { SentFile } from '../../../src/run/result/frame.ts';
import { foundInFile } from '../../../src/run/result/sent.ts';
import { containerStatus, ended, podWith } from '../pods.ts';

/** When the container of these pods started: 12:00:01. */
const STARTED = Date.UTC(2026, 2, 1, 12, 0, 1) / 1000;
const once = podWith(ended(0));
const { terminated } = ended(0);

const found = (file: SentFile, pod: V1Pod = once) => foundInFile(file, pod, 'base', terminated);
const written = (text: string, changedAt = STARTED + 3, writtenAt = changedAt): SentFile => ({
  kind: 'file',
  bytes: Buffer.from(text),
  changedAt,
  writtenAt,
});

describe('a file that was sent is', () => {
  test.each<[what: string, file: SentFile, expected: object]>([
    ['its content', written('{"a": 1}\n'), { kind: 'content', bytes: Buffer.from('{"a": 1}\n') }],
    ['its content, JSON or not', written('oops'), { kind: 'content', bytes: Buffer.from('oops') }],
    [
      'its content, text or not',
      { kind: 'file', bytes: Buffer.from([0, 255]), changedAt: STARTED, writtenAt: STARTED },
      { kind: 'content' },
    ],
    ['no result where there is none', { kind: 'none' }, { kind: 'none' }],
    ['no result where it is empty', written(''), { kind: 'none' }],
    ['no result where it is white space', written(' \r\n\t'), { kind: 'none' }],
    ['no result where it is a byte order mark', written('\ufeff\n'), { kind: 'none' }],
    [
      'too long with its size and the limit',
      { kind: 'long', size: 20_971_520 },
      {
        kind: 'unusable',
        sentence:
          'return.json has 20,971,520 bytes; up to 7,000,000 can be sent, which is what one log file of a node holds.',
        remedy:
          'Put it where later steps can fetch it, such as a volume or an object store, and write to return.json where that is.',
      },
    ],
    [
      'unreadable with both users',
      { kind: 'unreadable', mode: '600', owner: '1000', reader: '65532' },
      {
        kind: 'unusable',
        sentence:
          'return.json cannot be read: it is of user 1000, with mode 600, and the result’s sidecar runs as user 65532.',
        remedy:
          'Have the container make it readable (chmod a+r), or give the sidecar its user: `xcom_sidecar_container_security_context: {runAsUser: 1000}`.',
      },
    ],
    [
      'unreadable with its folder’s users',
      { kind: 'closed', mode: '700', owner: '1000', reader: '65532' },
      {
        kind: 'unusable',
        sentence:
          'return.json cannot be read: its folder is of user 1000, with mode 700, and the result’s sidecar runs as user 65532.',
        remedy:
          'Have the container leave the folder open (chmod a+x), or give the sidecar its user: `xcom_sidecar_container_security_context: {runAsUser: 1000}`.',
      },
    ],
    [
      'broken with how',
      { kind: 'broken', why: 'of 9 bytes 7 came' },
      {
        kind: 'unusable',
        sentence: 'return.json did not come as it was sent: of 9 bytes 7 came.',
        remedy: 'Was it still being written? Else the node may keep less of a log than 10 MiB (containerLogMaxSize).',
      },
    ],
    ...(
      [
        ['folder', 'a folder'],
        ['link', 'a symbolic link'],
        ['pipe', 'a named pipe'],
        ['other', 'a device or a socket'],
      ] as const
    ).map(([kind, words]): [string, SentFile, object] => [
      `none where it is ${words}`,
      { kind },
      {
        kind: 'unusable',
        sentence: `return.json is ${words}.`,
        remedy: 'Have the container write a regular file.',
      },
    ]),
  ])('%s', (_, file, expected) => expect(found(file)).toMatchObject(expected));
});

describe('what an earlier run of the container has written', () => {
  const status = { ...containerStatus(ended(0)), restartCount: 2 };
  const restarted = podWith(undefined, { containerStatuses: [status] });
  /** @param seconds from the run before to this one's start */
  const restartedAfter = (seconds: number): V1Pod => {
    const finishedAt = new Date(1000 * (STARTED + seconds));
    const lastState = { terminated: { exitCode: 1, finishedAt } };
    return podWith(undefined, { containerStatuses: [{ ...status, lastState }] });
  };

  test.each<[what: string, changedAt: number, pod: V1Pod, kind: string]>([
    ['is no result of this one', STARTED - 1, restarted, 'none'],
    ['is not told from this one’s in the second that it started', STARTED, restarted, 'unusable'],
    ['is none of that second where it had ended before', STARTED, restartedAfter(-1), 'content'],
    ['may be of that second where it ended in it', STARTED, restartedAfter(0), 'unusable'],
    ['is one of this run later', STARTED + 1, restarted, 'content'],
    ['there is none of where it ran but once, whatever the clock', STARTED - 9, once, 'content'],
    ['there is none of where nobody knows the container', STARTED - 9, podWith(undefined), 'content'],
  ])('%s', (_, changedAt, pod, kind) => expect(found(written('[1]', changedAt), pod)).toMatchObject({ kind }));

  test('is not told apart where it is not known when this one started', () => {
    const { startedAt: _, ...without } = terminated;
    for (const end of [without, undefined])
      expect(foundInFile(written('[1]', 1), restarted, 'base', end)).toMatchObject({ kind: 'content' });
  });

  test('is told where nothing else is there', () => {
    expect(found(written('[1]', STARTED - 1), restarted)).toEqual({
      kind: 'none',
      why: 'return.json is of an earlier run of container base, which was started again',
    });
  });

  test.each([STARTED, STARTED + 5])('is no result of this one because it was touched at %d', changedAt => {
    expect(found(written('[1]', changedAt, STARTED - 1), restarted)).toEqual({
      kind: 'unusable',
      sentence:
        'return.json was written before container base was started again, and changed since (as by chmod, chown or cp -p), so that it cannot be told whether it is a result of this run.',
      remedy: 'Have the container remove it when it begins.',
    });
    expect(found(written('[1]', changedAt, STARTED - 1))).toMatchObject({ kind: 'content' });
  });

  test('says what to do where it cannot be told apart', () => {
    expect(found(written('[1]', STARTED), restarted)).toEqual({
      kind: 'unusable',
      sentence:
        'return.json was written in the second in which container base was started again, so that it cannot be told whether the run before has left it.',
      remedy: 'Have the container remove it when it begins.',
    });
  });

  test('keeps its fault, which says nothing of when', () => {
    expect(found({ kind: 'folder' }, restarted)).toMatchObject({ kind: 'unusable' });
  });
});
