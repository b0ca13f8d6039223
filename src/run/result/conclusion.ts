import type { V1Pod } from '@kubernetes/client-node';
import type { Inputs } from '../../github/inputs/inputs.ts';
import type { Plan } from '../../pod/manifest.ts';
import { RESULT_PATH } from '../../pod/result.ts';
import { commandHints } from '../command-line.ts';
import type { Outcome } from '../end/outcome.ts';
import type { Found } from './found.ts';
import { outputsOf, type Result, type Unusable } from './outputs.ts';

/** An outcome, and what the container left behind. */
export interface Conclusion extends Omit<Outcome, 'state'> {
  /** Skipped: the container has said, by its exit code, that there was nothing to do. Deferred: the pod is left to run, for another step to attach to. */
  state: Outcome['state'] | 'skipped' | 'deferred';
  result?: Result;
  /** A failed container's last words. */
  message?: string;
  /** Why a failed container's result cannot be used. */
  warning?: string;
}

/**
 * Adds what the container left to an outcome; a success whose result cannot be used is none.
 * @param found what it left
 * @param pod as it was at the end
 */
export function conclude(
  outcome: Outcome,
  found: Found,
  pod: V1Pod,
  { base, resultIn }: Pick<Plan, 'base' | 'resultIn'>,
  { result: inputs, skipOnExitCodes }: Pick<Inputs, 'result' | 'skipOnExitCodes'>,
): Conclusion {
  const words = outcome.state === 'failed' && resultIn !== 'message' && outcome.reason !== 'StartError';
  const last = words ? outcome.ended?.message?.trim() : undefined;
  const conclusion = { ...withResult(outcome, found, pod, base, inputs), ...(last && { message: last }) };
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

function withResult(outcome: Outcome, found: Found, pod: V1Pod, base: string, inputs: Inputs['result']): Conclusion {
  const failed = outcome.state === 'failed';
  switch (found.kind) {
    case 'none':
      return inputs.mode === 'required' && !failed ? missing(outcome, pod, base) : outcome;
    case 'message':
      return { ...outcome, message: found.message };
    case 'unusable':
      return unusable(outcome, found);
    case 'content': {
      const result = outputsOf(found.bytes, inputs);
      return 'outputs' in result ? { ...outcome, result } : unusable(outcome, result);
    }
  }
}

/** A container that failed has failed for its own reason. */
export function unusable(outcome: Conclusion, { sentence, remedy }: Unusable, title = 'Unusable result'): Conclusion {
  if (outcome.state !== 'succeeded') return { ...outcome, warning: `${sentence} ${remedy}` };
  return { ...outcome, state: 'failed', reason: 'InvalidResult', title, sentence, remedy };
}

/** do_xcom_push: true says that there is a result; none is a failure then. */
function missing(outcome: Outcome, pod: V1Pod, base: string): Conclusion {
  const { command = [], args = [] } = pod.spec?.containers.find(({ name }) => name === base) ?? {};
  return {
    ...outcome,
    state: 'failed',
    reason: 'InvalidResult',
    title: 'No result',
    sentence: `The container succeeded, but wrote nothing to ${RESULT_PATH}, and do_xcom_push is true.`,
    remedy:
      commandHints([...command, ...args])[0] ??
      'Have it write JSON there, or set do_xcom_push to auto, which takes a result if there is one.',
  };
}
