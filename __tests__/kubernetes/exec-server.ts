import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { kubeconfigFor } from '../support/fake-requests.ts';

export const SUCCESS = { status: 'Success' };
export const exited = (code: number) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

/** What plays the program at the other end of a connection. */
export type Play = (program: Played) => Promise<void> | void;

export class Played {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** What came on its input. */
  readonly input: Buffer[] = [];

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.request = request;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) this.input.push(data.subarray(1));
    });
  }

  say(channel: number, content: string | Buffer): void {
    this.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(content as string)]));
  }

  print(content: string | Buffer): void {
    this.say(1, content);
  }

  complain(content: string): void {
    this.say(2, content);
  }

  /** As the API server: a Status, and the connection is closed. */
  end(status: object = SUCCESS): void {
    this.say(3, JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...status }));
    this.socket.close(1000);
  }
}

/** An API server that starts programs, and nothing else. */
export class ExecServer {
  play: Play = program => program.end();
  /** Answers in place of a WebSocket. */
  refuse: ((response: ServerResponse) => void) | undefined;
  /** Whether what is played at once leaves with the answer to the upgrade. */
  atOnce = false;
  readonly programs: Played[] = [];
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: protocols => (this.protocol === undefined ? false : protocols.has(this.protocol) && this.protocol),
  });
  protocol: string | undefined = 'v5.channel.k8s.io';
  readonly #connections = new Set<Duplex>();

  private constructor() {
    this.#http = createServer();
    this.#http.on('connection', connection => {
      this.#connections.add(connection);
      connection.on('error', () => {});
      connection.once('close', () => this.#connections.delete(connection));
    });
    this.#http.on('request', (_, response) => this.#refused(response));
    this.#http.on('upgrade', (request, connection, head) => this.#upgrade(request, connection, head));
  }

  static async start(): Promise<ExecServer> {
    const server = new ExecServer();
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get kubeconfig(): string {
    const { port } = this.#http.address() as AddressInfo;
    return kubeconfigFor({ server: `http://127.0.0.1:${port}`, token: 'T', namespace: 'etl', ca: undefined });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** As a load balancer does it: without a word. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#http.close();
    await once(this.#http, 'close');
  }

  #refused(response: ServerResponse): void {
    if (this.refuse) this.refuse(response);
    else response.writeHead(500).end();
  }

  #upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    if (this.refuse) {
      const { refuse } = this;
      const parts: { code: number; headers: Record<string, string> } = { code: 500, headers: {} };
      // It may be half open, and what is not read has no end.
      connection.once('end', () => connection.end()).resume();
      // Node has no response for an upgrade.
      refuse({
        writeHead(code: number, headers: Record<string, string> = {}) {
          Object.assign(parts, { code, headers });
          return this;
        },
        end(body = '') {
          const lines = Object.entries({ ...parts.headers, connection: 'close' }).map(
            ([name, value]) => `${name}: ${value}`,
          );
          connection.end(`HTTP/1.1 ${parts.code} No\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
        },
      } as unknown as ServerResponse);
      return;
    }
    if (this.atOnce) connection.cork();
    this.#sockets.handleUpgrade(request, connection, head, socket => {
      const program = new Played(socket, request);
      this.programs.push(program);
      void this.play(program);
      if (this.atOnce) connection.uncork();
    });
  }
}
