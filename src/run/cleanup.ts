import type { OnFinishAction } from '../github/inputs/inputs.ts';
import type { PodView } from './observe.ts';
import { outcomeOf } from './outcome.ts';

/**
 * Whether the pod is to be deleted when the step is through with it.
 * KPO's four values, with one addition: a pod whose container has not ended is deleted unless all are to be kept, for the step that waited for it gave up, and no container keeps running unasked.
 */
export function shouldDelete(action: OnFinishAction, view: PodView, base: string): boolean {
  if (view.gone) return false;
  if (action === 'keep_pod') return false;
  const outcome = outcomeOf(view, base);
  if (action === 'delete_pod' || outcome === undefined) return true;
  if (action === 'delete_succeeded_pod') return outcome.state === 'succeeded';
  // The base container has ended, so a pod that is still active is so for another's sake. Its phase lags behind [measured].
  return (view.pod.status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);
}
