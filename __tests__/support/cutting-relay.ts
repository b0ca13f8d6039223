import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { changedKubeconfig, type Kubeconfig } from './account.ts';

export type Direction = 'up' | 'down';

/** Passes bytes on to the API server, TLS and all, and cuts a connection when so many have gone through it. */
export class CuttingRelay implements AsyncDisposable {
  /** Connections that have been cut. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: URL;
  #plan: { direction: Direction; bytes: number }[] = [];

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer(socket => this.#pass(socket));
  }

  /** @param kubeconfig path of one for the cluster. @returns the relay, and the path of a kubeconfig that leads through it */
  static async start(kubeconfig: string): Promise<{ relay: CuttingRelay; kubeconfig: string }> {
    let target = new URL('https://127.0.0.1');
    const read = (config: Kubeconfig) => {
      target = new URL(String(config.clusters[0].cluster['server']));
    };
    changedKubeconfig(kubeconfig, read);
    const relay = new CuttingRelay(target);
    await new Promise<void>(resolve => relay.#server.listen(0, '127.0.0.1', resolve));
    const { port } = relay.#server.address() as AddressInfo;
    const through = changedKubeconfig(kubeconfig, config => {
      config.clusters[0].cluster['server'] = `https://127.0.0.1:${port}`;
    });
    return { relay, kubeconfig: through };
  }

  /** Cuts the next connection through which so many bytes have gone this way. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#plan.push({ direction, bytes });
  }

  #pass(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const gone = { up: 0, down: 0 };
    let isCut = false;
    const cut = () => {
      isCut = true;
      for (const socket of [client, server]) socket.resetAndDestroy();
    };
    const count = (direction: Direction, bytes: number) => {
      // What it had read already.
      if (isCut) return;
      gone[direction] += bytes;
      const due = this.#plan.findIndex(one => one.direction === direction && one.bytes <= gone[direction]);
      if (due === -1) return;
      this.#plan.splice(due, 1);
      this.cuts++;
      cut();
    };
    client.on('data', bytes => count('up', bytes.length));
    server.on('data', bytes => count('down', bytes.length));
    client.pipe(server);
    server.pipe(client);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
