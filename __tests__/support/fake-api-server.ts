import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { FakeAnswer } from './fake-answer.ts';
import type { FakeClock } from './fake-clock.ts';
import { FakeCluster } from './fake-cluster.ts';
import { FakeEvents } from './fake-events.ts';
import type { FakePod } from './fake-pod.ts';
import { kubeconfigFor, recordRequest } from './fake-requests.ts';
import { type Routes, route } from './fake-routes.ts';
import { type FakeSecret, FakeSecrets } from './fake-secrets.ts';
import {
  ActiveFault,
  type Fault,
  type FaultAction,
  matches,
  type RecordedRequest,
  type RequestMatch,
} from './faults.ts';
import { replies } from './kubernetes-replies.ts';
import { makeCertificate } from './test-certificate.ts';

export type { FakePod } from './fake-pod.ts';
export type { Fault, FaultAction, RecordedRequest, RequestMatch } from './faults.ts';
export { replies } from './kubernetes-replies.ts';

export interface FakeApiServerOptions {
  /** HTTPS with a self-signed certificate that the kubeconfig trusts; `expired` serves one that ended yesterday. Needs `openssl`. */
  tls?: boolean | { expired?: boolean };
  /** Bearer token of the kubeconfig; other requests are answered 401. */
  token?: string;
  namespace?: string;
  /** Minor version of Kubernetes. */
  minor?: string;
  /** The cluster's clock at the start. */
  startTime?: string;
  /** Zone of the node, in which it writes log timestamps: `Z` or e.g. `+02:00`. */
  nodeZone?: string;
  missingNamespaces?: readonly string[];
  /** Events that there are from the start. */
  events?: unknown[];
  /** Secrets that there are from the start. */
  secrets?: FakeSecret[];
  /** Moves each new pod through its life; without it the test does, by `await server.pod()`. */
  autoplay?: (pod: FakePod) => void | Promise<void>;
  /** Asked for every request that no `fault()` hits: the place for a seeded generator of faults. */
  faultSource?: (request: RecordedRequest) => FaultAction | undefined;
}

export async function startFakeApiServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = new FakeApiServer(options);
  await server.accept();
  return server;
}

/** A Kubernetes API server for one pod's life, that can misbehave on purpose. */
export class FakeApiServer {
  readonly requests: RecordedRequest[] = [];
  readonly namespace: string;
  readonly events: FakeEvents;
  readonly secrets: FakeSecrets;
  /** Of `autoplay` and of the server itself, thrown by {@link close}. */
  readonly #errors: unknown[] = [];
  readonly #options: FakeApiServerOptions;
  readonly #cluster: FakeCluster;
  readonly #server: Server;
  readonly #certificate: { key: string; cert: string } | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<RecordedRequest, FakeAnswer>();
  readonly #faults: ActiveFault[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #routes: Routes;
  readonly #startedAt = performance.now();
  #token: string;
  #port = 0;

  constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.namespace = options.namespace ?? 'default';
    this.events = new FakeEvents(options.events ?? []);
    this.secrets = new FakeSecrets(options.secrets ?? []);
    this.#token = options.token ?? 'fake-token';
    this.#cluster = new FakeCluster(options.startTime ?? '2026-03-01T12:00:00Z', options.nodeZone ?? 'Z');
    const { tls } = options;
    if (tls) this.#certificate = makeCertificate({ expired: tls !== true && tls.expired === true });
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch(error => {
        this.#errors.push(error);
        response.destroy();
      });
    };
    this.#server = this.#certificate ? createTlsServer(this.#certificate, listener) : createServer(listener);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.#cluster.watch(this.#cluster.version, ({ type }) => type === 'DELETED' && this.#news.emit('gone'));
    this.#routes = {
      cluster: this.#cluster,
      minor: options.minor ?? '36',
      events: this.events,
      secrets: this.secrets,
      missingNamespaces: new Set(options.missingNamespaces),
      created: pod => this.#created(pod),
      onBookmark: act => {
        this.#news.on('bookmark', act);
        return () => this.#news.off('bookmark', act);
      },
    };
  }

  get url(): string {
    return `${this.#certificate ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  get kubeconfig(): string {
    return kubeconfigFor({
      server: this.url,
      token: this.#token,
      namespace: this.namespace,
      ca: this.#certificate?.cert,
    });
  }

  get clock(): FakeClock {
    return this.#cluster.clock;
  }

  /** Every pod there ever was. */
  get pods(): readonly FakePod[] {
    return this.#cluster.pods;
  }

  /** The `nth` pod ever created, once it is. */
  async pod(nth = 1, timeoutMs = 10_000): Promise<FakePod> {
    return await this.#until('created', () => this.pods[nth - 1], `pod ${nth} to be created`, timeoutMs);
  }

  /** Resolves once the pod's object has been removed. */
  async gone(pod: FakePod, timeoutMs = 10_000): Promise<void> {
    await this.#until('gone', () => pod.removed || undefined, `pod ${pod.name} to be gone`, timeoutMs);
  }

  /** A pod that somebody else made. */
  addPod(manifest: Record<string, unknown>): FakePod {
    return this.#cluster.create(manifest, this.namespace);
  }

  /** The `nth` request that matches, once it has arrived. */
  async request(match: RequestMatch, nth = 1, timeoutMs = 10_000): Promise<RecordedRequest> {
    return await this.#until(
      'request',
      () => this.matching(match)[nth - 1],
      `request ${nth} like ${describe(match)}`,
      timeoutMs,
    );
  }

  /** The requests so far that match. */
  matching(match: RequestMatch): RecordedRequest[] {
    return this.requests.filter(request => matches(request, match));
  }

  /** Requests whose answer is not complete: followed logs, watches, hanging ones. */
  open(match: RequestMatch = {}): RecordedRequest[] {
    return this.matching(match).filter(request => !request.ended);
  }

  fault(fault: Fault): ActiveFault {
    const active = new ActiveFault(fault);
    this.#faults.push(active);
    return active;
  }

  /** Cuts open answers now. */
  cutStreams(match: RequestMatch = {}): void {
    for (const request of this.open(match)) this.#answers.get(request)?.cut();
  }

  /** Ends open answers now, as if they were complete. */
  endStreams(match: RequestMatch = {}): void {
    for (const request of this.open(match)) this.#answers.get(request)?.endNow();
  }

  /** Open answers bring nothing more, and do not end. */
  muteStreams(match: RequestMatch = {}): void {
    for (const request of this.open(match)) this.#answers.get(request)?.mute();
  }

  bookmark(): void {
    this.#news.emit('bookmark');
  }

  /** Watches from before now are told 410. */
  expireWatches(): void {
    this.#cluster.compact();
  }

  /** The old token is answered 401 from now on; {@link kubeconfig} has the new one. */
  changeToken(token: string): void {
    this.#token = token;
  }

  /** Connections are refused from now on; open ones are cut unless `cut` is false. */
  async refuse({ cut = true } = {}): Promise<void> {
    // Its callback would wait for all connections, but it stops listening at once.
    if (this.#server.listening) this.#server.close();
    if (cut) for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => setImmediate(resolve));
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.refuse();
    const [first] = this.#errors;
    if (first !== undefined) throw first;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await recordRequest(incoming, performance.now() - this.#startedAt);
    if (!request) return; // the client went away in the middle of it
    this.requests.push(request);
    const action =
      this.#faults.find(active => active.takes(request))?.fault.action ?? this.#options.faultSource?.(request);
    const answer = new FakeAnswer(response, request, action);
    this.#answers.set(request, answer);
    this.#news.emit('request');
    switch (action?.kind) {
      case 'answer':
        return answer.reply(action.reply);
      case 'hang':
        return;
      case 'reset':
        if (action.afterBytes === undefined) return void incoming.socket.destroy();
        break;
      case 'delay':
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, action.ms);
          answer.onEnd(() => clearTimeout(timer));
        });
        break;
      case 'expired':
        answer.stream(200, { 'Content-Type': 'application/json' });
        answer.write(
          `${JSON.stringify({ type: 'ERROR', object: replies.expired('1', this.#cluster.version).body })}\n`,
        );
        return answer.end();
      default:
    }
    this.#route(request, answer);
  }

  #route(request: RecordedRequest, answer: FakeAnswer): void {
    if (request.headers['authorization'] !== `Bearer ${this.#token}`) answer.reply(replies.unauthorized());
    else route(request, answer, this.#routes);
  }

  #created(pod: FakePod): void {
    this.#news.emit('created');
    const { autoplay } = this.#options;
    // After the answer to the create has been written.
    if (autoplay)
      setImmediate(
        () =>
          void Promise.resolve(pod)
            .then(autoplay)
            .catch(error => this.#errors.push(error)),
      );
  }

  #until<T>(event: string, look: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#news.off(event, check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#news.off(event, check);
        const seen = this.requests
          .map(({ method, path, code }) => `${method} ${path} ${code ?? '(no answer)'}`)
          .join('\n');
        reject(new Error(`Waited ${timeoutMs} ms for ${what}. Requests so far:\n${seen}`));
      }, timeoutMs);
      this.#news.on(event, check);
      check();
    });
  }
}

function describe(match: RequestMatch): string {
  return JSON.stringify(match, (_, value) => (value instanceof RegExp ? String(value) : value));
}
