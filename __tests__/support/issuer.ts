import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from './test-certificate.ts';

/**
 * GitHub's side of a keyless login: the issuer that an API server asks for its keys, over TLS, and the service that gives a job its ID token (ACTIONS_ID_TOKEN_REQUEST_URL), over plain HTTP.
 */
export class Issuer implements AsyncDisposable {
  /** Of the certificate that the issuer has. */
  readonly ca: string;
  /** What tokens say from now on, beside issuer, audience and times. */
  claims: Record<string, unknown> = {};
  /** In seconds, of a token. */
  life = 300;
  /** How many tokens it has given. */
  given = 0;
  /** The service answers with this code, and no token, where it is set. */
  failing: number | undefined;
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #issuer: Server;
  readonly #service: Server;

  private constructor() {
    const { key, cert } = makeCertificate();
    this.ca = cert;
    this.#issuer = createServer({ key, cert }, (request, response) => {
      const jwk = { ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' };
      const answer = request.url?.includes('openid-configuration')
        ? { issuer: this.url, jwks_uri: `${this.url}/keys`, id_token_signing_alg_values_supported: ['RS256'] }
        : { keys: [jwk] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }) as unknown as Server;
    this.#service = createHttpServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://x');
      if (request.headers.authorization !== 'Bearer of-the-job' || this.failing !== undefined) {
        response.writeHead(this.failing ?? 401).end();
        return;
      }
      const token = this.token(searchParams.get('audience') ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value: token }));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    for (const server of [issuer.#issuer, issuer.#service])
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#issuer.address() as AddressInfo).port}`;
  }

  /** What a job has in its environment that may ask for a token. */
  get env(): Record<string, string> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(this.#service.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job',
    };
  }

  token(audience: string): string {
    this.given++;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      aud: audience,
      sub: 'job',
      iat: now,
      nbf: now,
      exp: now + this.life,
      ...this.claims,
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${part({ ...claims, jti: String(this.given) })}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#keys.privateKey, 'base64url')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#issuer, this.#service]) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }
}
