import { failedBeside } from './account.ts';
import type { End } from './attempts/tries.ts';
import { windDown } from './cancel/wind-down.ts';
import { diagnosed } from './end/diagnose.ts';
import { ending } from './end/ending.ts';
import { holdPod } from './hold-pod.ts';
import { Logs } from './logs/logs.ts';
import type { ObservedPod } from './observe.ts';
import { createSecrets } from './own-secrets.ts';
import { type Conclusion, conclude } from './result/conclusion.ts';
import { filed } from './result/file.ts';
import { Results } from './result/results.ts';
import { withStepFiles } from './result/step-files.ts';
import type { Step } from './run.ts';
import { started } from './start/start.ts';

/** Follows a pod from where it stands to its end, and does with it then what is to be done. */
export async function followPod(step: Step, pod: ObservedPod): Promise<End> {
  let logs: Logs | undefined;
  let results: Results | undefined;
  return holdPod(step, pod, {
    run: () => {
      logs = new Logs(step, pod);
      results = new Results(step, pod);
      return follow(step, pod, logs, results);
    },
    windDown: async () => {
      if (logs) await windDown(step, pod, logs);
    },
    close: () => {
      logs?.close();
      results?.close();
    },
  });
}

async function follow(step: Step, pod: ObservedPod, logs: Logs, results: Results): Promise<Conclusion> {
  const { inputs, plan, log } = step;
  await createSecrets(step, pod.identity);
  const left = step.patience?.signal;
  const waiting = left === undefined ? step : { ...step, stop: AbortSignal.any([step.stop, left]) };
  try {
    await started(pod, waiting);
    const outcome = await ending(pod, waiting);
    const [found] = await Promise.all([results.found(outcome, waiting.stop), logs.finish()]);
    const concluded = conclude(await diagnosed(outcome, pod, step), found, pod.view.pod, plan, inputs, log.masked);
    const conclusion = filed(withStepFiles(concluded, results.stepFiles), inputs);
    if (conclusion.state !== 'failed')
      for (const line of failedBeside(pod.view.pod, plan.pod, plan.base)) log.line(line);
    return conclusion;
  } catch (error) {
    // The end of its patience ends the step alone.
    if (left?.aborted && error === left.reason) return { state: 'deferred' };
    throw error;
  }
}
