import { listEvents } from '../kubernetes/events.ts';
import { accountOf } from './account.ts';
import { containerStarted } from './containers.ts';
import { lastLines } from './logs/last-lines.ts';
import type { ObservedPod } from './observe.ts';
import type { Step } from './run.ts';

/** A cluster that is slow to answer does not hold up the end of the step for longer. */
const DEADLINE_SECONDS = 10;
/** Of a log that is not shown. */
const LAST_LINES = 20;

/** Says in the log what the cluster knows of a pod that failed. What cannot be had is left out: the failure itself is told elsewhere. */
export async function explain({ inputs, plan, client, log, stop }: Step, pod: ObservedPod): Promise<void> {
  if (!inputs.logs.eventsOnFailure) return;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(1000 * DEADLINE_SECONDS)]);
  const { shown, containers } = inputs.logs;
  const isShown = shown && (!Array.isArray(containers) || containers.includes(plan.base));
  const [events, last] = await Promise.all([
    listEvents(client, pod.identity, signal).catch(() => 'unavailable' as const),
    isShown || !containerStarted(pod.view.pod, plan.base)
      ? []
      : lastLines(client, pod.identity, plan.base, LAST_LINES, signal).catch(() => []),
  ]);
  if (last.length > 0) {
    log.line(`The last lines of container ${plan.base}:`);
    for (const line of last) log.line(`  ${line}`);
  }
  for (const line of accountOf(pod.view.pod, plan.base, events)) log.line(line);
}
