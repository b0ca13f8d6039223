import { type ClientRequest, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { type Certificate, makeCertificate } from './test-certificate.ts';

export interface ConnectProxyOptions {
  /** Where a name leads that nobody else knows; others lead to this machine. */
  hosts?: Record<string, URL>;
  /** Has the proxy itself stand behind TLS. */
  tls?: Certificate;
  /** What is asked for, as `name:password`. */
  login?: string;
  /** By which the proxy signs a certificate of its own for each name, and reads along; what is behind it is known by `trust`. */
  inspects?: { authority: Certificate; trust: string };
  /** Has it know nothing of WebSockets, where it inspects. */
  noUpgrades?: boolean;
}

/** An HTTP proxy that tunnels (CONNECT), and notes for what it was asked. */
export class ConnectProxy implements AsyncDisposable {
  /** `host:port` of each tunnel that was asked for, and as whom. */
  readonly asked: { host: string; as: string | undefined }[] = [];
  /** What it has read, where it inspects: `GET /api/v1/...`. */
  readonly read: string[] = [];
  readonly #options: ConnectProxyOptions;
  readonly #server: Server;
  readonly #inside: Server;
  readonly #sockets = new Set<Socket>();
  readonly #contexts = new Map<string, SecureContext>();
  #port = 0;

  private constructor(options: ConnectProxyOptions) {
    this.#options = options;
    this.#server = options.tls ? (createTlsServer(options.tls) as unknown as Server) : createServer();
    this.#server.on('connect', (request, socket) => this.#connect(request, socket as Socket));
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
    this.#inside = createServer((request, response) => this.#passOn(request, response));
    if (!options.noUpgrades) this.#inside.on('upgrade', (request, socket) => this.#upgrade(request, socket as Socket));
    this.#inside.keepAliveTimeout = 60_000;
  }

  static async start(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    await proxy.listen();
    return proxy;
  }

  /** Its address, with the login where it asks for one. */
  get url(): string {
    const { tls, login } = this.#options;
    const [name, password = ''] = login?.split(':') ?? [];
    const user = name === undefined ? '' : `${name}:${encodeURIComponent(password)}@`;
    return `${tls ? 'https' : 'http'}://${user}127.0.0.1:${this.#port}`;
  }

  /** `host:port`, as it is shown. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Takes connections, on the port that it had before. */
  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends all tunnels, and takes no more. */
  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  #connect({ url = '', headers }: IncomingMessage, socket: Socket): void {
    const { login, inspects } = this.#options;
    const as = headers['proxy-authorization'];
    this.asked.push({ host: url, as });
    socket.on('error', () => socket.destroy());
    if (login !== undefined && as !== `Basic ${Buffer.from(login).toString('base64')}`) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      return;
    }
    if (inspects) {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      const secureContext = this.#contextFor(url.replace(/:\d+$/, ''), inspects.authority);
      const inside = new TLSSocket(socket, { isServer: true, secureContext });
      inside.on('error', () => inside.destroy());
      this.#inside.emit('connection', inside);
      return;
    }
    const { hostname, port } = this.#behind(url);
    const behind = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      behind.pipe(socket).pipe(behind);
    });
    behind.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => behind.destroy());
  }

  #behind(host: string): URL {
    const known = this.#options.hosts?.[host.replace(/:\d+$/, '')];
    return known ?? new URL(`https://127.0.0.1:${new URL(`https://${host}`).port || 443}`);
  }

  #contextFor(name: string, authority: Certificate): SecureContext {
    const made =
      this.#contexts.get(name) ??
      createSecureContext(makeCertificate({ name, names: `DNS:${name}`, signedBy: authority }));
    this.#contexts.set(name, made);
    return made;
  }

  #onward({ method, url, headers: given }: IncomingMessage): ClientRequest {
    this.read.push(`${method} ${url}`);
    const { connection, upgrade, ...others } = given;
    const headers = this.#options.noUpgrades ? others : given;
    const { hostname, port } = this.#behind(headers.host ?? '');
    const ca = this.#options.inspects?.trust ?? '';
    return tlsRequest({ hostname, port, path: url, method, headers, ca, servername: '', agent: false });
  }

  /** Of a WebSocket. */
  #upgrade(incoming: IncomingMessage, socket: Socket): void {
    const onward = this.#onward(incoming);
    onward.on('upgrade', ({ rawHeaders }, behind, first) => {
      const fields = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
      socket.write(first);
      behind.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      behind.pipe(socket).pipe(behind);
      socket.on('close', () => behind.destroy());
    });
    onward.on('response', () => socket.destroy()).on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    onward.end();
  }

  #passOn(incoming: IncomingMessage, response: ServerResponse): void {
    const onward = this.#onward(incoming);
    onward.on('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy()).pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}
