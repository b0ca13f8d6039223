import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, jest, test } from '@jest/globals';
import { silent } from './silent.ts';

/** Here a second takes five milliseconds: silences are borne for minutes. */
const FASTER = 200;
const RUNS = Math.ceil(Number(process.env['FAULT_RUNS'] ?? 100) / 10);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const AT_ONCE = 10;

jest.unstable_mockModule('../../../src/kubernetes/pause.ts', () => ({
  pause: async (milliseconds: number, signal?: AbortSignal) => {
    await sleep(milliseconds / FASTER, undefined, signal && { signal }).catch(error => {
      signal?.throwIfAborted();
      throw error;
    });
  },
}));
const { runOne } = await import('./run-one.ts');

beforeEach(() => {
  const { setInterval: every } = globalThis;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() * FASTER);
  jest
    .spyOn(globalThis, 'setInterval')
    .mockImplementation(((act: () => void, ms = 0) => every(act, ms / FASTER)) as typeof setInterval);
});
afterEach(() => void jest.restoreAllMocks());

test(
  `streams that fall silent, ${RUNS} runs from SEED=${FIRST_SEED} on: the log goes on, and the end is seen`,
  async () => {
    let next = 0;
    const worker = async () => {
      while (next < RUNS) await runOne(silent, FIRST_SEED + next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  },
  60_000 + 2000 * RUNS,
);
