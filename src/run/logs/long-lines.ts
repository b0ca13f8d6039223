import type { Fragments } from './fragments.ts';
import type { Stamp } from './stamp.ts';

interface LongLine {
  stamp: Stamp;
  /** Of the line behind it, if there is one yet. No fragment of this one is later. */
  next: Stamp | undefined;
  fragments: Fragments;
}

/** Long lines that have been passed on and that a resumed stream may begin in: the node may rotate the log in the middle of one. */
export class LongLines {
  #lines: LongLine[] = [];
  /** Of the last line that was passed on, long or not. */
  #second: number | undefined;

  /** @param fragments of a line that is whole */
  add(stamp: Stamp, fragments: Fragments): void {
    fragments.end();
    this.#lines.push({ stamp, next: undefined, fragments });
  }

  /** A line is passed on, behind all that were added. */
  behind(stamp: Stamp): void {
    if (this.#lines.length === 0) return;
    const latest = this.#lines.at(-1);
    if (latest) latest.next ??= stamp;
    if (stamp.second === this.#second) return;
    this.#second = stamp.second;
    // Streams begin a second before the last line's time, and a line of the second before that may follow, out of order.
    this.#lines = this.#lines.filter(({ next }) => next === undefined || next.second >= stamp.second - 2);
  }

  /**
   * @param stamp with which a stream begins
   * @param bytes its first bytes
   * @returns whether it begins with the rest of one of the lines
   */
  includeRest(stamp: Stamp, bytes: Buffer): boolean {
    return this.#lines.some(
      line =>
        line.fragments.has(bytes) ||
        // Whatever lies between two lines that have been passed on has been passed on.
        (line.next !== undefined && line.stamp.isBefore(stamp) && stamp.isBefore(line.next)),
    );
  }

  clear(): void {
    this.#lines = [];
  }
}
