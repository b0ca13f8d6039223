import type { V1Pod } from '@kubernetes/client-node';
import type { Found } from './found.ts';
import { faultIn } from './json.ts';

/** The kubelet's limits on termination messages, in bytes: one message's, and what all containers of a pod share. */
const LONGEST_MESSAGE = 4096;
const ALL_MESSAGES = 12_288;
/** Of a log that takes a message's place it keeps less, in bytes. */
const LONGEST_LOG = 2048;

const REMEDY = 'Set `do_xcom_push: true`, which takes results of up to 7 MB.';

/**
 * Reads the result that the base container left in its termination message, that is, in return.json.
 * @param pod the live pod, with the containers that the cluster added: each takes its share of what the kubelet keeps
 * @param base the container that left it
 * @param failed whether the container failed; text that is no JSON is its termination message then
 */
export function foundInMessage(message: string | undefined, pod: V1Pod, base: string, failed: boolean): Found {
  const text = message?.replace(/^\ufeff/, '').trim() ?? '';
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const count = containers.length + initContainers.length + ephemeralContainers.length;
  const limit = Math.min(LONGEST_MESSAGE, Math.floor(ALL_MESSAGES / count));
  const cut = Buffer.byteLength(message ?? '') >= limit;
  if (message === undefined || (text === '' && !cut)) return { kind: 'none' };
  // It may be the end of the container's log, in which a line can be JSON by chance.
  const maybeLog = containers.find(({ name }) => name === base)?.terminationMessagePolicy === 'FallbackToLogsOnError';
  const words = lastWords(message, limit, maybeLog);
  if (failed && maybeLog) return { kind: 'message', message: words };
  const fault = faultIn(text);
  // Of a longer file the kubelet keeps an end or a beginning: a number cut in two is still a number.
  // Between blanks, there may have been more of it.
  if (fault === undefined && (!cut || (/^[[{]/.test(text) && text === message)))
    return { kind: 'content', bytes: Buffer.from(message) };
  const longer = `return.json is longer than the ${limit} bytes that the node keeps of it${count > 1 ? ` (${count} containers of the pod share ${ALL_MESSAGES})` : ''}`;
  if (failed)
    return {
      kind: 'message',
      message: words,
      ...(cut && /[}\]]$/.test(text) && { warning: `${longer}, so it is no result. ${REMEDY}` }),
    };
  if (!cut) return { kind: 'content', bytes: Buffer.from(message) };
  return {
    kind: 'unusable',
    sentence: `${longer}, or just as long, so that it cannot be told whether it is whole.`,
    remedy: REMEDY,
  };
}

/**
 * What a container said last, of which the node keeps the end: where that may begin in the middle of a word, it is without it, for half of a secret would be shown, and the runner masks whole ones alone.
 * @param limit of the message, in bytes
 * @param maybeLog whether it may be the end of the container's log
 */
export function lastWords(message: string, limit = LONGEST_MESSAGE, maybeLog = false): string {
  const text = message.replace(/^\ufeff/, '').trim();
  const whole = Buffer.byteLength(message) < (maybeLog ? Math.min(limit, LONGEST_LOG) : limit);
  return whole ? text : `…${text.replace(/^\S*/, '')}`;
}
