import type { JobLog } from '../../github/commands.ts';
import { StepError } from '../../github/failure.ts';
import type { ObservedPod } from '../observe.ts';
import type { Conclusion } from '../result/conclusion.ts';
import type { Step } from '../run.ts';
import { started } from '../start/start.ts';
import { checkedOut } from './checkout.ts';
import type { Download, Downloaded } from './download.ts';
import { upload } from './upload.ts';

/**
 * Waits for the pod's start, and brings it meanwhile what it waits for.
 * @throws StepError when one of them fails, which ends the other
 */
export async function startedWithFiles(step: Step, pod: ObservedPod, download?: Download): Promise<void> {
  const over = new AbortController();
  const beside = { ...step, stop: AbortSignal.any([step.stop, over.signal]) };
  const work = [started(pod, beside), upload(step, pod, beside.stop), checkedOut(step, pod, beside.stop)];
  if (download) work.push(download.check(beside.stop));
  try {
    await Promise.all(work);
  } catch (error) {
    over.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

/** What came of a download: a container that failed has failed for its own reason. */
export async function settledDownload(
  fetching: Promise<Downloaded | undefined>,
  signal: AbortSignal,
): Promise<StepError | undefined> {
  try {
    await fetching;
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StepError) return error;
    throw error;
  }
}

/** A success whose files have not come back is none. */
export function withDownload(
  conclusion: Conclusion,
  failure: StepError | undefined,
  log: Pick<JobLog, 'warning'>,
): Conclusion {
  if (failure === undefined) return conclusion;
  const { reason, title, message: sentence, remedy, text } = failure;
  if (conclusion.state === 'failed') {
    log.warning(title, text);
    return conclusion;
  }
  return { ...conclusion, state: 'failed', reason, title, sentence, ...(remedy !== undefined && { remedy }) };
}
