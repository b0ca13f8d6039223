import { StepError } from '../github/failure.ts';
import { NetworkError } from './network-error.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Waits for what the network brings. An abort throws the signal's reason, at once: undici heeds it only when it has a connection. Anything else that goes wrong is a NetworkError. */
export async function onTheWire<T>(coming: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await unlessAborted(coming, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new NetworkError(error);
  }
}

/**
 * @returns what the answer holds; `undefined` if that is no JSON
 * @throws NetworkError for JSON that something in between has ended early, as if it were complete
 */
export function parseAnswer(text: string, type: string | string[] | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (text !== '' && String(type).startsWith('application/json'))
      throw new NetworkError(new Error('its answer broke off'));
    return undefined;
  }
}

/** @returns the error for an answer that no API server would give. */
export function noApiServer(server: string, why: string): StepError {
  return new StepError(
    'Unreachable',
    'Not a Kubernetes API server',
    `What answers at ${server} is not a Kubernetes API server: ${why}.`,
    {
      remedy: 'Check the server’s address in the kubeconfig, and whether a proxy or a login page stands in between.',
    },
  );
}
