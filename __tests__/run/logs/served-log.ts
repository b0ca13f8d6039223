import { formatTime, parseTime } from '../../support/fake-clock.ts';

/** Part of a line, as the container runtime writes it: lines over 16 KiB come in several, each with a time of its own. */
export interface Part {
  /** Nanoseconds since the epoch. */
  at: bigint;
  bytes: Buffer;
}

/** A container's log, as a kubelet serves it with `timestamps=true`. */
export class ServedLog {
  readonly #lines: readonly (readonly Part[])[];
  readonly #zone: string;
  readonly #finalNewline: boolean;

  constructor(lines: readonly (readonly Part[])[], { zone = 'Z', finalNewline = true } = {}) {
    this.#lines = lines;
    this.#zone = zone;
    this.#finalNewline = finalNewline;
  }

  /** What the container wrote. */
  get written(): Buffer {
    return Buffer.concat(
      this.#lines.flatMap((line, index) => [...line.map(({ bytes }) => bytes), Buffer.from(this.#endOf(index))]),
    );
  }

  /**
   * The API server hands the time on in whole seconds; the kubelet compares it, inclusively, with each part of a line.
   * @param fileStart how many parts the node has thrown away: the newest file, which alone is read, begins behind them, be it in the middle of a line
   */
  since(time: string | undefined, fileStart = 0): Buffer {
    const since = time === undefined ? 0n : (parseTime(time) / 1_000_000_000n) * 1_000_000_000n;
    const pieces: Buffer[] = [];
    let parts = 0;
    this.#lines.forEach((line, index) => {
      line.forEach(({ at, bytes }, part) => {
        const number = parts++;
        if (number < fileStart || at < since) return;
        if (part === 0 || number === fileStart) pieces.push(Buffer.from(`${formatTime(at, this.#zone)} `));
        pieces.push(bytes);
        if (part === line.length - 1) pieces.push(Buffer.from(this.#endOf(index)));
      });
    });
    return Buffer.concat(pieces);
  }

  #endOf(line: number): string {
    return line < this.#lines.length - 1 || this.#finalNewline ? '\n' : '';
  }
}
