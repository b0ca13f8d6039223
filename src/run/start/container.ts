import type { V1ContainerStateTerminated, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { withRemedy } from '../../github/failure.ts';
import type { PodEvent } from '../../kubernetes/events.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';
import { CHECKOUT_CONTAINER, UPLOAD_CONTAINER } from '../../pod/workspace.ts';
import { brief } from '../brief.ts';
import { isSidecar, willRestart } from '../containers.ts';
import { failureOf } from '../end/failure.ts';
import { NO_HELPER } from '../end/never-ran.ts';
import { notCheckedOut } from '../end/not-checked-out.ts';
import { podPath } from '../pod-path.ts';
import { CHECK_SIDECAR_IMAGE, NO_SIDECAR, sidecarPatch } from '../result/no-sidecar.ts';
import { missingIn } from './missing.ts';
import { imageField, stuckPull } from './pull.ts';
import { GRACE_SECONDS, hopeless, type Known, type Lasting, lacking, type Stuck } from './stuck.ts';

/**
 * A node looks again for what a container lacks every 10 to 15 s, and says so in an event [measured]. What came within the grace must have been looked for after it, so where no event tells, this much more is waited.
 */
const NEXT_LOOK_SECONDS = 16;

/** @returns what keeps a container from starting, where its status says that it cannot. */
export function stuckContainer(pod: V1Pod, status: V1ContainerStatus, known: Known): Stuck | undefined {
  const { name, image, state } = status;
  const { reason, message = '' } = state?.waiting ?? {};
  const sentence = `Container ${name} of pod ${podPath(pod)} cannot be created: ${brief(message).replace(/ \(pod: "[^"]*", container: [^)]*\)$/, '')}.`;
  const cause = `${reason} ${name}`;
  switch (reason) {
    case 'InvalidImageName':
      return hopeless({
        reason: 'ImagePull',
        title: 'Invalid image name',
        sentence: `${image} is not a valid image name${message ? `: ${brief(message).replace(/^.*couldn't parse image name "[^"]*": /s, '')}` : '.'}`,
        remedy: `Correct ${imageField(pod, name)}.`,
        graceSeconds: 0,
        cause,
      });
    case 'ErrImageNeverPull':
      return hopeless({
        reason: 'ImagePull',
        title: 'Image not on the node',
        sentence: `Image ${image} is not on node ${pod.spec?.nodeName}, and image_pull_policy is Never.`,
        remedy: 'Use another `image_pull_policy`, or load the image onto the node.',
        graceSeconds: 0,
        cause,
      });
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return stuckPull(pod, status, known);
    case 'CrashLoopBackOff':
    case 'RunContainerError':
      return crashing(pod, status, status.lastState?.terminated);
    case 'CreateContainerConfigError': {
      const missing = missingIn(message, known.references, pod);
      if (missing.length > 0) return lacking(missing, pod, containerGrace(name, message, known.events));
      const asRoot = /runAsNonRoot/.test(message);
      const subPath = /subPath/.test(message);
      return hopeless({
        reason: 'ContainerConfig',
        title: 'Container cannot be configured',
        sentence,
        ...(asRoot && { remedy: 'Set a `runAsUser` other than 0, or use an image whose user is not root.' }),
        ...(subPath && { remedy: 'Check the `subPath` in `volume_mounts`.' }),
        graceSeconds: asRoot ? 0 : GRACE_SECONDS,
        cause,
      });
    }
    case 'CreateContainerError':
      return hopeless({
        reason: 'ContainerConfig',
        title: 'Container cannot be created',
        sentence,
        graceSeconds: GRACE_SECONDS,
        cause,
      });
    default:
      return state?.terminated && willRestart(pod, name, state.terminated)
        ? crashing(pod, status, state.terminated)
        : undefined;
  }
}

/** So often a sidecar may fail before it counts as one that always will: after some 70 s. */
const MOST_RESTARTS = 3;

/** A container of the pod's that keeps ending before the step's own one may start: a sidecar, or an init container of a pod with restartPolicy OnFailure. */
function crashing(
  pod: V1Pod,
  { name, restartCount }: V1ContainerStatus,
  ended: V1ContainerStateTerminated | undefined,
): Stuck | undefined {
  if (ended === undefined) return undefined;
  const { reason, title, sentence } = failureOf(pod, name, ended);
  const sidecar = pod.spec?.initContainers?.some(container => container.name === name && isSidecar(container)) === true;
  const kind = sidecar ? 'sidecar' : 'init container';
  const cannotStart = reason === 'StartError';
  const lasting: Lasting = {
    reason: reason === 'ExitCode' ? 'InitContainer' : reason,
    title: `${sidecar ? 'Sidecar' : 'Init container'}: ${title}`,
    remedy: `The base container never started. ${remedyOfOurs(pod, name, ended) ?? (cannotStart ? 'Check its command against what the image holds.' : 'See to the container in `init_containers` or the template.')}`,
  };
  // A program that is not in the image will not be the next time.
  if (!cannotStart && !(sidecar && restartCount >= MOST_RESTARTS))
    return { what: `${kind} ${name} keeps ending, last with exit code ${ended.exitCode}`, worthTelling: true, lasting };
  const told = cannotStart ? sentence : withRemedy(sentence, `It has run ${restartCount + 1} times.`);
  return hopeless({ ...lasting, sentence: told, graceSeconds: 0, cause: `crashing ${name}` });
}

/** @returns what to do about a container that this action adds */
function remedyOfOurs(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): string | undefined {
  if (name === RESULT_SIDECAR) return remedyForSidecar(failureOf(pod, name, ended).sentence);
  if (name === UPLOAD_CONTAINER) return NO_HELPER;
  return name === CHECKOUT_CONTAINER ? notCheckedOut(pod, ended).remedy : undefined;
}

/** @param sentence of the node's, that says why the result's sidecar does not run */
function remedyForSidecar(sentence: string): string {
  return /cgroup|memory limit|OOM/i.test(sentence)
    ? `Give it other resources: ${sidecarPatch('{requests: {...}, limits: {...}}')}.`
    : CHECK_SIDECAR_IMAGE;
}

/** @returns the sidecar that runs and keeps the others waiting, because its startup probe has not succeeded (KEP-753). */
export function unreadySidecar({ spec, status }: V1Pod, { events = [] }: Known): Stuck | undefined {
  const unready = new Set(
    (status?.initContainerStatuses ?? [])
      .filter(({ state, started }) => state?.running !== undefined && started === false)
      .map(({ name }) => name),
  );
  const name = (spec?.initContainers ?? []).find(one => isSidecar(one) && unready.has(one.name))?.name;
  if (name === undefined) return undefined;
  const failed = events.findLast(({ reason, container }) => reason === 'Unhealthy' && container === name);
  return {
    what: `waiting for sidecar ${name} to have started${failed === undefined ? '' : `: ${brief(failed.message).replace(/[:.]$/, '')}`}`,
    worthTelling: true,
    lasting: {
      reason: 'InitContainer',
      title: 'A sidecar is not ready',
      remedy: 'See to its `startupProbe`, or to the sidecar in `init_containers` or the template.',
    },
  };
}

/** A node that knows no native sidecars (before 1.28, two versions behind its cluster) waits for its end: of an init container it does not say that it has started, which newer ones do with its first sign of life. */
const OLD_NODE_GRACE_SECONDS = 30;

/** @returns the result's sidecar where its node takes it for a container that has to end before the others start. */
export function sidecarOfOldNode({ spec, status }: V1Pod): Stuck | undefined {
  const own = status?.initContainerStatuses?.find(({ name }) => name === RESULT_SIDECAR);
  if (own?.state?.running === undefined || own.started !== undefined) return undefined;
  return hopeless({
    reason: 'Rejected',
    title: 'Node too old for a sidecar',
    sentence: `Node ${spec?.nodeName} does not know native sidecars, which Kubernetes has since 1.29, so the pod waits for the result’s sidecar to end.`,
    remedy: NO_SIDECAR,
    graceSeconds: OLD_NODE_GRACE_SECONDS,
    cause: 'old node',
  });
}

/** What is left of the grace when the kubelet has said of a container that it cannot be created: none once it has looked again after it. */
function containerGrace(container: string, message: string, events: readonly PodEvent[] = []): number {
  const said = events.findLast(event => event.container === container && event.message === `Error: ${message}`);
  const lookedForSeconds = said === undefined ? 0 : (said.lastMs - said.firstMs) / 1000;
  return lookedForSeconds >= GRACE_SECONDS ? 0 : GRACE_SECONDS + NEXT_LOOK_SECONDS;
}
