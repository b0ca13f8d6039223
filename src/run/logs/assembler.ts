import { Fragments } from './fragments.ts';
import { hashOf } from './hashes.ts';
import { LongLines } from './long-lines.ts';
import { Repeats, SeenLines } from './seen-lines.ts';
import { readStamp, type Stamp } from './stamp.ts';

/** A line longer than this is passed on in pieces as they come, so memory stays bounded whatever the container prints. */
const LONGEST_HELD_LINE = 64 * 1024;
/** A line is known again by this many of its first bytes, the time stamp among them. They are always there when the first piece of a line is. */
const KNOWN_BY = 1024;
/** A line up to this long is never kept in fragments by any container runtime. */
const SHORT_LINE = 8 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);
const LINE_END = Buffer.from('\n');

/** What comes out of an assembler. */
export interface AssembledLog {
  /** The log's bytes without time stamps, as the container wrote them; valid only during the call. */
  emit(bytes: Uint8Array): void;
  /**
   * The node has thrown away what came, if anything, between these two lines: here the log has a hole.
   * @param from time of the last line before it, as the kubelet writes times
   * @param to time of the first line behind it; `undefined` where none came
   */
  gap(from: string, to: string | undefined): void;
}

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
  /** Of a long line: what its rest is known by. */
  fragments?: Fragments;
}

/**
 * One container's log, put together from as many streams as it takes, each line once.
 *
 * A stream that breaks is resumed by `sinceTime`, which the server understands in whole seconds and inclusively (kubernetes/kubernetes#77856), so it begins with lines that are here already. They are known
 * by time stamp and content, as a multiset: equal lines are right, and so are lines out of order by microseconds (stdout and stderr are stamped before they queue for the file).
 *
 * The last line that was passed on is always among them, and before every new line, unless the node has rotated the log, or another instance of the container writes by now.
 */
export class LogAssembler {
  readonly #to: AssembledLog;
  readonly #seen = new SeenLines();
  /** What is yet to be repeated by this stream. */
  #repeats = new Repeats();
  /** Of the last whole line that was passed on, in file order: not the latest, for a clock can be set back. */
  #last: Stamp | undefined;
  #lastHash = 0;
  /** Whether this stream has brought that line, or one behind it. */
  #cameToLast = false;
  #first: Stamp | undefined;
  #rest: Buffer = EMPTY;
  /** What the stream before had brought of a line that was not whole, and that has not come again. */
  #unfinished: Buffer = EMPTY;
  #line: Line | undefined;
  /** A long line that broke off after part of it had been passed on. */
  #broken: Line | undefined;
  readonly #longLines = new LongLines();
  #atStreamStart = true;
  #resumed = false;
  #trusting = true;
  #unexpected = false;
  #foreign = '';
  #passed = 0;
  #out: Buffer[] = [];

  constructor(to: AssembledLog) {
    this.#to = to;
  }

  /** RFC 3339 time to resume from: the second before the last whole line's, in file order. `undefined`: from the start. */
  get resumeFrom(): string | undefined {
    return this.#last && new Date(1000 * (this.#last.second - 1)).toISOString().replace('.000Z', 'Z');
  }

  /** Of the first line that was passed on. */
  get first(): Stamp | undefined {
    return this.#first;
  }

  /** How many bytes have been passed on. */
  get passed(): number {
    return this.#passed;
  }

  /**
   * Where this stream has got to, to be compared with where another one ended: what has been passed on, what is left of an unfinished line, and how many lines it had to repeat and has not.
   */
  get position(): string {
    return `${this.#passed}:${this.#rest.length}:${this.#repeats.left}`;
  }

  /** Whether the stream stands in the middle of a line. */
  get isMidLine(): boolean {
    return this.#line !== undefined || this.#rest.length > 0;
  }

  /** Text in the stream that is no line of the log: the kubelet's own error, in the middle of a 200 answer. */
  get foreign(): string {
    const stray = this.#line === undefined && this.#rest.length > 0 && readStamp(this.#rest) === undefined;
    return stray ? this.#foreign + this.#rest.toString('utf8').slice(0, 1000) : this.#foreign;
  }

  /** Whether a stream that is not trusted has brought a new line before any that is known. It is dropped from there on: perhaps it is another log. */
  get unexpected(): boolean {
    return this.#unexpected;
  }

