import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import type { Reason } from '../github/failure.ts';
import {
  containerEnded,
  containerStatus,
  failedInit,
  isUnknown,
  lastEnd,
  podEnded,
  terminated,
  willRestart,
} from './containers.ts';
import type { PodView } from './observe.ts';
import { pullFault } from './pull-fault.ts';
import { type Stop, stopOf, whyGone } from './stopped.ts';

/** How the step ended. */
export interface Outcome {
  state: 'succeeded' | 'failed';
  /** Why it failed. */
  reason?: Reason;
  /** Title, sentence and remedy of the failure. */
  title?: string;
  sentence?: string;
  remedy?: string;
  /** Of the base container, where it ran. */
  ended?: V1ContainerStateTerminated;
}

/**
 * What the pod's state means for the step. The base container's own state decides; the pod's phase never makes a success (injected sidecars keep it Running, and what was not observed is not known).
 * @returns `undefined` while the end is not known
 */
export function outcomeOf({ pod, gone }: PodView, base: string): Outcome | undefined {
  const ended = terminated(pod, base);
  const last = lastEnd(pod, base);
  if (ended !== undefined && last === undefined) {
    if (ended.exitCode === 0 && !isUnknown(ended) && wasStoppedBy(stopOf(pod), ended) === undefined)
      return { state: 'succeeded', ended };
    if (!gone && willRestart(pod, base, ended) && !cannotStart(ended)) return undefined;
    return { state: 'failed', ...(!isUnknown(ended) && { ended }), ...failureOf(pod, base, ended) };
  }
  if (last !== undefined && (podEnded(pod) || gone))
    return { state: 'failed', ended: last, ...betweenRuns(pod, base, last) };
  // Tried again it is not found again.
  if (last !== undefined && cannotStart(last)) return { state: 'failed', ended: last, ...failureOf(pod, base, last) };
  if (containerEnded(pod, base)) return { state: 'failed', ...neverRan(pod) };
  if (gone) return { state: 'failed', ...away(pod, base) };
  return undefined;
}

/**
 * @returns what the container ended of, where it ended because it was told to: many a program exits with 0 then, with its work half done. One that had ended before its pod was told to stop has not been stopped.
 */
function wasStoppedBy(stop: Stop | undefined, { exitCode, finishedAt }: V1ContainerStateTerminated): Stop | undefined {
  // A container that the kubelet could not find has null for it.
  if (stop === undefined || !finishedAt) return stop;
  const afterMs = new Date(finishedAt).getTime() - stop.sinceMs;
  // In the same second, of which nobody knows which came first, a code of its own is the container's own.
  return afterMs > 0 || (afterMs === 0 && [0, 137, 143].includes(exitCode)) ? stop : undefined;
}

function cannotStart({ reason }: V1ContainerStateTerminated): boolean {
  return reason === 'StartError' || reason === 'ContainerCannotRun';
}

export type Failure = { reason: Reason; title: string; sentence: string; remedy?: string };

/** @returns why a container's end is a failure. */
export function failureOf(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): Failure {
  const { exitCode } = ended;
  const after = duration(ended);
  const where = `Container ${name} of pod ${podPath(pod)}`;
  if (ended.reason === 'OOMKilled') return outOfMemory(pod, name, where, ended);
  if (cannotStart(ended)) {
    const why = startFault(ended.message ?? 'the node does not say why');
    return {
      reason: 'StartError',
      title: 'The command cannot be started',
      sentence: `${where} could not be started (${ended.reason}, exit code ${exitCode}): ${why}`,
      remedy: /chdir|mkdir|container init/.test(why)
        ? 'Check `working_dir` and `volume_mounts` against what the image holds.'
        : 'Check `cmds` and `arguments` against what the image holds.',
    };
  }
  const stop = wasStoppedBy(stopOf(pod), ended);
  if (stop !== undefined)
    return stopped(
      stop,
      isUnknown(ended)
        ? `${where} is not known to have run when the pod was told to stop`
        : `${where} was stopped${after} (exit code ${exitCode})`,
    );
  if (isUnknown(ended)) {
    return {
      reason: 'NodeLost',
      title: 'Container lost',
      sentence: `${where} got lost on its node ${pod.spec?.nodeName ?? ''}; what became of it is not known.`,
      remedy:
        'The node may have been restarted. What the container did until then is not undone: see to it before the step is run again.',
    };
  }
  const convention = SHELL_CODES[exitCode];
  return {
    reason: 'ExitCode',
    title: `Exit code ${exitCode}`,
    sentence: `${where} exited with code ${exitCode}${signalName(exitCode)}${after}.`,
    ...(convention !== undefined && { remedy: `By a shell’s convention that is ${convention}: its log says which.` }),
  };
}

