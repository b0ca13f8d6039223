import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { type Reason, StepError } from '../github/failure.ts';
import { containerEnded, containerStarted } from './containers.ts';
import type { ObservedPod } from './observe.ts';
import { podPath } from './outcome.ts';

/** Time for a node to be found: a pool that scales up from nothing takes minutes. */
export const SCHEDULE_TIMEOUT_SECONDS = 600;
/** Time from there to the container's start: pulling large images takes minutes. */
export const STARTUP_TIMEOUT_SECONDS = 600;
/** What is missing may be on its way, or made by a neighbouring step. */
const GRACE_SECONDS = 15;

/** A mount that fails shows in events alone, which the Role need not allow to read: after this long the log says where to look. */
const REMINDER_SECONDS = 30;

/** What a pod that has not started is waiting for. */
export interface Waiting {
  phase: 'scheduling' | 'starting';
  /** For the log, e.g. `waiting for a node: 0/3 nodes are available: 3 Insufficient memory.` */
  what: string;
  /** Whether the log should say so: a pod that starts at once needs no line about it. */
  worthTelling: boolean;
  /** Set when waiting longer will not help, or only for a short grace. */
  hopeless?: { reason: Reason; title: string; sentence: string; remedy?: string; graceSeconds: number };
}

/** Registries' words for "never": the rest (rate limits, time-outs, 5xx) may pass. */
const NO_SUCH_IMAGE =
  /not found|manifest unknown|name unknown|repository does not exist|no such image|denied|unauthorized|forbidden|authentication required|authorization failed|\b40[134]\b/i;

/** @returns what the pod waits for; `undefined` once the base container has started, or never will. */
export function waitingFor(pod: V1Pod, base: string): Waiting | undefined {
  if (containerStarted(pod, base) || containerEnded(pod, base)) return undefined;
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'True') {
    const message = scheduled?.message;
    return {
      phase: 'scheduling',
      what: message ? `waiting for a node: ${message}` : 'waiting for a node',
      worthTelling: message !== undefined,
    };
  }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const stuck = stuckContainer(pod, status);
    if (stuck) return { phase: 'starting', ...stuck };
  }
  return { phase: 'starting', what: `starting on node ${pod.spec?.nodeName ?? ''}`, worthTelling: false };
}

function stuckContainer(pod: V1Pod, { name, image, state }: V1ContainerStatus): Omit<Waiting, 'phase'> | undefined {
  const { reason, message = '' } = state?.waiting ?? {};
  const where = `container ${name} of pod ${podPath(pod)}`;
  switch (reason) {
    case 'InvalidImageName':
      return hopeless(
        'ImagePull',
        'Invalid image name',
        `${image} is not a valid image name${message ? `: ${message}` : '.'}`,
        'Correct `image`.',
        0,
      );
    case 'ErrImageNeverPull':
      return hopeless(
        'ImagePull',
        'Image not on the node',
        `Image ${image} is not on node ${pod.spec?.nodeName}, and image_pull_policy is Never.`,
        'Use another `image_pull_policy`, or load the image onto the node.',
        0,
      );
    case 'ErrImagePull':
    case 'ImagePullBackOff': {
      const what = `pulling ${image} fails: ${message}`;
      // The message quotes the image, whose name may hold any word.
      if (!NO_SUCH_IMAGE.test(message.replaceAll(image, ''))) return { what, worthTelling: true };
      const remedy = 'Check `image`; a private registry needs an image pull secret on the pod’s service account.';
      return hopeless('ImagePull', 'Image cannot be pulled', `Image ${image} cannot be pulled: ${message}`, remedy, 0);
    }
    case 'CreateContainerConfigError':
      return hopeless(
        'ContainerConfig',
        'Container cannot be configured',
        `${capital(where)} cannot be created: ${message}.`,
        missingRemedy(message, pod),
        GRACE_SECONDS,
      );
    case 'CreateContainerError':
      return hopeless(
        'ContainerConfig',
        'Container cannot be created',
        `${capital(where)} cannot be created: ${message}.`,
        undefined,
        GRACE_SECONDS,
      );
    default:
      return undefined;
  }
}

