import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { pause } from '../../kubernetes/pause.ts';
import { type LogQuery, openLog } from '../../kubernetes/pods.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { type Instance, instancesOf, restartPolicy } from '../containers.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import type { AssembledLog, LogAssembler } from './assembler.ts';
import { readBody } from './body.ts';
import { untilBehind } from './silence.ts';
import { readStamp, type Stamp } from './stamp.ts';

type Body = NonNullable<Awaited<ReturnType<typeof openLog>>>;

/** Where the log of one run of a container goes, and what is to be known of it. */
export interface InstanceReader extends AssembledLog {
  /** The first look at a log came late: its first line, written at `from`, came that many seconds after the container's start, and the node may have thrown away what was before. */
  late(from: string, seconds: number): void;
  /** The cluster does not let the log be read. It is tried again now and then. */
  refused(why: string): void;
  /** The log could not be read to its end. */
  incomplete(why: string): void;
}

/** What a follower needs of the run. */
export interface FollowOptions {
  /** Ends it at once. */
  signal: AbortSignal;
  /** From then on what there is is read, and nothing more is waited for. */
  lastCall?: AbortSignal;
}

/**
 * A followed stream ends by itself only half a second after the container [measured]. It is given up as soon as it has been quiet for this long after the end; what it may not have brought is read then.
 */
const QUIET_MS = 20;
/** But where the pod is deleted, its log goes with it: the stream that is open is all there is [a follow that was open before ended with all data in every deletion that was measured]. */
const DELETED_QUIET_MS = 2000;
/** And where the node rotated the log between the container's last line and its end, so that there is nothing left to be read. No node looks whether it should rotate a log that is smaller. */
const ROTATED_QUIET_MS = 2000;
const LEAST_ROTATED_BYTES = 64 * 1024;
/** Between two attempts to go on with a log that broke off while its container runs. */
const PAUSES_MS = [0, 200, 500, 1000, 2000, 3000];
/** How often the log's end is read in search of two readings that agree. */
const FINAL_READS = 20;
/** How often a read has to be refused before that is believed: a server that has just started refuses what it will soon allow, for about a second [measured]. */
const FORBIDDEN_READS = 4;
/** And how often it is tried from then on, while the container runs. */
const FORBIDDEN_PAUSE_MS = 30_000;
/** How often in a row the kubelet's own error has to come in place of the log, for some 10 s. */
const FOREIGN_READS = 8;
/** Of a run that another one has followed the node may have thrown the log away by then, for good. */
const FORGOTTEN_READS = 5;
/** Within this time of a restart the pod's status says so: the kubelet reports one at once, or, where the API server was away, at its next try, 10 s later at most. */
const STATUS_LAG_MS = 12_000;
/** Logs are rotated once in so many seconds at most (containerLogMonitorInterval): one that begins sooner after its container is whole. */
const SOONEST_ROTATION_SECONDS = 10;
/** What a stream brings within this time of its opening had been written before. */
const WRITTEN_BEFORE_MS = 500;

/**
 * Follows one run of a container, from its first line to its last.
 * The end of a stream decides nothing: the container's state does. Once it has ended, the tail is read until two readings agree, for one alone proves nothing: a kubelet killed in mid-read ends it cleanly [measured].
 */
export class InstanceFollower {
  readonly #client: ApiClient;
  readonly #pod: ObservedPod;
  readonly #container: string;
  readonly #instance: Instance;
  readonly #log: LogAssembler;
  readonly #reader: InstanceReader;
  readonly #signal: AbortSignal;
  readonly #lastCall: AbortSignal | undefined;
  /** Whether a log under the container's name may be another run's. */
  readonly #mayRestart: boolean;
  /** Settles when the run has ended, or nothing more is waited for. */
  readonly #over: Promise<true>;
  /** Whether the next stream is taken for this run's log though it does not go on where the last one ended. */
  #trusting = false;
  /** Whether the stream that was opened last is perhaps another run's. */
  #doubtful = false;
  #refusals = 0;
  #told = false;
  #startedOver = false;
  #openedAt = 0;
  /** The newest run when the stream was opened, by the pod's status. */
  #openedIn: string | undefined;

  constructor(
    client: ApiClient,
    pod: ObservedPod,
    container: string,
    instance: Instance,
    log: LogAssembler,
    reader: InstanceReader,
    { signal, lastCall }: FollowOptions,
  ) {
    this.#client = client;
    this.#pod = pod;
    this.#container = container;
    this.#instance = instance;
    this.#log = log;
    this.#reader = reader;
    this.#signal = signal;
    this.#lastCall = lastCall;
    this.#mayRestart = restartPolicy(pod.view.pod, container) !== 'Never';
    this.#over = pod.until(view => (this.#isOver(view) ? true : undefined), signal, lastCall);
    // Awaited below, and sometimes only after another wait has failed for the same reason.
    this.#over.catch(() => {});
  }

