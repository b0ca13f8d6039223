import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { type Reason, withRemedy } from '../github/failure.ts';
import type { PodEvent } from '../kubernetes/events.ts';
import type { Reference } from '../pod/references.ts';
import { containerEnded, containerStarted } from './containers.ts';
import { causeOf, explainMissing, type Missing, missingIn, missingPullSecrets, missingSentence } from './missing.ts';
import { podPath } from './outcome.ts';
import { gatesOf, whyNoNode } from './scheduling.ts';

/** What is missing may be on its way, or made by a neighbouring step. */
export const GRACE_SECONDS = 15;
/**
 * A node looks again for what a container lacks every 10 to 15 s, and says so in an event [measured]. What came within the grace must have been looked for after it, so where no event tells, this much more is waited.
 */
const NEXT_LOOK_SECONDS = 16;
/** For a volume's files the kubelet looks 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s after the first time [measured]: by then without fail. */
const VOLUME_GRACE_SECONDS = 40;
/** A refused pull is tried again after 10 to 25 s, and its outcome stands in the pod's status up to 15 s later [measured]. */
const SECOND_PULL_SECONDS = 40;

/** What a pod that has not started is waiting for. */
export interface Waiting {
  /** `queued` while scheduling gates hold it, `initializing` while an init container runs, for as long as it likes. */
  phase: 'queued' | 'scheduling' | 'initializing' | 'starting';
  /** For the log, e.g. `waiting for a node: 0/3 nodes are available: 3 Insufficient memory.` */
  what: string;
  /** The cluster's own account of it, where there is one. */
  why?: string;
  /** Whether the log should say so: a pod that starts at once needs no line about it. */
  worthTelling: boolean;
  /** Set when waiting longer will not help, or only for a short grace. */
  hopeless?: Hopeless;
}

export interface Hopeless {
  reason: Reason;
  title: string;
  sentence: string;
  remedy?: string;
  /** How long it may stand, counted from when this very cause was first seen. */
  graceSeconds: number;
  /** What stays the same while the words of it change. */
  cause: string;
  /** Whether the pod's events, not read so far, could add to the sentence. */
  wantsEvents?: boolean;
}

/** What is known beside the pod itself. */
export interface Known {
  /** All that the plan asks for. */
  references: readonly Reference[];
  /** As last read, newest last. */
  events?: readonly PodEvent[];
  /** Whether the action itself makes a pull secret, right after the pod: the first pull may have come before it. */
  ownPullSecret?: boolean;
  /** The containers whose image was refused more than once. */
  refusedAgain?: ReadonlySet<string>;
}

/** Registries' words for "never": the rest (rate limits, time-outs, 5xx) may pass. */
const NO_SUCH_IMAGE = /not found|manifest unknown|name unknown|repository does not exist|no such image|\b404\b/i;
/** And for "not for you". */
const REFUSED =
  /denied|unauthorized|forbidden|authentication required|authorization failed|insufficient_scope|no basic auth|\b40[13]\b/i;

/** @returns what the pod waits for; `undefined` once the base container has started, or never will. */
export function waitingFor(pod: V1Pod, base: string, known: Known = { references: [] }): Waiting | undefined {
  if (containerStarted(pod, base) || containerEnded(pod, base)) return undefined;
  const gates = gatesOf(pod);
  if (gates.length > 0)
    return { phase: 'queued', what: `held by scheduling gate ${gates.join(', ')}`, worthTelling: true };
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'True') {
    const message = scheduled?.message;
    const missing = missingIn(message ?? '', known.references, pod);
    const why = whyNoNode(pod, message, known.events);
    return {
      phase: 'scheduling',
      what: `waiting for a node${why && `: ${why}`}`,
      why,
      worthTelling: message !== undefined,
      // The scheduler looks as soon as a claim is made.
      ...(missing.length > 0 && lacking(missing, pod, GRACE_SECONDS)),
    };
  }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const stuck = stuckContainer(pod, status, known);
    if (stuck) return { phase: 'starting', ...stuck };
  }
  const initializing = (pod.spec?.initContainers ?? []).find(
    ({ name, restartPolicy }) =>
      restartPolicy !== 'Always' && statuses.some(status => status.name === name && status.state?.running),
  );
  if (initializing)
    return { phase: 'initializing', what: `init container ${initializing.name} runs`, worthTelling: true };
  return { phase: 'starting', ...onTheNode(pod, known) };
}

type Stuck = Omit<Waiting, 'phase'>;

