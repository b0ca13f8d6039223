import { formatTime } from './fake-clock.ts';

interface Fragment {
  at: bigint;
  text: string;
  /** Ends its line (tag F of the container runtime's log); else more of the line follows (tag P). */
  full: boolean;
  newline: boolean;
}

export interface LogQuery {
  timestamps: boolean;
  /** Already cut to whole seconds by the API server. */
  sinceNs?: bigint;
  /** Counts the runtime's fragments of lines, as it does in truth. */
  tailLines?: number;
}

/** The log of one container instance, served as the kubelet does (cri-client/pkg/logs/logs.go). */
export class FakeLog {
  readonly #fragments: Fragment[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #zone: string;
  /** Where the newest file begins: the kubelet serves no other. */
  #fileStart = 0;
  #ended = false;
  #over = false;

  constructor(zone: string) {
    this.#zone = zone;
  }

  /** Whether those who follow it have come to its end. */
  get over(): boolean {
    return this.#over;
  }

  append(fragment: Fragment): void {
    if (this.#ended) throw new Error('The container has ended: nothing writes to its log any more.');
    this.#fragments.push(fragment);
    this.#notify();
  }

  /** @param lagMs for so long those who follow it are kept waiting; it is half a second in truth */
  end(lagMs = 0): void {
    if (this.#ended) return;
    this.#ended = true;
    const close = (): void => {
      this.#over = true;
      this.#notify();
    };
    if (lagMs > 0) setTimeout(close, lagMs).unref();
    else close();
  }

  /** A new file begins. Those who follow read on; what was written so far is gone for whoever comes now. */
  rotate(): void {
    this.#fileStart = this.#fragments.length;
  }

  /** A reader of its own position; `read` gives what is new since its last call. */
  reader(query: LogQuery): { read(): string; onChange(listener: () => void): () => void } {
    let at = this.#startFor(query.tailLines);
    // The kubelet keeps the flag over fragments that it leaves out, hence a tail without a timestamp when sinceTime falls into a line.
    let startsLine = true;
    return {
      read: () => {
        let text = '';
        for (; at < this.#fragments.length; at++) {
          const fragment = this.#fragments[at];
          if (!fragment) break;
          if (query.sinceNs === undefined || fragment.at >= query.sinceNs) {
            if (query.timestamps && startsLine) text += `${formatTime(fragment.at, this.#zone)} `;
            text += fragment.text + (fragment.full && fragment.newline ? '\n' : '');
          }
          startsLine = fragment.full && fragment.newline;
        }
        return text;
      },
      onChange: listener => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #startFor(tailLines: number | undefined): number {
    if (tailLines === undefined) return this.#fileStart;
    return Math.max(this.#fileStart, this.#fragments.length - tailLines);
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
