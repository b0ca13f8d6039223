import type { JobLog } from '../../github/commands.ts';
import { amount } from './amount.ts';

/** What is over sooner is not talked about while it goes on; then every so often, and less often the longer it takes. */
const FIRST_MS = 2000;
const LONGEST_MS = 60_000;

/** Says how far a transfer has come, where it takes its time. */
export class Progress {
  readonly #log: Pick<JobLog, 'line'>;
  readonly #what: string;
  readonly #total: number | undefined;
  readonly #start = performance.now();
  #timer: NodeJS.Timeout;
  #pauseMs = FIRST_MS;
  /** Bytes so far. */
  bytes = 0;

  /**
   * @param what e.g. `Uploading the workspace`
   * @param total bytes, as far as known
   */
  constructor(log: Pick<JobLog, 'line'>, what: string, total?: number) {
    this.#log = log;
    this.#what = what;
    this.#total = total;
    this.#timer = this.#next();
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #next(): NodeJS.Timeout {
    return setTimeout(() => {
      const of = this.#total === undefined ? '' : ` of ${amount(this.#total)}`;
      const each = this.bytes === 0 ? '' : `, ${amount(this.bytes / this.seconds)} each second`;
      this.#log.line(`${this.#what}: ${amount(this.bytes)}${of} after ${Math.round(this.seconds)} s${each}`);
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_MS);
      this.#timer = this.#next();
    }, this.#pauseMs).unref();
  }
}
