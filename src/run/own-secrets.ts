import { StepError, withRemedy } from '../github/failure.ts';
import { deletePod, type PodIdentity } from '../kubernetes/pods.ts';
import { createSecretOf } from '../kubernetes/secrets.ts';
import { ApiError } from '../kubernetes/status.ts';
import type { Step } from './run.ts';

/**
 * Creates the Secrets that the step's own secrets become, right after the pod and owned by it: made before it, a kill in between would leave them on the cluster.
 * The kubelet looks for them again until they are there; within a second this costs the pod nothing [measured].
 * @throws StepError when one cannot be created: the pod cannot start then
 */
export async function createSecrets(
  { inputs, plan, client, stop, lastCall, origin }: Step,
  pod: PodIdentity,
): Promise<void> {
  // A pod that runs on though its step is cancelled needs them as much.
  const signal = inputs.onKillAction === 'keep_pod' ? lastCall : stop;
  // The attempt that made the pod may have been lost before it made its Secrets.
  const mayExist = origin !== undefined;
  const labels = plan.pod.metadata?.labels ?? {};
  try {
    await Promise.all(plan.secrets.map(secret => createSecretOf(client, pod, { ...secret, labels, mayExist }, signal)));
  } catch (error) {
    // What becomes of the pod of a cancelled step has been seen to.
    signal.throwIfAborted();
    // Kept or not: it could never start, or with the Secret of somebody else.
    await deletePod(client, pod, { signal: lastCall }).catch(() => {});
    if (!(error instanceof ApiError)) throw error;
    const { reason, title, message, remedy } = error;
    throw new StepError(
      reason,
      title,
      withRemedy(message, 'run, secret_env, secret_files and registry_username need it.'),
      {
        ...(remedy !== undefined && { remedy }),
        cause: error,
      },
    );
  }
}
