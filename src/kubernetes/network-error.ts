import { StepError } from '../github/failure.ts';

/** How a request can fail without an answer, by what that allows. */
export type Failing =
  /** No connection came about: the server has not seen the request. */
  | 'not sent'
  /** It broke on the way: the server may have done what was asked. */
  | 'unknown'
  /** Waiting will not help: a certificate that is not to be trusted, a host name that does not exist. */
  | 'hopeless';

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const HOPELESS = new Set(['ENOTFOUND', 'UND_ERR_INVALID_ARG', 'EPROTO']);

const PLAIN_WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  UND_ERR_SOCKET: 'connection closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EAI_AGAIN: 'the name server does not answer',
  ENOTFOUND: 'its host name does not exist',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no answer in time',
};

/** The codes that Node's TLS gives to a certificate it does not trust (`X509 certificate error codes` in its documentation; those of revocation lists, which nobody loads, are left out), in words. */
const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (is the clock of the runner right?)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and not by the authority that was given',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by another authority than the one that was given',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the authority that was given',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_SIGNATURE_FAILURE:
    'the signature of its certificate is wrong; the authority that was given may belong to another cluster',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'the signature of its certificate cannot be read',
  CERT_CHAIN_TOO_LONG: 'too many authorities stand between its certificate and the one that was given',
  PATH_LENGTH_EXCEEDED: 'one of the authorities behind its certificate may not vouch for another',
  INVALID_CA: 'its certificate is signed by one that may sign none',
  INVALID_PURPOSE: 'its certificate is not one for a server, or what it is signed by not one of an authority',
  CERT_UNTRUSTED: 'its certificate is not trusted for servers',
  CERT_REJECTED: 'its certificate is rejected for servers',
  CERT_REVOKED: 'its certificate has been revoked',
  UNSPECIFIED: 'its certificate, or its authority’s, does not pass, e.g. for a key that is too short',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'its certificate has names that cannot be read',
  HOSTNAME_MISMATCH: 'its certificate is for another host name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
};

/** A proxy that answers, and makes no connection. */
export class NoTunnel extends Error {
  /** As an HTTP proxy would say it. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** undici's word for a proxy that answers a CONNECT with something else than a tunnel. */
const NO_TUNNEL = /^Proxy response \((\d{3})\)/;

/** @returns what a proxy means by that, and whether it may pass */
function noTunnel(error: unknown): { what: string; failing: Failing } | undefined {
  const [, text] = (error instanceof Error && NO_TUNNEL.exec(error.message)) || [];
  const code = error instanceof NoTunnel ? error.code : Number(text);
  if (Number.isNaN(code)) return undefined;
  if (code === 407)
    return { what: 'the proxy asks for a user name and password, or for others (407)', failing: 'hopeless' };
  const mayPass = code >= 500 || code === 408 || code === 429;
  return mayPass
    ? { what: `the proxy gets no connection to it (${code})`, failing: 'not sent' }
    : { what: `the proxy lets nobody through to it (${code})`, failing: 'hopeless' };
}

/** A request that failed before there was a whole answer. */
export class NetworkError extends Error {
  override name = 'NetworkError';
  readonly failing: Failing;
  /** In plain words: `connection refused`. */
  readonly what: string;

  constructor(error: unknown) {
    const code = codeOf(error);
    const proxys = noTunnel(error);
    const what =
      proxys?.what ??
      CERTIFICATE[code] ??
      PLAIN_WORDS[code] ??
      (error instanceof Error ? error.message : String(error));
    super(what, { cause: error });
    this.what = what;
    this.failing =
      proxys?.failing ??
      (code in CERTIFICATE || HOPELESS.has(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL')
        ? 'hopeless'
        : NOT_SENT.has(code)
          ? 'not sent'
          : 'unknown');
  }
}

/** How long a server has not answered, in seconds, and how long it was to be waited for. */
export interface Absence {
  seconds: number;
  patienceSeconds: number;
  /** Whether it had answered before. */
  contacted: boolean;
}

/**
 * @param proxy `host:port` of the one that the server is reached through
 * @returns the error to end the step with when the server stayed away for too long, or can never be reached.
 */
export function unreachable(server: string, error: NetworkError, absence: Absence, proxy?: string): StepError {
  const code = codeOf(error.cause);
  if (code in CERTIFICATE && proxy !== undefined) {
    return new StepError(
      'Unreachable',
      'The API server cannot be trusted',
      `The API server at ${server} cannot be trusted: ${error.what}. It is reached through the proxy ${proxy}: one that inspects TLS shows a certificate of its own.`,
      {
        remedy:
          'Then add the proxy’s authority to `cluster_ca`, or to the kubeconfig’s `certificate-authority-data`, and log in by a token; else check the authority, `tls-server-name` and the server’s address.',
        cause: error,
      },
    );
  }
  if (code in CERTIFICATE) {
    const remedy =
      code === 'CERT_HAS_EXPIRED'
        ? 'Renew the API server’s certificate.'
        : 'Check the authority (`cluster_ca`, or `certificate-authority-data` in the kubeconfig), `tls-server-name` and the server’s address.';
    return new StepError(
      'Unreachable',
      'The API server cannot be trusted',
      `The API server at ${server} cannot be trusted: ${error.what}.`,
      { remedy, cause: error },
    );
  }
  if (code.startsWith('ERR_OSSL')) {
    return new StepError(
      'InvalidKubeconfig',
      'Unusable certificate',
      `A certificate or key in the kubeconfig cannot be read: ${error.what}.`,
      {
        remedy: 'Check `client-certificate-data`, `client-key-data` and `certificate-authority-data`: PEM, in base64.',
        cause: error,
      },
    );
  }
  const seconds = Math.round(absence.seconds);
  const isTheProxys = noTunnel(error.cause) !== undefined;
  const what = proxy === undefined ? error.what : error.what.replace(/^the proxy/, `the proxy ${proxy}`);
  const through = proxy === undefined || isTheProxys ? '' : ` through the proxy ${proxy}`;
  if (absence.contacted && error.failing !== 'hopeless')
    return new StepError(
      'Unreachable',
      'The API server is out of reach',
      `The API server at ${server} has been away${through} for ${seconds} s: ${what}.`,
      {
        remedy: `If it can be away for longer than ${absence.patienceSeconds} s, raise outage_timeout_seconds.`,
        cause: error,
      },
    );
  const patience = error.failing === 'hopeless' ? '' : ` within ${seconds} s`;
  return new StepError(
    'Unreachable',
    'The API server is out of reach',
    `The API server at ${server} did not answer${through}${patience}: ${what}.`,
    {
      remedy:
        proxy === undefined
          ? 'Check the server’s address in the kubeconfig, and that this runner can reach it (network, firewall, VPN, proxy).'
          : `Check the proxy’s address (the kubeconfig’s proxy-url, HTTPS_PROXY)${isTheProxys ? '' : ' and the server’s'}, or have NO_PROXY name the server.`,
      cause: error,
    },
  );
}

/** undici wraps, and a host with several addresses gives an AggregateError: the first code found speaks for all. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if ('code' in at && typeof at.code === 'string' && at.code !== 'UND_ERR') return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors[0];
    else at = at.cause;
  }
  return '';
}
