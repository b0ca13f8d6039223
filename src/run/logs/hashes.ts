/** A list of line hashes, eight bytes each: tens of thousands of lines fall into a busy second. */
export class HashList {
  #values = new Float64Array(16);
  length = 0;

  get first(): number | undefined {
    return this.length === 0 ? undefined : this.#values[0];
  }

  push(hash: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = hash;
  }

  includes(hash: number): boolean {
    return this.values().includes(hash);
  }

  indexOf(hash: number): number {
    return this.values().indexOf(hash);
  }

  lastIndexOf(hash: number): number {
    return this.values().lastIndexOf(hash);
  }

  /** Valid until the next {@link push}. */
  values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }
}

/** Hashes to be taken out one by one, each as often as it is in. */
export class HashBag {
  /** How many are left. */
  left: number;
  readonly #sorted: Float64Array;
  readonly #taken: Uint8Array;

  constructor(lists: readonly HashList[] = []) {
    this.left = lists.reduce((sum, { length }) => sum + length, 0);
    this.#sorted = new Float64Array(this.left);
    this.#taken = new Uint8Array(this.left);
    let at = 0;
    for (const list of lists) {
      this.#sorted.set(list.values(), at);
      at += list.length;
    }
    this.#sorted.sort();
  }

  take(hash: number): boolean {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    // Lines that are equal, time stamp and all, are few.
    while (this.#sorted[low] === hash && this.#taken[low] === 1) low++;
    if (this.#sorted[low] !== hash) return false;
    this.#taken[low] = 1;
    this.left--;
    return true;
  }
}

/** cyrb53, a 53-bit hash (public domain, by bryc), of these bytes: wide enough that two of a second's lines are never taken for each other, and fast enough for every line. */
export function hashOf(bytes: Buffer, from: number, to: number): number {
  let [h1, h2] = [0xdeadbeef, 0x41c6ce57];
  for (let index = from; index < to; index++) {
    const byte = bytes[index] as number;
    h1 = Math.imul(h1 ^ byte, 2654435761);
    h2 = Math.imul(h2 ^ byte, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}
