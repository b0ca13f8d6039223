import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Listening, untilBehind } from '../../../src/run/logs/silence.ts';

let now: number;
let pauses: number[];
const clock = performance.now.bind(performance);
const MINUTE = 60_000;

/** Time passes by the waits alone. */
jest.unstable_mockModule('../../../src/kubernetes/pause.ts', () => ({
  pause: async (milliseconds: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    pauses.push(milliseconds);
    now += milliseconds;
    await new Promise(resolve => setImmediate(resolve));
  },
}));
const { untilBehind: untilBehindInTime } = (await import('../../../src/run/logs/silence.ts')) as {
  untilBehind: typeof untilBehind;
};

beforeEach(() => {
  now = 1000;
  pauses = [];
  performance.now = () => now;
});
afterEach(() => {
  performance.now = clock;
});

test('a stream that has nothing to bring is asked about less and less often', async () => {
  const stop = new AbortController();
  let asked = 0;
  const stream: Listening = {
    heardAt: () => 1000,
    knows: () => true,
    lastLine: async () => {
      if (++asked === 7) stop.abort(new Error('enough'));
      return Buffer.from('');
    },
  };
  await expect(untilBehindInTime(stream, stop.signal)).rejects.toThrow('enough');
  expect(pauses).toEqual([1, 2, 4, 8, 10, 10, 10].map(minutes => minutes * MINUTE));
});

test('a stream that lacks the last line, and does not bring it, is behind', async () => {
  const stream: Listening = { heardAt: () => 1000, knows: () => false, lastLine: async () => Buffer.from('new') };
  await untilBehindInTime(stream, new AbortController().signal);
  expect(pauses).toEqual([MINUTE, 2000]);
});

test('a line that was on its way is no reason', async () => {
  const stop = new AbortController();
  let looks = 0;
  const stream: Listening = {
    heardAt: () => 1000,
    knows: () => ++looks % 2 === 0,
    lastLine: async () => {
      if (looks === 4) stop.abort(new Error('enough'));
      return Buffer.from('new');
    },
  };
  await expect(untilBehindInTime(stream, stop.signal)).rejects.toThrow('enough');
});

test('a stream that brings something is not asked about, and an answer that fails says nothing', async () => {
  const stop = new AbortController();
  let asked = 0;
  const stream: Listening = {
    // It falls silent after ten minutes.
    heardAt: () => Math.min(now, 1000 + 10 * MINUTE),
    knows: () => false,
    lastLine: async () => {
      if (++asked === 2) stop.abort(new Error('enough'));
      throw new Error('kubelet down');
    },
  };
  await expect(untilBehindInTime(stream, stop.signal)).rejects.toThrow('enough');
  expect(now).toBeGreaterThan(11 * MINUTE);
});
