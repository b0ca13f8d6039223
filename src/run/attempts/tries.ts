import { type Reason, StepError, withRemedy } from '../../github/failure.ts';
import { setOutput } from '../../github/outputs.ts';
import { PodRecord } from '../../github/state.ts';
import { pause } from '../../kubernetes/pause.ts';
import { deletePod } from '../../kubernetes/pods.ts';
import { shouldDelete } from '../cleanup.ts';
import { containerStatus } from '../containers.ts';
import { inWords } from '../durations.ts';
import type { ObservedPod } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import { wordsOf } from '../report.ts';
import type { Conclusion } from '../result/conclusion.ts';
import { clearResultFile } from '../result/file.ts';
import type { Step } from '../run.ts';
import { delayBefore, type FailedTry, triesAgain } from './retry.ts';

/** How a try ended. */
export type End = { conclusion: Conclusion } | { error: unknown };

/** A try that got as far as a pod. */
export interface Tried {
  pod: ObservedPod;
  end: End;
}

/**
 * Runs the step until a try goes well, or none is to follow: each a pod of its own, with its log in a group of its own.
 * @throws what ended the last try without a conclusion
 */
export async function tries(step: Step, tryOnce: (step: Step) => Promise<Tried>): Promise<Conclusion> {
  const { retries, retryDelaySeconds } = step.inputs;
  for (let count = 1, current = step; ; count++) {
    if (retries > 0) step.log.section(`Try ${count} of ${retries + 1}`);
    step.summary.name = current.plan.name;
    const { pod, end } = await tryOnce(current).catch((error: unknown): Partial<Tried> & { end: End } => ({
      end: { error },
    }));
    step.log.endSection();
    const failed = failureOf(end, pod, current.plan.base);
    const again = failed !== undefined && triesAgain(failed, step.inputs.retryOn);
    if (failed !== undefined && !again && count <= retries && !step.stop.aborted)
      step.log.line('No further try: it is not a failure that retry_on names.');
    if (!again || count > retries) return settled(end);
    const seconds = delayBefore(count, retryDelaySeconds, Math.random());
    if ('error' in end) step.summary.failed(end.error);
    tell(step, count, end, seconds);
    await pause(1000 * seconds, step.stop);
    current = { ...step, plan: step.replan({}), record: new PodRecord() };
    if (pod && current.plan.name === pod.identity.name) await makeWay(current, pod);
    forget();
    clearResultFile(step.inputs);
  }
}

/** @throws what ended it without a conclusion */
export function settled(end: End): Conclusion {
  if ('error' in end) throw end.error;
  return end.conclusion;
}

/** @returns what of a failure counts for another try; nothing for a try that has not failed. */
function failureOf(end: End, pod: ObservedPod | undefined, base: string): FailedTry | undefined {
  if ('conclusion' in end) {
    const { state, reason, ended } = end.conclusion;
    if (state !== 'failed' || reason === undefined) return undefined;
    const mayHaveRun = pod !== undefined && mayHave(pod, base, reason);
    return { reason, mayHaveRun, mayPass: false, ...(ended && { exitCode: ended.exitCode }) };
  }
  const { error } = end;
  if (!(error instanceof StepError)) return undefined;
  const { reason, mayPass } = error;
  return { reason, mayHaveRun: pod !== undefined && mayHave(pod, base, reason), mayPass };
}

/** Whether the base container has run, or nobody can say that it has not: what its node has not told before it was lost, or the pod before it was gone, is not known. */
function mayHave({ view: { pod, gone } }: ObservedPod, base: string, reason: Reason): boolean {
  const { state, lastState } = containerStatus(pod, base) ?? {};
  if (state?.running || state?.terminated || lastState?.terminated) return true;
  const told = pod.status?.phase === 'Failed' || pod.spec?.nodeName === undefined;
  return (gone || reason === 'NodeLost') && !told;
}

function tell({ inputs, log }: Step, count: number, end: End, seconds: number): void {
  const { title, sentence, remedy } = 'error' in end ? wordsOf(end.error) : end.conclusion;
  log.warning(
    `Try ${count} of ${inputs.retries + 1}: ${title ?? 'Failed'}`,
    withRemedy(withRemedy(sentence ?? '', remedy), `The next try begins in ${inWords(Math.round(seconds))}.`),
  );
}

/** A pod of a fixed name that is kept stands in the way of the next, whatever on_finish_action says. */
async function makeWay({ inputs, plan, client, log, stop }: Step, pod: ObservedPod): Promise<void> {
  if (shouldDelete(inputs.onFinishAction, pod.view, plan.base, inputs.skipOnExitCodes) || pod.view.gone) return;
  log.line(`Pod ${podPath(pod.view.pod)} makes way for the next of that name.`);
  await deletePod(client, pod.identity, { signal: stop });
}

/** What one pod had and the next may not have. */
function forget(): void {
  for (const name of ['pod_name', 'pod_uid', 'node_name', 'image_id', 'started_at'] as const) setOutput(name, '');
}
