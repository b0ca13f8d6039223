import type { V1Pod } from '@kubernetes/client-node';
import type { ApiClient } from '../../kubernetes/client.ts';
import { pause } from '../../kubernetes/pause.ts';
import { type LogQuery, openLog, podGone } from '../../kubernetes/pods.ts';
import { type Instance, instancesOf, restartPolicy } from '../containers.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import type { AssembledLog, LogAssembler } from './assembler.ts';
import { readBody } from './body.ts';
import { Flow } from './flow.ts';
import { readStamp, type Stamp } from './stamp.ts';

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

/** Who wants to know how a stream goes. */
export interface StreamListener {
  /** The server has answered. */
  opened?(): void;
  /** Something has come. */
  heard?(): void;
}

/** Within this time of a restart the pod's status says so: the kubelet reports one at once, or, where the API server was away, at its next try, 10 s later at most. */
const STATUS_LAG_MS = 12_000;
/** Logs are rotated once in so many seconds at most (containerLogMonitorInterval): one that begins sooner after its container is whole. */
const SOONEST_ROTATION_SECONDS = 10;
/** What a stream brings within this time of its opening had been written before. */
const WRITTEN_BEFORE_MS = 500;

/** The log of one run of a container, as the node serves it: read stream by stream, each of which goes on where the one before has come to. */
export class InstanceLog {
  readonly assembled: LogAssembler;
  /** Whether a log under the container's name may be another run's. */
  readonly mayRestart: boolean;
  readonly #client: ApiClient;
  readonly #pod: ObservedPod;
  readonly #container: string;
  readonly #instance: Instance;
  readonly #reader: InstanceReader;
  readonly #signal: AbortSignal;
  readonly #lastCall: AbortSignal | undefined;
  /** Whether the next stream is taken for this run's log though it does not go on where the last one ended. */
  #trusting = false;
  /** Whether the stream that was opened last is perhaps another run's. */
  #doubtful = false;
  #openedAt = 0;
  #endedInFlow = false;
  /** The newest run when the stream was opened, by the pod's status. */
  #openedIn: string | undefined;

  constructor(
    client: ApiClient,
    pod: ObservedPod,
    container: string,
    instance: Instance,
    assembled: LogAssembler,
    reader: InstanceReader,
    { signal, lastCall }: FollowOptions,
  ) {
    this.assembled = assembled;
    this.mayRestart = restartPolicy(pod.view.pod, container) !== 'Never';
    this.#client = client;
    this.#pod = pod;
    this.#container = container;
    this.#instance = instance;
    this.#reader = reader;
    this.#signal = signal;
    this.#lastCall = lastCall;
  }

  /** Whether the run has ended, or nothing more is waited for. */
  get isOver(): boolean {
    return this.#isOver(this.#pod.view);
  }

  /** Whether it still runs, and only nobody waits for more of it. */
  get goesOn(): boolean {
    const { pod, gone } = this.#pod.view;
    const now = this.#status(pod);
    return !gone && now !== undefined && now.ended === undefined;
  }

  /** Whether the pod is gone, or on its way out: its log goes with it. */
  get isDeleted(): boolean {
    const { pod, gone } = this.#pod.view;
    return gone || pod.metadata?.deletionTimestamp !== undefined;
  }

  /** Whether another run has followed this one. */
  get isPrevious(): boolean {
    return this.#status(this.#pod.view.pod)?.previous === true;
  }

  /** Whether the node has thrown it away, for more than one run has followed. */
  get isForgotten(): boolean {
    const { pod, gone } = this.#pod.view;
    return !gone && this.#status(pod) === undefined;
  }

  /** Whether the last stream was this log, not less of it than is known, and nothing else came with it. */
  get isWhole(): boolean {
    return this.assembled.foreign === '' && !this.assembled.unexpected && !this.assembled.isShort;
  }

  /** What the last stream was if it was not whole. */
  get whatCame(): string {
    if (this.assembled.unexpected) return 'The log of the container’s next run came in its place.';
    return this.assembled.foreign || 'It broke off among lines that had been read before.';
  }

  /** Settles when the run has ended, or nothing more is waited for. */
  untilOver(): Promise<true> {
    return this.#pod.until(view => (this.#isOver(view) ? true : undefined), this.#signal, this.#lastCall);
  }

