import { randomUUID } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import type { StepIdentity } from '../github/identity.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import { setOutput } from '../github/outputs.ts';
import { savePod, saveTidy } from '../github/state.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { pause } from '../kubernetes/pause.ts';
import { type Creation, createPod, deletePod } from '../kubernetes/pods.ts';
import { droppedFields } from '../pod/compare.ts';
import { BASE_CONTAINER, nameWanted, nonceOf, type Plan, planPod, RUN_URL_ANNOTATION } from '../pod/manifest.ts';
import { dnsLabel } from '../pod/naming.ts';
import { deleteOurs, tidyUp } from './cleanup.ts';
import { showContainer } from './logs/show.ts';
import { ObservedPod } from './observe.ts';
import { outcomeOf, podPath } from './outcome.ts';
import { reportProgress } from './report.ts';
import { type Conclusion, conclude } from './result.ts';
import { waitForStart } from './start.ts';

/** What a run needs of the world. */
export interface Step {
  inputs: Inputs;
  identity: StepIdentity;
  client: ApiClient;
  log: JobLog;
  /** Aborted with a StepError when the step is cancelled. */
  stop: AbortSignal;
}

/**
 * Runs the step as a pod, from the plan to the clean-up.
 * @throws StepError when there is no outcome to be had: the pod could not be created or started, or the step was cancelled. A container that failed is an outcome.
 */
export async function runPod(step: Step): Promise<Conclusion> {
  const { inputs, client, log, stop } = step;
  const plan = planPod(inputs, step.identity, client.target.namespace, randomUUID());
  announce(step, plan);

  const pod = await create(step, plan);
  try {
    await waitForStart(pod, BASE_CONTAINER, what => log.line(what), stop);
    const shown = inputs.getLogs ? showContainer(client, pod, BASE_CONTAINER, log, stop) : Promise.resolve();
    // Should it fail while the container still runs, it is awaited only later.
    shown.catch(() => {});
    const outcome = await pod.until(view => outcomeOf(view, BASE_CONTAINER), stop);
    await shown;
    return conclude(outcome, pod.view.pod, plan.resultInMessage);
  } finally {
    await tidyUp(pod, stop.aborted ? 'delete_pod' : inputs.onFinishAction, client, log);
  }
}

/** What runs, and where, before the container's own lines. */
function announce({ inputs, identity, client, log }: Step, { namespace, name, deadlineSeconds }: Plan): void {
  log.line(`Running ${inputs.image} as pod ${namespace}/${name} on ${client.target.server} (${client.target.source}).`);
  const wanted = nameWanted(inputs, identity);
  if (inputs.name !== undefined && dnsLabel(wanted) !== wanted)
    log.line(
      `"${wanted}" cannot be the name of a pod as it stands (lower-case letters, digits and dashes, at most 63): it became ${name}.`,
    );
  if (inputs.activeDeadlineSeconds === undefined) {
    log.line(`The cluster stops it after ${hoursAndMinutes(deadlineSeconds)} at the latest (active_deadline_seconds).`);
  }
  if (!inputs.getLogs)
    log.line(
      `Its log is not shown (get_logs: false). To read it: kubectl -n ${namespace} logs -f ${name} -c ${BASE_CONTAINER}`,
    );
}

/**
 * Creates the pod. Its identity is saved first, for the post step to find it should this process not live to see the answer.
 * @throws StepError when the name is another pod's, or the cluster left something out; that pod is deleted
 */
async function create({ client, log, stop }: Step, plan: Plan): Promise<ObservedPod> {
  const identity = {
    server: client.target.server,
    namespace: plan.namespace,
    name: plan.name,
    nonce: nonceOf(plan.pod),
  };
  savePod(identity);
  const creation = await createOnceFree(client, plan.pod, log, stop);
  if ('error' in creation) {
    // What was never sent, or was refused, left nothing for the post step to look for.
    if (!creation.maybeCreated) saveTidy();
    else if (stop.aborted) await deleteOurs(client, identity, AbortSignal.timeout(LAST_WORD_MS)).catch(() => {});
    throw creation.error;
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
  reportProgress(pod, BASE_CONTAINER);
  const dropped = droppedFields(plan.pod, created);
  if (dropped.length === 0) return pod;
  pod.stop();
  await deletePod(client, pod.identity);
  throw new StepError(
    'FieldDropped',
    'The cluster dropped a field',
    `The cluster created the pod without ${dropped.join(', ')}, so it was deleted again.`,
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

/** Creates the pod; one of that name that is on its way out, such as the last run's, is waited for. */
async function createOnceFree(client: ApiClient, pod: V1Pod, log: JobLog, stop: AbortSignal): Promise<Creation> {
  const start = performance.now();
  for (let told = false; ; told = true) {
    const creation = await createPod(client, pod, stop);
    if ('error' in creation || nonceOf(creation.pod) === nonceOf(pod)) return creation;
    const going = creation.pod.metadata?.deletionTimestamp !== undefined;
    if (!going || performance.now() - start > 1000 * GOING_SECONDS) return creation;
    if (!told) log.line(`Waiting for the pod that has this name and is being deleted.`);
    await pause(500, stop).catch(() => {});
  }
}

function nameTaken(pod: V1Pod): StepError {
  const { namespace, name, creationTimestamp, annotations } = pod.metadata ?? {};
  const run = annotations?.[RUN_URL_ANNOTATION];
  return new StepError(
    'NameTaken',
    'Pod name taken',
    `Pod ${podPath(pod)} exists already, created at ${creationTimestamp}${run ? ` by ${run}` : ''}. It was not touched.`,
    {
      remedy: `Give another \`name\`, leave \`random_name_suffix\` on, or delete that pod: kubectl -n ${namespace} delete pod ${name}`,
    },
  );
}

function hoursAndMinutes(seconds: number): string {
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
