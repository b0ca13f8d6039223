import type { JobLog } from '../github/commands.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import type { PlacedPlan } from '../pod/manifest.ts';
import { failedBeside } from './account.ts';
import { announce, announceCreated } from './announce.ts';
import { tidyUp } from './cleanup.ts';
import { create } from './create.ts';
import { cancelledAt } from './end/cancelled.ts';
import { diagnosed } from './end/diagnose.ts';
import { ending } from './end/ending.ts';
import { explain } from './explain.ts';
import type { JobSummary } from './job-summary.ts';
import { checkNames } from './logs/check-names.ts';
import { LogFile } from './logs/log-file.ts';
import { Logs } from './logs/logs.ts';
import { createSecrets } from './own-secrets.ts';
import { traceChanges } from './report.ts';
import { type Conclusion, conclude } from './result.ts';
import { offerFor, useOf } from './role.ts';
import { started } from './start/start.ts';

/** What a run needs of the world. */
export interface Step {
  inputs: Inputs;
  plan: PlacedPlan;
  /** What the step was given as secrets. */
  secrets: string[];
  client: ApiClient;
  log: JobLog;
  summary: JobSummary;
  /** Aborted with a StepError when the step is cancelled. */
  stop: AbortSignal;
}

/**
 * Runs the step as a pod, from the create to the clean-up.
 * @throws StepError when there is no outcome to be had: the pod could not be created or started, or the step was cancelled. A container that failed is an outcome.
 */
export async function runPod(step: Step): Promise<Conclusion> {
  const { inputs, plan, client, log, summary, stop } = step;
  await checkNames(step);
  announce(step);
  const { file, workspace } = inputs.logs;
  const logFile = file === undefined ? undefined : new LogFile(file, workspace, log);

  const pod = await create(step, plan);
  announceCreated(step, pod);
  summary.follow(pod, step);
  traceChanges(pod, plan.base, log);
  let logs: Logs | undefined;
  try {
    logs = new Logs(step, pod, logFile);
    await createSecrets(step, pod.identity);
    await started(pod, step);
    const outcome = await diagnosed(await ending(pod, step), pod, step);
    await logs.finish();
    const conclusion = conclude(outcome, pod.view.pod, plan, inputs.result);
    if (conclusion.state === 'failed') summary.note(await explain(step, pod));
    else for (const line of failedBeside(pod.view.pod, plan.pod, plan.base)) log.line(line);
    summary.ended(conclusion);
    return conclusion;
  } catch (error) {
    // Who cancels does not ask why.
    if (!stop.aborted) summary.note(await explain(step, pod));
    const told = cancelledAt(error, pod.view, plan.base);
    summary.failed(offerFor(told, useOf(inputs, plan))?.error ?? told);
    throw told;
  } finally {
    logs?.close();
    await tidyUp(pod, plan.base, stop.aborted ? 'delete_pod' : inputs.onFinishAction, client, log);
  }
}
