import { StepError } from '../../github/failure.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { pause } from '../../kubernetes/pause.ts';
import { openLog } from '../../kubernetes/pods.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { containerEnded, containerStarted } from '../containers.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import { LogAssembler } from './assembler.ts';

/** How a log came to its end. */
export interface LogEnd {
  /** Whether every line that the node had has been passed on; if not, why not. */
  complete: boolean;
  why?: string;
}

/**
 * A followed stream ends by itself only half a second after the container [measured]. It is given up as soon as it has been quiet for this long after the end; what it may not have brought is read then.
 */
const QUIET_MS = 20;
/** Between two attempts to go on with a log that broke off while its container runs. */
const PAUSES_MS = [0, 200, 500, 1000, 2000, 3000];
/** How often the log's end is read in search of two readings that agree. */
const FINAL_READS = 20;
/** How often a read has to be refused before that is believed: a server that has just started refuses what it will soon allow, for about a second [measured]. */
const FORBIDDEN_READS = 4;

/**
 * Follows one container's log from its first line to its last, whatever breaks on the way.
 * The end of a stream decides nothing: the container's state does. Once it has ended, the tail is read until two readings agree, for one alone proves nothing: a kubelet killed in mid-read ends it cleanly [measured].
 * @param emit takes the bytes that the container wrote
 */
export async function followLog(
  client: ApiClient,
  pod: ObservedPod,
  container: string,
  emit: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<LogEnd> {
  const log = new LogAssembler(emit);
  const over = (view: PodView) => view.gone || containerEnded(view.pod, container);
  await pod.until(view => (over(view) || containerStarted(view.pod, container) ? true : undefined), signal);
  // The node refused the pod, or it was evicted or deleted in time: a container that never ran has no log.
  if (!containerStarted(pod.view.pod, container)) return { complete: true };
  const ended = pod.until(view => (over(view) ? true : undefined), signal);
  // Awaited below, and sometimes only after another wait has failed for the same reason.
  ended.catch(() => {});

  for (let tries = 0; ; tries++) {
    const { reached, brought } = await readStream(client, pod, container, log, ended, signal);
    if (over(pod.view)) return readTail(client, pod, container, log, reached, signal);
    if (brought) tries = 0;
    await Promise.race([pause(pauseAfter(tries), signal), ended]);
  }
}

/**
 * Reads one followed stream until it ends, breaks, or is quiet after the container's end.
 * @returns where it came to, if it ended by itself, and whether it brought anything
 */
async function readStream(
  client: ApiClient,
  pod: ObservedPod,
  container: string,
  log: LogAssembler,
  ended: Promise<true>,
  signal: AbortSignal,
): Promise<{ reached: string | undefined; brought: boolean }> {
  const own = new AbortController();
  const either = AbortSignal.any([signal, own.signal]);
  let heardAt = performance.now();
  let brought = false;
  void ended.then(
    async () => {
      do await pause(QUIET_MS);
      while (!own.signal.aborted && performance.now() - heardAt < QUIET_MS);
      own.abort();
    },
    () => {},
  );
  try {
    const body = await openLog(client, pod.identity, { container, follow: true, ...since(log) }, either);
    log.begin();
    for await (const chunk of body ?? []) {
      heardAt = performance.now();
      brought = true;
      log.push(chunk);
    }
    return { reached: body === undefined || log.foreign !== '' ? undefined : log.position, brought };
  } catch (error) {
    signal.throwIfAborted();
    if (!own.signal.aborted && !isBroken(error)) throw error;
    return { reached: undefined, brought };
  } finally {
    own.abort();
  }
}

/** @param reached where a followed stream has come to by itself, if it has */
async function readTail(
  client: ApiClient,
  pod: ObservedPod,
  container: string,
  log: LogAssembler,
  reached: string | undefined,
  signal: AbortSignal,
): Promise<LogEnd> {
  let before = reached;
  let why = 'the log could not be read';
  let awayTries = 0;
  for (let tries = 0; tries < FINAL_READS; tries++) {
    try {
      const body = await openLog(client, pod.identity, { container, follow: false, ...since(log) }, signal);
      log.begin();
      for await (const chunk of body ?? []) log.push(chunk);
      awayTries = 0;
      if (log.foreign === '') {
        if (log.position === before) {
          log.finish();
          return { complete: true };
        }
        before = log.position;
        continue;
      }
      why = log.foreign;
    } catch (error) {
      signal.throwIfAborted();
      if (!isBroken(error)) throw error;
      why = error instanceof StepError ? error.text : (error as Error).message;
      if (error instanceof ApiError && (error.podNotFound || error.code === 400)) break;
      if (error instanceof ApiError && error.code === 403 && tries >= FORBIDDEN_READS) break;
      if (isAway(error)) {
        // An outage is not an outcome, however many reads fall into it: the client's patience decides.
        await client.endure(error, awayTries++, signal);
        tries--;
        before = undefined;
        continue;
      }
    }
    before = undefined;
    await pause(pauseAfter(tries), signal);
  }
  log.abandon();
  return { complete: false, why };
}

function pauseAfter(tries: number): number {
  return PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0;
}

function since(log: LogAssembler): { sinceTime?: string } {
  return log.resumeFrom === undefined ? {} : { sinceTime: log.resumeFrom };
}

/** The API server is away or overloaded. A 500 is no sign of that: so it tells of a node that it cannot reach, which may stay away. */
function isAway(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && [429, 502, 503, 504].includes(error.code));
}

/** The node or the server is away, refuses, or dropped the connection (undici's errors have a code), or a proxy answers in its place: that says nothing about the container. */
function isBroken(error: unknown): boolean {
  return error instanceof StepError || error instanceof NetworkError || (error instanceof Error && 'code' in error);
}
