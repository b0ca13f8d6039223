import { randomUUID } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import type { StepIdentity } from '../../github/identity.ts';
import { annotatePod, getPod } from '../../kubernetes/pods.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { CLAIM_ANNOTATION, READ_ANNOTATION } from '../../pod/identity.ts';
import { mayBeOwned, ownersAfter } from '../../pod/owner.ts';
import type { ObservedPod } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import type { Step } from '../run.ts';

/** How often a pod that keeps changing is marked again. */
const TRIES = 5;
const MARK_SECONDS = 10;

/** @returns what is written on a pod that is taken over: the attempt, and what sets this process apart from its siblings. */
export function claimMark({ runAttempt }: StepIdentity): string {
  return `${runAttempt}.${randomUUID()}`;
}

/** @returns the attempt that has taken a pod over; NaN where none has. */
export function attemptOf(mark: string | undefined): number {
  return Number(mark?.replace(/\..*$/, '') ?? Number.NaN);
}

/**
 * Marks a pod of an earlier attempt as this step's from here on: a sibling that shares all its labels (two uses in one composite action, two callers of one reusable workflow) finds that it is taken. It goes with this attempt's runner then.
 * @param mark see {@link claimMark}
 * @returns whether it is this step's now
 */
export async function claim(step: Step, pod: V1Pod, mark: string): Promise<boolean> {
  const { plan, client, log, stop, lastCall } = step;
  let current: V1Pod | undefined = pod;
  for (let tries = 0; current !== undefined; tries++) {
    const { namespace = '', name = '', uid = '', resourceVersion = '', annotations = {} } = current.metadata ?? {};
    if (uid !== pod.metadata?.uid || attemptOf(annotations[CLAIM_ANNOTATION]) >= attemptOf(mark)) return false;
    try {
      const ownerReferences = mayBeOwned(plan.pod) ? ownersAfter(current, plan.owner) : undefined;
      const how = { resourceVersion, ownerReferences, signal: lastCall };
      // A cancel waits for the answer: a pod that has been taken over would run on, and nobody would take it for his.
      await annotatePod(client, { namespace, name, uid }, { [CLAIM_ANNOTATION]: mark }, how);
      return true;
    } catch (error) {
      stop.throwIfAborted();
      const code = error instanceof ApiError ? error.code : undefined;
      if (code === 403) {
        log.line(
          `The credentials may not patch pods, so pod ${podPath(pod)} is taken over without a mark: another step with the same labels would take it too.`,
        );
        return true;
      }
      if (tries >= TRIES) throw error;
      // Its kubelet, or a sibling, was quicker.
      if (code !== 409 && code !== 404) await client.endure(error, tries, stop);
      current = await getPod(client, namespace, name, stop);
    }
  }
  return false;
}

/** Marks a kept pod as one whose log and result have been had, so that no re-run takes them for news. What goes wrong is said, and no failure. */
export async function markRead({ identity, client, log, lastCall }: Step, pod: ObservedPod): Promise<void> {
  if (identity.runId === '' || pod.view.gone) return;
  const signal = AbortSignal.any([lastCall, AbortSignal.timeout(1000 * MARK_SECONDS)]);
  for (let tries = 0; ; tries++) {
    try {
      return await annotatePod(client, pod.identity, { [READ_ANNOTATION]: identity.runAttempt }, { signal });
    } catch (error) {
      try {
        if (tries >= TRIES) throw error;
        await client.endure(error, tries, signal);
      } catch (final) {
        if (final instanceof ApiError && final.code === 404) return;
        const why = final instanceof StepError ? final.message : (final as Error).message;
        log.line(
          `It could not be marked as read, so a re-run of this job would take its result instead of running again: ${why}`,
        );
        return;
      }
    }
  }
}
