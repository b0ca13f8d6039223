import { readStamp, type Stamp } from './stamp.ts';

/** A line longer than this is passed on in pieces as they come, so memory stays bounded whatever the container prints. */
const LONGEST_HELD_LINE = 64 * 1024;
/** A line is known again by this many of its first bytes, the time stamp among them. They are always there when the first piece of a line is. */
const KNOWN_BY = 1024;
const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** The line at hand, of which at least the first piece has been seen. */
interface Line {
  stamp: Stamp | undefined;
  hash: number;
  /** Whether it had been passed on before, so is dropped. */
  replay: boolean;
  /** Bytes still to be dropped, since an earlier stream had brought them before it broke. */
  skip: number;
  /** Bytes of it that have been passed on, by this stream or an earlier one. */
  passed: number;
}

/**
 * One container's log, put together from as many streams as it takes, each line once.
 *
 * A stream that breaks is resumed by `sinceTime`, which the server understands in whole seconds and inclusively (kubernetes/kubernetes#77856), so it begins with lines that are here already. They are known
 * by time stamp and content, as a multiset: equal lines are right, and so are lines out of order by microseconds (stdout and stderr are stamped before they queue for the file).
 */
export class LogAssembler {
  readonly #emit: (bytes: Uint8Array) => void;
  /** Hashes of the whole lines of each second that a resumed stream can repeat. */
  readonly #seen = new Map<number, number[]>();
  /** How often each line is yet to be repeated by this stream. */
  #expected = new Map<number, number>();
  #last: Stamp | undefined;
  #rest: Buffer = EMPTY;
  #line: Line | undefined;
  /** A long line that broke off after part of it had been passed on. */
  #broken: Line | undefined;
  #atStreamStart = true;
  #resumed = false;
  #foreign = '';
  #passed = 0;
  #out: Buffer[] = [];

