import type { V1Pod } from '@kubernetes/client-node';
import type { Inputs } from '../../github/inputs/inputs.ts';
import type { Plan } from '../../pod/manifest.ts';
import { RESULT_PATH, RESULT_VARIABLE } from '../../pod/result.ts';
import { commandHints } from '../command-line.ts';
import type { Outcome } from '../end/outcome.ts';
import type { Found } from './found.ts';
import { lastWords } from './message.ts';
import { outputsOf, type Result, type Unusable } from './outputs.ts';
import type { StepFiles } from './step-files.ts';

/** An outcome, and what the container left behind. */
export interface Conclusion extends Omit<Outcome, 'state'> {
  /** Skipped: the container has said, by its exit code, that there was nothing to do. Deferred: the pod is left to run, for another step to attach to. */
  state: Outcome['state'] | 'skipped' | 'deferred';
  result?: Result;
  /** What a script has left in the files of the runner's. */
  stepFiles?: StepFiles;
  /** A failed container's last words. */
  message?: string;
  /** Why a failed container's result cannot be used. */
  warning?: string;
}

/**
 * Adds what the container left to an outcome; a success whose result cannot be used is none.
 * @param found what it left
 * @param pod as it was at the end
 * @param secrets what is not to be shown of it
 */
export function conclude(
  outcome: Outcome,
  found: Found,
  pod: V1Pod,
  { base, resultIn }: Pick<Plan, 'base' | 'resultIn'>,
  { result: inputs, skipOnExitCodes }: Pick<Inputs, 'result' | 'skipOnExitCodes'>,
  secrets: Iterable<string> = [],
): Conclusion {
  const words = outcome.state === 'failed' && resultIn !== 'message' && outcome.reason !== 'StartError';
  const last = words && outcome.ended?.message?.trim() ? messageOf(outcome.ended.message, pod, base) : undefined;
  const conclusion = { ...withResult(outcome, found, pod, base, inputs, secrets), ...(last && { message: last }) };
  const { state, reason, ended, result, message, warning } = conclusion;
  // Whatever else ended the container, an exit code that it happens to have says nothing then.
  if (state !== 'failed' || reason !== 'ExitCode' || !ended || !skipOnExitCodes.includes(ended.exitCode))
    return conclusion;
  return {
    state: 'skipped',
    ended,
    title: 'Skipped',
    sentence: `Container ${base} exited with code ${ended.exitCode}, which skip_on_exit_code takes for having had nothing to do.`,
    ...(result !== undefined && { result }),
    ...(message !== undefined && { message }),
    ...(warning !== undefined && { warning }),
  };
}

function withResult(
  outcome: Outcome,
  found: Found,
  pod: V1Pod,
  base: string,
  inputs: Inputs['result'],
  secrets: Iterable<string>,
): Conclusion {
  const failed = outcome.state === 'failed';
  switch (found.kind) {
    case 'none':
      return inputs.mode === 'required' && !failed ? missing(outcome, found.why, pod, base) : outcome;
    case 'message':
      return { ...outcome, message: found.message, ...(found.warning !== undefined && { warning: found.warning }) };
    case 'unusable':
      return unusable(outcome, found);
    case 'content': {
      const result = outputsOf(found.bytes, inputs, secrets);
      return 'outputs' in result ? { ...outcome, result } : unusable(outcome, result);
    }
  }
}

/** A container that failed has failed for its own reason. */
export function unusable(
  outcome: Conclusion,
  { sentence, remedy, result = outcome.result }: Unusable,
  title = 'Unusable result',
): Conclusion {
  const all = { ...outcome, ...(result && { result }) };
  if (outcome.state !== 'succeeded') return { ...all, warning: `${sentence} ${remedy}` };
  return { ...all, state: 'failed', reason: 'InvalidResult', title, sentence, remedy };
}

/**
 * do_xcom_push: true says that there is a result; none is a failure then.
 * @param why half a sentence, where there is something that does not count
 */
function missing(outcome: Outcome, why: string | undefined, pod: V1Pod, base: string): Conclusion {
  const { command = [], args = [], env = [] } = pod.spec?.containers.find(({ name }) => name === base) ?? {};
  const own = env.find(({ name, value }) => name === RESULT_VARIABLE && value !== RESULT_PATH);
  const remedy =
    own === undefined
      ? 'Have it write JSON there, or set do_xcom_push to auto, which takes a result if there is one.'
      : `The container’s variable ${RESULT_VARIABLE} is the step’s own, and leads elsewhere: give it another name.`;
  return {
    ...outcome,
    state: 'failed',
    reason: 'InvalidResult',
    title: 'No result',
    sentence: `The container succeeded, but wrote nothing to ${RESULT_PATH}, and do_xcom_push is true${why === undefined ? '' : `: ${why}`}.`,
    remedy: commandHints([...command, ...args])[0] ?? remedy,
  };
}

/** What a container with a message of its own, or its log in place of one, has said last. */
function messageOf(message: string, pod: V1Pod, base: string): string {
  const { terminationMessagePolicy } = pod.spec?.containers.find(({ name }) => name === base) ?? {};
  return lastWords(message, undefined, terminationMessagePolicy === 'FallbackToLogsOnError');
}
