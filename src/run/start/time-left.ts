import type { Waiting } from './waiting.ts';

/** How long a pod may take to start. */
export interface StartTimeouts {
  /** While scheduling gates hold it: a queue's quota may be used up for hours. */
  queueSeconds: number;
  /** For a node to be found: a pool that scales up from nothing takes minutes. */
  scheduleSeconds: number;
  /** From there to the container's start, not counting the time that init containers run: pulling large images takes minutes. */
  startupSeconds: number;
}

type Phase = Waiting['phase'];

/** Which of the time-outs runs in a phase. An init container may take its time: the pod's own deadline ends it. */
const TIMEOUTS: Record<Phase, keyof StartTimeouts | undefined> = {
  queued: 'queueSeconds',
  scheduling: 'scheduleSeconds',
  initializing: undefined,
  pulling: 'startupSeconds',
  starting: 'startupSeconds',
};

/** What is left of the time-outs. Each stands still while another runs, all on the process's own monotonic clock. */
export class TimeLeft {
  readonly #leftMs: Record<keyof StartTimeouts, number>;
  #phase: Phase | undefined;
  #since = performance.now();

  constructor(timeouts: StartTimeouts) {
    this.#leftMs = {
      queueSeconds: 1000 * timeouts.queueSeconds,
      scheduleSeconds: 1000 * timeouts.scheduleSeconds,
      startupSeconds: 1000 * timeouts.startupSeconds,
    };
  }

  /** @returns when the phase that the pod is in now will have taken too long, as `performance.now()` has it. */
  endsAt(phase: Phase): number {
    if (phase !== this.#phase) {
      const now = performance.now();
      const before = this.#phase && TIMEOUTS[this.#phase];
      if (before) this.#leftMs[before] -= now - this.#since;
      this.#phase = phase;
      this.#since = now;
    }
    const timeout = TIMEOUTS[phase];
    return timeout === undefined ? Number.POSITIVE_INFINITY : this.#since + this.#leftMs[timeout];
  }
}
