import { failedBeside } from './account.ts';
import type { End } from './attempts/tries.ts';
import { windDown } from './cancel/wind-down.ts';
import { containerStarted } from './containers.ts';
import { diagnosed } from './end/diagnose.ts';
import { ending } from './end/ending.ts';
import type { Download } from './files/download.ts';
import { downloadOf, settledDownload, startedWithFiles, withDownload } from './files/files.ts';
import { holdPod } from './hold-pod.ts';
import { Logs } from './logs/logs.ts';
import type { ObservedPod } from './observe.ts';
import { createSecrets } from './own-secrets.ts';
import { type Conclusion, conclude } from './result/conclusion.ts';
import { filed } from './result/file.ts';
import { Results } from './result/results.ts';
import { withStepFiles } from './result/step-files.ts';
import type { Step } from './run.ts';

/** Follows a pod from where it stands to its end, and does with it then what is to be done. */
export async function followPod(step: Step, pod: ObservedPod): Promise<End> {
  let logs: Logs | undefined;
  let results: Results | undefined;
  const download = await downloadOf(step, pod);
  if (download && step.origin?.kind === 'attached' && step.inputs.files.download === undefined)
    step.log.warning(
      'Files not asked for',
      'The step that made the pod has a `download`, and this one has none: the files go with the pod.',
    );
  return holdPod(step, pod, {
    run: () => {
      logs = new Logs(step, pod);
      results = new Results(step, pod);
      return follow(step, pod, { logs, results, download });
    },
    windDown: async () => {
      if (logs && step.inputs.onKillAction !== 'keep_pod')
        await Promise.all([windDown(step, pod, logs), download?.release(step.lastCall)]);
    },
    close: async goesOn => {
      logs?.close();
      results?.close();
      // Who follows the pod later may want its files.
      if (!goesOn) await download?.release(step.lastCall);
    },
  });
}

/** What a pod leaves behind, and the ways it takes. */
interface Ways {
  logs: Logs;
  results: Results;
  download: Download | undefined;
}

async function follow(step: Step, pod: ObservedPod, { logs, results, download }: Ways): Promise<Conclusion> {
  const { inputs, plan, log } = step;
  await createSecrets(step, pod);
  const left = step.patience?.signal;
  const waiting = left === undefined ? step : { ...step, stop: AbortSignal.any([step.stop, left]) };
  const over = new AbortController();
  try {
    await startedWithFiles(waiting, pod, download);
    // What comes of it is awaited below.
    download?.fetchIfStopped(AbortSignal.any([waiting.stop, over.signal])).catch(() => {});
    const outcome = await ending(pod, waiting);
    const [found, fetched] = await Promise.all([
      results.found(outcome, waiting.stop),
      // What has not run has left nothing.
      download && outcome.reason !== 'StartError' && containerStarted(pod.view.pod, plan.base)
        ? settledDownload(download.fetch(waiting.stop), waiting.stop)
        : undefined,
      logs.finish(),
    ]);
    const concluded = conclude(await diagnosed(outcome, pod, step), found, pod.view.pod, plan, inputs, log.masked);
    const conclusion = withDownload(filed(withStepFiles(concluded, results.stepFiles), inputs), fetched, log);
    if (conclusion.state !== 'failed')
      for (const line of failedBeside(pod.view.pod, plan.pod, plan.base)) log.line(line);
    return conclusion;
  } catch (error) {
    // The end of its patience ends the step alone.
    if (left?.aborted && error === left.reason) return { state: 'deferred' };
    throw error;
  } finally {
    over.abort();
  }
}
