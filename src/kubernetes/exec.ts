import type { V1Status } from '@kubernetes/client-node';
import type { RawData, WebSocket } from 'ws';
import type { ApiClient, ApiRequest } from './client.ts';
import { NetworkError } from './network-error.ts';
import type { PodIdentity } from './pods.ts';

/** Kubernetes' protocols for streams over one WebSocket; both send the program's end as a Status, v5 can also end its input (KEP-4006), which nobody here needs. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
/** The first byte of each message says whose it is. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;

/** What waits to be sent, or to be taken, may grow to this, in bytes. */
const MOST_WAITING = 4 * 1024 * 1024;
/** How often the other side is asked for a sign of life, in milliseconds: load balancers cut what is idle for a minute, and of a connection that is gone nothing else may tell. */
const PING_MS = 15_000;
/** A program that takes nothing and says nothing for so long is stopped or stuck, whoever answers for the connection, in milliseconds. */
const IDLE_MS = 300_000;
/** So often it is asked in vain; more often while what it is asked by waits behind what is sent, which on a slow way takes its time. */
const MOST_SILENT = 1;
const MOST_SILENT_SENDING = 8;
/** After a program's end the server closes the connection; one that does not is left after so long, in milliseconds. */
const LATE_MS = 200;
/** Of what a program says on stderr the beginning is kept, in bytes: it is the cause. */
const LONGEST_COMPLAINT = 4096;
/** And its end. */
const LONGEST_LAST = 256;

/** A program in a container. */
export interface Program {
  container: string;
  command: string[];
  /** Takes what it prints; the rest waits until it settles. */
  stdout?: (bytes: Buffer) => Promise<void> | void;
}

/** How a program ended. */
export interface ProgramEnd {
  exitCode: number;
  /** What it said on stderr, or the server in its place where it could not be started. */
  complaint: string;
  /** The end of what it said on stderr. */
  last: string;
}

/**
 * A program that runs in a container, over one WebSocket.
 * Without a Status nothing is known: the connection is gone, and the program may run on [measured].
 */
export class Exec {
  readonly #socket: WebSocket;
  readonly #program: Program;
  readonly #ended: Promise<ProgramEnd>;
  #settle: { resolve(end: ProgramEnd): void; reject(error: unknown): void } = { resolve() {}, reject() {} };
  #complaint = Buffer.alloc(0);
  #last = Buffer.alloc(0);
  #taking: Promise<void> = Promise.resolve();
  #untaken = 0;
  /** Asked for a sign of life, in vain. */
  #silent = 0;
  #mostSilent = MOST_SILENT;
  /** When something has come or gone, by `performance.now()`. */
  #movedAt = performance.now();
  #cut: Error | undefined;
  /** Messages that have been sent, to be written over: memory that is new for each takes a fifth of the time [measured]. */
  readonly #sent: Buffer[] = [];
  #end: (() => ProgramEnd) | undefined;
  #late: NodeJS.Timeout | undefined;

