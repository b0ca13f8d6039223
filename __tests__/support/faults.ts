import type { Reply } from './kubernetes-replies.ts';

export type Verb = 'create' | 'get' | 'list' | 'watch' | 'patch' | 'delete' | 'log' | 'other';

/** A request as the fake API server saw it. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  /** Parsed if it is JSON. */
  body: unknown;
  verb: Verb;
  /** Milliseconds since the server was started. */
  atMs: number;
  /** What was answered: HTTP status, or undefined while (or because) nothing was. */
  code?: number;
  /** How much of the answer's body has been passed on, by a relay. */
  bytes?: number;
  /** The connection or answer is over. */
  ended: boolean;
  /** A fault ended the answer as if it were complete. */
  endedEarly?: boolean;
}

export interface RequestMatch {
  method?: string;
  verb?: Verb;
  path?: RegExp;
  query?: Record<string, string | RegExp>;
}

/** What goes wrong. Plain data, so that a seeded generator can make them. */
export type FaultAction =
  /** Answer this instead; the request is not executed. Also for 204, garbage JSON and the like. */
  | { kind: 'answer'; reply: Reply }
  /** Cut the connection: before the headers, or after so many bytes of the body. Without `afterBytes` the request is not executed. */
  | { kind: 'reset'; afterBytes?: number }
  /** End the body after so many bytes as if it were complete. */
  | { kind: 'cleanEnd'; afterBytes: number }
  /** Never answer; the request is not executed. */
  | { kind: 'hang' }
  /** Execute and answer so much later. */
  | { kind: 'delay'; ms: number }
  /** Execute, then cut the connection without an answer. */
  | { kind: 'loseAnswer' }
  /** Text behind the body, or behind the lines that so many bytes of it hold: e.g. the kubelet's `unable to retrieve container logs for containerd://...`. Then a clean end. */
  | { kind: 'append'; text: string; afterBytes?: number }
  /** Text in front of the body, e.g. the tail of a line without its timestamp. */
  | { kind: 'prepend'; text: string }
  /** Send the headers and so many bytes, then nothing more, with the connection open. */
  | { kind: 'quiet'; afterBytes?: number }
  /** A watch: an ERROR event of code 410, and the end. */
  | { kind: 'expired' }
  /** Leave out fields of the JSON answer, e.g. `spec.initContainers.0.restartPolicy`. */
  | { kind: 'dropFields'; fields: readonly string[] };

export interface Fault {
  match?: RequestMatch;
  /** How many matching requests are hit; default 1. */
  times?: number;
  /** How many matching requests go well before. */
  after?: number;
  action: FaultAction;
}

/** A fault that has been switched on. */
export class ActiveFault {
  /** Requests hit so far. */
  hits = 0;
  readonly fault: Fault;
  #skipped = 0;
  #off = false;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  clear(): void {
    this.#off = true;
  }

  /** Counts; ask once per request. */
  takes(request: RecordedRequest): boolean {
    if (this.#off || this.hits >= (this.fault.times ?? 1) || !matches(request, this.fault.match)) return false;
    if (this.#skipped < (this.fault.after ?? 0)) {
      this.#skipped++;
      return false;
    }
    this.hits++;
    return true;
  }
}

export function matches(request: RecordedRequest, match: RequestMatch = {}): boolean {
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.verb !== undefined && match.verb !== request.verb) return false;
  if (match.path && request.path.search(match.path) < 0) return false;
  return Object.entries(match.query ?? {}).every(([name, wanted]) => {
    const value = request.query[name] ?? '';
    return typeof wanted === 'string' ? value === wanted : value.search(wanted) >= 0;
  });
}
