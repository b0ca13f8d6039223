import { containerStatus } from './containers.ts';
import type { ObservedPod } from './observe.ts';
import { type Outcome, outcomeOf, podPath } from './outcome.ts';
import { stopOf } from './stopped.ts';

/** A kubelet that lives has killed every container, and said so, long before. */
const LOST_AFTER_GRACE_SECONDS = 60;

/**
 * Waits for the end of the step's container. A pod that was told to stop, and of which its node then says nothing any more, has an end too: without its kubelet it stays Running and being deleted for ever [measured].
 * @throws the signal's reason
 */
export async function ending(pod: ObservedPod, base: string, stop: AbortSignal): Promise<Outcome> {
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await pod.until(
      view => {
        const outcome = outcomeOf(view, base) ?? (lost.signal.aborted ? nodeLost(pod, base) : undefined);
        const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = view.pod.metadata ?? {};
        if (outcome === undefined && deletionTimestamp !== undefined)
          timer ??= setTimeout(() => lost.abort(), 1000 * (deletionGracePeriodSeconds + LOST_AFTER_GRACE_SECONDS));
        return outcome;
      },
      stop,
      lost.signal,
    );
  } finally {
    clearTimeout(timer);
  }
}

function nodeLost({ view: { pod } }: ObservedPod, base: string): Outcome {
  const { nodeName } = pod.spec ?? {};
  const seconds = (pod.metadata?.deletionGracePeriodSeconds ?? 0) + LOST_AFTER_GRACE_SECONDS;
  const state = containerStatus(pod, base)?.state?.running ? 'was running' : 'had not started';
  return {
    state: 'failed',
    reason: 'NodeLost',
    title: 'Node lost',
    sentence: `Node ${nodeName} has said nothing of pod ${podPath(pod)} for ${seconds} s since it was told to stop it; container ${base} ${state} when last heard of. Told to stop: ${stopOf(pod)?.cause ?? ''}`,
    remedy: `What became of the container is not known, and it may run on until node ${nodeName} is back or removed: see to that before the step is run again.`,
  };
}
