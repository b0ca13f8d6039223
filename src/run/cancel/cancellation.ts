import type { JobLog } from '../../github/commands.ts';
import { StepError } from '../../github/failure.ts';

/** The runner sends SIGINT, after 7.5 s SIGTERM, and kills after 2.5 s more (ProcessInvoker.cs). What is left of that goes to the summary and the outputs. */
const LAST_CALL_SECONDS = 9;

/** When a step is to end before its time: what is begun then, and how long it may take. */
export interface Stops {
  /** Aborted with a StepError when the step is cancelled. */
  stop: AbortSignal;
  /** Aborted when the runner is about to kill this process. Whatever is still to be done on the cluster is the post step's then. */
  lastCall: AbortSignal;
}

/** Cancels the step at a signal, and when nobody reads its output any more: then the runner itself has gone, and nobody will ever ask for the outcome. */
export function stopOnSignals(log: JobLog): Stops {
  const [stop, lastCall] = [new AbortController(), new AbortController()];
  const end = () => lastCall.abort(new Error('the runner gives a cancelled step no more time'));
  const cancel = (sentence: string, cause?: Error) => {
    if (stop.signal.aborted) return;
    setTimeout(end, 1000 * LAST_CALL_SECONDS).unref();
    stop.abort(new StepError('Cancelled', 'Cancelled', sentence, { cause }));
  };
  log.onReaderGone(cause => cancel(`Nobody reads the step’s output any more: ${cause.message}.`, cause));
  let interrupts = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      cancel(`The step was cancelled (${signal}).`);
      // Whoever presses Ctrl-C twice does not want to wait.
      if (signal === 'SIGINT' && ++interrupts > 1) end();
    });
  return { stop: stop.signal, lastCall: lastCall.signal };
}
