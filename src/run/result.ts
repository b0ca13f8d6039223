import type { V1Pod } from '@kubernetes/client-node';
import type { Inputs } from '../github/inputs/inputs.ts';
import type { Plan } from '../pod/manifest.ts';
import { RESULT_PATH } from '../pod/result.ts';
import { commandHints } from './command-line.ts';
import type { Outcome } from './end/outcome.ts';

/** What a termination message turned out to be. */
export type Result =
  | { kind: 'none' }
  /** JSON, ready to be an output. */
  | { kind: 'json'; json: string }
  /** A failed container's last words, not meant as a result. */
  | { kind: 'message'; message: string }
  | { kind: 'invalid'; sentence: string; remedy: string };

/** The kubelet's limits on termination messages, in bytes: one message's, and what all containers of a pod share. */
const LONGEST_MESSAGE = 4096;
const ALL_MESSAGES = 12_288;

/**
 * Reads the result that the base container left in its termination message, that is, in return.json.
 * @param pod the live pod, with the containers that the cluster added: each takes its share of what the kubelet keeps
 * @param failed whether the container failed; text that is no JSON is its termination message then
 */
export function readResult(message: string | undefined, pod: V1Pod, failed: boolean): Result {
  const text = message?.trim() ?? '';
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const count = containers.length + initContainers.length + ephemeralContainers.length;
  const limit = Math.min(LONGEST_MESSAGE, Math.floor(ALL_MESSAGES / count));
  const cut = Buffer.byteLength(message ?? '') >= limit;
  if (message === undefined || (text === '' && !cut)) return { kind: 'none' };
  let fault = '';
  try {
    JSON.parse(text);
  } catch (error) {
    fault = (error as Error).message;
  }
  // Of a longer file the kubelet keeps an end or a beginning: a number cut in two is still a number.
  // Between blanks, there may have been more of it.
  if (fault === '' && (!cut || (/^[[{]/.test(text) && text === message))) return { kind: 'json', json: text };
  if (failed) return { kind: 'message', message: text };
  if (cut) {
    return {
      kind: 'invalid',
      sentence: `return.json is longer than the ${limit} bytes that the node keeps of it${count > 1 ? ` (${count} containers of the pod share ${ALL_MESSAGES})` : ''}.`,
      remedy:
        'Of one of just that length it cannot be told whether it is whole. Write a shorter result, or put it where later steps can fetch it.',
    };
  }
  return {
    kind: 'invalid',
    sentence: `What the container wrote to /airflow/xcom/return.json is not JSON: ${fault}.`,
    remedy: 'Write JSON (text needs quotation marks), or set `do_xcom_push: false`.',
  };
}

/** An outcome, and what the container left behind. */
export interface Conclusion extends Outcome {
  /** JSON. */
  result?: string;
  /** A failed container's last words. */
  message?: string;
}

/** Adds the result to an outcome; a success whose result cannot be used is none. */
export function conclude(
  outcome: Outcome,
  pod: V1Pod,
  { resultInMessage, base }: Pick<Plan, 'resultInMessage' | 'base'>,
  mode: Inputs['result'],
): Conclusion {
  const message = outcome.ended?.message;
  const failed = outcome.state === 'failed';
  // The kubelet's own account of why a container could not start is in the sentence already.
  if (outcome.reason === 'StartError') return outcome;
  if (!resultInMessage) return failed && message ? { ...outcome, message: message.trim() } : outcome;
  const result = readResult(message, pod, failed);
  switch (result.kind) {
    case 'none':
      return mode === 'required' && !failed ? missing(outcome, pod, base) : outcome;
    case 'json':
      return { ...outcome, result: result.json };
    case 'message':
      return { ...outcome, message: result.message };
    case 'invalid':
      return {
        ...outcome,
        state: 'failed',
        reason: 'InvalidResult',
        title: 'Unusable result',
        sentence: result.sentence,
        remedy: result.remedy,
      };
  }
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
