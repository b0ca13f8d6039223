import type { JobLog } from '../../github/commands.ts';
import { StepError } from '../../github/failure.ts';
import type { Survey } from '../../github/workspace/tree.ts';
import { mayExec } from '../../kubernetes/may-exec.ts';
import type { ObservedPod } from '../observe.ts';
import type { Conclusion } from '../result/conclusion.ts';
import type { Step } from '../run.ts';
import { started } from '../start/start.ts';
import { checkedOut } from './checkout.ts';
import type { Download, Downloaded } from './download.ts';
import { heldWorkspace } from './held.ts';

/**
 * Waits for the pod's start, and brings it meanwhile what it waits for.
 * @throws StepError when one of them fails, which ends the other
 */
export async function startedWithFiles(step: Step, pod: ObservedPod, download?: Download): Promise<void> {
  const over = new AbortController();
  const beside = { ...step, stop: AbortSignal.any([step.stop, over.signal]) };
  const work = [started(pod, beside), uploaded(step, pod, beside.stop), checkedOut(step, pod, beside.stop)];
  if (download) work.push(download.check(beside.stop));
  try {
    await Promise.all(work);
  } catch (error) {
    over.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

async function uploaded(step: Step, pod: ObservedPod, signal: AbortSignal): Promise<void> {
  if (step.inputs.files.workspace?.source !== 'upload') return;
  const { upload } = await import('./upload.ts');
  await upload(step, pod, signal);
}

/**
 * Looks at what can be known before anything is created: whether files may go at all, and what is to be uploaded.
 * @returns the latter; nothing where nothing is
 * @throws ApiError, StepError
 */
export async function surveyed(step: Step): Promise<Survey | undefined> {
  const { inputs, plan, client, stop } = step;
  if (inputs.files.workspace?.source === 'upload' || inputs.files.download !== undefined)
    await mayExec(client, plan.namespace, stop);
  if (step.inputs.files.workspace?.source !== 'upload') return undefined;
  const upload = await import('./upload.ts');
  return await upload.surveyed(step);
}

/** @returns what brings files back, of a pod that holds some; nothing where nothing is to come: a step without files does not load what takes them apart */
export async function downloadOf(step: Step, pod: ObservedPod): Promise<Download | undefined> {
  if (heldWorkspace(step.plan.pod) === undefined && heldWorkspace(pod.view.pod) === undefined) return undefined;
  const { Download } = await import('./download.ts');
  return new Download(step, pod);
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
