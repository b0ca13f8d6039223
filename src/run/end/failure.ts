import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import type { Reason } from '../../github/failure.ts';
import { runsScript } from '../../pod/run-script.ts';
import { brief } from '../brief.ts';
import { isUnknown } from '../containers.ts';
import { duration } from '../durations.ts';
import { podPath } from '../pod-path.ts';
import { type Stop, stopOf } from './stopped.ts';

/** What the annotation says. */
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
        : `Check ${isScript(pod, name) ? '`shell`' : '`cmds` and `arguments`'} against what the image holds.`,
    };
  }
  const stop = wasStoppedBy(stopOf(pod), ended);
  if (stop !== undefined)
    return stopped(
      stop,
      isUnknown(ended)
        ? `${where} was not there yet, or not any more, when its node stopped the pod`
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

function isScript({ spec }: V1Pod, name: string): boolean {
  return runsScript(spec?.containers.find(container => container.name === name)?.command);
}

/** @returns what runc says, without the names of those who passed it on. */
function startFault(message: string): string {
  return brief(message)
    .replace(/^.*unable to start container process: /s, '')
    .replace(/: unknown$/, '');
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

/** @returns a failure of which the pod's stop is the cause */
export function stopped({ reason, title, cause, remedy }: Stop, what: string): Failure {
  return { reason, title, sentence: `${what}: ${cause}`, ...(remedy !== undefined && { remedy }) };
}

/**
 * @returns what the container ended of, where it ended because it was told to: many a program exits with 0 then, with its work half done. One that had ended before its pod was told to stop has not been stopped.
 */
export function wasStoppedBy(stop: Stop | undefined, { finishedAt }: V1ContainerStateTerminated): Stop | undefined {
  // A container that the kubelet could not find has null for it.
  if (stop === undefined || !finishedAt) return stop;
  // In the same second, of which nobody knows which came first: a program that answers SIGTERM with an exit code of its own does so at once.
  return new Date(finishedAt).getTime() >= stop.sinceMs ? stop : undefined;
}

/** Whether the container runtime could not run the command. */
export function cannotStart({ reason }: V1ContainerStateTerminated): boolean {
  return reason === 'StartError' || reason === 'ContainerCannotRun';
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
export function signalName(exitCode: number): string {
  const name = SIGNALS[exitCode - 128];
  return name === undefined ? '' : ` (${name})`;
}
