import { setTimeout as sleep } from 'node:timers/promises';

/** Waits. When it is aborted it rejects with the signal's reason, as everything here does; Node's own gives an AbortError, which looks like an accident. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
