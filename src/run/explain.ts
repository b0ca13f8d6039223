import { listEvents } from '../kubernetes/events.ts';
import { accountOf } from './account.ts';
import { containerStarted } from './containers.ts';
import { printLivePod } from './live-pod.ts';
import { lastLines } from './logs/last-lines.ts';
import { notShownBy } from './logs/selection.ts';
import type { ObservedPod } from './observe.ts';
import { podPath } from './outcome.ts';
import type { Step } from './run.ts';

/** A cluster that is slow to answer does not hold up the end of the step for longer. */
const DEADLINE_SECONDS = 10;
/** Of a log that is not shown. */
const LAST_LINES = 20;

/** Says in the log what the cluster knows of a pod that failed, and shows the pod. What cannot be had is left out: the failure itself is told elsewhere. */
export async function explain(step: Step, pod: ObservedPod): Promise<void> {
  const { inputs, plan, secrets, client, log, stop } = step;
  if (inputs.logs.eventsOnFailure) await giveAccount(step, pod);
  if (!inputs.logs.podOnFailure || stop.aborted) return;
  log.folded(
    `The pod as the cluster has it (${podPath(pod.view.pod)})`,
    printLivePod(pod.view.pod, plan.pod, [...secrets, ...client.target.secrets]),
  );
}

async function giveAccount({ inputs, plan, client, log, stop }: Step, pod: ObservedPod): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(1000 * DEADLINE_SECONDS)]);
  const [events, last] = await Promise.all([
    listEvents(client, pod.identity, signal).catch(() => 'unavailable' as const),
    notShownBy(inputs.logs, plan.base) === undefined || !containerStarted(pod.view.pod, plan.base)
      ? []
      : lastLines(client, pod.identity, plan.base, LAST_LINES, signal).catch(() => []),
  ]);
  if (last.length > 0) {
    log.line(`The last lines of container ${plan.base}:`);
    for (const line of last) log.line(`  ${line}`);
  }
  for (const line of accountOf(pod.view.pod, plan.base, events)) log.line(line);
}
