import { expect, test } from '@jest/globals';
import { Flow } from '../../../src/run/logs/flow.ts';

const KB = 1024;

test.each<[string, [bytes: number, atMs: number][], number, boolean]>([
  ['nothing', [], 0, false],
  ['a little', [[10 * KB, 0]], 100, false],
  ['much at once', [[300 * KB, 0]], 100, true],
  ['much, a while ago', [[300 * KB, 0]], 2500, false],
  [
    'much in the second before',
    [
      [200 * KB, 0],
      [100 * KB, 1100],
    ],
    1200,
    true,
  ],
  [
    'much, with a pause in between',
    [
      [200 * KB, 0],
      [100 * KB, 3000],
    ],
    3100,
    false,
  ],
  ['a steady trickle', Array.from({ length: 100 }, (_, index) => [10 * KB, 200 * index]), 20_000, false],
])('%s', (_, pieces, nowMs, full) => {
  const flow = new Flow();
  for (const [bytes, atMs] of pieces) flow.note(bytes, atMs);
  expect(flow.isFull(nowMs)).toBe(full);
});
