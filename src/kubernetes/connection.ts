import { X509Certificate } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { StepError } from '../github/failure.ts';
import type { Target } from './config.ts';
import { endPluginsWithProcess } from './credential-plugins.ts';

/** As client-go: below the 60 s after which cloud load balancers drop an idle connection. */
const KEEP_ALIVE_PROBE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CREDENTIAL_SECONDS = 60;

/** The owner of the credentials, and of the connections that they open. */
export class Connection {
  readonly #target: Target;
  readonly #onCredential: (secret: string) => void;
  #pool: { agent: Dispatcher; key: string } | undefined;
  #knownCredential = '';

  /** @param onCredential is told each credential before it is used, to have it masked */
  constructor(target: Target, onCredential: (secret: string) => void) {
    this.#target = target;
    endPluginsWithProcess(target.kubeConfig);
    this.#onCredential = onCredential;
  }

  /**
   * What a request needs. Credentials are asked for before each one: client-node re-reads token files and runs credential plugins when theirs has expired. The connections are kept as long as the TLS part stays the same.
   */
  async ready(signal?: AbortSignal): Promise<{ agent: Dispatcher; headers: Record<string, string> }> {
    const options: RequestOptions = {};
    try {
      await inTime(this.#target.kubeConfig.applyToHTTPSOptions(options), signal);
    } catch (error) {
      signal?.throwIfAborted();
      // What a plugin printed in place of JSON may be the credential itself.
      const why =
        error instanceof SyntaxError
          ? 'its credential plugin printed no ExecCredential'
          : (error as Error).message.trim();
      throw new StepError(
        'InvalidKubeconfig',
        'No credentials',
        `The credentials of the kubeconfig cannot be obtained: ${why || 'its credential plugin failed without a word'}`,
        {
          remedy: 'Check the user of this context, and that its credential plugin is installed on the runner.',
          cause: error,
        },
      );
    }
    const headers = { ...(options.headers as Record<string, string> | undefined) };
    if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    // A token from a file often ends in a newline.
    if (headers['Authorization'] !== undefined) headers['Authorization'] = headers['Authorization'].trim();
    const credential = headers['Authorization'] ?? '';
    if (credential !== this.#knownCredential) {
      this.#knownCredential = credential;
      this.#onCredential(credential.replace(/^\S+ /, ''));
    }
    return { agent: this.#agent(options), headers };
  }

  /** What to say to a 401 when the client certificate has expired, which the server does not tell. */
  expiredCertificate(): StepError | undefined {
    const certificate = this.#target.kubeConfig.getCurrentUser()?.certData;
    if (!certificate) return undefined;
    const validTo = expiry(certificate);
    if (validTo === undefined || validTo.getTime() > Date.now()) return undefined;
    return new StepError(
      'Unauthorized',
      'Client certificate expired',
      `The client certificate in the kubeconfig expired on ${validTo.toISOString().slice(0, 10)}.`,
      {
        remedy: 'Renew the kubeconfig, in `kubeconfig` or `config_file`.',
      },
    );
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await this.#pool?.agent.destroy();
  }

  #agent({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Dispatcher {
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(([, value]) => value !== undefined),
    );
    const identity = JSON.stringify(Object.values(tls).map(String));
    if (this.#pool?.key !== identity) {
      // The old connections live on until their streams have ended.
      void this.#pool?.agent.close();
      const connect = {
        ...tls,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
        timeout: CONNECT_TIMEOUT_MS,
      };
      const proxy = this.#target.kubeConfig.getCurrentCluster()?.proxyUrl;
      // HTTP/2 would put every stream on one connection: logs ran 15 % slower [measured].
      const agent = proxy
        ? new ProxyAgent({ uri: proxy, requestTls: connect, allowH2: false })
        : new Agent({ connect, allowH2: false });
      this.#pool = { agent, key: identity };
    }
    return this.#pool.agent;
  }
}

/** A credential plugin can hang, and cannot be told to stop. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const limit = AbortSignal.timeout(1000 * CREDENTIAL_SECONDS);
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  either.throwIfAborted();
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      either.addEventListener(
        'abort',
        () => reject(new Error(`its credential plugin did not answer within ${CREDENTIAL_SECONDS} s`)),
        { once: true },
      );
    }),
  ]);
}

/** @param certificate PEM, in base64 */
function expiry(certificate: string): Date | undefined {
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64')).validToDate;
  } catch {
    return undefined;
  }
}
