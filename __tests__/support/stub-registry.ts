import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What registries say with these answers, as Docker Hub and others word it. */
const ANSWERS: Record<string, { code: string; message: string }> = {
  401: { code: 'UNAUTHORIZED', message: 'authentication required' },
  403: { code: 'DENIED', message: 'requested access to the resource is denied' },
  404: { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' },
  429: { code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' },
  503: { code: 'UNAVAILABLE', message: 'service unavailable' },
};

/**
 * A registry on this machine that has no image: the first part of the image's name says how it answers, e.g. `HOST/403/app:1`, and `HOST/never/app:1` is not answered at all.
 * A node that is this machine reaches it.
 */
export class StubRegistry implements Disposable {
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(({ url = '' }, response) => this.#answer(url, response));
  }

  static async start(): Promise<StubRegistry> {
    const registry = new StubRegistry();
    await new Promise<void>(resolve => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(url: string, response: ServerResponse): void {
    const how = /^\/v2\/([^/]+)\//.exec(url)?.[1] ?? '404';
    if (how === 'never') return;
    const error = ANSWERS[how];
    response.writeHead(Number(how), {
      'content-type': 'application/json',
      ...(how === '401' && { 'www-authenticate': `Basic realm="${this.host}"` }),
    });
    response.end(JSON.stringify({ errors: [error] }));
  }
}
