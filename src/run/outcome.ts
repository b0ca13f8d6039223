import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import type { Reason } from '../github/failure.ts';
import { containerEnded, containerStatus, failedInit, terminated, willRestart } from './containers.ts';
import type { PodView } from './observe.ts';

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
  if (ended?.exitCode === 0 && ended.reason !== 'ContainerStatusUnknown' && !wasStopped(pod, ended))
    return { state: 'succeeded', ended };
  if (ended !== undefined && !gone && willRestart(pod, base, ended)) return undefined;
  if (ended !== undefined) return { state: 'failed', ended, ...failureOf(pod, base, ended) };
  if (containerEnded(pod, base)) return { state: 'failed', ...neverRan(pod) };
  if (gone) return { state: 'failed', ...deleted(pod, base) };
  return undefined;
}

/**
 * Whether the container ended because it was told to: many a program exits with 0 then, with its work half done. One that had ended before its pod was deleted has not been stopped.
 */
function wasStopped(pod: V1Pod, ended: V1ContainerStateTerminated): boolean {
  const stop = stopTime(pod);
  if (stop === undefined) return false;
  return ended.finishedAt === undefined || new Date(ended.finishedAt).getTime() >= stop;
}

/** When the pod was told to stop, in ms since the epoch, as exactly as the API's whole seconds have it; 0 where only that it was is known. */
function stopTime(pod: V1Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata ?? {};
  const { reason, startTime, conditions = [] } = pod.status ?? {};
  // The timestamp says when the grace will be over.
  if (deletionTimestamp) return new Date(deletionTimestamp).getTime() - 1000 * deletionGracePeriodSeconds;
  if (reason === 'DeadlineExceeded')
    return new Date(startTime ?? 0).getTime() + 1000 * (pod.spec?.activeDeadlineSeconds ?? 0);
  if (reason === 'Evicted')
    return new Date(conditions.find(({ type }) => type === 'DisruptionTarget')?.lastTransitionTime ?? 0).getTime();
  return undefined;
}

export type Failure = { reason: Reason; title: string; sentence: string; remedy?: string };

/** @returns why a container's end is a failure. */
export function failureOf(pod: V1Pod, base: string, ended: V1ContainerStateTerminated): Failure {
  const { exitCode } = ended;
  const after = duration(ended);
  const where = `Container ${base} of pod ${podPath(pod)}`;
  if (pod.status?.reason === 'DeadlineExceeded') {
    return {
      reason: 'DeadlineExceeded',
      title: 'Deadline exceeded',
      sentence: `${where} was stopped${after}: the pod ran into its active_deadline_seconds of ${pod.spec?.activeDeadlineSeconds} s (exit code ${exitCode}).`,
      remedy: 'Raise `active_deadline_seconds`, or make the work shorter.',
    };
  }
  if (pod.status?.reason === 'Evicted') return evicted(pod, where);
  if (ended.reason === 'OOMKilled') {
    const { containers = [], initContainers = [] } = pod.spec ?? {};
    const limit = [...containers, ...initContainers].find(({ name }) => name === base)?.resources?.limits?.['memory'];
    return {
      reason: 'OOMKilled',
      title: 'Out of memory',
      sentence: limit
        ? `${where} was killed${after} for exceeding its memory limit of ${limit} (OOMKilled, exit code ${exitCode}).`
        : `${where} was killed${after} because its node ran out of memory (OOMKilled, exit code ${exitCode}).`,
      remedy: limit
        ? 'Raise `container_resources.limits.memory`.'
        : 'Give `container_resources` a memory request and limit.',
    };
  }
  if (ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun') {
    return {
      reason: 'StartError',
      title: 'The command cannot be started',
      sentence: `${where} could not be started (${ended.reason}, exit code ${exitCode}): ${(ended.message ?? 'the node does not say why').trim()}`,
      remedy: 'Check `cmds` and `arguments` against what the image holds.',
    };
  }
  if (ended.reason === 'ContainerStatusUnknown') {
    return {
      reason: 'Lost',
      title: 'Container lost',
      sentence: `${where} got lost on its node; what became of it is not known.`,
    };
  }
  if (pod.metadata?.deletionTimestamp && (exitCode === 137 || exitCode === 143 || exitCode === 0)) {
    return {
      reason: 'PodDeleted',
      title: 'Pod deleted',
      sentence: `${where} was stopped${after} (exit code ${exitCode}): somebody or something else deleted the pod.`,
    };
  }
  return {
    reason: 'ExitCode',
    title: `Exit code ${exitCode}`,
    sentence: `${where} exited with code ${exitCode}${signalName(exitCode)}${after}.`,
  };
}

