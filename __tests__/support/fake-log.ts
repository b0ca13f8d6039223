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

  constructor(zone: string) {
    this.#zone = zone;
  }

  get ended(): boolean {
    return this.#ended;
  }

  append(fragment: Fragment): void {
    if (this.#ended) throw new Error('The container has ended: nothing writes to its log any more.');
    this.#fragments.push(fragment);
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** What was written so far is gone for whoever has not read it. */
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
          startsLine = fragment.full;
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
    let start = this.#fragments.length;
    for (let lines = 0; start > this.#fileStart; start--) {
      if (this.#fragments[start - 1]?.full && ++lines > tailLines) break;
    }
    return start;
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
