import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A SOCKS5 proxy (RFC 1928, RFC 1929), and for what it was asked. */
export class SocksProxy implements AsyncDisposable {
  /** `host:port` of each connection that was asked for. */
  readonly asked: string[] = [];
  /** As whom, where it asks. */
  readonly logins: string[] = [];
  readonly #hosts: Record<string, URL>;
  readonly #login: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(hosts: Record<string, URL>, login: string | undefined) {
    this.#hosts = hosts;
    this.#login = login;
    this.#server = createServer(socket => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      void this.#serve(socket).catch(() => socket.destroy());
    });
  }

  /**
   * @param hosts where a name leads that nobody else knows; it lets through to no other
   * @param login what is asked for, as `name:password`
   */
  static async start(hosts: Record<string, URL>, login?: string): Promise<SocksProxy> {
    const proxy = new SocksProxy(hosts, login);
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** `host:port`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    const read = reader(socket);
    const [, methods = 0] = await read(2);
    const offered = [...(await read(methods))];
    const method = this.#login === undefined ? 0 : 2;
    socket.write(Buffer.from([5, offered.includes(method) ? method : 0xff]));
    if (!offered.includes(method)) return void socket.end();
    if (method === 2 && !(await this.#letsIn(read, socket))) return void socket.end();
    const [, , , type = 0] = await read(4);
    const length = type === 3 ? ((await read(1))[0] ?? 0) : type === 4 ? 16 : 4;
    const address = await read(length);
    const host = type === 3 ? address.toString() : [...address].join('.');
    const port = (await read(2)).readUInt16BE();
    this.asked.push(`${host}:${port}`);
    const behind = this.#hosts[host];
    const answer = (code: number) => socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
    if (behind === undefined) {
      answer(2);
      return void socket.end();
    }
    const onward = connect(Number(behind.port), behind.hostname, () => {
      answer(0);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  async #letsIn(read: (length: number) => Promise<Buffer>, socket: Socket): Promise<boolean> {
    const [, length = 0] = await read(2);
    const name = await read(length);
    const password = await read((await read(1))[0] ?? 0);
    const login = `${name}:${password}`;
    this.logins.push(login);
    socket.write(Buffer.from([1, login === this.#login ? 0 : 1]));
    return login === this.#login;
  }
}

/** @returns a function that waits for so many bytes; what comes after the last that was asked for stays in the socket */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async length => {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk = socket.read(length) as Buffer | null;
      if (chunk !== null) return chunk;
      await new Promise<void>((resolve, reject) => {
        socket.once('readable', resolve);
        socket.once('close', () => reject(new Error('It went away.')));
      });
    }
  };
}
