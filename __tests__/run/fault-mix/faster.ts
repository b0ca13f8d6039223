import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';

/**
 * Makes what the code waits for by itself come sooner: its pauses, and what it does at intervals of seconds. What is to see of that has to be imported afterwards.
 * @param clock whether its clock runs faster as well, so that also what lasts for minutes is over soon
 */
export function passFaster(factor: number, { clock = false } = {}): { begin(): void; end(): void } {
  jest.unstable_mockModule('../../../src/kubernetes/pause.ts', () => ({
    pause: async (milliseconds: number, signal?: AbortSignal) => {
      await sleep(milliseconds / factor, undefined, signal && { signal }).catch(error => {
        signal?.throwIfAborted();
        throw error;
      });
    },
  }));
  return {
    begin: () => {
      const { setInterval: every } = globalThis;
      const sooner = (act: () => void, ms = 0) => every(act, ms >= 1000 ? ms / factor : ms);
      jest.spyOn(globalThis, 'setInterval').mockImplementation(sooner as typeof setInterval);
      const now = performance.now.bind(performance);
      if (clock) jest.spyOn(performance, 'now').mockImplementation(() => now() * factor);
    },
    end: () => jest.restoreAllMocks(),
  };
}
