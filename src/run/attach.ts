import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { StepError } from '../github/failure.ts';
import type { StepIdentity } from '../github/identity.ts';
import type { AttachInputs } from '../github/inputs/attach.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import { getPod } from '../kubernetes/pods.ts';
import { BASE_CONTAINER_ANNOTATION, REPOSITORY_ANNOTATION, REPOSITORY_ID_LABEL } from '../pod/identity.ts';
import { BASE_CONTAINER, type PlacedPlan } from '../pod/manifest.ts';
import { RESULT_PATH, type ResultChannel, resultWantedBy } from '../pod/result.ts';
import { settled } from './attempts/tries.ts';
import { containerEnded, isResultSidecar, restartPolicy } from './containers.ts';
import { inWords } from './durations.ts';
import { heldWorkspace } from './files/held.ts';
import { followPod } from './follow-pod.ts';
import { refuseWrongNames } from './logs/check-names.ts';
import { LogFile } from './logs/log-file.ts';
import { podPath } from './pod-path.ts';
import type { Conclusion } from './result/conclusion.ts';
import { clearResultFile } from './result/file.ts';
import type { Step } from './run.ts';
import { runUrlOf } from './run-url.ts';
import { take } from './take.ts';

/** A step that makes no pod: what it needs is all known but the pod. */
export type Attaching = Omit<Step, 'plan' | 'replan'>;

/** kubectl's own word for the container that is meant where none is named. */
const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';

/**
 * Follows a pod that is there: from the first line that its node still has to its end, as if this step had made it.
 * One that is not known to be this repository's, by its label and its UID, is followed and otherwise left alone.
 * @throws StepError when there is no such pod, or it cannot be followed to an outcome
 */
export async function attach(
  step: Attaching,
  { pod: name, uid, timeoutSeconds, base }: AttachInputs,
): Promise<Conclusion> {
  const { client, identity, log, stop, inputs } = step;
  const namespace = client.target.namespace;
  clearResultFile(inputs);
  const pod = await getPod(client, namespace, name, stop);
  if (pod === undefined || (uid !== undefined && pod.metadata?.uid !== uid)) throw notThere(namespace, name, uid, pod);
  const plan = planOf(pod, base, inputs);
  refuseWrongNames(inputs.logs, pod);
  const stranger = strange(pod, uid, identity);
  const ended = containerEnded(pod, plan.base);
  const url = runUrlOf(pod);
  log.line(
    `Attached to pod ${podPath(pod)}, ${ended ? 'which has ended' : 'which has not ended yet'}${url === undefined ? '' : `; made by ${url}`}. Its log is shown from the start.`,
  );
  if (restartPolicy(pod, plan.base) === 'Always' && timeoutSeconds === undefined)
    log.warning(
      'The pod does not end',
      `Container ${plan.base} of pod ${podPath(pod)} is started again whenever it ends (restartPolicy: Always), so this step ends only with the pod. attach_timeout_seconds would end it before.`,
    );
  if (stranger !== undefined) log.line(`It is followed, and not deleted: ${stranger}.`);
  const {
    logs: { file },
    workspace,
  } = inputs;
  const logFile = file === undefined ? undefined : new LogFile(file, workspace, log);
  const whole: Step = {
    ...step,
    ...(stranger !== undefined && { inputs: { ...inputs, onFinishAction: 'keep_pod', onKillAction: 'keep_pod' } }),
    ...(logFile && { logFile }),
    ...(timeoutSeconds !== undefined && { patience: patienceOf(timeoutSeconds) }),
    plan,
    replan: () => plan,
    origin: { kind: 'attached', ...(stranger !== undefined && { stranger }) },
  };
  // Of a stranger the post step has nothing to see to.
  if (stranger !== undefined) step.record.settle();
  try {
    return settled(await followPod(whole, take(whole, pod)));
  } finally {
    logFile?.close();
  }
}

/** How long the pod is followed, counted from here. */
function patienceOf(seconds: number): NonNullable<Step['patience']> {
  const end = new AbortController();
  setTimeout(() => end.abort(new Error(`${inWords(seconds)} are over`)), 1000 * seconds).unref();
  return { signal: end.signal, seconds };
}

