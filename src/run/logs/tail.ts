import { StepError } from '../../github/failure.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { NoCredential } from '../../kubernetes/connection.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { ApiError } from '../../kubernetes/status.ts';
import type { InstanceLog } from './instance-log.ts';

/** How often the log's end is read in search of two readings that agree. */
const MOST_READS = 20;
/** How often a read has to be refused before that is believed: a server that has just started refuses what it will soon allow, for about a second [measured]. */
export const FORBIDDEN_READS = 4;
/** How often in a row the kubelet's own error has to come in place of the log, for some 10 s. */
const FOREIGN_READS = 8;
/** Of a run that another one has followed the node may have thrown the log away by then, for good. */
const FORGOTTEN_READS = 5;
/** Between two attempts to go on with a log that broke off. */
const PAUSES_MS = [0, 200, 500, 1000, 2000, 3000];

/** Why a log could not be read to its end. */
export interface TailFailure {
  why: string;
  /** The credentials may not read it. */
  forbidden: boolean;
}

/**
 * Reads the log of a run that has ended, until two readings agree, for one alone proves nothing: a kubelet killed in mid-read ends it cleanly [measured]. Of a run that goes on, reads what there is.
 * @param reached where a followed stream came to that ended by itself
 * @returns `undefined`, or why there may be more that could not be read
 */
export async function readTail(
  log: InstanceLog,
  client: ApiClient,
  reached: string | undefined,
  signal: AbortSignal,
): Promise<TailFailure | undefined> {
  const { assembled } = log;
  const { passed } = assembled;
  let before = reached;
  let failure: TailFailure = { why: 'The log could not be read.', forbidden: false };
  let awayTries = 0;
  let foreignReads = 0;
  let startedOver = false;
  for (let tries = 0; tries < MOST_READS; tries++) {
    if (log.isForgotten) {
      const why = 'The container has been started again more than once since, and the node has no more of this log.';
      failure = { why, forbidden: false };
      break;
    }
    try {
      await log.read(false, signal);
      awayTries = 0;
      if (log.isWhole) {
        foreignReads = 0;
        if (log.goesOn) {
          assembled.abandon();
          return undefined;
        }
        if (assembled.position !== before) before = assembled.position;
        else if (log.mayRestart && !startedOver && assembled.hasNothingKnown) {
          // Perhaps all that was shown came from the container's next run: the node knew of that before the pod's status told.
          startedOver = true;
          assembled.startOver();
          before = assembled.position;
        } else {
          assembled.finish(reached !== undefined && assembled.passed === passed);
          return undefined;
        }
        continue;
      }
      failure = { why: log.whatCame, forbidden: false };
      const most = log.isPrevious ? FORGOTTEN_READS : FOREIGN_READS;
      if (assembled.foreign !== '' && ++foreignReads >= most) break;
    } catch (error) {
      signal.throwIfAborted();
      if (!isBroken(error)) throw error;
      const forbidden = error instanceof ApiError && error.code === 403;
      failure = { why: error instanceof StepError ? error.text : (error as Error).message, forbidden };
      // A stream that was open beyond the container's end, and ended by itself, has brought all there is of a pod that is gone.
      // One that had not caught up by then ends as cleanly, mostly in the middle of a line.
      if (reached !== undefined && error instanceof ApiError && error.podNotFound && !log.wasCut) {
        assembled.finish();
        return undefined;
      }
      if (error instanceof ApiError && (error.podNotFound || error.code === 400)) break;
      if (forbidden && tries >= FORBIDDEN_READS) break;
      if (isAway(error)) {
        // An outage is not an outcome, however many reads fall into it: the client's patience decides.
        await client.endure(error, awayTries++, signal);
        tries--;
        before = undefined;
        continue;
      }
    }
    before = undefined;
    await log.settled(pauseMs(tries));
  }
  assembled.abandon();
  return failure;
}

/** @returns how long to wait after so many tries in vain, in milliseconds. */
export function pauseMs(tries: number): number {
  return PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0;
}

/** The node or the server is away, refuses, or dropped the connection (undici's errors have a code), or a proxy answers in its place: that says nothing about the container. */
export function isBroken(error: unknown): boolean {
  return error instanceof StepError || isUnsent(error) || (error instanceof Error && 'code' in error);
}

/** The API server is away or overloaded. A 500 is no sign of that: so it tells of a node that it cannot reach, which may stay away. */
function isAway(error: unknown): boolean {
  return isUnsent(error) || (error instanceof ApiError && [429, 502, 503, 504].includes(error.code));
}

/** There is no way to the API server, or nothing to log in with. */
function isUnsent(error: unknown): boolean {
  return error instanceof NetworkError || error instanceof NoCredential;
}