/** @returns what runc says, without the names of those who passed it on. */
function startFault(message: string): string {
  return message
    .trim()
    .replace(/^.*unable to start container process: /s, '')
    .replace(/: unknown$/, '');
}

function stopped({ reason, title, cause, remedy }: Stop, what: string): Failure {
  return { reason, title, sentence: `${what}: ${cause}`, ...(remedy !== undefined && { remedy }) };
}

function outOfMemory(pod: V1Pod, name: string, where: string, ended: V1ContainerStateTerminated): Failure {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  const own = [...containers, ...initContainers].find(container => container.name === name)?.resources?.limits?.[
    'memory'
  ];
  const limit = own ?? resources?.limits?.['memory'];
  const killed = `${where} was killed${duration(ended)}`;
  const facts = `(OOMKilled, exit code ${ended.exitCode})`;
  return limit
    ? {
        reason: 'OOMKilled',
        title: 'Out of memory',
        sentence: `${killed} for exceeding ${own ? 'its' : 'the pod’s'} memory limit of ${limit} ${facts}.`,
        remedy: own ? 'Raise `container_resources.limits.memory`.' : 'Raise the limit in the `resources` of the pod.',
      }
    : {
        reason: 'OOMKilled',
        title: 'Out of memory',
        sentence: `${killed} because its node ran out of memory ${facts}.`,
        remedy: 'Give `container_resources` a memory request and limit.',
      };
}

/** A container that failed and was to be started again, when its pod came to an end. */
function betweenRuns(pod: V1Pod, base: string, last: V1ContainerStateTerminated): Failure {
  const what = `Container ${base} of pod ${podPath(pod)} had exited with code ${last.exitCode}${signalName(last.exitCode)}, and waited to be started again`;
  return stopped(patience(whyGone(pod), 'See why it fails'), what);
}

/** @returns the same; of a deadline, with what to do before it is raised */
function patience(stop: Stop, first: string): Stop {
  return stop.reason === 'DeadlineExceeded'
    ? { ...stop, remedy: `${first}, or raise \`active_deadline_seconds\`.` }
    : stop;
}

/** The pod is over, and its base container never ran. */
function neverRan(pod: V1Pod): Failure {
  const { reason, message } = pod.status ?? {};
  const before = `Pod ${podPath(pod)} ended before its container had run`;
  const init = failedInit(pod);
  const stop = stopOf(pod);
  if (stop !== undefined && stop.reason !== 'PodDeleted') {
    const why = heldUp(pod);
    return stopped(why === '' ? stop : patience(stop, 'See to that'), `${before}${why}`);
  }
  if (init !== undefined) return initFailed(pod, init.name, init.ended);
  // The kubelet deletes what it has refused, as anybody might.
  if (reason === undefined && stop !== undefined) return stopped(stop, before);
  return {
    reason: reason === 'Preempting' ? 'Preempted' : 'Rejected',
    title: 'Rejected by the node',
    sentence: `Node ${pod.spec?.nodeName ?? ''} refused pod ${podPath(pod)} (${reason ?? 'no reason given'})${message ? `: ${message.replace(/^Pod was rejected: /, '')}` : '.'}`,
    remedy: `Nothing has run. ${wayIn(pod)}`,
  };
}

