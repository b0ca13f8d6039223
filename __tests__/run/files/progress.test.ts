import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Progress } from '../../../src/run/files/progress.ts';

let lines: string[];
let progress: Progress;
const log = { line: (text: string) => void lines.push(text) };
const begin = (total?: number) => {
  progress = new Progress(log, 'Fetching files', total);
};
beforeEach(() => {
  lines = [];
  jest.useFakeTimers();
});
afterEach(() => {
  progress.end();
  jest.useRealTimers();
});

test('what is over soon is not talked about', () => {
  begin();
  jest.advanceTimersByTime(1999);
  progress.end();
  jest.advanceTimersByTime(100_000);
  expect(lines).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('what takes its time is talked about less and less often', () => {
  begin();
  const at: number[] = [];
  for (let second = 1; second <= 250; second++) {
    jest.advanceTimersByTime(1000);
    if (lines.splice(0).length > 0) at.push(second);
  }
  expect(at).toEqual([2, 6, 14, 30, 62, 122, 182, 242]);
});

test('it says how far it has come, and how fast', () => {
  begin();
  jest.advanceTimersByTime(2000);
  progress.bytes = 6 * 2 ** 20;
  jest.advanceTimersByTime(4000);
  expect(lines).toEqual([
    'Fetching files: 0 bytes after 2 s',
    'Fetching files: 6.0 MiB after 6 s, 1.0 MiB each second',
  ]);
});

test('it says of how much, where that is known', () => {
  begin(2 ** 30);
  progress.bytes = 4096;
  jest.advanceTimersByTime(2000);
  expect(lines).toEqual(['Fetching files: 4.0 KiB of 1.0 GiB after 2 s, 2.0 KiB each second']);
});

test('it knows how long it has taken', () => {
  begin();
  jest.advanceTimersByTime(1500);
  expect(progress.seconds).toBeCloseTo(1.5);
});
