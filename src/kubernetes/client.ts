import { setFlagsFromString } from 'node:v8';
import type { V1Status } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import type { WebSocket } from 'ws';
import type { StepError } from '../github/failure.ts';
import { noApiServer, onTheWire, parseAnswer } from './answer.ts';
import type { Target } from './config.ts';
import { Connection, type Ready } from './connection.ts';
import { NetworkError } from './network-error.ts';
import { paced } from './paced.ts';
import { type ConnectionWatcher, type Outage, Patience } from './patience.ts';
import { ApiError, type Asked } from './status.ts';
import { warningsOf } from './warnings.ts';
import type { Refused } from './web-socket.ts';

/**
 * undici parses HTTP with one huge WebAssembly function. Optimising it takes V8 21 MB and makes no log faster (98 MB against 76 MB at peak for `echo hello`, 6.5 s against 6.2 s for 200,000 lines [measured]), so it is
 * left as first compiled.
 *
 * V8's space for young objects grows to 32 MB under the stream of small buffers that a log is, though next to none of them lives on: at its first size a million lines peak 80 MB lower, for 8 % more CPU time
 * [measured].
 *
 * Node 24 knows the flags; a V8 that does not would say so on stderr and go on.
 */
setFlagsFromString('--wasm-tiering-budget=1000000000');
setFlagsFromString('--semi-space-growth-factor=1');

/** A patch says in its type how it is to be understood (RFC 7386). */
const CONTENT_TYPES: Partial<Record<ApiRequest['method'], string>> = { PATCH: 'application/merge-patch+json' };

/** A request of the Kubernetes API. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | string[] | undefined>;
  body?: unknown;
  /** What of the object is wanted, as the server's media types say it; the whole, if absent. */
  accept?: string;
  /** The same in the words of authorisation, for error messages. */
  asked: Asked;
  /** Called when the request is about to leave: until then the server cannot know of it. */
  onSend?: () => void;
  /** Seconds to wait for the answer of one try. */
  deadlineSeconds?: number;
}

const USER_AGENT = 'kubernetes-pod-step';
const DEADLINE_SECONDS = 30;

/**
 * The one way to the API server: JSON calls that bear outages, and streams.
 * client-node lends the kubeconfig and the credentials. Its own calls are not used: a TLS handshake each, no retry, and a followed log that kills the process after five silent minutes [measured].
 */
export class ApiClient {
  readonly target: Target;
  readonly #watcher: ConnectionWatcher;
  readonly #connection: Connection;
  readonly #patience: Patience;

  /** @param outageSeconds how long the server may be away; without it an hour, and a minute before it has ever answered */
  constructor(target: Target, watcher: ConnectionWatcher, outageSeconds?: number) {
    this.target = target;
    this.#watcher = watcher;
    this.#connection = new Connection(target, secret => watcher.credential(secret));
    this.#patience = new Patience(target, watcher, outageSeconds);
  }