/** @returns why the pod is not known to be this repository's; nothing where it is. */
function strange(pod: V1Pod, uid: string | undefined, { repositoryId, repository }: StepIdentity): string | undefined {
  if (uid === undefined) return 'pod_uid is not given, which proves that it is the pod that is meant';
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  // Not every runner tells the id (act does not).
  const [theirs, ours] =
    repositoryId === ''
      ? [annotations[REPOSITORY_ANNOTATION], repository]
      : [labels[REPOSITORY_ID_LABEL], repositoryId];
  if (ours === '' || theirs !== ours) return 'it has not been made by a workflow of this repository';
  return undefined;
}

function notThere(namespace: string, name: string, uid: string | undefined, pod: V1Pod | undefined): StepError {
  const remedy =
    'It may have been deleted, by a step that attached to it and was through with it, or after its expiry: `on_finish_action: keep_pod` keeps it for more than one. Check `namespace` and `cluster_context` too.';
  if (pod === undefined)
    return new StepError('PodNotFound', 'No such pod', `There is no pod ${namespace}/${name} to attach to.`, {
      remedy,
    });
  return new StepError(
    'PodNotFound',
    'Not the pod that is meant',
    `Pod ${namespace}/${name} is another one: its UID is ${pod.metadata?.uid}, and pod_uid says ${uid}.`,
    { remedy },
  );
}

/** What a plan would have been of this pod. What its variables hold is not repeated: nobody knows which of them are secrets. */
function planOf(
  pod: V1Pod,
  asked: string | undefined,
  { result, files: { download } }: Pick<Inputs, 'result' | 'files'>,
): PlacedPlan {
  const hasDownload = download !== undefined;
  const { name = '', namespace = '', annotations = {} } = pod.metadata ?? {};
  const containers = pod.spec?.containers ?? [];
  const words = [annotations[BASE_CONTAINER_ANNOTATION], annotations[DEFAULT_CONTAINER_ANNOTATION], BASE_CONTAINER];
  const [base = asked === undefined ? containers[0] : undefined] = (asked === undefined ? words : [asked]).flatMap(
    word => containers.find(one => one.name === word) ?? [],
  );
  if (base === undefined)
    throw new StepError(
      'InvalidInput',
      'No such container',
      `base_container_name: pod ${namespace}/${name} has no container "${asked}"; it has ${containers.map(one => one.name).join(', ')}.`,
    );
  const resultIn = channelOf(pod, base);
  const wantedBy = resultWantedBy(result);
  if (wantedBy !== undefined && resultIn === undefined)
    throw new StepError(
      'InvalidInput',
      'No result to be had',
      `${wantedBy} has nothing to read ${RESULT_PATH} from: container ${base.name} of pod ${namespace}/${name} has its termination message at ${base.terminationMessagePath}, and the pod has no sidecar for a result.`,
    );
  const unnamed = <T extends { env?: { value?: string }[] }>(container: T): T => ({
    ...container,
    ...(container.env && { env: container.env.filter(({ value }) => value === undefined) }),
  });
  if (hasDownload && heldWorkspace(pod) === undefined)
    throw new StepError(
      'InvalidInput',
      'No files to be had',
      `download: pod ${namespace}/${name} has no sidecar that holds its workspace: the step that makes the pod has to be given download, too.`,
    );
  const spec = pod.spec && {
    ...pod.spec,
    containers: containers.map(unnamed),
    ...(pod.spec.initContainers && { initContainers: pod.spec.initContainers.map(unnamed) }),
  };
  return {
    pod: { ...pod, ...(spec && { spec }) },
    base: base.name,
    name,
    namespace,
    secrets: [],
    ...(resultIn && result.mode !== 'none' && { resultIn }),
    originOf: path => path,
    sourceOf: () => 'the pod',
  };
}

/** @returns how a result gets out of a pod that somebody has made. */
function channelOf({ spec }: V1Pod, { terminationMessagePath }: V1Container): ResultChannel | undefined {
  if (spec?.initContainers?.some(isResultSidecar)) return 'sidecar';
  return terminationMessagePath === RESULT_PATH ? 'message' : undefined;
}