function hopeless(
  reason: Reason,
  title: string,
  sentence: string,
  remedy: string | undefined,
  graceSeconds: number,
): Omit<Waiting, 'phase'> {
  return {
    what: sentence,
    worthTelling: true,
    hopeless: { reason, title, sentence, ...(remedy && { remedy }), graceSeconds },
  };
}

function missingRemedy(message: string, pod: V1Pod): string | undefined {
  const secret = /secret "([^"]+)" not found/.exec(message)?.[1];
  if (secret)
    return `Create it (kubectl -n ${pod.metadata?.namespace} create secret generic ${secret} --from-literal=KEY=VALUE), or correct \`secrets\`.`;
  if (/couldn't find key/i.test(message))
    return 'Add the key, or correct the input that names it (`secrets`, `env_vars`).';
  return /configmap "[^"]+" not found/.test(message)
    ? 'Create it, or correct the input that names it (`env_vars`).'
    : undefined;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Waits until the base container has started, or the pod has ended without.
 * @param tell is called with each change of what the pod waits for, not at intervals
 * @throws StepError when it cannot start, or does not in time
 */
export async function waitForStart(
  pod: ObservedPod,
  base: string,
  tell: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const timeout = new AbortController();
  const told = new Set<string>();
  let waiting: Waiting | undefined;
  let phaseEnds = 0;
  let timer: NodeJS.Timeout | undefined;
  const giveUpAt = (at: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => waiting && timeout.abort(notStarted(pod.view.pod, waiting)), at - performance.now());
  };
  const look = (now: Waiting) => {
    const before = waiting;
    waiting = now;
    if (now.hopeless?.graceSeconds === 0) throw notStarted(pod.view.pod, now);
    if (before?.phase !== now.phase)
      phaseEnds =
        performance.now() + 1000 * (now.phase === 'scheduling' ? SCHEDULE_TIMEOUT_SECONDS : STARTUP_TIMEOUT_SECONDS);
    if (before?.phase !== now.phase || before.hopeless?.title !== now.hopeless?.title) {
      giveUpAt(now.hopeless ? Math.min(phaseEnds, performance.now() + 1000 * now.hopeless.graceSeconds) : phaseEnds);
    }
    if (now.worthTelling && !told.has(now.what)) {
      told.add(now.what);
      tell(now.what);
    }
  };
  const reminder = setTimeout(() => {
    const { namespace, name } = pod.view.pod.metadata ?? {};
    tell(
      `Not started after ${REMINDER_SECONDS} s${waiting ? `: ${waiting.what}` : ''}. What the cluster says of it: kubectl -n ${namespace} describe pod ${name}`,
    );
  }, 1000 * REMINDER_SECONDS);
  try {
    await pod.until(
      view => {
        const now = view.gone ? undefined : waitingFor(view.pod, base);
        if (now === undefined) return true;
        look(now);
        return undefined;
      },
      AbortSignal.any([signal, timeout.signal]),
    );
  } finally {
    clearTimeout(reminder);
    clearTimeout(timer);
  }
}

function notStarted(pod: V1Pod, { phase, what, hopeless }: Waiting): StepError {
  if (hopeless)
    return new StepError(
      hopeless.reason,
      hopeless.title,
      hopeless.sentence,
      hopeless.remedy === undefined ? {} : { remedy: hopeless.remedy },
    );
  if (phase === 'scheduling') {
    return new StepError(
      'Unschedulable',
      'No node took the pod',
      `No node took pod ${podPath(pod)} within ${SCHEDULE_TIMEOUT_SECONDS} s; last: ${what}`,
      {
        remedy: 'Lower `container_resources`, or add nodes.',
      },
    );
  }
  return new StepError(
    'StartTimeout',
    'The container did not start',
    `The container of pod ${podPath(pod)} did not start within ${STARTUP_TIMEOUT_SECONDS} s; last: ${what}`,
  );
}
