import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../github/failure.ts';
import { setOutput } from '../github/outputs.ts';
import { savePod, saveTidy } from '../github/state.ts';
import { pause } from '../kubernetes/pause.ts';
import { type Creation, createPod, deletePod } from '../kubernetes/pods.ts';
import { ApiError } from '../kubernetes/status.ts';
import { droppedFields } from '../pod/compare.ts';
import { RUN_URL_ANNOTATION } from '../pod/identity.ts';
import { nonceOf, type PlacedPlan } from '../pod/manifest.ts';
import { referencesOf } from '../pod/references.ts';
import { suggestField } from '../pod/suggest.ts';
import { deleteOurs } from './cleanup.ts';
import { ObservedPod } from './observe.ts';
import { podPath } from './pod-path.ts';
import { explainRefusal } from './refusal.ts';
import { reportProgress } from './report.ts';
import type { Step } from './run.ts';
import { explainMissing, type Missing, missingSentence } from './start/missing.ts';
import { GRACE_SECONDS } from './start/stuck.ts';

type World = Pick<Step, 'client' | 'log' | 'stop'>;

/**
 * Creates the pod. Its identity is saved first, for the post step to find it should this process not live to see the answer.
 * @throws StepError when the name is another pod's, or the cluster left something out; that pod is deleted
 */
export async function create(world: World, plan: PlacedPlan): Promise<ObservedPod> {
  const { client, stop } = world;
  const identity = {
    server: client.target.server,
    namespace: plan.namespace,
    name: plan.name,
    nonce: nonceOf(plan.pod),
  };
  savePod(identity);
  const creation = await createOnceReady(world, plan);
  if ('error' in creation) {
    // What was never sent, or was refused, left nothing for the post step to look for.
    if (!creation.maybeCreated) saveTidy();
    else if (stop.aborted) await deleteOurs(client, identity, AbortSignal.timeout(LAST_WORD_MS)).catch(() => {});
    throw explained(creation.error, plan);
  }
  const created = creation.pod;
  if (nonceOf(created) !== nonceOf(plan.pod)) {
    saveTidy();
    throw nameTaken(created);
  }
  const pod = new ObservedPod(client, created);
  setOutput('pod_name', plan.name);
  setOutput('pod_namespace', plan.namespace);
  setOutput('pod_uid', pod.identity.uid);
  reportProgress(pod, plan.base);
  const dropped = droppedFields(plan.pod, created);
  if (dropped.length === 0) return pod;
  pod.stop();
  await deletePod(client, pod.identity);
  throw new StepError(
    'FieldDropped',
    'The cluster dropped a field',
    `The cluster created the pod without ${dropped.map(path => named(path, plan)).join(', ')}, so it was deleted again.`,
    {
      remedy:
        'The server does not know the field, or has the feature switched off. Leave it out, or use a cluster that has it.',
    },
  );
}

/** The runner gives a cancelled step 10 s in all; the post step does the rest. */
const LAST_WORD_MS = 8000;

/** How long a pod of the same name that is being deleted is waited for. */
const GOING_SECONDS = 120;
/** Between two tries. */
const AGAIN_MS = 500;

/** Creates the pod as soon as it can be: one of that name that is on its way out, such as the last run's, is waited for, and so is its service account, which may be being made. */
async function createOnceReady({ client, log, stop }: World, plan: PlacedPlan): Promise<Creation> {
  const { pod } = plan;
  const told = new Set<string>();
  const waits = (what: string): void => {
    if (!told.has(what)) log.line(what);
    told.add(what);
  };
  const start = performance.now();
  for (let accountMissingSince: number | undefined; ; ) {
    const creation = await createPod(client, pod, stop);
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
  return error.reason === 'InvalidPod' ? explainRefusal(error, path => plan.originOf(path), suggestField) : error;
}

/** What the user wrote to get the part of the pod at `path`, and where it stands in the pod. */
function named(path: string, plan: PlacedPlan): string {
  const origin = plan.originOf(path);
  return origin.endsWith(path) ? origin : `${origin} (${path})`;
}

/** Anybody who may create pods can write the annotation. */
const RUN_URL = /^https:\/\/[\w.:-]+\/[\w.-]+\/[\w.-]+\/actions\/runs\/\d+(\/attempts\/\d+)?$/;

function nameTaken(pod: V1Pod): StepError {
  const { namespace, name, creationTimestamp, annotations } = pod.metadata ?? {};
  const run = annotations?.[RUN_URL_ANNOTATION];
  return new StepError(
    'NameTaken',
    'Pod name taken',
    `Pod ${podPath(pod)} exists already, created at ${creationTimestamp}${run !== undefined && RUN_URL.test(run) ? ` by ${run}` : ''}. It was not touched.`,
    {
      remedy: `Give another \`name\`, leave \`random_name_suffix\` on, or delete that pod: kubectl -n ${namespace} delete pod ${name}`,
    },
  );
}
