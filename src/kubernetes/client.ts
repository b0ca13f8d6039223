import { setFlagsFromString } from 'node:v8';
import type { V1Status } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import type { WebSocket } from 'ws';
import type { StepError } from '../github/failure.ts';
import { noApiServer, onTheWire, parseAnswer } from './answer.ts';
import type { Target } from './config.ts';
import { Connection, NoCredential, type Ready } from './connection.ts';
import { noCredential, notLoggedIn } from './credentials/refused.ts';
import { NetworkError, unreachable } from './network-error.ts';
import { paced } from './paced.ts';
import { pause } from './pause.ts';
import { ApiError, type Asked, lasting } from './status.ts';
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

/** What a client tells while the server is away: once when it is noticed, once when it is over. */
export interface ConnectionWatcher {
  lost(server: string, what: string, patienceSeconds: number): void;
  back(server: string, awaySeconds: number): void;
  /** A request that the server itself keeps failing. */
  failing(what: string, patienceSeconds: number): void;
  /** A credential that has just been obtained, to be masked. */
  credential(secret: string): void;
  /** A warning that came with an answer, such as that of a deprecated field (KEP-1693). */
  warned?(text: string): void;
  /** Each request and what became of it, for debug logging: `GET /api/v1/... -> 200 (12 ms)`. Neither headers nor bodies, which hold secrets. */
  request?(what: string): void;
}

/** Since when something has failed, by `performance.now()`, and whether it was told of. */
export interface Outage {
  since: number;
  told: boolean;
}

function secondsSince({ since }: Outage): number {
  return (performance.now() - since) / 1000;
}

const USER_AGENT = 'kubernetes-pod-step';
/** Clusters get upgraded: at first contact this long a refused connection, a time-out or a 5xx is borne. */
const FIRST_CONTACT_PATIENCE_SECONDS = 60;
/** Once the server has answered, an outage of up to this is not an outcome. */
const OUTAGE_PATIENCE_SECONDS = 3600;
/** For this long after an outage a 401 or 403 may come from a server whose caches are not filled yet: about 1 s was measured. */
const SETTLING_SECONDS = 30;
const DEADLINE_SECONDS = 30;
/** For so long a server that refuses what it has accepted before is asked again. */
const REFUSAL_SECONDS = 10;
/** Of what a server asks for with Retry-After. */
const LONGEST_PAUSE_SECONDS = 60;
/** For so long a credential that has ended is tried to be renewed: whoever issues it can be away too. */
const RENEWAL_PATIENCE_SECONDS = 300;

/**
 * The one way to the API server: JSON calls that bear outages, and streams.
 * client-node lends the kubeconfig and the credentials. Its own calls are not used: a TLS handshake each, no retry, and a followed log that kills the process after five silent minutes [measured].
 */
export class ApiClient {
  readonly target: Target;
  readonly #watcher: ConnectionWatcher;
  readonly #connection: Connection;
  readonly #outageSeconds: number | undefined;
  #contacted = false;
  /** Whether the server has accepted the credentials before. */
  #accepted = false;
  /** What it has allowed before. */
  readonly #allowed = new Set<string>();
  /** Since when it refuses what it has accepted or allowed before. */
  #refusedSince: number | undefined;
  #outage: Outage | undefined;
  #lastOutageEnd = Number.NEGATIVE_INFINITY;
  /** What the last 401 means, where that is known. */
  #refusal: StepError | undefined;
  /** Since when there has been no credential. */
  #withoutCredential: Outage | undefined;

  /** @param outageSeconds how long the server may be away; without it an hour, and a minute before it has ever answered */
  constructor(target: Target, watcher: ConnectionWatcher, outageSeconds?: number) {
    this.#outageSeconds = outageSeconds;
    this.target = target;
    this.#watcher = watcher;
    this.#connection = new Connection(target, secret => watcher.credential(secret));
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
        await this.endure(error, tries, signal);
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
    this.#answered();
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
    this.#answered();
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
    this.#withoutCredential = undefined;
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
    this.#answered();
    this.#allow(call);
    return answer.socket;
  }

