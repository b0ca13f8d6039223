import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StepError } from '../../github/failure.ts';
import type { Target } from '../config.ts';
import type { ApiError } from '../status.ts';

/**
 * @param why half a sentence
 * @param accepted whether the server has accepted one before
 * @returns what ends a step that has no credential to go on with
 */
export function noCredential({ message: why, cause }: Error, accepted: boolean): StepError {
  if (accepted)
    return new StepError(
      'Credentials',
      'The credentials have ended',
      `The step’s credentials have ended and cannot be renewed: ${why}.`,
      { cause },
    );
  return new StepError('InvalidKubeconfig', 'No credentials', `There are no credentials for the cluster: ${why}.`, {
    remedy: 'Check as whom the step is to log in, and what that needs on the runner.',
    cause,
  });
}

/** What is known of a login that was refused. */
interface Refused {
  /** Whether the server has accepted the credentials before. */
  accepted: boolean;
  /** What their source has to say of it. */
  refusal: StepError | undefined;
}

/** @returns what ends a step that the server takes for nobody, or for nobody it knows */
export function notLoggedIn(error: ApiError, target: Target, { accepted, refusal }: Refused): StepError {
  const expired = expiredCertificate(target);
  if (accepted)
    return new StepError(
      'Credentials',
      'The credentials have ended',
      expired === undefined
        ? 'The API server does not accept the step’s credentials any more (401 Unauthorized): they have ended during the run, or were revoked.'
        : `${expired}, during the run.`,
      { cause: error },
    );
  if (expired !== undefined)
    return new StepError('Unauthorized', 'Client certificate expired', `${expired}.`, {
      remedy: target.login.remedy,
      cause: error,
    });
  if (refusal !== undefined) return refusal;
  const { proxy, kubeConfig, login } = target;
  const { certData, certFile } = kubeConfig.getCurrentUser() ?? {};
  if (proxy !== undefined && (certData || certFile))
    return new StepError(
      'Unauthorized',
      'Not logged in to the cluster',
      `The API server does not take the client certificate, or has not seen it: it is reached through the proxy ${proxy.host}, and one that inspects TLS does not pass it on.`,
      { remedy: 'Log in by a token, or have the proxy let this server through unread.', cause: error },
    );
  // A request that was taken for nobody's has its own words.
  if (error.code !== 401) return error;
  return new StepError(
    'Unauthorized',
    'Not logged in to the cluster',
    `The API server does not accept ${login.what} (401 Unauthorized): ${login.why}.`,
    { remedy: login.remedy, cause: error },
  );
}

/** @returns a sentence, without its end; nothing where it has not expired. The server does not tell. */
function expiredCertificate({ kubeConfig }: Target): string | undefined {
  const { certData, certFile } = kubeConfig.getCurrentUser() ?? {};
  try {
    const pem = certData ? Buffer.from(certData, 'base64') : certFile ? readFileSync(certFile) : undefined;
    const validTo = pem && new X509Certificate(pem).validToDate;
    if (validTo === undefined || validTo.getTime() > Date.now()) return undefined;
    return `The client certificate in the kubeconfig expired on ${validTo.toISOString().slice(0, 10)}`;
  } catch {
    return undefined;
  }
}
