import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import { PodRecord } from '../../github/state.ts';
import { deletePod, listPods } from '../../kubernetes/pods.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { deletionOf, type PlacedPlan } from '../../pod/manifest.ts';
import { containerEnded, containerStarted } from '../containers.ts';
import { ObservedPod } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import type { Step } from '../run.ts';
import { whatToSave } from '../take.ts';
import { additionIn } from './additions.ts';
import { claim, claimMark } from './claim.ts';
import { type EarlierPod, earlierPods } from './earlier-pods.ts';

/** A pod of an earlier attempt that has been taken over, and the plan that it was made by. */
export interface Adopted {
  pod: V1Pod;
  plan: PlacedPlan;
  attempt: number;
  record: PodRecord;
}

/** How long a pod that was told to stop may take beyond its grace period. */
const MARGIN_SECONDS = 30;

/**
 * Looks for what an earlier attempt of this run has left of this step: a re-run is not to start a second pod beside a first that still runs, nor to do again what is done.
 * @returns the pod to go on with; nothing where a fresh one is to be made
 * @throws StepError where several still run, and nobody can say which is this step's
 */
export async function reattach(step: Step): Promise<Adopted | undefined> {
  const { inputs, log } = step;
  const pods = await find(step);
  for (const { pod, difference, state } of pods)
    if (difference !== undefined && state === 'running')
      log.warning(
        'Pod of an earlier attempt',
        `Pod ${podPath(pod)} of an earlier attempt still runs, and by its labels it is this step’s; but it is another than this step asks for now (${difference}), so it is left alone. If it is not wanted: kubectl -n ${pod.metadata?.namespace} delete pod ${pod.metadata?.name}`,
      );
  const ours = pods.filter(({ difference }) => difference === undefined);
  for (const { pod, attempt, state } of ours)
    if (state === 'failed') log.line(`Pod ${podPath(pod)} of attempt ${attempt} has failed: this attempt tries anew.`);
  const running = ours.filter(({ state }) => state === 'running');
  const toEnd = ours.filter(({ state }) => state === 'stopping' || (state === 'running' && !inputs.reattachOnRestart));
  await Promise.all(toEnd.map(pod => untilEnded(pod, step)));
  if (!inputs.reattachOnRestart) return undefined;
  const candidates = ours.filter(({ state }) => state === 'running' || state === 'succeeded');
  if (running.length > 0 && candidates.length > 1) throw ambiguous(candidates);
  const [only, ...more] = candidates;
  if (only === undefined) {
    await Promise.all(ours.map(pod => makeWay(pod, step)));
    return undefined;
  }
  if (more.length > 0) {
    log.line(
      `${candidates.length} pods of earlier attempts have succeeded and could each be this step’s, so none is taken: ${candidates.map(({ pod }) => podPath(pod)).join(', ')}. Distinct names (\`name\`) would tell them apart.`,
    );
    return undefined;
  }
  const { pod, plan, attempt } = only;
  const record = new PodRecord();
  const mark = claimMark(step.identity);
  // As before a create: should this process not live to see the answer, the post step looks for the mark.
  record.save({ ...whatToSave({ ...step, plan }), uid: pod.metadata?.uid ?? '', mark });
  if (!(await claim(step, pod, mark))) {
    record.settle();
    log.line(
      `Pod ${podPath(pod)} of attempt ${attempt} has been taken over by another step with the same labels; a new one is made.`,
    );
    return undefined;
  }
  log.line(takenOver(only, step));
  return { pod, plan, attempt, record };
}

function takenOver({ pod, plan, attempt, state }: EarlierPod, { inputs }: Step): string {
  const which = `Pod ${podPath(pod)} of attempt ${attempt}`;
  const secrets = plan.secrets.length > 0 ? ' It has the secrets that that attempt gave it.' : '';
  if (state === 'succeeded')
    return inputs.deferrable
      ? `${which} has succeeded, and is not marked as read: nothing is run again.`
      : `${which} has succeeded, and is not marked as read: its log and its result are taken, and nothing is run again.${secrets}`;
  const now = containerStarted(pod, plan.base) ? 'still runs' : 'has not started yet';
  const log = inputs.deferrable ? '' : ' Its log is shown from the start.';
  return `${which} ${now}: this attempt takes it over.${log}${secrets}`;
}

/** A pod of a fixed name that has ended, and that nobody goes on with, stands in the way of the next. */
async function makeWay({ pod, attempt, state }: EarlierPod, { plan, client, log, stop }: Step): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  if (name !== plan.name || (state !== 'failed' && state !== 'read')) return;
  log.line(`Pod ${podPath(pod)} of attempt ${attempt} makes way for the next of that name.`);
  await deletePod(client, { namespace, name, uid }, { signal: stop });
}

async function find(step: Step): Promise<EarlierPod[]> {
  const { identity, plan, client, log, stop } = step;
  const { selector, judge } = earlierPods(identity, plan, step.replan);
  if (selector === undefined) return [];
  try {
    const pods = judge(await listPods(client, plan.namespace, selector, stop));
    return await Promise.all(
      pods.map(async pod => {
        const difference = pod.difference ?? (await additionIn(step, pod));
        return difference === undefined ? pod : { ...pod, difference };
      }),
    );
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 403) throw error;
    log.line(
      `The credentials may not list pods, so whether a pod of an earlier attempt still runs is not known: a new one is made.`,
    );
    return [];
  }
}

function ambiguous(candidates: EarlierPod[]): StepError {
  const listed = candidates.map(({ pod, state, attempt }) => `${podPath(pod)} (attempt ${attempt}, ${state})`);
  return new StepError(
    'AmbiguousPod',
    'Several pods of earlier attempts',
    `${candidates.length} pods of earlier attempts could be this step’s: ${listed.join(', ')}. Which of them it is nobody can tell.`,
    {
      remedy:
        'Delete those that are not wanted, and give steps that share a job id, e.g. of a workflow that is called twice, a distinct `name` each. With `reattach_on_restart: false` those that still run are stopped.',
    },
  );
}

/** Stops a pod of an earlier attempt that has not been told to, and waits until it has ended. */
async function untilEnded({ pod, state }: EarlierPod, { client, plan, log, stop }: Step): Promise<void> {
  const observed = new ObservedPod(client, pod, log);
  try {
    if (state === 'running') {
      log.line(`Stopping pod ${podPath(pod)} of an earlier attempt, which still runs (reattach_on_restart: false).`);
      await deletePod(client, observed.identity, { signal: stop, ...deletionOf(pod) });
    } else log.line(`Waiting for pod ${podPath(pod)} of an earlier attempt to end, which is being deleted.`);
    const seconds = (pod.spec?.terminationGracePeriodSeconds ?? 30) + MARGIN_SECONDS;
    const patience = AbortSignal.any([stop, AbortSignal.timeout(1000 * seconds)]);
    await observed
      .until(view => view.gone || containerEnded(view.pod, plan.base) || undefined, patience)
      .catch(error => {
        stop.throwIfAborted();
        throw new StepError(
          'AmbiguousPod',
          'A pod of an earlier attempt does not stop',
          `Pod ${podPath(pod)} of an earlier attempt was told to stop and has not within ${seconds} s, so no second one is started beside it.`,
          { remedy: `See to its node, ${pod.spec?.nodeName}.`, cause: error },
        );
      });
  } finally {
    observed.stop();
  }
}
