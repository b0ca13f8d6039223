import type { WorkflowRun } from '../github/workflow-runs.ts';
import { ageInWords } from './age.ts';
import type { LookAlike, MarkedPod } from './marks.ts';

/** What becomes of a pod, and why. */
export interface Verdict {
  /** Of those that are left, the same for all that are left for the same reason. */
  kind: 'delete' | Left;
  /** A sentence's part: `its run ended 3 h ago`. Nothing in it comes from the cluster. */
  why: string;
}

/** Why a pod is left, as its account ends in it: `3 of a run that has not ended`. */
export const LEFT = {
  active: 'of a run that has not ended',
  recent: 'of a run that ended not long ago',
  kept: 'to be kept for longer',
  unlimited: 'to be kept, nobody can say for how long',
  own: 'of this run',
  terminating: 'being deleted already',
  unknown: 'of a run that GitHub does not tell of',
  lookAlike: 'without the marks of this action',
} as const;
export type Left = keyof typeof LEFT;

export interface Options {
  /** The run that sweeps. */
  ownRunId: string;
  olderThanSeconds: number;
}

/**
 * What becomes of a pod that has this repository's mark.
 * An owned one goes with its run, as a whole: a later attempt may have taken over an earlier one's. The others stay until they expire, whatever became of their run.
 * @param run of the pod; `undefined` where {@link needsRun} is false
 * @param now by the clock of this machine: GitHub's and the cluster's are a few seconds off, and the other way round it would count from the future
 */
export function verdictOf(
  pod: MarkedPod | LookAlike,
  run: WorkflowRun | undefined,
  now: Date,
  { ownRunId, olderThanSeconds }: Options,
): Verdict {
  if ('lacks' in pod) return { kind: 'lookAlike', why: pod.lacks };
  if (pod.terminating) return { kind: 'terminating', why: 'it is being deleted already' };
  if (pod.runId === ownRunId) return { kind: 'own', why: 'its run is this one' };
  if (pod.lifetime !== 'owned') return kept(pod, now);
  if (run === undefined) return { kind: 'unknown', why: 'its run is not known' };
  switch (run.state) {
    case 'active':
      return { kind: 'active', why: `its run has not ended (${run.status})` };
    case 'unknown':
      return { kind: 'unknown', why: run.why };
    case 'ended':
      return aged(`its run ended ${ago(run.at, now)}`, run.at, now, olderThanSeconds);
    case 'gone': {
      const why = `its run is no longer on GitHub, and the pod was made ${ago(pod.created, now)}`;
      return aged(why, pod.created, now, olderThanSeconds);
    }
  }
}

/** Whether the verdict on a pod takes what GitHub knows of its run. */
export function needsRun(pod: MarkedPod | LookAlike, { ownRunId }: Pick<Options, 'ownRunId'>): pod is MarkedPod {
  return !('lacks' in pod) && !pod.terminating && pod.lifetime === 'owned' && pod.runId !== ownRunId;
}

function kept({ lifetime, expires }: MarkedPod, now: Date): Verdict {
  if (expires === undefined)
    return { kind: 'unlimited', why: `it is ${lifetime}, and its expires-at is missing or no time` };
  const time = expires.toISOString().replace(/\.\d+Z$/, 'Z');
  if (now < expires) return { kind: 'kept', why: `it is ${lifetime} until ${time}` };
  return { kind: 'delete', why: `it was ${lifetime} until ${time}` };
}

function aged(why: string, since: Date, now: Date, olderThanSeconds: number): Verdict {
  const seconds = (now.getTime() - since.getTime()) / 1000;
  if (seconds >= olderThanSeconds) return { kind: 'delete', why };
  return { kind: 'recent', why: `${why}, less than ${ageInWords(olderThanSeconds)}` };
}

function ago(since: Date, now: Date): string {
  return `${ageInWords(Math.max(0, now.getTime() - since.getTime()) / 1000)} ago`;
}