  /**
   * Starts a program, once.
   * @throws ApiError, NetworkError
   */
  static async start(
    client: ApiClient,
    { namespace, name }: Pick<PodIdentity, 'namespace' | 'name'>,
    program: Program,
    signal: AbortSignal,
  ): Promise<Exec> {
    const call: ApiRequest = {
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/exec`,
      query: {
        container: program.container,
        stdin: true,
        stdout: true,
        stderr: true,
        command: program.command,
      },
      asked: { verb: 'create', resource: 'pods/exec', namespace, name },
    };
    return new Exec(await client.webSocket(call, PROTOCOLS, signal), program, signal);
  }

  constructor(socket: WebSocket, program: Program, signal: AbortSignal) {
    this.#socket = socket;
    this.#program = program;
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Awaited when all has been sent.
    this.#ended.catch(() => {});
    const abort = () => this.#fail(signal.reason);
    const pings = setInterval(() => this.#ping(), PING_MS);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('message', data => this.#message(data));
    socket.on('pong', () => {
      this.#heard();
      this.#mostSilent = MOST_SILENT;
    });
    socket.once('close', () => {
      clearInterval(pings);
      clearTimeout(this.#late);
      signal.removeEventListener('abort', abort);
      // What has come is taken first: the program's end may be in it.
      void this.#taking.finally(() => this.#conclude());
    });
    if (signal.aborted) abort();
    else socket.resume();
  }

  /**
   * Sends to the program's input, and waits while too much is on its way.
   * @param parts one after the other; they are the caller's again as soon as this returns
   * @throws NetworkError when the connection is gone, or what `ended` throws
   */
  async send(...parts: Uint8Array[]): Promise<void> {
    const { memory, message } = this.#compose(parts);
    await new Promise<void>((resolve, reject) => {
      if (this.#cut) return reject(this.#cut);
      const isFull = this.#socket.bufferedAmount > MOST_WAITING;
      this.#socket.send(message, error => {
        if (error) return reject(this.#cut ?? new NetworkError(error));
        this.#movedAt = performance.now();
        this.#sent.push(memory);
        if (isFull) resolve();
      });
      if (!isFull) resolve();
    });
  }

  #compose(parts: Uint8Array[]): { memory: Buffer; message: Buffer } {
    const length = parts.reduce((sum, part) => sum + part.length, 1);
    const spare = this.#sent.pop();
    const memory = spare !== undefined && spare.length >= length ? spare : Buffer.allocUnsafeSlow(length);
    memory[0] = STDIN;
    let at = 1;
    for (const part of parts) {
      memory.set(part, at);
      at += part.length;
    }
    return { memory, message: memory.subarray(0, length) };
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * The program's end, when all that it printed has been taken.
   * @throws NetworkError when the connection is gone before: what became of it cannot be known
   */
  ended(): Promise<ProgramEnd> {
    return this.#ended;
  }

  /**
   * Ends the connection, whatever the program does.
   * @param why what {@link ended} is to throw where the program has not ended
   */
  close(why: unknown = new NetworkError(new Error('connection closed'))): void {
    // What is sent to a program that has ended fails, and says less than its end.
    if (this.#end) void this.#taking.then(() => this.#conclude());
    else this.#fail(why);
  }

  #message(data: RawData): void {
    // An answer to a ping may wait behind much of this.
    this.#heard();
    this.#movedAt = performance.now();
    const bytes = data as Buffer;
    const content = bytes.subarray(1);
    if (bytes[0] === STDERR) {
      this.#complaint = Buffer.concat([this.#complaint, content]).subarray(0, LONGEST_COMPLAINT);
      this.#last = Buffer.concat([this.#last, content]).subarray(-LONGEST_LAST);
    }
    if (bytes[0] === STATUS) {
      this.#end = endOf(content, () => ({ complaint: this.#complaint.toString().trim(), last: this.#last.toString() }));
      if (this.#end === undefined) this.#fail(new NetworkError(new Error('what was said of its end is no Status')));
      else this.#awaitRest();
    }
    if (bytes[0] === STDOUT && content.length > 0) this.#take(content);
  }

  /** Each channel comes on its own: what was printed may come after the end. */
  #awaitRest(): void {
    clearTimeout(this.#late);
    this.#late = setTimeout(() => {
      if (this.#socket.isPaused) this.#awaitRest();
      else void this.#taking.then(() => this.#conclude());
    }, LATE_MS);
  }

  #conclude(): void {
    if (this.#end && !this.#cut) this.#settle.resolve(this.#end());
    this.#fail(new NetworkError(new Error('connection closed')));
  }

  /** One after the other. */
  #take(content: Buffer): void {
    const { stdout } = this.#program;
    this.#untaken += content.length;
    if (this.#untaken > MOST_WAITING) this.#socket.pause();
    this.#taking = this.#taking
      .then(() => (this.#cut ? undefined : stdout?.(content)))
      .then(
        () => {
          this.#untaken -= content.length;
          if (this.#untaken > MOST_WAITING || !this.#socket.isPaused) return;
          this.#heard();
          this.#socket.resume();
        },
        error => this.#fail(error),
      );
  }

  #heard(): void {
    this.#silent = 0;
  }

  #ping(): void {
    if (this.#socket.bufferedAmount > 0) this.#mostSilent = MOST_SILENT_SENDING;
    // Nothing is heard of one that is not listened to.
    const isGone = this.#silent >= this.#mostSilent && !this.#socket.isPaused;
    this.#silent++;
    if (performance.now() - this.#movedAt > IDLE_MS)
      this.#fail(new NetworkError(new Error('nothing has come or gone for 5 min')));
    else if (isGone) this.#fail(new NetworkError(new Error('no sign of life')));
    else this.#socket.ping();
  }

  #fail(error: unknown): void {
    this.#cut ??= error as Error;
    this.#settle.reject(error);
    this.#socket.terminate();
  }
}

/** @returns what the server says of a program's end: its exit code is the cause of a failure [measured]; nothing where that cannot be read */
function endOf(content: Buffer, said: () => Omit<ProgramEnd, 'exitCode'>): (() => ProgramEnd) | undefined {
  const status = statusOf(content);
  if (status === undefined) return undefined;
  if (status.status === 'Success') return () => ({ exitCode: 0, ...said() });
  const code = Number(status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message);
  if (status.reason === 'NonZeroExitCode' && Number.isInteger(code)) return () => ({ exitCode: code, ...said() });
  return () => ({ ...said(), exitCode: 126, complaint: status.message ?? 'it could not be started' });
}

function statusOf(content: Buffer): V1Status | undefined {
  try {
    return (JSON.parse(content.toString()) as V1Status | null) ?? undefined;
  } catch {
    return undefined;
  }
}
