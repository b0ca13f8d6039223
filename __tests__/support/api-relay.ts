import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { load } from 'js-yaml';
import { kubeconfigFor, readBody, recordOf } from './fake-requests.ts';
import {
  ActiveFault,
  type Fault,
  type FaultAction,
  matches,
  type RecordedRequest,
  type RequestMatch,
} from './faults.ts';

/** What the kubeconfig has that a step of the tests is given. */
interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { token: string } }];
}

interface Awaited {
  nth?: number;
  answered?: boolean;
  bytes?: number;
  timeoutMs?: number;
}

/** What can be done to the requests of a server that is not ours. */
const POSSIBLE = ['delay', 'loseAnswer', 'quiet', 'hang', 'reset'];

/**
 * Stands between a step and the API server of a real cluster: records when each request came, and has some late or lost, or their answers.
 * A client that goes away takes its request with it, as without anything in between.
 */
export class ApiRelay implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  /** Of a kubeconfig for whoever is to come this way. */
  readonly kubeconfigFile: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-relay-'));
  readonly #server: Server;
  readonly #target: URL;
  readonly #agent: TlsAgent;
  readonly #faults: ActiveFault[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);
  /** Answers of which no more is read. */
  readonly #held = new Set<ServerResponse>();

  private constructor({ server, 'certificate-authority-data': ca }: Kubeconfig['clusters'][0]['cluster']) {
    this.#target = new URL(server);
    this.#agent = new TlsAgent({ keepAlive: true, ca: Buffer.from(ca, 'base64') });
    this.#server = createServer((request, response) => void this.#relay(request, response));
    this.#server.keepAliveTimeout = 60_000;
    this.kubeconfigFile = join(this.#folder, 'kubeconfig');
  }

  /** @param kubeconfig path of one for the cluster, with a token in it, which the step is to come with */
  static async start(kubeconfig: string): Promise<ApiRelay> {
    const { clusters, users } = load(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const relay = new ApiRelay(clusters[0].cluster);
    await new Promise<void>(resolve => relay.#server.listen(0, '127.0.0.1', resolve));
    const server = `http://127.0.0.1:${(relay.#server.address() as AddressInfo).port}`;
    const { token } = users[0].user;
    writeFileSync(relay.kubeconfigFile, kubeconfigFor({ server, token, namespace: 'default', ca: undefined }));
    return relay;
  }

  fault(fault: Fault): ActiveFault {
    if (!POSSIBLE.includes(fault.action.kind)) throw new Error(`The relay knows no fault ${fault.action.kind}.`);
    const active = new ActiveFault(fault);
    this.#faults.push(active);
    return active;
  }

  /** The requests so far that match. */
  matching(match: RequestMatch): RecordedRequest[] {
    return this.requests.filter(request => matches(request, match));
  }

  /** The `nth` request that matches, once it has arrived; with `answered` once the server has answered it, with `bytes` once so much of its answer's body has been passed on. */
  request(
    match: RequestMatch,
    { nth = 1, answered = false, bytes = 0, timeoutMs = 30_000 }: Awaited = {},
  ): Promise<RecordedRequest> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.matching(match)[nth - 1];
        if (found === undefined || (answered && found.code === undefined) || (found.bytes ?? 0) < bytes) return;
        leave();
        resolve(found);
      };
      const leave = () => {
        clearTimeout(timer);
        this.#news.off('news', check);
      };
      const timer = setTimeout(() => {
        leave();
        const seen = this.requests.map(({ method, path, code }) => `${method} ${path} ${code ?? '(no answer)'}`);
        const text = JSON.stringify(match, (_, value) => (value instanceof RegExp ? String(value) : value));
        reject(new Error(`Waited ${timeoutMs} ms for request ${nth} like ${text}. So far:\n${seen.join('\n')}`));
      }, timeoutMs);
      this.#news.on('news', check);
      check();
    });
  }

  /** Ends the connections whose answers are quiet, as a server that is gone does; what it had sent beyond is lost. */
  cut(): void {
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #relay(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now();
    const body = await readBody(incoming);
    if (!body) return; // the client went away in the middle of it
    const request = recordOf(incoming, body, atMs);
    this.requests.push(request);
    response
      .on('error', () => {})
      .on('close', () => {
        request.ended = true;
      });
    const action = this.#faults.find(active => active.takes(request))?.fault.action;
    this.#news.emit('news');
    if (action?.kind === 'hang') return;
    if (action?.kind === 'reset') return void incoming.socket.destroy();
    const forward = () => this.#forward(incoming, body, request, response, action);
    if (action?.kind !== 'delay') return forward();
    const timer = setTimeout(forward, action.ms);
    response.on('close', () => clearTimeout(timer));
  }

  #forward(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    request: RecordedRequest,
    response: ServerResponse,
    fault: FaultAction | undefined,
  ): void {
    const { host: _, ...passed } = headers;
    const path = `${this.#target.pathname.replace(/\/$/, '')}${url}`;
    const { hostname, port } = this.#target;
    const onward = tlsRequest({ agent: this.#agent, hostname, port, method, path, headers: passed }, answer => {
      request.code = answer.statusCode ?? 0;
      this.#news.emit('news');
      answer.on('error', () => response.destroy());
      if (fault?.kind === 'loseAnswer') {
        answer.resume();
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      const most = fault?.kind === 'quiet' ? (fault.afterBytes ?? 0) : Number.POSITIVE_INFINITY;
      answer.pipe(this.#gate(request, response, most)).pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  }

  /** Counts what passes, and lets through so many bytes; then it takes no more, so that the server cannot send on. */
  #gate(request: RecordedRequest, response: ServerResponse, most: number): Transform {
    return new Transform({
      transform: (chunk: Buffer, _, taken) => {
        const before = request.bytes ?? 0;
        request.bytes = Math.min(before + chunk.length, most);
        this.#news.emit('news');
        if (request.bytes < most) return taken(null, chunk);
        this.#held.add(response);
        response.write(chunk.subarray(0, most - before));
      },
    });
  }
}
