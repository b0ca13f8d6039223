import type { ApiClient } from '../../kubernetes/client.ts';
import { pause } from '../../kubernetes/pause.ts';
import { ApiError } from '../../kubernetes/status.ts';
import type { InstanceLog, InstanceReader } from './instance-log.ts';
import { untilBehind } from './silence.ts';
import { FORBIDDEN_READS, isBroken, pauseMs, readTail } from './tail.ts';

/**
 * A followed stream ends by itself only half a second after the container [measured]. It is given up as soon as it has been quiet for this long after the end; what it may not have brought is read then.
 */
const QUIET_MS = 20;
/** But where the pod is deleted, its log goes with it: the stream that is open is all there is [a follow that was open before ended with all data in every deletion that was measured]. */
const DELETED_QUIET_MS = 5000;
/** And where the node rotated the log between the container's last line and its end, so that there is nothing left to be read. No node looks whether it should rotate a log that is smaller. */
const ROTATED_QUIET_MS = 2000;
const LEAST_ROTATED_BYTES = 64 * 1024;
/** One that ends by itself mostly does so with its container, whose end is told within this time, or, of a pod that is being deleted and whose node has more to do, within the other. */
const ENDED_MS = 500;
const ENDED_DELETED_MS = 2000;
/** How often a log that may not be read is tried while the container runs. */
const FORBIDDEN_PAUSE_MS = 30_000;

/**
 * Follows one run of a container, from its first line to its last.
 * The end of a stream decides nothing: the container's state does, and once that says that it has ended, the log's tail.
 */
export class InstanceFollower {
  readonly #client: ApiClient;
  readonly #log: InstanceLog;
  readonly #reader: InstanceReader;
  readonly #signal: AbortSignal;
  /** Settles when the run has ended, or nothing more is waited for. */
  readonly #over: Promise<true>;
  #refusals = 0;
  #told = false;

  constructor(client: ApiClient, log: InstanceLog, reader: InstanceReader, signal: AbortSignal) {
    this.#client = client;
    this.#log = log;
    this.#reader = reader;
    this.#signal = signal;
    this.#over = log.untilOver();
    // Awaited below, and sometimes only after another wait has failed for the same reason.
    this.#over.catch(() => {});
  }

  async follow(): Promise<void> {
    let reached: string | undefined;
    for (let tries = 0; !this.#log.isOver; tries++) {
      const stream = await this.#readStream();
      reached = stream.reached;
      if (this.#log.isOver) break;
      if (stream.brought) tries = 0;
      await Promise.race([reached === undefined ? this.#settled(tries) : this.#endTold(), this.#over]);
      if (!this.#log.isOver) reached = undefined;
    }
    const failure = await readTail(this.#log, this.#client, reached, this.#signal);
    if (failure === undefined) return;
    if (!failure.forbidden) this.#reader.incomplete(failure.why);
    else if (!this.#told) this.#reader.refused(failure.why);
  }

  /**
   * Reads one followed stream until it ends, breaks, falls behind, or is quiet after the run's end.
   * @returns where it came to, if it ended by itself, and whether it brought anything
   */
  async #readStream(): Promise<{ reached: string | undefined; brought: boolean }> {
    const log = this.#log;
    const own = new AbortController();
    const either = AbortSignal.any([this.#signal, own.signal]);
    let heardAt = performance.now();
    let brought = false;
    const heard = () => {
      heardAt = performance.now();
      brought = true;
    };
    const quiet = async (ms: () => number): Promise<void> => {
      const since = performance.now();
      do await pause(QUIET_MS);
      while (!own.signal.aborted && performance.now() - Math.max(heardAt, since) < ms());
    };
    void this.#over.then(
      async () => {
        await quiet(() => this.#patienceMs);
        if (!own.signal.aborted && !(await this.#endCanBeRead(own.signal))) await quiet(() => ROTATED_QUIET_MS);
        own.abort();
      },
      () => {},
    );
    const listening = {
      heardAt: () => heardAt,
      lastLine: () => log.lastLine(own.signal),
      knows: (line: Buffer) => log.assembled.knows(line),
    };
    untilBehind(listening, own.signal).then(
      () => own.abort(),
      () => {},
    );
    try {
      const hasBegun = await log.read(true, either, {
        opened: () => {
          this.#refusals = 0;
        },
        heard,
      });
      return { reached: hasBegun && log.isWhole ? log.assembled.position : undefined, brought };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!own.signal.aborted && !isBroken(error)) throw error;
      if (!own.signal.aborted) this.#noteRefusal(error);
      return { reached: undefined, brought };
    } finally {
      own.abort();
    }
  }

  /** How long a stream may be quiet before it is given up, once nothing more is waited for. */
  get #patienceMs(): number {
    if (this.#log.goesOn) return 0;
    return this.#log.isDeleted ? DELETED_QUIET_MS : QUIET_MS;
  }

  /** Whether what the stream has not brought can still be read. If not, it is all there is of what the node has rotated away. */
  async #endCanBeRead(signal: AbortSignal): Promise<boolean> {
    if (this.#log.assembled.passed < LEAST_ROTATED_BYTES || this.#log.goesOn) return true;
    return this.#log.endIsKnown(signal);
  }

  #endTold(): Promise<void> {
    return this.#log.settled(this.#log.isDeleted ? ENDED_DELETED_MS : ENDED_MS);
  }

  #settled(tries: number): Promise<void> {
    return this.#log.settled(this.#refusals > FORBIDDEN_READS ? FORBIDDEN_PAUSE_MS : pauseMs(tries));
  }

  #noteRefusal(error: unknown): void {
    this.#refusals = error instanceof ApiError && error.code === 403 ? this.#refusals + 1 : 0;
    if (this.#refusals <= FORBIDDEN_READS || this.#told) return;
    this.#told = true;
    this.#reader.refused((error as ApiError).text);
  }
}
