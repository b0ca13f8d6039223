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

/** The codes that Node's TLS gives to a certificate it does not trust, in words. */
const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (is the clock of the runner right?)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and not by the authority in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not the one in the kubeconfig',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the authority in the kubeconfig',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_SIGNATURE_FAILURE:
    'the signature of its certificate is wrong; the authority in the kubeconfig may belong to another cluster',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
};

/** A request that failed before there was a whole answer. */
export class NetworkError extends Error {
  override name = 'NetworkError';
  readonly failing: Failing;
  /** In plain words: `connection refused`. */
  readonly what: string;

  constructor(error: unknown) {
    const code = codeOf(error);
    const what = CERTIFICATE[code] ?? PLAIN_WORDS[code] ?? (error instanceof Error ? error.message : String(error));
    super(what, { cause: error });
    this.what = what;
    this.failing =
      code in CERTIFICATE || HOPELESS.has(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL')
        ? 'hopeless'
        : NOT_SENT.has(code)
          ? 'not sent'
          : 'unknown';
  }
}

/** How long a server has not answered, in seconds, and how long it was to be waited for. */
export interface Absence {
  seconds: number;
  patienceSeconds: number;
  /** Whether it had answered before. */
  contacted: boolean;
}

/** @returns the error to end the step with when the server stayed away for too long, or can never be reached. */
export function unreachable(server: string, error: NetworkError, absence: Absence): StepError {
  const code = codeOf(error.cause);
  if (code in CERTIFICATE) {
    const remedy =
      code === 'CERT_HAS_EXPIRED'
        ? 'Renew the API server’s certificate.'
        : 'Check `certificate-authority-data`, `tls-server-name` and the server’s address in the kubeconfig.';
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
  if (absence.contacted && error.failing !== 'hopeless')
    return new StepError(
      'Unreachable',
      'The API server is out of reach',
      `The API server at ${server} has been away for ${seconds} s: ${error.what}.`,
      {
        remedy: `If it can be away for longer than ${absence.patienceSeconds} s, raise outage_timeout_seconds.`,
        cause: error,
      },
    );
  const patience = error.failing === 'hopeless' ? '' : ` within ${seconds} s`;
  return new StepError(
    'Unreachable',
    'The API server is out of reach',
    `The API server at ${server} did not answer${patience}: ${error.what}.`,
    {
      remedy:
        'Check the server’s address in the kubeconfig, and that this runner can reach it (network, firewall, VPN, proxy).',
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