  /** Whether the stream ended among the lines that are known: it broke off, however cleanly, for the node rotates away what is at the log's beginning alone. */
  get isShort(): boolean {
    if (this.#last === undefined || this.#cameToLast) return false;
    const rest = this.#line === undefined ? readStamp(this.#rest) : undefined;
    return this.#repeats.taken > 0 || (rest !== undefined && !this.#last.isBefore(rest));
  }

  /**
   * A new stream begins, opened with {@link resumeFrom}. What the last one left unfinished comes again with it.
   * @param trusting whether it is known to be the same log, so that a missing beginning has been rotated away
   */
  begin(trusting = true): void {
    if (this.#line && this.#line.passed > 0) this.#broken = this.#line;
    this.#line = undefined;
    const isNew = this.#repeats.left === 0 && this.#broken === undefined && readStamp(this.#rest) !== undefined;
    if (isNew && this.#rest.length > this.#unfinished.length) this.#unfinished = this.#rest;
    this.#rest = EMPTY;
    this.#atStreamStart = true;
    this.#resumed = this.#last !== undefined;
    this.#trusting = trusting;
    this.#unexpected = false;
    this.#cameToLast = false;
    this.#foreign = '';
    this.#repeats = this.#seen.repeatedFrom(
      this.#last === undefined ? Number.NEGATIVE_INFINITY : this.#last.second - 1,
    );
  }

  /** Whether this stream was to repeat lines, and has repeated none. */
  get hasNothingKnown(): boolean {
    return this.#last !== undefined && this.#repeats.left > 0 && this.#repeats.taken === 0;
  }

  /** What has been passed on may be another run's log: the next stream brings this one's from its start. */
  startOver(): void {
    this.#last = undefined;
    this.#rest = EMPTY;
    this.#unfinished = EMPTY;
    this.#line = undefined;
    this.#broken = undefined;
  }

  /** The container has been started again and writes another log. Lines of it that have come already, by a stream that was opened for the old one, are known. */
  nextInstance(): void {
    if (this.#broken !== undefined) this.#out.push(LINE_END);
    this.#flush();
    this.#broken = undefined;
    this.#line = undefined;
    this.#rest = EMPTY;
    this.#unfinished = EMPTY;
    this.#last = undefined;
    this.#first = undefined;
    this.#longLines.clear();
    this.#resumed = false;
    this.#seen.forgetOld();
  }

  /** Takes the stream's next bytes. */
  push(bytes: Buffer): void {
    if (this.#unexpected) return;
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, from)) {
      this.#piece(this.#withRest(bytes.subarray(from, newline + 1)), true);
      from = newline + 1;
    }
    if (from < bytes.length) {
      const tail = this.#withRest(bytes.subarray(from));
      // A copy, for the piece may be a corner of a large buffer that would be kept with it.
      if (this.#line === undefined && mayGrow(tail)) this.#rest = Buffer.from(tail);
      else this.#piece(tail, false);
    }
    this.#flush();
  }

  /**
   * The container has ended and this stream was its log to the end: what is left is a last line without a newline.
   * @param reached whether an earlier stream had come to the same end: what this one does not have was rotated away after it had been read
   */
  finish(reached = false): void {
    if (this.#rest.length > 0) this.#piece(this.#withRest(EMPTY), true);
    else if (this.#line) this.#end(this.#line);
    this.#line = undefined;
    if (!reached && this.#resumed && this.#repeats.taken === 0 && this.#atStreamStart) this.#gap(undefined);
    this.#flush();
  }

  /** The log cannot be read to its end. What any stream has brought of an unfinished line is passed on, unless it may be of a line that was to be repeated. */
  abandon(): void {
    if (this.#repeats.left > 0 || this.#broken !== undefined) this.#rest = EMPTY;
    if (this.#rest.length < this.#unfinished.length) {
      this.#rest = this.#unfinished;
      // It came behind what is known, be there nothing of that in the last stream.
      this.#resumed = false;
    }
    this.#unfinished = EMPTY;
    this.#atStreamStart = false;
    this.finish();
  }

  /**
   * Whether a line, with its stamp, has been passed on or is just being: then the stream is no later than whoever read it.
   * @param line as the server gave it when asked for the last one alone
   */
  knows(line: Buffer): boolean {
    const stamp = readStamp(line);
    if (stamp === undefined) return true;
    const hash = lineHash(line);
    const unfinished = this.#line?.stamp?.text ?? readStamp(this.#rest)?.text;
    return unfinished === stamp.text || this.#seen.has(stamp.second, hash);
  }

  #withRest(bytes: Buffer): Buffer {
    if (this.#rest.length === 0) return bytes;
    const joined = Buffer.concat([this.#rest, bytes]);
    this.#rest = EMPTY;
    return joined;
  }

  /** @param last whether the line ends with this piece */
  #piece(bytes: Buffer, last: boolean): void {
    if (this.#unexpected) return;
    let from = 0;
    if (this.#line === undefined) {
      this.#line = this.#start(bytes);
      from = this.#line.stamp?.length ?? bytes.length;
    }
    const line = this.#line;
    if (!line.replay) this.#pass(line, from === 0 ? bytes : bytes.subarray(from), last);
    if (!last) return;
    this.#end(line);
    this.#line = undefined;
  }

  #pass(line: Line, bytes: Buffer, last: boolean): void {
    const skipped = Math.min(line.skip, bytes.length);
    line.skip -= skipped;
    if (bytes.length === skipped) return;
    const unseen = skipped === 0 ? bytes : bytes.subarray(skipped);
    this.#out.push(unseen);
    line.passed += unseen.length;
    if (line.fragments === undefined && last && unseen.length <= SHORT_LINE) return;
    line.fragments ??= new Fragments();
    line.fragments.push(unseen);
  }

  #start(bytes: Buffer): Line {
    const first = this.#atStreamStart;
    this.#atStreamStart = false;
    const stamp = readStamp(bytes);
    const hash = stamp === undefined ? 0 : lineHash(bytes);
    const dropped = { stamp, hash, replay: true, skip: 0, passed: 0 };
    if (stamp === undefined) {
      // `sinceTime` can fall between two fragments of a long line: its tail comes first then, and is here already [measured].
      if (!(first && this.#resumed)) this.#foreign += bytes.toString('utf8').slice(0, 1000);
      return dropped;
    }
    // The repeated lines first: in the file they come before the broken one, be they its like.
    if (this.#repeats.take(stamp.second, hash)) {
      if (hash === this.#lastHash) this.#cameToLast = true;
      return dropped;
    }
    const broken = this.#broken;
    this.#broken = undefined;
    if (broken?.hash === hash) {
      // What was before it has been passed on, be it rotated away by now.
      this.#resumed = false;
      return { stamp, hash, replay: false, skip: broken.passed, passed: broken.passed };
    }
    const rest = first ? this.#restOfLongLine(stamp, bytes.subarray(stamp.length), broken) : undefined;
    if (rest !== undefined) {
      // It shows as well that nothing is missing.
      this.#repeats.taken++;
      this.#cameToLast = true;
      this.#resumed = false;
      return rest;
    }
    const hasHole = (this.#resumed && this.#repeats.taken === 0) || (first && broken !== undefined);
    if (hasHole) {
      if (!this.#trusting) {
        this.#unexpected = true;
        this.#broken = broken;
        return dropped;
      }
      // Told once: what follows is whole again.
      this.#resumed = false;
      if (broken !== undefined) this.#out.push(LINE_END);
      this.#gap(stamp.text, broken);
    } else if (broken !== undefined) this.#out.push(LINE_END);
    this.#first ??= stamp;
    // The line has come again, or another that is behind it.
    this.#unfinished = EMPTY;
    return { stamp, hash, replay: false, skip: 0, passed: 0 };
  }

  /**
   * The first line of a stream may be the rest of a long one that is known: the node has rotated the log in its middle.
   * @param stamp of its first fragment that is left
   * @param bytes its first bytes
   * @param broken the line that the stream before has left unfinished
   * @returns `undefined` if it is not, or if nobody can tell from where on
   */
  #restOfLongLine(stamp: Stamp, bytes: Buffer, broken: Line | undefined): Line | undefined {
    const before = broken?.fragments?.before(bytes);
    if (broken !== undefined && before !== undefined) return { ...broken, skip: broken.passed - before };
    if (!this.#longLines.includeRest(stamp, bytes)) return undefined;
    return { stamp: undefined, hash: 0, replay: true, skip: 0, passed: 0 };
  }

  #gap(to: string | undefined, broken?: Line): void {
    this.#flush();
    const from = this.#last ?? broken?.stamp;
    if (from !== undefined) this.#to.gap(from.text, to);
  }

  #end({ stamp, hash, replay, fragments }: Line): void {
    if (replay || stamp === undefined) return;
    this.#longLines.behind(stamp);
    this.#last = stamp;
    this.#lastHash = hash;
    this.#cameToLast = true;
    this.#seen.add(stamp.second, hash);
    if (fragments !== undefined) this.#longLines.add(stamp, fragments);
  }

  #flush(): void {
    const [only, ...more] = this.#out;
    if (only === undefined) return;
    this.#out = [];
    const bytes = more.length === 0 ? only : Buffer.concat([only, ...more]);
    this.#passed += bytes.length;
    this.#to.emit(bytes);
  }
}

/** Whether the beginning of a line is held until the rest has come. A progress bar's updates, each behind a carriage return, are not. */
function mayGrow(tail: Buffer): boolean {
  return tail.length <= LONGEST_HELD_LINE && (tail.length <= KNOWN_BY || !tail.includes(CARRIAGE_RETURN));
}

function lineHash(line: Buffer): number {
  return hashOf(line, 0, Math.min(line.length, KNOWN_BY));
}
