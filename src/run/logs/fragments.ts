import { HashList, hashOf } from './hashes.ts';

/** Container runtimes keep a long line in fragments: containerd of 16 KiB, CRI-O of 8 KiB. */
const FRAGMENT_BYTES = 8 * 1024;
/** A fragment is known again by this many of its first bytes. */
const KNOWN_BY = 512;

/** What is remembered of a long line, so that the rest of it is known again: where the node rotates a log in the middle of a line, that begins the new file, with the time stamp of its first fragment [measured]. */
export class Fragments {
  /** Of each fragment but the first. */
  readonly #hashes = new HashList();
  readonly #begun = Buffer.allocUnsafe(KNOWN_BY);
  #length = 0;

  /** Takes the line's next bytes. */
  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const at = this.#length % FRAGMENT_BYTES;
      const step = Math.min((at < KNOWN_BY ? KNOWN_BY : FRAGMENT_BYTES) - at, bytes.length - from);
      if (at < KNOWN_BY) this.#begun.set(bytes.subarray(from, from + step), at);
      from += step;
      this.#length += step;
      if (at < KNOWN_BY && at + step === KNOWN_BY) this.#know(KNOWN_BY);
    }
  }

  /** The line is whole; a newline at its end has been among the bytes. */
  end(): void {
    const at = this.#length % FRAGMENT_BYTES;
    if (at > 0 && at < KNOWN_BY) this.#know(at);
  }

  /**
   * @param bytes the first bytes of what may be the rest of the line: whole, or longer than 512 bytes
   * @returns whether it is
   */
  has(bytes: Buffer): boolean {
    return this.#hashes.includes(hashOfBeginning(bytes));
  }

  /** @returns how many bytes of the line are in front of its rest; `undefined` if that cannot be told, for the line repeats itself, or this is no rest of it */
  before(bytes: Buffer): number | undefined {
    const hash = hashOfBeginning(bytes);
    const index = this.#hashes.indexOf(hash);
    return index !== -1 && index === this.#hashes.lastIndexOf(hash) ? (index + 1) * FRAGMENT_BYTES : undefined;
  }

  #know(length: number): void {
    if (this.#length >= FRAGMENT_BYTES) this.#hashes.push(hashOf(this.#begun, 0, length));
  }
}

function hashOfBeginning(bytes: Buffer): number {
  return hashOf(bytes, 0, Math.min(bytes.length, KNOWN_BY));
}
