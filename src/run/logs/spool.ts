import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** So many bytes wait in memory; what exceeds them goes to disk. */
const MOST_IN_MEMORY = 2 ** 20;
const READ_AT_ONCE = 256 * 1024;

/**
 * A queue of bytes that takes everything at once and keeps little of it in memory: the log is read as fast as it comes, for a node throws away what a slow reader has not read yet [measured], however slowly it is printed.
 * The rest waits in a file that nobody else can open, and that goes with the process (on Windows, with {@link close}).
 */
export class Spool {
  /** What came first. */
  #memory: Uint8Array[] = [];
  #inMemory = 0;
  #file: { descriptor: number; folder: string } | undefined;
  #writtenTo = 0;
  #readTo = 0;
  /** What came last, and found the disk full: memory is all that is left then. */
  #overflow: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#memory.length === 0 && this.#readTo === this.#writtenTo && this.#overflow.length === 0;
  }

  /** Adds bytes, which are copied. */
  push(bytes: Uint8Array): void {
    const onlyMemory = this.#readTo === this.#writtenTo && this.#overflow.length === 0;
    if (onlyMemory && this.#inMemory + bytes.length <= MOST_IN_MEMORY) {
      this.#memory.push(new Uint8Array(bytes));
      this.#inMemory += bytes.length;
    } else if (this.#overflow.length > 0 || !this.#toDisk(bytes)) this.#overflow.push(new Uint8Array(bytes));
  }

  /** Takes the next bytes out; `undefined` when there are none. */
  shift(): Uint8Array | undefined {
    const first = this.#memory.shift();
    if (first !== undefined) {
      this.#inMemory -= first.length;
      return first;
    }
    return this.#fromDisk() ?? this.#overflow.shift();
  }

  close(): void {
    if (this.#file === undefined) return;
    const { descriptor, folder } = this.#file;
    this.#file = undefined;
    this.#readTo = this.#writtenTo;
    closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  }

  #toDisk(bytes: Uint8Array): boolean {
    try {
      this.#file ??= openFile();
      let written = 0;
      while (written < bytes.length)
        written += writeSync(this.#file.descriptor, bytes, written, bytes.length - written, this.#writtenTo + written);
      this.#writtenTo += bytes.length;
      return true;
    } catch {
      return false;
    }
  }

  #fromDisk(): Uint8Array | undefined {
    const left = this.#writtenTo - this.#readTo;
    if (this.#file === undefined || left === 0) return undefined;
    const bytes = Buffer.allocUnsafe(Math.min(left, READ_AT_ONCE));
    const length = readSync(this.#file.descriptor, bytes, 0, bytes.length, this.#readTo);
    if (length === 0)
      throw new Error(`Of the log, ${left} bytes that waited on disk for the reader of stdout are gone.`);
    this.#readTo += length;
    if (this.#readTo === this.#writtenTo) {
      ftruncateSync(this.#file.descriptor, 0);
      this.#readTo = this.#writtenTo = 0;
    }
    return bytes.subarray(0, length);
  }
}

function openFile(): { descriptor: number; folder: string } {
  const folder = mkdtempSync(join(process.env['RUNNER_TEMP'] || tmpdir(), 'kubernetes-pod-step-log-'));
  const descriptor = openSync(join(folder, 'waiting'), 'wx+', 0o600);
  // An open file without a name goes with the process, however that ends.
  if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true });
  return { descriptor, folder };
}
