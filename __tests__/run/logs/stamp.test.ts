import { expect, test } from '@jest/globals';
import { readStamp } from '../../../src/run/logs/stamp.ts';

const AT_NOON = Date.UTC(2026, 2, 1, 12, 0, 7) / 1000;

test.each([
  ['UTC', '2026-03-01T12:00:07.123456789Z hello', { second: AT_NOON, length: 31 }],
  ['a zone ahead of UTC', '2026-03-01T14:00:07.999999999+02:00 hello', { second: AT_NOON, length: 36 }],
  ['a zone behind UTC, a day earlier', '2026-02-28T23:30:07.000000000-12:30 x', { second: AT_NOON, length: 36 }],
  ['half an hour', '2026-03-01T17:30:07.000000001+05:30 x', { second: AT_NOON, length: 36 }],
  ['an empty line with its space', '2026-03-01T12:00:07.123456789Z \n', { second: AT_NOON, length: 31 }],
  ['an empty line without', '2026-03-01T12:00:07.123456789Z\n', { second: AT_NOON, length: 30 }],
  ['an empty line without, in a zone', '2026-03-01T14:00:07.123456789+02:00\n', { second: AT_NOON, length: 35 }],
  [
    'a line that begins with another stamp',
    '2026-03-01T12:00:07.000000000Z 2020-01-01T00:00:00.000000000Z x',
    { second: AT_NOON, length: 31 },
  ],
])('a stamp is read: %s', (_, line, expected) => {
  const text = line.trimEnd().slice(0, expected.length).trimEnd();
  expect(readStamp(Buffer.from(line))).toMatchObject({ ...expected, text });
  expect(readStamp(Buffer.from(`before\n${line}`), 7)).toMatchObject({ ...expected, text });
});

test.each([
  ['nothing', ''],
  ['text', 'unable to retrieve container logs for containerd://0123456789abcdef'],
  ['a stamp that is cut', '2026-03-01T12:00:07.12345'],
  ['a whole stamp with nothing behind it', '2026-03-01T12:00:07.123456789Z'],
  ['fewer digits', '2026-03-01T12:00:07.123456Z hello, what a nice day'],
  ['no digits', '2026-03-01T12:00:07Z hello, what a nice long day it is'],
  ['a letter behind it', '2026-03-01T12:00:07.123456789Zhello'],
  ['a zone without a colon', '2026-03-01T12:00:07.123456789+0200 hello'],
  ['a day that does not exist', '2026-13-41T12:00:07.123456789Z hello'],
  ['an hour that does not exist', '9999-99-99T99:99:99.123456789Z hello'],
])('no stamp: %s', (_, line) => {
  expect(readStamp(Buffer.from(line))).toBeUndefined();
});

test('a stamp is not taken for the one before it that differs in the zone alone', () => {
  const seconds = ['2026-03-01T12:00:07.0Z', '2026-03-01T12:00:07.0+01:00', '2026-03-01T12:00:07.0-01:00'].map(
    text => readStamp(Buffer.from(`${text.replace('.0', '.000000000')} x`))?.second,
  );
  expect(seconds).toEqual([AT_NOON, AT_NOON - 3600, AT_NOON + 3600]);
});

test('stamps are compared by the nanosecond, whatever their zones', () => {
  const texts = [
    '2026-03-01T13:00:07.000000001+01:00',
    '2026-03-01T12:00:07.000000002Z',
    '2026-03-01T12:00:08.000000001Z',
  ];
  const stamps = texts.map(text => readStamp(Buffer.from(`${text} x`)));
  const before = stamps.map(one => stamps.map(other => other !== undefined && one?.isBefore(other)));
  expect(before).toEqual([
    [false, true, true],
    [false, false, true],
    [false, false, false],
  ]);
});
