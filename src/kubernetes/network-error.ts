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

/** Why there is no connection through a proxy: for want of a login, by its rules, since it gets none itself, as it is none of this kind, or cannot be trusted itself. */
type Refusal = 'login' | 'refused' | 'failed' | 'stranger' | 'untrusted';

/** A proxy that answers, and makes no connection. */
export class NoTunnel extends Error {
  readonly refusal: Refusal;

  /** @param detail in its own words */
  constructor(refusal: Refusal, detail: string) {
    super(detail);
    this.refusal = refusal;
  }
}

/** undici's word for a proxy that answers a CONNECT with something else than a tunnel. */
const NO_TUNNEL = /^Proxy response \((\d{3})\)/;

const REFUSALS: Record<Refusal, { failing: Failing; says: string }> = {
  login: { failing: 'hopeless', says: 'the proxy asks for a user name and password, or for others' },
  refused: { failing: 'hopeless', says: 'the proxy lets nobody through to it' },
  failed: { failing: 'not sent', says: 'the proxy gets no connection to it' },
  stranger: { failing: 'hopeless', says: 'the proxy does not speak' },
  untrusted: { failing: 'hopeless', says: 'the proxy cannot be taken' },
};

/** @returns what a proxy means, and whether it may pass */
function noTunnel(error: unknown): { what: string; failing: Failing } | undefined {
  if (!(error instanceof Error)) return undefined;
  const answer = NO_TUNNEL.exec(error.message)?.[1];
  const told = error instanceof NoTunnel ? error : answer === undefined ? undefined : ofAnswer(answer);
  if (told === undefined) return undefined;
  const { failing, says } = REFUSALS[told.refusal];
  return { what: told.refusal === 'stranger' ? `${says} ${told.message}` : `${says} (${told.message})`, failing };
}

function ofAnswer(code: string): NoTunnel {
  if (code === '407') return new NoTunnel('login', code);
  return new NoTunnel(/^(5|408|429)/.test(code) ? 'failed' : 'refused', code);
}

/** A request that failed before there was a whole answer. */
export class NetworkError extends Error {
  override name = 'NetworkError';
  readonly failing: Failing;
  /** In plain words: `connection refused`. */
  readonly what: string;
  /** When the request was begun that has got no answer, by `performance.now()`. */
  startedAt: number | undefined;

  constructor(error: unknown) {
    const code = codeOf(error);
    const proxys = noTunnel(error);
    const what = proxys?.what ?? CERTIFICATE[code] ?? PLAIN_WORDS[code] ?? ofTls(error, code) ?? messageOf(error);
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

/** How a server is reached. */
export interface Way {
  /** `host:port` of the proxy that it is reached through. */
  proxy?: string;
  /** Whether an authority was given that its certificate is to be signed by. */
  hasAuthority: boolean;
}

/** @returns the error to end the step with when the server stayed away for too long, or can never be reached. */
export function unreachable(server: string, error: NetworkError, absence: Absence, way: Way): StepError {
  const code = codeOf(error.cause);
  if (code in CERTIFICATE) return untrusted(server, error, code, way);
  if (code.startsWith('ERR_OSSL')) {
    return new StepError(
      'InvalidKubeconfig',
      'Unusable certificate',
      `A certificate or key of the kubeconfig cannot be used: ${error.what}.`,
      {
        remedy:
          'Check that it is PEM (in base64 where it stands in the kubeconfig itself), and that certificate and key belong together.',
        cause: error,
      },
    );
  }
  const { proxy } = way;
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

/** What signs a certificate is not known. */
const UNSIGNED = /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(VERIFY|GET))/;

function untrusted(server: string, error: NetworkError, code: string, { proxy, hasAuthority }: Way): StepError {
  const none = UNSIGNED.test(code) && !hasAuthority;
  const what = none
    ? 'its certificate is not signed by an authority that Node.js knows, and no other was given'
    : error.what;
  const behind =
    proxy === undefined
      ? ''
      : ` It is reached through the proxy ${proxy}: one that inspects TLS shows a certificate of its own.`;
  const remedies = {
    expired: 'Renew the API server’s certificate.',
    proxy:
      'Then add the proxy’s authority to `cluster_ca`, or to the kubeconfig’s `certificate-authority-data`, and log in by a token; else check the authority, `tls-server-name` and the server’s address.',
    none: 'Give the cluster’s authority: `cluster_ca`, or `certificate-authority-data` in the kubeconfig.',
    any: 'Check the authority (`cluster_ca`, or `certificate-authority-data` in the kubeconfig), `tls-server-name` and the server’s address.',
  };
  const remedy = proxy !== undefined ? 'proxy' : code === 'CERT_HAS_EXPIRED' ? 'expired' : none ? 'none' : 'any';
  return new StepError(
    'Unreachable',
    'The API server cannot be trusted',
    `The API server at ${server} cannot be trusted: ${what}.${behind}`,
    { remedy: remedies[remedy], cause: error },
  );
}

/** OpenSSL's and the parser's own words are for programmers. */
function ofTls(error: unknown, code: string): string | undefined {
  if (code.startsWith('HPE_')) return 'what answers does not speak HTTP';
  if (/^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST|UNEXPECTED)/.test(code))
    return 'what answers does not speak TLS';
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  return /^ERR_(OSSL|SSL)/.test(code) && typeof reason === 'string' ? reason : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