  /**
   * Reads one stream to its end, or until it turns out to be another log.
   * @returns whether there was one
   * @throws what breaks it
   */
  async read(follow: boolean, signal: AbortSignal, listener: StreamListener = {}): Promise<boolean> {
    const body = await this.#open(follow, signal);
    // Where a container is never started again, what is missing from a log has been rotated away.
    this.assembled.begin(this.#trusting || !this.mayRestart);
    this.#trusting = false;
    this.#openedAt = performance.now();
    listener.opened?.();
    if (body === undefined) return false;
    const flow = new Flow();
    this.#endedInFlow = false;
    await readBody(body, bytes => {
      listener.heard?.();
      flow.note(bytes.length, performance.now());
      return this.#push(bytes);
    });
    this.#endedInFlow = flow.isFull(performance.now()) && this.assembled.isMidLine;
    return true;
  }

  /** Whether the last stream was cut, however cleanly: it ended in full flow, and in the middle of a line. */
  get wasCut(): boolean {
    return this.#endedInFlow;
  }

  /** The log's last line as it stands. */
  async lastLine(signal: AbortSignal): Promise<Buffer> {
    const query: LogQuery = { ...this.#query(false), tailLines: 1 };
    const body = await this.#request(query, signal);
    return Buffer.from((await body?.bytes()) ?? []);
  }

  /** Whether the log's end, as it can be read now, is where the streams have come to. */
  async endIsKnown(signal: AbortSignal): Promise<boolean> {
    const line = await this.lastLine(signal).catch(() => Buffer.alloc(0));
    return readStamp(line) !== undefined && this.assembled.knows(line);
  }

  /** Waits until the next try is due: a while, or, where another run's log may have come, until the pod's status has told. */
  async settled(ms: number): Promise<void> {
    if (!this.#doubtful) return pause(ms, this.#signal);
    const timeout = AbortSignal.any([this.#signal, AbortSignal.timeout(STATUS_LAG_MS)]);
    await this.#pod
      .until(view => (view.gone || this.#newest !== this.#openedIn ? true : undefined), timeout)
      .catch(error => {
        this.#signal.throwIfAborted();
        if (!timeout.aborted) throw error;
      });
    this.#trusting = this.#newest === this.#openedIn;
  }

  /** The run as the pod's status has it now. */
  #status(pod: V1Pod): Instance | undefined {
    return instancesOf(pod, this.#container).find(({ id }) => id === this.#instance.id);
  }

  #isOver({ pod, gone }: PodView): boolean {
    const now = this.#status(pod);
    return gone || now === undefined || now.ended !== undefined || this.#lastCall?.aborted === true;
  }

  /** Id of the container's newest run. */
  get #newest(): string | undefined {
    return instancesOf(this.#pod.view.pod, this.#container).at(-1)?.id;
  }

  #query(follow: boolean): LogQuery {
    const since = this.assembled.resumeFrom;
    return {
      container: this.#container,
      follow,
      ...(since !== undefined && { sinceTime: since }),
      ...(this.isPrevious && { previous: true }),
    };
  }

  /** @returns `undefined` while there is none, or where it turns out to be another run's */
  async #open(follow: boolean, signal: AbortSignal): ReturnType<typeof openLog> {
    const query = this.#query(follow);
    this.#doubtful = false;
    this.#openedIn = this.#newest;
    const body = await this.#request(query, signal);
    if (body === undefined || this.assembled.first !== undefined || !this.mayRestart) return body;
    // Of a run of which nothing has been read yet, nothing tells another's log: the pod's status does.
    await this.#pod.refresh();
    if (this.#query(follow).previous === query.previous && this.#status(this.#pod.view.pod) !== undefined) return body;
    body.destroy();
    return undefined;
  }

  /** A log is asked for by the pod's name, which another pod may have as soon as ours is gone. */
  #request(query: LogQuery, signal: AbortSignal): ReturnType<typeof openLog> {
    const { identity, view } = this.#pod;
    return view.gone ? Promise.reject(podGone(identity)) : openLog(this.#client, identity, query, signal);
  }

  /** @returns whether more of this stream is wanted */
  #push(bytes: Buffer): boolean {
    const isFirst = this.assembled.first === undefined;
    this.assembled.push(bytes);
    if (isFirst && this.assembled.first !== undefined) this.#beginsLate(this.assembled.first);
    this.#doubtful = this.assembled.unexpected;
    return !this.#doubtful;
  }

  #beginsLate(stamp: Stamp): void {
    const { startedAt } = this.#instance;
    if (!startedAt || performance.now() - this.#openedAt > WRITTEN_BEFORE_MS) return;
    // Both times are the node's.
    const seconds = stamp.second - Math.floor(new Date(startedAt).getTime() / 1000);
    if (seconds >= SOONEST_ROTATION_SECONDS) this.#reader.late(stamp.text, seconds);
  }
}
