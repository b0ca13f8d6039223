import { containerStarted, terminated } from '../containers.ts';
import { signalName } from '../end/failure.ts';
import type { Logs } from '../logs/logs.ts';
import type { ObservedPod } from '../observe.ts';
import { reportContainerEnd } from '../report.ts';
import type { Step } from '../run.ts';

/**
 * The pod has been told to stop: shows what its container still has to say, and how it ends, as long as the runner lets us.
 */
export async function windDown({ plan: { base }, log, lastCall }: Step, pod: ObservedPod, logs: Logs): Promise<void> {
  if (!(await hasStarted(pod, base, lastCall))) return;
  const ended = await pod
    .until(view => terminated(view.pod, base) ?? (view.gone ? 'gone' : undefined), lastCall)
    .catch(() => undefined);
  if (ended === undefined) {
    const seconds = pod.view.pod.metadata?.deletionGracePeriodSeconds;
    log.line(
      `Container ${base} has not ended yet; its log is shown up to here.${seconds ? ` Its node kills it ${seconds} s after it was told to stop.` : ''}`,
    );
    return;
  }
  await logs.finish().catch(() => {});
  if (ended === 'gone') return;
  log.line(`Container ${base} exited with code ${ended.exitCode}${signalName(ended.exitCode)}.`);
  reportContainerEnd(ended);
}

/** A container can have been started already when its pod is told to stop, and its node not have said so yet. */
const STATUS_LAG_MS = 3000;

async function hasStarted(pod: ObservedPod, base: string, lastCall: AbortSignal): Promise<boolean> {
  if (pod.view.pod.spec?.nodeName === undefined) return false;
  const signal = AbortSignal.any([lastCall, AbortSignal.timeout(STATUS_LAG_MS)]);
  return pod
    .until(view => (containerStarted(view.pod, base) ? true : view.gone ? false : undefined), signal)
    .catch(() => false);
}