function neverRan(pod: V1Pod): Failure {
  const { reason, message } = pod.status ?? {};
  const why = message ? `: ${message}` : '.';
  if (reason === 'DeadlineExceeded') {
    return {
      reason: 'DeadlineExceeded',
      title: 'Deadline exceeded',
      sentence: `Pod ${podPath(pod)} ran into its active_deadline_seconds of ${pod.spec?.activeDeadlineSeconds} s before its container had run.`,
      remedy: 'Raise `active_deadline_seconds`.',
    };
  }
  if (reason === 'Evicted') return evicted(pod, `Pod ${podPath(pod)}`);
  const init = failedInit(pod);
  if (init !== undefined) return initFailed(pod, init.name, init.ended);
  return {
    reason: 'Rejected',
    title: reason ?? 'Pod failed',
    sentence: `Pod ${podPath(pod)} failed before its container ran (${reason ?? 'no reason given'})${why}`,
  };
}

/** An init container that fails ends the pod before its base container starts. */
function initFailed(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): Failure {
  const { reason, title, sentence } = failureOf(pod, name, ended);
  const words = ended.message?.trim();
  return {
    reason,
    title: `Init container: ${title}`,
    sentence: `Init ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}${words && reason !== 'StartError' ? ` Its last words: ${words}` : ''}`,
    remedy: 'The base container never started. See to the container in `init_containers` or the template.',
  };
}

function evicted(pod: V1Pod, where: string): Failure {
  const { qosClass } = pod.status ?? {};
  return {
    reason: 'Evicted',
    title: 'Evicted',
    sentence: `${where}${qosClass ? `, of QoS class ${qosClass},` : ''} was evicted by its node ${pod.spec?.nodeName ?? ''}: ${(pod.status?.message ?? 'no message').trim()}`,
    ...(qosClass === undefined || qosClass === 'Guaranteed'
      ? {}
      : {
          remedy:
            'A node evicts BestEffort pods first and Guaranteed ones last: raise the requests in `container_resources`, or set them equal to the limits.',
        }),
  };
}

function deleted(pod: V1Pod, base: string): Failure {
  const running = containerStatus(pod, base)?.state?.running !== undefined;
  return {
    reason: 'PodDeleted',
    title: 'Pod deleted',
    sentence: `Pod ${podPath(pod)} was deleted by somebody or something else ${running ? `while container ${base} was running` : `before container ${base} had started`}.`,
  };
}

/** `namespace/name`, as kubectl writes it. */
export function podPath(pod: V1Pod): string {
  return `${pod.metadata?.namespace}/${pod.metadata?.name}`;
}

/** @returns ` after 4 s`, or nothing where it took less than one, or the times are not known (a start error's are 1970). */
function duration({ startedAt, finishedAt }: V1ContainerStateTerminated): string {
  const seconds = secondsBetween(startedAt, finishedAt);
  return seconds ? ` after ${seconds} s` : '';
}

/** @returns whole seconds, as the API's times have them. */
export function secondsBetween(start: Date | string | undefined, end: Date | string | undefined): number | undefined {
  if (start === undefined || end === undefined) return undefined;
  const [from, to] = [new Date(start).getTime(), new Date(end).getTime()];
  return from > 0 && to >= from ? Math.round((to - from) / 1000) : undefined;
}

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
