import type { RequestOptions } from 'node:https';
import type { buildConnector, Dispatcher } from 'undici';
import type { StepError } from '../github/failure.ts';
import type { Target } from './config.ts';
import { type Credential, RenewedCredential } from './credentials/credential.ts';
import { type Connect, connectorThrough, dispatcherThrough } from './dispatcher.ts';
import { unlessAborted } from './unless-aborted.ts';

/** As client-go: below the 60 s after which cloud load balancers drop an idle connection. */
const KEEP_ALIVE_PROBE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** There is no credential to send a request with. */
export class NoCredential extends Error {}

/** What a request is sent with. */
export interface Ready {
  agent: Dispatcher;
  /** What makes a connection of one's own. */
  connector: buildConnector.connector;
  headers: Record<string, string | string[]>;
  /** What was obtained for it, where that may be renewed. */
  credential?: Credential;
}

/** The owner of the credentials, and of the connections that they open. */
export class Connection {
  readonly #target: Target;
  readonly #renewed: RenewedCredential | undefined;
  readonly #onCredential: (secret: string) => void;
  #pool: { agent: Dispatcher; key: string } | undefined;
  readonly #told = new Set<string>();

  /** @param onCredential is told each credential before it is used, to have it masked */
  constructor(target: Target, onCredential: (secret: string) => void) {
    this.#target = target;
    this.#renewed = target.credentials && new RenewedCredential(target.credentials);
    this.#onCredential = onCredential;
  }

  /**
   * What a request needs. It is asked for before each one, for credentials are renewed, and files of certificates written anew. The connections are kept as long as the TLS part stays the same.
   * @throws NoCredential
   */
  async ready(signal?: AbortSignal): Promise<Ready> {
    const [options, credential] = await Promise.all([this.#options(signal), this.#credential(signal)]);
    const headers: Ready['headers'] = { ...(options.headers as Ready['headers']), ...this.#target.impersonation };
    if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    if (credential?.token !== undefined) headers['Authorization'] = `Bearer ${credential.token}`;
    this.#tell(String(headers['Authorization'] ?? '').replace(/^\S+ /, ''));
    const { certificate: cert, key } = credential ?? {};
    if (key !== undefined) this.#tell(key);
    const connect = connectOf({ ...options, ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) });
    const connector: Ready['connector'] = (address, made) =>
      connectorThrough(this.#target.proxy, connect)(address, made);
    return { agent: this.#agent(connect), connector, headers, ...(credential && { credential }) };
  }

  /** The server has not accepted what a request was sent with: the next is sent with another, where there can be one. */
  refuse({ credential }: Ready): void {
    if (credential !== undefined) this.#renewed?.refuse(credential);
  }

  /** @returns what ends a step that the server has not accepted, where its source has more to say than anybody */
  refusal({ credential }: Ready): StepError | undefined {
    return credential && this.#target.credentials?.refusal?.(credential);
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await this.#pool?.agent.destroy();
  }

  async #options(signal: AbortSignal | undefined): Promise<RequestOptions> {
    const options: RequestOptions = {};
    try {
      await unlessAborted(this.#target.kubeConfig.applyToHTTPSOptions(options), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw new NoCredential((error as Error).message.trim() || 'they failed without a word', { cause: error });
    }
    return options;
  }

  async #credential(signal: AbortSignal | undefined): Promise<Credential | undefined> {
    try {
      return await this.#renewed?.get(signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw new NoCredential((error as Error).message, { cause: error });
    }
  }

  /** Each once, for there is a request every few milliseconds. */
  #tell(secret: string): void {
    if (secret === '' || this.#told.has(secret)) return;
    this.#told.add(secret);
    this.#onCredential(secret);
  }

  #agent(connect: Connect): Dispatcher {
    const identity = JSON.stringify(Object.values(connect).map(String));
    if (this.#pool?.key !== identity) {
      // The old connections live on until their streams have ended.
      void this.#pool?.agent.close();
      this.#pool = { agent: dispatcherThrough(this.#target.proxy, connect), key: identity };
    }
    return this.#pool.agent;
  }
}

function connectOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Connect {
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(([, value]) => value !== undefined),
  );
  return { ...tls, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS, timeout: CONNECT_TIMEOUT_MS };
}
