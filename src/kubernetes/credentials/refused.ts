import { StepError } from '../../github/failure.ts';
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

/** @returns what ends a step whose credentials the server has accepted before and accepts no more */
export function ended(error: ApiError): StepError {
  return new StepError(
    'Credentials',
    'The credentials have ended',
    'The API server does not accept the step’s credentials any more (401 Unauthorized): they have ended during the run, or were revoked.',
    { cause: error },
  );
}
