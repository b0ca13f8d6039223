/** Of all names together, in bytes: 500,000 of 130. */
const LONGEST = 64 * 1024 * 1024;

/** What there is in a folder, as `find -print0` says it, with one empty name at its end. */
export class Listing {
  /** Relative to the folder, without `./`; they can be any bytes. */
  readonly names: Buffer[] = [];
  /** Settles when all names have come. */
  readonly whole: Promise<void>;
  isWhole = false;
  #settle = () => {};
  #held: Buffer[] = [];
  #bytes = 0;

  constructor() {
    this.whole = new Promise(resolve => {
      this.#settle = resolve;
    });
  }

  /** @returns what comes after the names */
  push(bytes: Buffer): Buffer {
    if (this.isWhole) return bytes;
    let at = 0;
    for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, at)) {
      const name = Buffer.concat([...this.#held, bytes.subarray(at, end)]);
      this.#held = [];
      at = end + 1;
      if (name.length === 0) {
        this.isWhole = true;
        this.#settle();
        return bytes.subarray(at);
      }
      const path = name[0] === 0x2e && name[1] === 0x2f ? name.subarray(2) : name;
      if (path.length > 0 && !(path.length === 1 && path[0] === 0x2e)) this.names.push(path);
    }
    this.#held.push(Buffer.from(bytes.subarray(at)));
    this.#bytes += bytes.length;
    if (this.#bytes > LONGEST)
      throw new Error('there are more files in the pod’s workspace than can be looked through');
    return Buffer.alloc(0);
  }
}