/** What to do about a pod that its node has refused, by the kubelet's reason (Kubernetes 1.36). */
function wayIn({ spec, status }: V1Pod): string {
  const { reason = '', conditions = [] } = status ?? {};
  // The scheduler says of its own choice that it is one; then another pod has come first, and it may choose better next time.
  if (conditions.some(({ type }) => type === 'PodScheduled')) return 'Run the step again.';
  const elsewhere = 'or leave the choice of the node to the scheduler.';
  if (reason === 'OutOfpods') return `Run the step again later, ${elsewhere}`;
  if (reason.startsWith('OutOf')) return `Lower the requests in \`container_resources\`, ${elsewhere}`;
  if (reason === 'NodeAffinity') return `Check \`node_selector\` and \`affinity\` against that node, ${elsewhere}`;
  if (reason === 'SysctlForbidden') return 'Leave it out of `security_context`, or use a node that allows it.';
  return spec?.nodeName === undefined ? 'Run the step again.' : `Run the step again, ${elsewhere}`;
}

/** @returns what a container of the pod was waiting for, as far as its status says so. */
function heldUp({ status }: V1Pod): string {
  for (const { name, image, state } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const { reason = '', message } = state?.waiting ?? {};
    if (message === undefined) continue;
    return /^(ErrImagePull|ImagePullBackOff)$/.test(reason)
      ? ` (image ${image} could not be pulled: ${pullFault(message)})`
      : ` (container ${name} was waiting, ${reason}: ${message})`;
  }
  return '';
}

/** An init container that fails ends the pod before its base container starts. */
function initFailed(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): Failure {
  const { reason, title, sentence } = failureOf(pod, name, ended);
  const words = ended.message?.trim();
  return {
    reason: reason === 'ExitCode' ? 'InitContainer' : reason,
    title: `Init container: ${title}`,
    sentence: `Init ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}${words && reason !== 'StartError' ? ` Its last words: ${words}` : ''}`,
    remedy: 'The base container never started. See to the container in `init_containers` or the template.',
  };
}

function away(pod: V1Pod, base: string): Failure {
  const why = whyGone(pod);
  const running = containerStatus(pod, base)?.state?.running !== undefined;
  if (why.reason === 'NodeLost' && running)
    return {
      ...lostWithNode(pod, base, 'is not in the cluster any more, or out of its reach'),
      remedy: 'Run the step again where that does no harm.',
    };
  const what = `Pod ${podPath(pod)} is gone, ${running ? `and container ${base} was running when it was last seen` : `before container ${base} had started`}`;
  return stopped(why, what);
}

/** @param how of the node: why nobody knows */
export function lostWithNode(pod: V1Pod, base: string, how: string): Failure {
  return {
    reason: 'NodeLost',
    title: 'Node lost',
    sentence: `Container ${base} of pod ${podPath(pod)} got lost with its node ${pod.spec?.nodeName ?? ''}, which ${how}. What became of it is not known.`,
  };
}

/** `namespace/name`, as kubectl writes it. */
export function podPath(pod: V1Pod): string {
  return `${pod.metadata?.namespace}/${pod.metadata?.name}`;
}

/** @returns ` after 4 s`, or nothing where it took less than one, or the times are not known (a start error's are 1970). */
export function duration({ startedAt, finishedAt }: V1ContainerStateTerminated): string {
  const seconds = secondsBetween(startedAt, finishedAt);
  return seconds ? ` after ${seconds} s` : '';
}

/** @returns whole seconds, as the API's times have them. */
export function secondsBetween(start: Date | string | undefined, end: Date | string | undefined): number | undefined {
  if (start === undefined || end === undefined) return undefined;
  const [from, to] = [new Date(start).getTime(), new Date(end).getTime()];
  return from > 0 && to >= from ? Math.round((to - from) / 1000) : undefined;
}

const SHELL_CODES: Record<number, string> = {
  126: 'a command that it may not execute',
  127: 'a command that it did not find',
};

const SIGNALS: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
  24: 'SIGXCPU',
};

/** By the shell's convention 128+n is signal n. */
function signalName(exitCode: number): string {
  const name = SIGNALS[exitCode - 128];
  return name === undefined ? '' : ` (${name})`;
}