  /**
   * After a failed try: waits until the next is due, or throws what ends the trying.
   * Between tries there is a jittered pause that doubles up to 5 s, or what the server asked for with Retry-After.
   * @param own of a request that may keep failing while the server answers others, e.g. a create that a broken webhook stands before: since when it has failed
   */
  async endure(error: unknown, tries: number, signal?: AbortSignal, own?: Outage): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#mayPass(error, tries)) throw this.#final(error);
    if (error instanceof NoCredential) this.#endureWithout(error);
    if (isOutage(error)) {
      const startedAt = error instanceof NetworkError ? error.startedAt : undefined;
      this.#outage ??= { since: startedAt ?? performance.now(), told: false };
      const outage = own !== undefined && error instanceof ApiError ? own : this.#outage;
      const seconds = secondsSince(outage);
      const patienceSeconds = this.#patienceSeconds;
      if (seconds >= patienceSeconds) throw this.#final(error, seconds);
      // A single hiccup is nobody's concern.
      if (!outage.told && seconds > 1) {
        outage.told = true;
        const { message } = error as Error;
        if (outage === own) this.#watcher.failing(message, patienceSeconds);
        else this.#watcher.lost(this.target.server, message, patienceSeconds);
      }
    }
    const asked = error instanceof ApiError ? error.retryAfterSeconds : undefined;
    // Whatever a server asks for, it is not to be forgotten.
    const pauseSeconds =
      asked !== undefined
        ? Math.min(asked, LONGEST_PAUSE_SECONDS)
        : Math.min(5, 0.2 * 2 ** tries) * (0.5 + Math.random());
    await pause(1000 * pauseSeconds, signal);
  }

  /** Closes every connection. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #endureWithout(error: NoCredential): void {
    this.#withoutCredential ??= { since: performance.now(), told: false };
    const without = this.#withoutCredential;
    const seconds = secondsSince(without);
    const patienceSeconds = Math.min(RENEWAL_PATIENCE_SECONDS, this.#patienceSeconds);
    if (seconds >= patienceSeconds) throw this.#final(error);
    if (without.told || seconds <= 1) return;
    without.told = true;
    this.#watcher.failing(`The credentials cannot be renewed: ${error.message}`, patienceSeconds);
  }

  #mayPass(error: unknown, tries: number): boolean {
    if (error instanceof NoCredential) return this.#accepted;
    if (error instanceof NetworkError) return error.failing !== 'hopeless' || this.#contacted;
    if (!(error instanceof ApiError)) return false;
    if (isOutage(error)) return true;
    // Two requests raced for a ResourceQuota; the object itself is not there then. A precondition that does not hold never will.
    if (error.code === 409 && error.status.reason === 'Conflict')
      return tries < 5 && !/precondition/i.test(error.status.message ?? '');
    // The first may be a token that has just expired: the credentials have been asked for anew by then.
    if (error.code === 401 && tries === 0 && (this.#contacted || this.target.credentials !== undefined)) return true;
    // What it has accepted before: one of several servers may have just started, or a file be half written.
    if (this.#isRefusedOfLate(error)) return true;
    const settling = performance.now() - this.#lastOutageEnd < 1000 * SETTLING_SECONDS;
    return settling && (error.code === 401 || error.code === 403);
  }

  #isRefusedOfLate(error: ApiError): boolean {
    // What a policy refuses it refuses for this object.
    const known =
      error.code === 401 ? this.#accepted : error.denial !== undefined && this.#allowed.has(rightOf(error.asked));
    if (!known) return false;
    this.#refusedSince ??= performance.now();
    return performance.now() - this.#refusedSince < 1000 * REFUSAL_SECONDS;
  }

  get #patienceSeconds(): number {
    return this.#outageSeconds ?? (this.#contacted ? OUTAGE_PATIENCE_SECONDS : FIRST_CONTACT_PATIENCE_SECONDS);
  }

  /** @returns what to end with after the last try. */
  #final(error: unknown, seconds = this.#awaySeconds()): unknown {
    if (error instanceof NoCredential) return noCredential(error, this.#accepted);
    if (error instanceof ApiError && error.reason === 'Unauthorized')
      return notLoggedIn(error, this.target, { accepted: this.#accepted, refusal: this.#refusal });
    if (error instanceof ApiError && isOutage(error)) return lasting(error, seconds);
    if (!(error instanceof NetworkError)) return error;
    const absence = {
      seconds,
      patienceSeconds: this.#patienceSeconds,
      contacted: this.#contacted,
    };
    const { server, proxy, kubeConfig } = this.target;
    const { caData, caFile } = kubeConfig.getCurrentCluster() ?? {};
    return unreachable(server, error, absence, {
      ...(proxy && { proxy: proxy.host }),
      hasAuthority: Boolean(caData || caFile),
    });
  }

  #awaySeconds(): number {
    return this.#outage === undefined ? 0 : secondsSince(this.#outage);
  }

  #answered(): void {
    this.#contacted = true;
    if (this.#outage === undefined) return;
    const awaySeconds = this.#awaySeconds();
    const { told } = this.#outage;
    this.#outage = undefined;
    this.#lastOutageEnd = performance.now();
    if (told) this.#watcher.back(this.target.server, awaySeconds);
  }

  async #send(
    call: ApiRequest,
    timeouts: { headersTimeout: number; bodyTimeout: number },
    signal?: AbortSignal,
    through = (agent: Dispatcher) => agent,
  ): Promise<Dispatcher.ResponseData> {
    const ready = await this.#connection.ready(signal);
    const { agent, headers } = ready;
    this.#withoutCredential = undefined;
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
      this.#allow(call);
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

  #allow({ asked }: ApiRequest): void {
    this.#accepted = true;
    this.#allowed.add(rightOf(asked));
    this.#refusedSince = undefined;
  }

  #failed(response: Refused, call: ApiRequest, ready: Ready): Error {
    const { statusCode: code, text } = response;
    if (code === 401) {
      this.#connection.refuse(ready);
      this.#refusal = this.#connection.refusal(ready);
    }
    const answer = parseAnswer(text, response.headers['content-type']) as V1Status | undefined;
    const status = answer?.kind === 'Status' ? answer : undefined;
    if (code === 400 && /HTTP request to an HTTPS server/i.test(text)) return this.noApiServer('it wants https');
    if (status === undefined && code < 500 && code !== 429 && code !== 401)
      return this.noApiServer(`it answers HTTP ${code}, and not as Kubernetes does`);
    if (code < 500 && code !== 429) this.#answered();
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

function rightOf({ verb, resource, namespace }: Asked): string {
  return `${verb} ${resource} ${namespace}`;
}

/** Whether an error means that the server is away or overloaded, rather than that it refuses. */
function isOutage(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && (error.code === 429 || error.code >= 500));
}
