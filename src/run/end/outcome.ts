import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import type { Reason } from '../../github/failure.ts';
import {
  containerEnded,
  containerStatus,
  isToRestart,
  isUnknown,
  lastEnd,
  podEnded,
  terminated,
  willRestart,
} from '../containers.ts';
import type { PodView } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import { cannotStart, type Failure, failureOf, signalName, stopped, wasStoppedBy } from './failure.ts';
import { neverRan } from './never-ran.ts';
import { patience, stopOf, whyGone } from './stopped.ts';

/** How the step ended. */
export interface Outcome {
  state: 'succeeded' | 'failed';
  /** Why it failed. */
  reason?: Reason;
  /** Title, sentence and remedy of the failure. */
  title?: string;
  sentence?: string;
  remedy?: string;
  /** Of the base container, where it ran. */
  ended?: V1ContainerStateTerminated;
}

/**
 * What the pod's state means for the step. The base container's own state decides; the pod's phase never makes a success (injected sidecars keep it Running, and what was not observed is not known).
 * @returns `undefined` while the end is not known
 */
export function outcomeOf({ pod, gone }: PodView, base: string): Outcome | undefined {
  const last = lastEnd(pod, base);
  const between = last && isToRestart(pod, base, last) ? last : undefined;
  if (between !== undefined) {
    if (podEnded(pod) || gone) return { state: 'failed', ended: between, ...betweenRuns(pod, base, between) };
    // What the image does not have it will not have the next time.
    return cannotStart(between) ? { state: 'failed', ended: between, ...failureOf(pod, base, between) } : undefined;
  }
  // Of an evicted pod the kubelet may have the end as the one before, and none as the last [measured].
  const ended = last ?? terminated(pod, base);
  if (ended !== undefined) {
    const stop = stopOf(pod);
    const ownEnd = !isUnknown(ended) && wasStoppedBy(stop, ended) === undefined;
    if (ended.exitCode === 0 && ownEnd) return { state: 'succeeded', ended };
    if (!cannotStart(ended)) {
      if (!gone && willRestart(pod, base, ended)) return undefined;
      if (ownEnd && stop && isToRestart(pod, base, ended))
        return { state: 'failed', ended, ...betweenRuns(pod, base, ended) };
    }
    return { state: 'failed', ...(!isUnknown(ended) && { ended }), ...failureOf(pod, base, ended) };
  }
  if (containerEnded(pod, base)) return { state: 'failed', ...neverRan(pod) };
  if (gone) return { state: 'failed', ...away(pod, base) };
  return undefined;
}

function away(pod: V1Pod, base: string): Failure {
  const why = whyGone(pod);
  const running = containerStatus(pod, base)?.state?.running !== undefined;
  if (why.reason === 'NodeLost' && running)
    return {
      ...lostWithNode(pod, base, 'is not in the cluster any more, or out of its reach'),
      remedy: 'Run the step again where that does no harm.',
    };
  const what = `Pod ${podPath(pod)} is gone, ${running ? `and container ${base} was running when it was last seen` : `before container ${base} had started`}`;
  return stopped(why, what);
}

/** @param how of the node: why nobody knows */
export function lostWithNode(pod: V1Pod, base: string, how: string): Failure {
  return {
    reason: 'NodeLost',
    title: 'Node lost',
    sentence: `Container ${base} of pod ${podPath(pod)} got lost with its node ${pod.spec?.nodeName ?? ''}, which ${how}. What became of it is not known.`,
  };
}

/** A container that failed and was to be started again, when its pod came to an end. */
function betweenRuns(pod: V1Pod, base: string, last: V1ContainerStateTerminated): Failure {
  const what = `Container ${base} of pod ${podPath(pod)} had exited with code ${last.exitCode}${signalName(last.exitCode)}, and waited to be started again`;
  return stopped(patience(whyGone(pod), 'See why it fails'), what);
}
