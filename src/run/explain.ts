import type { V1Pod } from '@kubernetes/client-node';
import { listEvents, type PodEvents } from '../kubernetes/events.ts';
import { accountOf } from './account.ts';
import { containerStarted, failedInit, lastEnd } from './containers.ts';
import { printLivePod } from './live-pod.ts';
import { lastLines } from './logs/last-lines.ts';
import { selectContainers } from './logs/selection.ts';
import type { ObservedPod } from './observe.ts';
import { podPath } from './pod-path.ts';
import type { Step } from './run.ts';

/** A cluster that is slow to answer does not hold up the end of the step for longer. */
const DEADLINE_SECONDS = 10;
/** Of a log that is not shown. */
const LAST_LINES = 20;

/**
 * Says in the log what the cluster knows of a pod that failed, and shows the pod. What cannot be had is left out: the failure itself is told elsewhere.
 * @returns its events
 */
export async function explain(step: Step, pod: ObservedPod): Promise<PodEvents> {
  const { inputs, plan, secrets, client, log, stop } = step;
  const events = inputs.logs.eventsOnFailure ? await giveAccount(step, pod) : 'unavailable';
  if (inputs.logs.podOnFailure && !stop.aborted)
    log.folded(
      `The pod as the cluster has it (${podPath(pod.view.pod)})`,
      printLivePod(pod.view.pod, plan.pod, [...secrets, ...client.target.secrets]),
    );
  return events;
}

async function giveAccount({ inputs, plan, client, log, stop }: Step, pod: ObservedPod): Promise<PodEvents> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(1000 * DEADLINE_SECONDS)]);
  const live = pod.view.pod;
  const failed = failedOne(live, plan.base);
  const shown = inputs.logs.shown && selectContainers(inputs.logs, plan.base, plan.pod, live).includes(failed);
  const [events, last] = await Promise.all([
    listEvents(client, pod.identity, signal).catch(() => 'unavailable' as const),
    shown || !containerStarted(live, failed)
      ? []
      : lastLines(client, pod.identity, failed, LAST_LINES, signal).catch(() => []),
  ]);
  if (last.length > 0) {
    log.line(`The last lines of container ${failed}:`);
    for (const line of last) log.line(`  ${line}`);
  }
  for (const line of accountOf(live, plan.base, events)) log.line(line);
  return events;
}

/** @returns the container to look at first: the one that kept the base container from starting, or that. */
function failedOne(pod: V1Pod, base: string): string {
  if (containerStarted(pod, base)) return base;
  return failedInit(pod)?.name ?? pod.spec?.initContainers?.find(({ name }) => lastEnd(pod, name))?.name ?? base;
}
