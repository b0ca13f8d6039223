import type { JobLog } from '../github/commands.ts';
import { withRemedy } from '../github/failure.ts';
import type { Inputs, OnFinishAction } from '../github/inputs/inputs.ts';
import { deletePod, type PodIdentity } from '../kubernetes/pods.ts';
import { ApiError } from '../kubernetes/status.ts';
import { deletionOf } from '../pod/manifest.ts';
import { markRead } from './attempts/claim.ts';
import type { Kill, Killed } from './cancel/kill.ts';
import { containerEnded, containerStarted, failedInit } from './containers.ts';
import { outcomeOf } from './end/outcome.ts';
import type { ObservedPod, PodView } from './observe.ts';
import type { Step } from './run.ts';

/** How long the cluster is asked to delete the pod before the post step has to try again. */
const TIDY_UP_SECONDS = 60;

/** Does what on_finish_action asks for, unless the step was cancelled, which has been seen to. What fails here is a warning and left to the post step: the outcome stands. */
export async function tidyUp(step: Step, pod: ObservedPod, kill: Kill): Promise<void> {
  const { inputs, plan, log, record, origin } = step;
  kill.release();
  pod.stop();
  const cancelled = await kill.killed;
  const action = inputs.onFinishAction;
  const end =
    cancelled ?? (shouldDelete(action, pod.view, plan.base, inputs.skipOnExitCodes) ? await remove(step, pod) : 'kept');
  if (typeof end === 'object') {
    log.warning('Pod not deleted', notDeleted(pod.identity, end.error, 'The post step tries again; by hand:'));
    return;
  }
  if (end === 'kept' && !pod.view.gone) {
    const stranger = origin?.kind === 'attached' ? origin.stranger : undefined;
    if (stranger === undefined && outcomeOf(pod.view, plan.base)?.state === 'succeeded') await markRead(step, pod);
    tellKept(pod, plan.base, stranger ?? kill.why, log);
  }
  record.settle();
}

/** Leaves the pod as it is, the post step too. */
export function letGo({ record }: Pick<Step, 'record'>, pod: ObservedPod, kill: Kill): void {
  kill.release();
  pod.stop();
  record.settle();
}

/** Leaves the pod to run, for another step to attach to. */
export function leave(step: Step, pod: ObservedPod, kill: Kill): void {
  const { inputs, plan, log, patience } = step;
  const { namespace, name, uid } = pod.identity;
  const why = patience
    ? `attach_timeout_seconds: ${patience.seconds}`
    : `deferrable: ${inputs.deferrable === 'created' ? 'true' : inputs.deferrable}`;
  log.line(`Pod ${namespace}/${name} is left for another step (${why}).`);
  log.line(`  to follow it: attach: ${name}, with pod_uid: ${uid} and namespace: ${namespace}`);
  log.line(`  to delete it: ${keptPod(pod, plan.base).delete}`);
  letGo(step, pod, kill);
}

async function remove({ client, lastCall }: Step, { identity, view }: ObservedPod): Promise<Killed> {
  try {
    const signal = AbortSignal.any([lastCall, AbortSignal.timeout(1000 * TIDY_UP_SECONDS)]);
    await deletePod(client, identity, { signal, ...deletionOf(view.pod) });
    return 'deleted';
  } catch (error) {
    return { error };
  }
}

/** @param then before the command that deletes it */
function notDeleted(
  { namespace, name }: Pick<PodIdentity, 'namespace' | 'name'>,
  error: unknown,
  then: string,
): string {
  const why = error instanceof ApiError && error.denial ? error.text : (error as Error).message;
  return withRemedy(
    `Pod ${namespace}/${name} could not be deleted: ${why}`,
    `${then} kubectl -n ${namespace} delete pod ${name}`,
  );
}

/** @param why the input that says so */
export function tellKept(pod: Pick<ObservedPod, 'identity' | 'view'>, base: string, why: string, log: JobLog): void {
  const { namespace, name } = pod.identity;
  const commands = keptPod(pod, base);
  log.line(`Pod ${namespace}/${name} is kept (${why}).`);
  if (commands.warning !== undefined) log.line(`  ${commands.warning}`);
  log.line(`  ${commands.log.includes(' logs ') ? 'its log:  ' : 'see to it:'} ${commands.log}`);
  log.line(`  delete it: ${commands.delete}`);
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
export function keptPod({ identity, view }: Pick<ObservedPod, 'identity' | 'view'>, base: string): Kept {
  const { namespace, name } = identity;
  const kubectl = `kubectl -n ${namespace}`;
  const container = failedInit(view.pod)?.name ?? base;
  const started = containerStarted(view.pod, base);
  const active = !containerEnded(view.pod, base);
  return {
    ...(active && {
      warning: started
        ? `Container ${base} runs on, until it ends${view.pod.spec?.activeDeadlineSeconds ? ' or the pod’s deadline stops it' : ''}.`
        : 'It has not started, and still may, when what it waits for comes.',
    }),
    log: containerStarted(view.pod, container)
      ? `${kubectl} logs ${active ? '-f ' : ''}${name} -c ${container}`
      : `${kubectl} describe pod ${name}`,
    delete: `${kubectl} delete pod ${name}`,
  };
}

/** What of a step's inputs decides about its pod. */
type EndActions = Pick<Inputs, 'onFinishAction' | 'onKillAction' | 'skipOnExitCodes'>;

/** @returns what becomes of the pod of a step that is cancelled or killed, and the input that says so: of a container that has ended nothing is left to stop. */
export function fateWhenKilled(
  view: PodView,
  base: string,
  { onFinishAction, onKillAction, skipOnExitCodes }: EndActions,
): { keep: boolean; why: string } {
  return outcomeOf(view, base) === undefined
    ? { keep: onKillAction === 'keep_pod', why: `on_kill_action: ${onKillAction}` }
    : {
        keep: !shouldDelete(onFinishAction, view, base, skipOnExitCodes),
        why: `on_finish_action: ${onFinishAction}`,
      };
}

/**
 * Whether the pod is to be deleted when the step is through with it.
 * KPO's four values; a pod whose exit code says that there was nothing to do has not failed. With one addition: a pod whose container has not ended is deleted unless all are to be kept, for the step that waited for it gave up, and no container keeps running unasked.
 */
export function shouldDelete(action: OnFinishAction, view: PodView, base: string, skipOnExitCodes: number[]): boolean {
  if (view.gone) return false;
  if (action === 'keep_pod') return false;
  const outcome = outcomeOf(view, base);
  if (action === 'delete_pod' || outcome === undefined) return true;
  if (action === 'delete_succeeded_pod') {
    const { state, reason, ended } = outcome;
    return state === 'succeeded' || (reason === 'ExitCode' && skipOnExitCodes.includes(ended?.exitCode ?? 0));
  }
  // The base container has ended, so a pod that is still active is so for another's sake. Its phase lags behind [measured].
  return (view.pod.status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);
}
