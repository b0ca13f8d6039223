import { HashBag, HashList } from './hashes.ts';

/** Older seconds than these many are forgotten: a clock that is set back by more has the last of its lines twice, should the log break off just then. */
const MOST_OLD_SECONDS = 3600;

/** A second whose lines are remembered by their number alone. */
interface OldSecond {
  /** Hash of its first line, to tell whether a stream has it from its start. */
  first: number;
  count: number;
}

/**
 * The lines that have been passed on, as far as a resumed stream can repeat them.
 *
 * A stream is resumed a second before the last line's time, so the last seconds' lines are known one by one, as a multiset of hashes: neither their order nor their being equal matters. Of older seconds, which
 * come again only after the node's clock has been set back, it is known how many lines they had.
 */
export class SeenLines {
  readonly #recent = new Map<number, HashList>();
  readonly #old = new Map<number, OldSecond>();
  /** Seconds that may have lines of two logs: which of them a log begins with is not known. They stay recent. */
  #mixed = new Set<number>();
  #lastSecond: number | undefined;

  add(second: number, hash: number): void {
    let hashes = this.#recent.get(second);
    if (hashes === undefined) {
      hashes = new HashList();
      this.#recent.set(second, hashes);
    }
    hashes.push(hash);
    if (second === this.#lastSecond) return;
    this.#lastSecond = second;
    // A line of the second before may still follow, out of order, and then the next stream begins one more before that.
    for (const [old, hashes] of this.#recent) if (old < second - 2 && !this.#mixed.has(old)) this.#retire(old, hashes);
  }

  /** Whether the line has been passed on; of an old second's lines it is taken for granted. */
  has(second: number, hash: number): boolean {
    return this.#recent.get(second)?.includes(hash) === true || this.#old.has(second);
  }

  /** What a stream that begins with the second `since` has to repeat. */
  repeatedFrom(since: number): Repeats {
    const lines = [...this.#recent].filter(([second]) => second >= since).map(([, hashes]) => hashes);
    const seconds = new Map<number, OldSecond>();
    for (const [second, old] of this.#old) if (second >= since) seconds.set(second, { ...old });
    return new Repeats(new HashBag(lines), seconds);
  }

  /** Leaves only the last lines, which are known one by one: another log begins. */
  forgetOld(): void {
    this.#old.clear();
    for (const second of this.#mixed) if (second < (this.#lastSecond ?? 0) - 2) this.#recent.delete(second);
    this.#mixed = new Set(this.#recent.keys());
  }

  #retire(second: number, hashes: HashList): void {
    const { first = 0 } = hashes;
    const old = this.#old.get(second) ?? { first, count: 0 };
    old.count += hashes.length;
    this.#old.set(second, old);
    this.#recent.delete(second);
    for (const oldest of this.#old.keys()) {
      if (this.#old.size <= MOST_OLD_SECONDS) break;
      this.#old.delete(oldest);
    }
  }
}

/** The lines that one stream has to repeat. */
export class Repeats {
  /** How many of them have come. */
  taken = 0;
  readonly #lines: HashBag;
  readonly #seconds: Map<number, OldSecond>;
  /** Old seconds of which a line has come. */
  readonly #begun = new Set<number>();

  constructor(lines = new HashBag(), seconds = new Map<number, OldSecond>()) {
    this.#lines = lines;
    this.#seconds = seconds;
  }

  /** How many are yet to come: lines, and whole seconds. */
  get left(): number {
    return this.#lines.left + this.#seconds.size;
  }

  /** @returns whether the line is one of them, which it is once for each time it was passed on. */
  take(second: number, hash: number): boolean {
    const found = this.#lines.take(hash) || this.#takeOfSecond(second, hash);
    if (found) this.taken++;
    return found;
  }

  #takeOfSecond(second: number, hash: number): boolean {
    const old = this.#seconds.get(second);
    // Where the node has thrown away its beginning, what is left cannot be told from new lines.
    if (old === undefined || (!this.#begun.has(second) && hash !== old.first)) return false;
    this.#begun.add(second);
    if (--old.count === 0) this.#seconds.delete(second);
    return true;
  }
}
