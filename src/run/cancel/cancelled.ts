import { StepError } from '../../github/failure.ts';
import { containerStatus } from '../containers.ts';
import type { PodView } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import { waitingFor } from '../start/waiting.ts';

/** @returns of a step that was cancelled with where the pod stood then: a job's time-out cancels too, and asks why. Any other error as it is. */
export function cancelledAt(error: unknown, { pod, gone }: PodView, base: string): unknown {
  if (!(error instanceof StepError) || error.reason !== 'Cancelled') return error;
  const waiting = gone ? undefined : waitingFor(pod, base);
  const where = `container ${base} of pod ${podPath(pod)}`;
  const running = containerStatus(pod, base)?.state?.running !== undefined;
  const then = waiting ? `before ${where} had started: ${waiting.what}` : `while ${where} was running`;
  if (!waiting && !running) return error;
  return new StepError(
    error.reason,
    error.title,
    `${error.message.replace(/\.$/, '')}, ${then}${/\.$/.test(then) ? '' : '.'}`,
    {
      cause: error,
    },
  );
}