  async follow(): Promise<void> {
    for (let tries = 0; ; tries++) {
      if (this.#isOver(this.#pod.view)) return this.#readTail(undefined);
      const { reached, brought } = await this.#readStream();
      if (this.#isOver(this.#pod.view)) return this.#readTail(reached);
      if (brought) tries = 0;
      await Promise.race([this.#settled(tries), this.#over]);
    }
  }

  /** The run as the pod's status has it now. */
  #status(pod: V1Pod): Instance | undefined {
    return instancesOf(pod, this.#container).find(({ id }) => id === this.#instance.id);
  }

  #isOver({ pod, gone }: PodView): boolean {
    const now = this.#status(pod);
    return gone || now === undefined || now.ended !== undefined || this.#lastCall?.aborted === true;
  }

  /** Whether it still runs, and only nobody waits for more of it. */
  get #goesOn(): boolean {
    const { pod, gone } = this.#pod.view;
    const now = this.#status(pod);
    return !gone && now !== undefined && now.ended === undefined;
  }

  /** Id of the container's newest run. */
  get #newest(): string | undefined {
    return instancesOf(this.#pod.view.pod, this.#container).at(-1)?.id;
  }

  /** How long a stream may be quiet before it is given up, once nothing more is waited for. */
  get #patienceMs(): number {
    if (this.#goesOn) return 0;
    const { pod, gone } = this.#pod.view;
    return gone || pod.metadata?.deletionTimestamp !== undefined ? DELETED_QUIET_MS : QUIET_MS;
  }

  #query(follow: boolean): LogQuery {
    const since = this.#log.resumeFrom;
    return {
      container: this.#container,
      follow,
      ...(since !== undefined && { sinceTime: since }),
      ...(this.#status(this.#pod.view.pod)?.previous && { previous: true }),
    };
  }

  /**
   * Opens the run's log.
   * @returns `undefined` while there is none, or where it turns out to be another run's
   */
  async #open(follow: boolean, signal: AbortSignal): Promise<Body | undefined> {
    const query = this.#query(follow);
    this.#doubtful = false;
    this.#openedIn = this.#newest;
    const body = await openLog(this.#client, this.#pod.identity, query, signal);
    if (body === undefined || this.#log.first !== undefined || !this.#mayRestart) return body;
    // Of a run of which nothing has been read yet, nothing tells another's log: the pod's status does.
    await this.#pod.refresh();
    if (this.#query(follow).previous === query.previous && this.#status(this.#pod.view.pod) !== undefined) return body;
    body.destroy();
    return undefined;
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
    const quiet = async (ms: number): Promise<void> => {
      do await pause(QUIET_MS);
      while (!own.signal.aborted && performance.now() - heardAt < ms);
    };
    void this.#over.then(
      async () => {
        await quiet(this.#patienceMs);
        if (!own.signal.aborted && !(await this.#endCanBeRead(own.signal))) await quiet(ROTATED_QUIET_MS);
        own.abort();
      },
      () => {},
    );
    const silence = {
      heardAt: () => heardAt,
      lastLine: () => this.#lastLine(own.signal),
      knows: (line: Buffer) => log.knows(line),
    };
    untilBehind(silence, own.signal).then(
      () => own.abort(),
      () => {},
    );
    try {
      const body = await this.#open(true, either);
      this.#begin();
      const take = (bytes: Buffer) => {
        heardAt = performance.now();
        brought = true;
        return this.#push(bytes);
      };
      if (body !== undefined) await readBody(body, take);
      return { reached: body === undefined || !this.#isWhole ? undefined : log.position, brought };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!own.signal.aborted && !isBroken(error)) throw error;
      if (!own.signal.aborted) this.#noteRefusal(error);
      return { reached: undefined, brought };
    } finally {
      own.abort();
    }
  }

  /** Reads the log of a run that has ended, until two readings agree. Of one that goes on, what there is. */
  async #readTail(reached: string | undefined): Promise<void> {
    const { passed } = this.#log;
    let before = reached;
    let why = 'The log could not be read.';
    let forbidden = false;
    let awayTries = 0;
    let foreignReads = 0;
    this.#refusals = 0;
    for (let tries = 0; tries < FINAL_READS; tries++) {
      const { pod, gone } = this.#pod.view;
      if (!gone && this.#status(pod) === undefined) {
        why = 'The container has been started again more than once since, and the node has no more of this log.';
        break;
      }
      try {
        const body = await this.#open(false, this.#signal);
        this.#begin();
        if (body !== undefined) await readBody(body, bytes => this.#push(bytes));
        awayTries = 0;
        if (this.#isWhole) {
          foreignReads = 0;
          if (this.#goesOn) return this.#log.abandon();
          if (this.#log.position === before && !this.#startOver())
            return this.#log.finish(reached !== undefined && this.#log.passed === passed);
          before = this.#log.position;
          continue;
        }
        why = this.#whatCame;
        const most = this.#query(false).previous ? FORGOTTEN_READS : FOREIGN_READS;
        if (this.#log.foreign !== '' && ++foreignReads >= most) break;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!isBroken(error)) throw error;
        why = error instanceof StepError ? error.text : (error as Error).message;
        // A stream that was open beyond the container's end, and ended by itself, has brought all there is of a pod that is gone.
        if (reached !== undefined && error instanceof ApiError && error.podNotFound) return this.#log.finish();
        if (error instanceof ApiError && (error.podNotFound || error.code === 400)) break;
        forbidden = error instanceof ApiError && error.code === 403;
        if (forbidden && tries >= FORBIDDEN_READS) break;
        if (isAway(error)) {
          // An outage is not an outcome, however many reads fall into it: the client's patience decides.
          await this.#client.endure(error, awayTries++, this.#signal);
          tries--;
          before = undefined;
          continue;
        }
      }
      before = undefined;
      await this.#settled(tries);
    }
    this.#log.abandon();
    if (!forbidden) this.#reader.incomplete(why);
    else if (!this.#told) this.#reader.refused(why);
  }

  /**
   * Of a log of which two readings have nothing that is known, perhaps all that was shown came from the container's next run: the node knew of that before the pod's status told.
   * @returns whether it is to be read from its start, which is done once
   */
  #startOver(): boolean {
    if (!this.#mayRestart || this.#startedOver || !this.#log.hasNothingKnown) return false;
    this.#startedOver = true;
    this.#log.startOver();
    return true;
  }

  #begin(): void {
    // Where a container is never started again, what is missing from a log has been rotated away.
    this.#log.begin(this.#trusting || !this.#mayRestart);
    this.#trusting = false;
    this.#refusals = 0;
    this.#openedAt = performance.now();
  }

  /** @returns whether more of this stream is wanted */
  #push(bytes: Buffer): boolean {
    const isFirst = this.#log.first === undefined;
    this.#log.push(bytes);
    if (isFirst && this.#log.first !== undefined) this.#beginsLate(this.#log.first);
    this.#doubtful = this.#log.unexpected;
    return !this.#doubtful;
  }

  /** Whether the stream was this log, not less of it than is known, and nothing else came with it. */
  get #isWhole(): boolean {
    return this.#log.foreign === '' && !this.#log.unexpected && !this.#log.isShort;
  }

  /** What a stream was that was not whole. */
  get #whatCame(): string {
    if (this.#log.unexpected) return 'The log of the container’s next run came in its place.';
    return this.#log.foreign || 'It broke off among lines that had been read before.';
  }

  #beginsLate(stamp: Stamp): void {
    const { startedAt } = this.#instance;
    if (!startedAt || performance.now() - this.#openedAt > WRITTEN_BEFORE_MS) return;
    // Both times are the node's.
    const seconds = stamp.second - Math.floor(new Date(startedAt).getTime() / 1000);
    if (seconds >= SOONEST_ROTATION_SECONDS) this.#reader.late(stamp.text, seconds);
  }

  /** Waits until the next try is due: a while, or, where another run's log may have come, until the pod's status has told. */
  async #settled(tries: number): Promise<void> {
    if (!this.#doubtful) {
      const forbidden = this.#refusals > FORBIDDEN_READS;
      const ms = forbidden ? FORBIDDEN_PAUSE_MS : (PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0);
      return pause(ms, this.#signal);
    }
    const timeout = AbortSignal.any([this.#signal, AbortSignal.timeout(STATUS_LAG_MS)]);
    await this.#pod
      .until(view => (view.gone || this.#newest !== this.#openedIn ? true : undefined), timeout)
      .catch(error => {
        this.#signal.throwIfAborted();
        if (!timeout.aborted) throw error;
      });
    this.#trusting = this.#newest === this.#openedIn;
  }

  #noteRefusal(error: unknown): void {
    this.#refusals = error instanceof ApiError && error.code === 403 ? this.#refusals + 1 : 0;
    if (this.#refusals <= FORBIDDEN_READS || this.#told) return;
    this.#told = true;
    this.#reader.refused((error as ApiError).text);
  }

  /** Whether the log's end, as it can be read now, is where the followed stream is. If not, that stream is all there is of what the node has rotated away. */
  async #endCanBeRead(signal: AbortSignal): Promise<boolean> {
    if (this.#log.passed < LEAST_ROTATED_BYTES || this.#goesOn) return true;
    const line = await this.#lastLine(signal).catch(() => Buffer.alloc(0));
    return readStamp(line) !== undefined && this.#log.knows(line);
  }

  /** The log's last line as it stands. */
  async #lastLine(signal: AbortSignal): Promise<Buffer> {
    const query: LogQuery = { ...this.#query(false), tailLines: 1 };
    const body = await openLog(this.#client, this.#pod.identity, query, signal);
    return Buffer.from((await body?.bytes()) ?? []);
  }
}

/** The API server is away or overloaded. A 500 is no sign of that: so it tells of a node that it cannot reach, which may stay away. */
function isAway(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && [429, 502, 503, 504].includes(error.code));
}

/** The node or the server is away, refuses, or dropped the connection (undici's errors have a code), or a proxy answers in its place: that says nothing about the container. */
function isBroken(error: unknown): boolean {
  return error instanceof StepError || error instanceof NetworkError || (error instanceof Error && 'code' in error);
}
