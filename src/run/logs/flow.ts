/** More than a container writes in the moment in which it is stopped, and less than a stream brings in a second that has to catch up. */
const FULL_BYTES = 256 * 1024;
const WINDOW_MS = 1000;

/** How much a stream has brought lately: one that ends in full flow had not caught up with what there was. */
export class Flow {
  #windowAt = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  #before = 0;

  /** @param nowMs of a clock that only goes on */
  note(bytes: number, nowMs: number): void {
    if (nowMs - this.#windowAt >= WINDOW_MS) {
      this.#before = nowMs - this.#windowAt < 2 * WINDOW_MS ? this.#bytes : 0;
      this.#windowAt = nowMs;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
  }

  /** Whether it has brought more in the last second or two than can be new. */
  isFull(nowMs: number): boolean {
    return nowMs - this.#windowAt < 2 * WINDOW_MS && this.#bytes + this.#before >= FULL_BYTES;
  }
}
