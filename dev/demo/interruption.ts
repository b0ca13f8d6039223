import { constants } from 'node:os';

/** Why a demo ended early. */
export class Interruption extends Error {
  /** As shells have it. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted (${signal}).`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Under npm one Ctrl-C arrives twice: from the terminal, and from npm, which passes it on. */
const ONE_CTRL_C_MS = 1000;

/**
 * Turns signals into the wish to end, so that what was started can be taken away.
 * @param tell is called at the first
 * @returns `stop`, aborted with an Interruption at the first; `force`, aborted at the second
 */
export function onInterruption(tell: (signal: NodeJS.Signals) => void): { stop: AbortSignal; force: AbortSignal } {
  const stop = new AbortController();
  const force = new AbortController();
  let firstAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstAt = performance.now();
        tell(signal);
        stop.abort(new Interruption(signal));
      } else if (performance.now() - firstAt > ONE_CTRL_C_MS) force.abort();
    });
  }
  return { stop: stop.signal, force: force.signal };
}
