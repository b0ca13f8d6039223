import type { JobLog } from '../github/commands.ts';
import type { StepIdentity } from '../github/identity.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import type { PodRecord } from '../github/state.ts';
import type { Survey } from '../github/workspace/tree.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import type { PlacedPlan, PodMark } from '../pod/manifest.ts';
import { announce, announceCreated } from './announce.ts';
import { type Adopted, reattach } from './attempts/reattach.ts';
import { type End, type Tried, tries } from './attempts/tries.ts';
import type { Stops } from './cancel/cancellation.ts';
import { create } from './create.ts';
import { deferPod } from './defer.ts';
import { surveyed } from './files/files.ts';
import { followPod } from './follow-pod.ts';
import type { JobSummary } from './job-summary.ts';
import { checkNames } from './logs/check-names.ts';
import { LogFile } from './logs/log-file.ts';
import type { ObservedPod } from './observe.ts';
import type { Conclusion } from './result/conclusion.ts';
import { clearResultFile } from './result/file.ts';
import { take } from './take.ts';

/** What a run needs of the world. */
export interface Step extends Stops {
  inputs: Inputs;
  identity: StepIdentity;
  plan: PlacedPlan;
  /** The plan of the same step under another mark: for its next try, or as an earlier attempt made it. */
  replan: (mark: Partial<PodMark>) => PlacedPlan;
  /** What the step was given as secrets. */
  secrets: string[];
  client: ApiClient;
  log: JobLog;
  logFile?: LogFile;
  summary: JobSummary;
  /** What the post step is told of the pod. */
  record: PodRecord;
  /** What is to be uploaded, where that has been looked at. */
  survey?: Survey;
  /** Who made the pod, where it was not this step. */
  origin?: Origin;
  /** How long the pod is followed before it is left for another time. */
  patience?: { signal: AbortSignal; seconds: number };
}

export type Origin =
  | { kind: 'earlier attempt'; attempt: number }
  /** @property stranger why the pod is not known to be this repository's */
  | { kind: 'attached'; stranger?: string };

/**
 * Runs the step as a pod, or as several, one after the other, where it is to try again.
 * @throws StepError when there is no outcome to be had: the pod could not be created or started, or the step was cancelled. A container that failed is an outcome.
 */
export async function runPod(step: Step): Promise<Conclusion> {
  if (step.inputs.deferrable === undefined) clearResultFile(step.inputs);
  await checkNames(step);
  const {
    logs: { file },
    workspace,
  } = step.inputs;
  const unseen = file === undefined || step.inputs.deferrable !== undefined;
  const logFile = unseen ? undefined : new LogFile(file, workspace, step.log);
  try {
    let earlier = await reattach(step);
    return await tries({ ...step, ...(logFile && { logFile }) }, one => {
      const adopted = earlier;
      earlier = undefined;
      return adopted ? goOn(one, adopted) : tryOnce(one);
    });
  } finally {
    logFile?.close();
  }
}

/** From the create to the clean-up. */
async function tryOnce(given: Step): Promise<Tried> {
  const survey = await surveyed(given);
  const step = { ...given, ...(survey && { survey }) };
  announce(step);
  const pod = await create(step);
  announceCreated(step, pod);
  return { pod, end: await seeTo(step, pod) };
}

/** With the pod of an earlier attempt. */
async function goOn(step: Step, { pod, plan, attempt, record }: Adopted): Promise<Tried> {
  const taken = take({ ...step, plan, record }, pod);
  return {
    pod: taken,
    end: await seeTo({ ...step, plan, record, origin: { kind: 'earlier attempt', attempt } }, taken),
  };
}

function seeTo(step: Step, pod: ObservedPod): Promise<End> {
  return step.inputs.deferrable === undefined ? followPod(step, pod) : deferPod(step, pod);
}
