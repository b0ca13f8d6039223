import type { V1Pod } from '@kubernetes/client-node';
import type { JobLog } from '../../github/commands.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';
import { lostWithNode, type Outcome, outcomeOf } from './outcome.ts';
import { nodeNotReady } from './stopped.ts';

/** What the wait needs. */
interface Ending extends Pick<Step, 'stop'> {
  plan: Pick<Step['plan'], 'base'>;
  log: Pick<JobLog, 'line'>;
}

/** A kubelet that lives has killed every container, and said so, long before; one that has not answered for as long as the pod tolerates that seldom comes back just then. */
const LOST_AFTER_GRACE_SECONDS = 30;

/**
 * Waits for the end of the step's container. A pod that was told to stop, and of which its node then says nothing any more, has an end too: without its kubelet it stays Running and being deleted for ever [measured].
 * @throws the signal's reason
 */
export async function ending(pod: ObservedPod, { plan: { base }, log, stop }: Ending): Promise<Outcome> {
  const tell = tellOfNode(log);
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await pod.until(
      view => {
        tell(view.pod);
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

/** @returns what says once when the cluster hears nothing from the node any more, and when it does again. */
function tellOfNode(log: Pick<JobLog, 'line'>): (pod: V1Pod) => void {
  let away = false;
  return pod => {
    if (nodeNotReady(pod) === away || pod.metadata?.deletionTimestamp !== undefined) return;
    away = !away;
    const { nodeName } = pod.spec ?? {};
    log.line(
      away
        ? `The cluster hears nothing from node ${nodeName} any more. The container may run on; the pod is deleted if that lasts.`
        : `The cluster hears from node ${nodeName} again.`,
    );
  };
}

function nodeLost({ view: { pod } }: ObservedPod, base: string): Outcome {
  const seconds = (pod.metadata?.deletionGracePeriodSeconds ?? 0) + LOST_AFTER_GRACE_SECONDS;
  const { nodeName } = pod.spec ?? {};
  return {
    state: 'failed',
    ...lostWithNode(pod, base, `does not answer any more: told to stop the pod, it has said nothing for ${seconds} s`),
    remedy: `The container may still be running, until node ${nodeName} is back or removed. Run the step again where that does no harm.`,
  };
}
