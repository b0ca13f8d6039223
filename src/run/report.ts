import type { V1ContainerStateTerminated } from '@kubernetes/client-node';
import type { JobLog } from '../github/commands.ts';
import { StepError, withRemedy } from '../github/failure.ts';
import { setOutput } from '../github/outputs.ts';
import { containerEnded, containerStatus } from './containers.ts';
import { secondsBetween } from './durations.ts';
import { inBytes } from './numbers.ts';
import type { ObservedPod } from './observe.ts';
import type { Conclusion } from './result/conclusion.ts';

/** Sets the outputs that become known while the pod runs, each as soon as it is. */
export function reportProgress(pod: ObservedPod, base: string): void {
  const set = new Set<string>();
  const once = (name: 'node_name' | 'image_id' | 'started_at', value: Date | string | undefined) => {
    if (!value || set.has(name)) return;
    set.add(name);
    setOutput(name, String(value));
  };
  pod
    .until(view => {
      const status = containerStatus(view.pod, base);
      once('node_name', view.pod.spec?.nodeName);
      once('image_id', status?.imageID);
      once('started_at', status?.state?.running?.startedAt ?? started(status?.state?.terminated?.startedAt));
      return view.gone || containerEnded(view.pod, base) ? true : undefined;
    })
    .catch(() => {});
}

/** Says in the debug log what each change of the pod brought. */
export function traceChanges(pod: ObservedPod, base: string, log: JobLog): void {
  let last = '';
  pod
    .until(view => {
      const { phase, reason, conditions = [] } = view.pod.status ?? {};
      const [state] = Object.entries(containerStatus(view.pod, base)?.state ?? {}).filter(([, value]) => value);
      const now = [
        view.gone ? 'gone' : phase,
        reason,
        conditions.filter(({ status }) => status === 'True').map(({ type }) => type),
        state && `${base}: ${state[0]} ${JSON.stringify(state[1])}`,
      ];
      const line = now.filter(part => part !== undefined && part.length > 0).join(', ');
      if (line !== last) log.debug(`Pod: ${line}`);
      last = line;
      return view.gone || containerEnded(view.pod, base) ? true : undefined;
    })
    .catch(() => {});
}

/** A container that could not be started has the epoch for its start. */
function started(at: Date | string | undefined): Date | string | undefined {
  return at !== undefined && new Date(at).getTime() > 0 ? at : undefined;
}

/** Tells how the step ended: outputs, and one annotation if it failed. */
export function reportEnd(conclusion: Conclusion, log: JobLog): void {
  const { state, ended, result, stepFiles, message, warning } = conclusion;
  setOutput('state', state);
  if (ended) reportContainerEnd(ended);
  if (state === 'deferred') return;
  for (const warned of [...(warning === undefined ? [] : [warning]), ...(result?.warnings ?? [])])
    log.warning('Result', warned);
  for (const [name, value] of [...(result?.outputs ?? []), ...(stepFiles?.outputs ?? [])]) setOutput(name, value);
  if (result?.file !== undefined) {
    setOutput('result_file', result.file);
    log.line(`Result: ${inBytes(result.bytes.length)}, in ${result.file}`);
  }
  if (state === 'succeeded') {
    if (ended?.reason === 'OOMKilled')
      log.warning(
        'A child process ran out of memory',
        'The container succeeded, but one of its processes was killed for exceeding the memory limit.',
      );
    return;
  }
  if (message) {
    log.line('The container’s termination message:');
    log.line(message);
  }
  const { reason = 'Bug', title = 'Failed', sentence = '', remedy } = conclusion;
  if (state === 'skipped') {
    log.notice(title, sentence);
    return;
  }
  setOutput('reason', reason);
  log.error(title, withRemedy(sentence, remedy));
}

/** Sets the outputs that tell how the base container ended. */
export function reportContainerEnd({ exitCode, startedAt, finishedAt }: V1ContainerStateTerminated): void {
  setOutput('exit_code', exitCode);
  if (finishedAt) setOutput('finished_at', String(finishedAt));
  const seconds = secondsBetween(startedAt, finishedAt);
  if (seconds !== undefined) setOutput('duration_seconds', seconds);
}

/** Tells of what ended the step without an outcome. What was not thrown on purpose is a bug of ours, and says so. */
export function reportError(error: unknown, log: JobLog): void {
  const known = error instanceof StepError;
  const reason = known ? error.reason : 'Bug';
  try {
    setOutput('state', reason === 'Cancelled' ? 'cancelled' : 'failed');
    setOutput('reason', reason);
  } catch (unset) {
    log.line(`The outputs could not be set: ${(unset as Error).message}`);
  }
  if (!known) log.line(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const { title, sentence, remedy } = wordsOf(error);
  log.error(title, withRemedy(sentence, remedy));
}

/** @returns title, sentence and remedy of what ended the step. */
export function wordsOf(error: unknown): { title: string; sentence: string; remedy: string | undefined } {
  if (error instanceof StepError) return { title: error.title, sentence: error.message, remedy: error.remedy };
  return {
    title: 'Internal error',
    sentence: `This is a bug in the action: ${error instanceof Error ? error.message : String(error)}.`,
    remedy: 'Please report it, with the log above.',
  };
}