  /**
   * Calls the API and returns the JSON it answers. A failure that may pass (no connection, time-out, 429, 5xx) is tried again as long as patience lasts; only for requests that do no harm twice.
   * @throws ApiError for an answer that is an error, StepError when the server stays away.
   */
  async call<T>(call: ApiRequest, signal?: AbortSignal): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.once<T>(call, signal);
      } catch (error) {
        await this.#patience.endure(error, tries, signal);
      }
    }
  }

  /** As {@link call}, once: an outage ends it with the NetworkError or ApiError itself. For calls whose repetition takes thought. */
  async once<T>(call: ApiRequest, signal?: AbortSignal): Promise<T> {
    const milliseconds = 1000 * (call.deadlineSeconds ?? DEADLINE_SECONDS);
    const response = await this.#send(call, { headersTimeout: milliseconds, bodyTimeout: milliseconds }, signal);
    const text = await onTheWire(response.body.text(), signal);
    const type = response.headers['content-type'] ?? 'no content type';
    const answer = parseAnswer(text, type) as T | undefined;
    if (answer === undefined) throw this.noApiServer(`its answer is not JSON (${type})`);
    this.#patience.answered();
    return answer;
  }

  /**
   * Opens a stream: a watch, or a log. It has no idle limit, for silence of hours is fine; dead peers are found by TCP keep-alive.
   * The caller reads `body` to its end or destroys it, within a try: a cut connection is an error there.
   * @returns `body`; `undefined` for 204, which a log answers when the pod has no node yet.
   */
  async open(call: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData['body'] | undefined> {
    const timeouts = { headersTimeout: 1000 * DEADLINE_SECONDS, bodyTimeout: 0 };
    const response = await this.#send(call, timeouts, signal, paced);
    this.#patience.answered();
    // A stream that nobody reads at the moment it fails must not bring the process down.
    response.body.on('error', () => {});
    if (response.statusCode !== 204) return response.body;
    response.body.resume();
    return undefined;
  }

  /**
   * Opens a WebSocket, once. It has no idle limit: who opens it asks for signs of life. It is paused until somebody listens.
   * @throws ApiError for an answer that is a refusal, NetworkError where there is none
   */
  async webSocket(call: ApiRequest, protocols: string[], signal: AbortSignal): Promise<WebSocket> {
    const ready = await this.#connection.ready(signal);
    this.#patience.credentialFound();
    const url = urlOf(this.target.server, call);
    const { openWebSocket } = await import('./web-socket.ts');
    const opening = openWebSocket(url, protocols, {
      headers: { ...ready.headers, 'user-agent': USER_AGENT },
      connector: ready.connector,
      timeoutMs: 1000 * DEADLINE_SECONDS,
      signal,
    }).then(answer => ('statusCode' in answer ? answer : { statusCode: 101, socket: answer }));
    // What a program is given as its arguments says nothing here.
    const answer = await this.#told(`${call.method} ${url.pathname} (WebSocket)`, opening, signal);
    if (!('socket' in answer)) throw this.#failed(answer, call, ready);
    this.#patience.answered();
    this.#patience.allowed(call.asked);
    return answer.socket;
  }

  /** As {@link Patience.endure}, for calls whose repetition takes thought. */
  endure(error: unknown, tries: number, signal?: AbortSignal, own?: Outage): Promise<void> {
    return this.#patience.endure(error, tries, signal, own);
  }

  /** Closes every connection. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #send(
    call: ApiRequest,
    timeouts: { headersTimeout: number; bodyTimeout: number },
    signal?: AbortSignal,
    through = (agent: Dispatcher) => agent,
  ): Promise<Dispatcher.ResponseData> {
    const ready = await this.#connection.ready(signal);
    const { agent, headers } = ready;
    this.#patience.credentialFound();
    const url = urlOf(this.target.server, call);
    call.onSend?.();
    const sent = request(url, {
      dispatcher: through(agent),
      method: call.method,
      headers: {
        ...headers,
        accept: call.accept ?? 'application/json, */*',
        'user-agent': USER_AGENT,
        ...(call.body !== undefined && { 'content-type': CONTENT_TYPES[call.method] ?? 'application/json' }),
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      ...(signal && { signal }),
      ...timeouts,
    });
    const response = await this.#told(`${call.method} ${url.pathname}${url.search}`, sent, signal);
    for (const text of warningsOf(response.headers['warning'])) this.#watcher.warned?.(text);
    if (response.statusCode >= 200 && response.statusCode < 300) {
      this.#patience.allowed(call.asked);
      return response;
    }
    const { statusCode, headers: answered, body } = response;
    throw this.#failed({ statusCode, headers: answered, text: await onTheWire(body.text(), signal) }, call, ready);
  }

  /** Waits for an answer, and has it in the debug log. */
  async #told<T extends { statusCode: number }>(what: string, sent: Promise<T>, signal?: AbortSignal): Promise<T> {
    const start = performance.now();
    const tell = (answer: number | string) =>
      this.#watcher.request?.(`${what} -> ${answer} (${Math.round(performance.now() - start)} ms)`);
    const answer = await onTheWire(sent, signal).catch(error => {
      tell((error as Error).message);
      if (error instanceof NetworkError) error.startedAt = start;
      throw error;
    });
    tell(answer.statusCode);
    return answer;
  }

  #failed(response: Refused, call: ApiRequest, ready: Ready): Error {
    const { statusCode: code, text } = response;
    if (code === 401) {
      this.#connection.refuse(ready);
      this.#patience.refused(this.#connection.refusal(ready));
    }
    const answer = parseAnswer(text, response.headers['content-type']) as V1Status | undefined;
    const status = answer?.kind === 'Status' ? answer : undefined;
    if (code === 400 && /HTTP request to an HTTPS server/i.test(text)) return this.noApiServer('it wants https');
    if (status === undefined && code < 500 && code !== 429 && code !== 401)
      return this.noApiServer(`it answers HTTP ${code}, and not as Kubernetes does`);
    if (code < 500 && code !== 429) this.#patience.answered();
    const retryAfter = Number(response.headers['retry-after']);
    return new ApiError(
      code,
      status ?? { message: text.slice(0, 300) },
      call.asked,
      Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
    );
  }

  /** @returns the error for an answer that no API server would give. */
  noApiServer(why: string): StepError {
    return noApiServer(this.target.server, why);
  }
}

function urlOf(server: string, { path, query: given = {} }: ApiRequest): URL {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(given))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) query.append(key, String(one));
  return new URL(`${server}${path}${query.size > 0 ? `?${query}` : ''}`);
}
