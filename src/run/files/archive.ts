import { once } from 'node:events';
import { createGunzip, type Gunzip } from 'node:zlib';

/** An archive on its way from the pod: uncompressed, where it is compressed. */
export class Archive {
  readonly #take: (bytes: Buffer) => Promise<void>;
  readonly #gunzip: Gunzip | undefined;
  /** Of what is uncompressed, until the last of it has been taken. */
  readonly #taken: Promise<void>;
  #fault: unknown;
  /** Bytes that have come. */
  bytes = 0;

  /** @param take takes the archive as it was before it was compressed */
  constructor(isCompressed: boolean, take: (bytes: Buffer) => Promise<void>) {
    this.#take = take;
    this.#gunzip = isCompressed ? createGunzip() : undefined;
    this.#taken = this.#gunzip ? this.#uncompress(this.#gunzip) : Promise.resolve();
    this.#taken.catch(error => {
      this.#fault = error;
    });
  }

  /** @throws what the taker throws, or zlib */
  async push(bytes: Buffer): Promise<void> {
    this.bytes += bytes.length;
    if (this.#gunzip === undefined) return await this.#take(bytes);
    if (this.#fault !== undefined) throw this.#fault;
    if (!this.#gunzip.write(bytes)) await Promise.race([once(this.#gunzip, 'drain'), this.#taken]);
  }

  /** Settles when all has been taken. */
  async end(): Promise<void> {
    this.#gunzip?.end();
    await this.#taken;
  }

  /** Nothing more is taken. */
  close(): void {
    this.#gunzip?.destroy();
  }

  async #uncompress(stream: Gunzip): Promise<void> {
    for await (const bytes of stream) await this.#take(bytes as Buffer);
  }
}
