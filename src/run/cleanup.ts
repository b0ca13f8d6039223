import type { JobLog } from '../github/commands.ts';
import { withRemedy } from '../github/failure.ts';
import type { OnFinishAction } from '../github/inputs/inputs.ts';
import { type SavedPod, saveTidy } from '../github/state.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { deletePod, getPod } from '../kubernetes/pods.ts';
import { ApiError } from '../kubernetes/status.ts';
import { nonceOf } from '../pod/manifest.ts';
import { containerEnded, containerStarted, failedInit } from './containers.ts';
import { outcomeOf } from './end/outcome.ts';
import type { ObservedPod, PodView } from './observe.ts';

/** How long the cluster is asked to delete the pod before the post step has to try again. */
const TIDY_UP_SECONDS = 60;

/** Does what on_finish_action asks for. What fails here is a warning and left to the post step: the outcome stands. */
export async function tidyUp(
  pod: ObservedPod,
  base: string,
  action: OnFinishAction,
  client: ApiClient,
  log: JobLog,
): Promise<void> {
  const { namespace, name } = pod.identity;
  pod.stop();
  if (shouldDelete(action, pod.view, base)) {
    try {
      await deletePod(client, pod.identity, AbortSignal.timeout(1000 * TIDY_UP_SECONDS));
    } catch (error) {
      log.warning(
        'Pod not deleted',
        withRemedy(
          `Pod ${namespace}/${name} could not be deleted: ${error instanceof ApiError && error.denial ? error.text : (error as Error).message}`,
          `The post step tries again; by hand: kubectl -n ${namespace} delete pod ${name}`,
        ),
      );
      return;
    }
  } else if (!pod.view.gone) {
    const commands = keptPod(pod, base);
    log.line(`Pod ${namespace}/${name} is kept (on_finish_action: ${action}).`);
    if (commands.warning !== undefined) log.line(`  ${commands.warning}`);
    log.line(`  ${commands.log.includes(' logs ') ? 'its log:  ' : 'see to it:'} ${commands.log}`);
    log.line(`  delete it: ${commands.delete}`);
  }
  saveTidy();
}

/** A pod that is kept. */
export interface Kept {
  /** Set where it may run yet, though the step has failed. */
  warning?: string;
  /** What to type to see its log, or where there is none what the cluster says of it; and to delete it. */
  log: string;
  delete: string;
}

/** What to say of a pod that is kept. */
export function keptPod({ identity, view }: ObservedPod, base: string): Kept {
  const { namespace, name } = identity;
  const kubectl = `kubectl -n ${namespace}`;
  const container = failedInit(view.pod)?.name ?? base;
  const waits = !containerEnded(view.pod, base) && !containerStarted(view.pod, base);
  return {
    ...(waits && {
      warning:
        'It has not started, and still may, when what it waits for comes: delete it before the step is run again.',
    }),
    log: containerStarted(view.pod, container)
      ? `${kubectl} logs ${name} -c ${container}`
      : `${kubectl} describe pod ${name}`,
    delete: `${kubectl} delete pod ${name}`,
  };
}

/**
 * Deletes the pod of that name if it carries the mark of this attempt.
 * @returns whether there was one
 */
export async function deleteOurs(
  client: ApiClient,
  { namespace, name, nonce }: SavedPod,
  signal?: AbortSignal,
): Promise<boolean> {
  const pod = await getPod(client, namespace, name, signal);
  if (pod === undefined || nonceOf(pod) !== nonce) return false;
  await deletePod(client, { namespace, name, uid: pod.metadata?.uid ?? '' }, signal);
  return true;
}

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