  /** @param emit takes the log's bytes without time stamps, as the container wrote them; they are only valid during the call */
  constructor(emit: (bytes: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** RFC 3339 time to resume from: the second before the last whole line's, in file order. `undefined`: from the start. */
  get resumeFrom(): string | undefined {
    return this.#last && new Date(1000 * (this.#last.second - 1)).toISOString().replace('.000Z', 'Z');
  }

  /**
   * Where this stream has got to, to be compared with where another one ended: what has been passed on, what is left of an unfinished line, and how many lines it had to repeat and has not.
   */
  get position(): string {
    return `${this.#passed}:${this.#rest.length}:${this.#expected.size}`;
  }

  /** Text in the stream that is no line of the log: the kubelet's own error, in the middle of a 200 answer. */
  get foreign(): string {
    const stray = this.#line === undefined && this.#rest.length > 0 && readStamp(this.#rest) === undefined;
    return stray ? this.#foreign + this.#rest.toString('utf8').slice(0, 1000) : this.#foreign;
  }

  /** A new stream begins, opened with {@link resumeFrom}. What the last one left unfinished comes again with it. */
  begin(): void {
    if (this.#line && this.#line.passed > 0) this.#broken = this.#line;
    this.#line = undefined;
    this.#rest = EMPTY;
    this.#atStreamStart = true;
    this.#resumed = this.#last !== undefined;
    this.#foreign = '';
    this.#expected = new Map();
    const since = (this.#last?.second ?? 0) - 1;
    for (const [second, hashes] of this.#seen) {
      if (second < since) continue;
      for (const hash of hashes) this.#expected.set(hash, (this.#expected.get(hash) ?? 0) + 1);
    }
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, from)) {
      this.#piece(this.#withRest(bytes.subarray(from, newline + 1)), true);
      from = newline + 1;
    }
    if (from < bytes.length) {
      const tail = this.#withRest(bytes.subarray(from));
      // The chunk's memory is the transport's to use again.
      if (this.#line === undefined && tail.length <= LONGEST_HELD_LINE) this.#rest = Buffer.from(tail);
      else this.#piece(tail, false);
    }
    this.#flush();
  }

  /** The container has ended and this stream was its log to the end: what is left is a last line without a newline. */
  finish(): void {
    if (this.#rest.length > 0) this.#piece(this.#withRest(EMPTY), true);
    else if (this.#line) this.#end(this.#line);
    this.#line = undefined;
    this.#flush();
  }

  /** The log cannot be read to its end. What is left of an unfinished line is passed on, unless it may be of a line that was to be repeated. */
  abandon(): void {
    if (this.#expected.size > 0 || this.#broken !== undefined) this.#rest = EMPTY;
    this.finish();
  }

  #withRest(bytes: Buffer): Buffer {
    if (this.#rest.length === 0) return bytes;
    const joined = Buffer.concat([this.#rest, bytes]);
    this.#rest = EMPTY;
    return joined;
  }

  /** @param last whether the line ends with this piece */
  #piece(bytes: Buffer, last: boolean): void {
    let content = bytes;
    if (this.#line === undefined) {
      this.#line = this.#start(bytes);
      content = bytes.subarray(this.#line.stamp?.length ?? bytes.length);
    }
    const line = this.#line;
    if (!line.replay) {
      const skipped = Math.min(line.skip, content.length);
      line.skip -= skipped;
      if (content.length > skipped) this.#out.push(content.subarray(skipped));
      line.passed += content.length - skipped;
    }
    if (!last) return;
    this.#end(line);
    this.#line = undefined;
  }

  #start(bytes: Buffer): Line {
    const first = this.#atStreamStart;
    this.#atStreamStart = false;
    const stamp = readStamp(bytes);
    const hash = stamp === undefined ? 0 : lineHash(bytes.subarray(0, KNOWN_BY));
    if (stamp === undefined) {
      // `sinceTime` can fall between two fragments of a long line: its tail comes first then, and is here already [measured].
      if (!(first && this.#resumed)) this.#foreign += bytes.toString('utf8').slice(0, 1000);
      return { stamp, hash, replay: true, skip: 0, passed: 0 };
    }
    // The repeated lines first: in the file they come before the broken one, be they its like.
    if (this.#repeats(hash)) return { stamp, hash, replay: true, skip: 0, passed: 0 };
    if (this.#broken?.hash !== hash) return { stamp, hash, replay: false, skip: 0, passed: 0 };
    const { passed } = this.#broken;
    this.#broken = undefined;
    return { stamp, hash, replay: false, skip: passed, passed };
  }

  #repeats(hash: number): boolean {
    const times = this.#expected.get(hash);
    if (times === undefined) return false;
    if (times > 1) this.#expected.set(hash, times - 1);
    else this.#expected.delete(hash);
    return true;
  }

  #end({ stamp, hash, replay }: Line): void {
    if (replay || stamp === undefined) return;
    const { second } = stamp;
    if (this.#last?.second !== second) {
      // A line of the second before may still follow, out of order, and then the next stream begins one more before that.
      for (const old of this.#seen.keys()) if (old < second - 2) this.#seen.delete(old);
    }
    this.#last = stamp;
    const hashes = this.#seen.get(second);
    if (hashes) hashes.push(hash);
    else this.#seen.set(second, [hash]);
  }

  #flush(): void {
    const [only, ...more] = this.#out;
    if (only === undefined) return;
    this.#out = [];
    const bytes = more.length === 0 ? only : Buffer.concat([only, ...more]);
    this.#passed += bytes.length;
    this.#emit(bytes);
  }
}

/** cyrb53, a 53-bit hash (public domain, by bryc): wide enough that two of a second's lines are never taken for each other, and fast enough for every line. */
function lineHash(bytes: Buffer): number {
  let [h1, h2] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    h1 = Math.imul(h1 ^ byte, 2654435761);
    h2 = Math.imul(h2 ^ byte, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}
