import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../github/failure.ts';
import { pause } from '../kubernetes/pause.ts';
import { type Creation, createPod, deletePod } from '../kubernetes/pods.ts';
import { ApiError } from '../kubernetes/status.ts';
import { droppedFields } from '../pod/compare.ts';
import { nonceOf, type PlacedPlan } from '../pod/manifest.ts';
import { ownedBy } from '../pod/owner.ts';
import { referencesOf } from '../pod/references.ts';
import { suggestField } from '../pod/suggest.ts';

import type { Stops } from './cancel/cancellation.ts';
import type { ObservedPod } from './observe.ts';
import { deleteOurs } from './our-pod.ts';
import { podPath } from './pod-path.ts';
import { explainRefusal } from './refusal.ts';
import { limitedSidecar, noSidecars } from './result/no-sidecar.ts';
import type { Step } from './run.ts';
import { runUrlOf } from './run-url.ts';
import { explainMissing, type Missing, missingSentence } from './start/missing.ts';
import { GRACE_SECONDS } from './start/stuck.ts';
import { type Taking, take, whatToSave } from './take.ts';

/** What a create needs of its step. */
export interface Creating extends Taking, Pick<Step, 'log' | 'stop' | 'lastCall'> {}

/**
 * Creates the pod. Its identity is saved first, for the post step to find it should this process not live to see the answer.
 * @throws StepError when the name is another pod's, or the cluster left something out; that pod is deleted
 */
export async function create(step: Creating): Promise<ObservedPod> {
  const { plan, client, stop, lastCall, record } = step;
  const saved = whatToSave(step);
  record.save(saved);
  const creation = await createOnceReady({ ...step, lastCall: patience(step) });
  if ('error' in creation) {
    // What was never sent, or was refused, left nothing for the post step to look for.
    if (!creation.maybeCreated) record.settle();
    else if (stop.aborted) await deleteOurs(client, saved, lastCall).catch(() => {});
    throw explained(creation.error, plan);
  }
  const created = creation.pod;
  if (nonceOf(created) !== nonceOf(plan.pod)) {
    record.settle();
    throw nameTaken(created);
  }
  const pod = take(step, created);
  const dropped = droppedFields(plan.pod, created);
  if (dropped.length === 0) return pod;
  pod.stop();
  await deletePod(client, pod.identity);
  record.settle();
  throw (
    noSidecars(plan, dropped) ??
    new StepError(
      'FieldDropped',
      'The cluster dropped a field',
      `The cluster created the pod without ${dropped.map(path => named(path, plan)).join(', ')}, so it was deleted again.`,
      {
        remedy:
          'The server does not know the field, or has the feature switched off. Leave it out, or use a cluster that has it.',
      },
    )
  );
}

/** How long the answer to a create is waited for when the step is cancelled meanwhile. */
const LATE_ANSWER_MS = 3000;

/** @returns a signal to give up the answer to a create: the pod can still be looked for then. */
function patience({ stop, lastCall }: Stops): AbortSignal {
  const late = new AbortController();
  const begin = () => setTimeout(() => late.abort(stop.reason), LATE_ANSWER_MS).unref();
  if (stop.aborted) begin();
  else stop.addEventListener('abort', begin, { once: true });
  return AbortSignal.any([late.signal, lastCall]);
}

/** How long a pod of the same name that is being deleted is waited for. */
const GOING_SECONDS = 120;
/** Between two tries. */
const AGAIN_MS = 500;

/** Creates the pod as soon as it can be: one of that name that is on its way out, such as the last run's, is waited for, and so is its service account, which may be being made. */
async function createOnceReady({ plan, client, log, stop, lastCall }: Creating): Promise<Creation> {
  const pod = plan.owner === undefined ? plan.pod : ownedBy(plan.pod, plan.owner);
  const told = new Set<string>();
  const waits = (what: string): void => {
    if (!told.has(what)) log.line(what);
    told.add(what);
  };
  const start = performance.now();
  for (let accountMissingSince: number | undefined; ; ) {
    const creation = await createPod(client, pod, { stop, lastCall });
    const seconds = (since: number): number => (performance.now() - since) / 1000;
    if ('error' in creation) {
      const missing = missingAccount(creation.error, plan);
      accountMissingSince ??= performance.now();
      if (
        missing === undefined ||
        creation.maybeCreated ||
        stop.aborted ||
        seconds(accountMissingSince) > GRACE_SECONDS
      )
        return creation;
      waits(`${missingSentence(missing, plan.namespace)} Waiting for it.`);
    } else {
      if (nonceOf(creation.pod) === nonceOf(pod)) return creation;
      const going = creation.pod.metadata?.deletionTimestamp !== undefined;
      if (!going || seconds(start) > GOING_SECONDS) return creation;
      waits('Waiting for the pod that has this name and is being deleted.');
    }
    await pause(AGAIN_MS, stop).catch(() => {});
  }
}

/** @returns the service account without which the API server takes no pod, where that is what it says. */
function missingAccount(error: unknown, { pod, originOf }: PlacedPlan): Missing | undefined {
  if (!(error instanceof ApiError) || error.code !== 403) return undefined;
  const name = /error looking up service account \S+: serviceaccount "([^"]+)" not found$/.exec(
    error.status.message ?? '',
  )?.[1];
  // A namespace that has just been made has no account "default" for a moment.
  if (name === undefined || name !== (pod.spec?.serviceAccountName ?? pod.spec?.serviceAccount ?? 'default'))
    return undefined;
  const askedFor = referencesOf(pod, originOf).filter(({ kind }) => kind === 'ServiceAccount');
  return { kind: 'ServiceAccount', name, askedFor };
}

/** What went wrong with the create, in the words of the plan. */
export function explained(error: unknown, plan: PlacedPlan): unknown {
  if (!(error instanceof ApiError)) return error;
  const missing = missingAccount(error, plan);
  const why = missing && explainMissing([missing], plan.namespace);
  if (why) return new StepError('ContainerConfig', why.title, why.sentence, { remedy: why.remedy, cause: error });
  const unknown = [...(error.status.message ?? '').matchAll(/unknown field "([^"]+)"/g)].map(([, path = '']) => path);
  const tooOld = noSidecars(plan, unknown, error);
  if (tooOld) return tooOld;
  const limited = limitedSidecar(plan, error);
  if (limited) return limited;
  return error.reason === 'InvalidPod' ? explainRefusal(error, path => plan.originOf(path), suggestField) : error;
}

/** What the user wrote to get the part of the pod at `path`, and where it stands in the pod. */
function named(path: string, plan: PlacedPlan): string {
  const origin = plan.originOf(path);
  return origin.endsWith(path) ? origin : `${origin} (${path})`;
}

function nameTaken(pod: V1Pod): StepError {
  const { namespace, name, creationTimestamp } = pod.metadata ?? {};
  const run = runUrlOf(pod);
  return new StepError(
    'NameTaken',
    'Pod name taken',
    `Pod ${podPath(pod)} exists already, created at ${creationTimestamp}${run === undefined ? '' : ` by ${run}`}. It was not touched.`,
    {
      remedy: `Give another \`name\`, leave \`random_name_suffix\` on, or delete that pod: kubectl -n ${namespace} delete pod ${name}`,
    },
  );
}