function stuckContainer(pod: V1Pod, status: V1ContainerStatus, known: Known): Stuck | undefined {
  const { name, image, state } = status;
  const { reason, message = '' } = state?.waiting ?? {};
  const sentence = `Container ${name} of pod ${podPath(pod)} cannot be created: ${message}.`;
  const cause = `${reason} ${name}`;
  switch (reason) {
    case 'InvalidImageName':
      return hopeless({
        reason: 'ImagePull',
        title: 'Invalid image name',
        sentence: `${image} is not a valid image name${message ? `: ${message}` : '.'}`,
        remedy: 'Correct `image`.',
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
      return stuckPull(pod, status, message, known);
    case 'CreateContainerConfigError': {
      const missing = missingIn(message, known.references, pod);
      if (missing.length > 0) return lacking(missing, pod, containerGrace(name, message, known.events));
      const asRoot = /runAsNonRoot/.test(message);
      return hopeless({
        reason: 'ContainerConfig',
        title: 'Container cannot be configured',
        sentence,
        ...(asRoot && { remedy: 'Set a `runAsUser` other than 0, or use an image whose user is not root.' }),
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
      return undefined;
  }
}

function stuckPull(pod: V1Pod, { name, image }: V1ContainerStatus, message: string, known: Known): Stuck {
  // The message quotes the image, whose name may hold any word.
  const words = message.replaceAll(image, '');
  const refused = REFUSED.test(words);
  const hints = pullSecretsMissing(pod, known);
  const hint = hints.map(missing => ` ${missingSentence(missing, pod.metadata?.namespace ?? '')}`).join('');
  const failure = `Image ${image} cannot be pulled: ${message}`;
  const sentence = hint === '' ? failure : withRemedy(failure, hint.trim());
  if (!refused && !NO_SUCH_IMAGE.test(words))
    return { what: `pulling ${image} fails: ${message}${hint}`, worthTelling: true };
  const mayHaveComeTooLate = refused && known.ownPullSecret === true && known.refusedAgain?.has(name) !== true;
  const stuck = hopeless({
    reason: 'ImagePull',
    title: 'Image cannot be pulled',
    sentence,
    remedy:
      explainMissing(hints, pod.metadata?.namespace ?? '')?.remedy ??
      (known.ownPullSecret
        ? 'Check `image`, `registry_username` and `registry_password`.'
        : 'Check `image`; a private registry needs `registry_username` and `registry_password`, or an image pull secret in `image_pull_secrets` or on the pod’s service account.'),
    graceSeconds: mayHaveComeTooLate ? SECOND_PULL_SECONDS : 0,
    cause: `pull ${name}`,
    wantsEvents: known.events === undefined && (pod.spec?.imagePullSecrets ?? []).length > 0,
  });
  return mayHaveComeTooLate
    ? { ...stuck, what: `the first pull of ${image} was refused; the node tries again, with the pull secret` }
    : stuck;
}

/** The kubelet says so just before each pull; what it said before an earlier one may have been made since. */
function pullSecretsMissing(pod: V1Pod, { events = [], references }: Known): Missing[] {
  const pulling = events.findLast(({ reason }) => reason === 'Pulling')?.lastMs ?? 0;
  const said = events.findLast(({ reason }) => reason === 'FailedToRetrieveImagePullSecret');
  return said === undefined || said.lastMs < pulling - SAME_TIME_MS
    ? []
    : missingPullSecrets(said.message, references, pod);
}

/** Events of one moment may differ by this much, with whole seconds. */
const SAME_TIME_MS = 2000;

/** What goes on between the scheduler and the containers shows in events alone. */
function onTheNode(pod: V1Pod, { events = [], references }: Known): Stuck {
  const where = `starting on node ${pod.spec?.nodeName ?? ''}`;
  const news = events.findLast(({ reason }) => TELLING.has(reason));
  if (news === undefined) return { what: where, worthTelling: false };
  const failed = unmounted(pod, events);
  const missing = failed.flatMap(({ message }) =>
    missingIn(message, references, pod, /volume "([^"]+)"/.exec(message)?.[1]),
  );
  if (missing.length > 0) {
    const lookedForSeconds = Math.max(...failed.map(({ firstMs, lastMs }) => (lastMs - firstMs) / 1000));
    return lacking(missing, pod, lookedForSeconds >= GRACE_SECONDS ? 0 : VOLUME_GRACE_SECONDS);
  }
  return { what: `${where}: ${news.message}`, worthTelling: true };
}

/** Events that say what a node is at, or why it does not get on. */
const TELLING = new Set([
  'FailedMount',
  'FailedAttachVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
  'NetworkNotReady',
  'Pulling',
]);

/** @returns the mounts that fail as of now. A container is dealt with, and its image pulled, only after the last volume is mounted. */
function unmounted(pod: V1Pod, events: readonly PodEvent[]): PodEvent[] {
  const failed = events.filter(({ reason }) => reason === 'FailedMount');
  const latest = failed.at(-1)?.lastMs ?? 0;
  const sandbox = pod.status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  const over = sandbox?.status === 'True' || events.some(event => event.container && event.lastMs >= latest);
  return over ? [] : failed.filter(({ lastMs }) => lastMs >= latest - SAME_TIME_MS);
}

/** What is left of the grace when the kubelet has said of a container that it cannot be created: none once it has looked again after it. */
function containerGrace(container: string, message: string, events: readonly PodEvent[] = []): number {
  const said = events.findLast(event => event.container === container && event.message === `Error: ${message}`);
  const lookedForSeconds = said === undefined ? 0 : (said.lastMs - said.firstMs) / 1000;
  return lookedForSeconds >= GRACE_SECONDS ? 0 : GRACE_SECONDS + NEXT_LOOK_SECONDS;
}

function lacking(missing: Missing[], pod: V1Pod, graceSeconds: number): Stuck {
  const { title = '', sentence = '', remedy = '' } = explainMissing(missing, pod.metadata?.namespace ?? '') ?? {};
  const cause = missing.map(causeOf).join(', ');
  const stuck = hopeless({ reason: 'ContainerConfig', title, sentence, remedy, graceSeconds, cause });
  return graceSeconds > 0 ? { ...stuck, what: `${sentence} Waiting for it.` } : stuck;
}

function hopeless(why: Hopeless): Stuck & { hopeless: Hopeless } {
  return { what: why.sentence, worthTelling: true, hopeless: why };
}
