import type { V1Pod } from '@kubernetes/client-node';
import type { StepIdentity } from '../../github/identity.ts';
import { differenceOf } from '../../pod/compare.ts';
import {
  ATTEMPT_LABEL,
  CLAIM_ANNOTATION,
  identityLabels,
  MATRIX_LABEL,
  PLAN_ANNOTATION,
  READ_ANNOTATION,
} from '../../pod/identity.ts';
import { nonceOf, type PlacedPlan, type PodMark } from '../../pod/manifest.ts';
import { outcomeOf } from '../end/outcome.ts';
import { attemptOf } from './claim.ts';

/** A pod that is, by its labels, of this step in an earlier attempt of the run. */
export interface EarlierPod {
  pod: V1Pod;
  attempt: number;
  /** The plan of that attempt, as far as it can be made again. */
  plan: PlacedPlan;
  /** Stopping: it is being deleted, and its container has not ended. Read: it has succeeded, and a step has had that. */
  state: 'running' | 'stopping' | 'succeeded' | 'read' | 'failed';
  /** How it differs from what that attempt would have made of this step: then it is another's, whatever its labels say. */
  difference?: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * @returns how to select the pods of this step, whatever the attempt, and what tells which of them are of an earlier one; no selector where there can be none
 * @param replan the plan of this step under the mark of another attempt
 */
export function earlierPods(
  identity: StepIdentity,
  { base }: Pick<PlacedPlan, 'base'>,
  replan: (mark: Partial<PodMark>) => PlacedPlan,
): { selector: string | undefined; judge: (pods: V1Pod[]) => EarlierPod[] } {
  const now = Number(identity.runAttempt);
  const { [ATTEMPT_LABEL]: _, ...labels } = identityLabels(identity);
  const matrix = identity.matrix === '' ? [`!${MATRIX_LABEL}`] : [];
  const selector = [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), ...matrix].join(',');
  return {
    selector: identity.runId !== '' && now > 1 ? selector : undefined,
    judge: pods => pods.flatMap(pod => judged(pod) ?? []),
  };

  function judged(pod: V1Pod): EarlierPod | undefined {
    const { labels = {}, annotations = {}, deletionTimestamp } = pod.metadata ?? {};
    const nonce = nonceOf(pod);
    const attempt = Number(labels[ATTEMPT_LABEL]);
    const isEarlier = Number.isInteger(attempt) && attempt >= 1 && attempt < now;
    if (!isEarlier || !UUID.test(nonce)) return undefined;
    // Somebody else of this attempt has it: a sibling that shares all its labels.
    if (attemptOf(annotations[CLAIM_ANNOTATION]) >= now) return undefined;
    const plan = replan({ identity: { ...identity, runAttempt: String(attempt) }, nonce });
    const outcome = outcomeOf({ pod, gone: false }, base);
    const difference = differenceOf(plan.pod, pod) ?? planDiffers(plan.pod, pod);
    const going = deletionTimestamp !== undefined;
    if (going && outcome !== undefined) return undefined;
    const read = outcome?.state === 'succeeded' && annotations[READ_ANNOTATION] !== undefined;
    const state = read ? 'read' : (outcome?.state ?? (going ? 'stopping' : 'running'));
    return { pod, attempt, plan, state, ...(difference !== undefined && { difference }) };
  }
}

/** What has more than was asked for may be another step's. */
function planDiffers(plan: V1Pod, pod: V1Pod): string | undefined {
  const [ours, theirs] = [plan, pod].map(({ metadata }) => metadata?.annotations?.[PLAN_ANNOTATION]);
  return ours === theirs ? undefined : 'it was made for more, or by another version of the action';
}
