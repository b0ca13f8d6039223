import { StepError, withRemedy } from '../github/failure.ts';
import { deletePod } from '../kubernetes/pods.ts';
import { createSecretOf } from '../kubernetes/secrets.ts';
import { ApiError } from '../kubernetes/status.ts';
import { CHECKOUT_CONTAINER } from '../pod/workspace.ts';
import { containerEnded } from './containers.ts';
import type { ObservedPod } from './observe.ts';
import type { Step } from './run.ts';

/**
 * Creates the Secrets that the step's own secrets become, right after the pod and owned by it: made before it, a kill in between would leave them on the cluster.
 * The kubelet looks for them again until they are there; within a second this costs the pod nothing [measured].
 * @throws StepError when one cannot be created: the pod cannot start then
 */
export async function createSecrets(
  { inputs, plan, client, stop, lastCall, origin }: Step,
  { identity: pod, view }: ObservedPod,
): Promise<void> {
  // A pod that runs on though its step is cancelled needs them as much.
  const signal = inputs.onKillAction === 'keep_pod' ? lastCall : stop;
  // The attempt that made the pod may have been lost before it made its Secrets.
  const mayExist = origin !== undefined;
  const labels = plan.pod.metadata?.labels ?? {};
  // What was for the checkout alone has gone, and nobody would take it away again.
  const isOver = containerEnded(view.pod, CHECKOUT_CONTAINER);
  const secrets = plan.secrets.filter(({ isPassing }) => !(isPassing && isOver));
  try {
    await Promise.all(secrets.map(secret => createSecretOf(client, pod, { ...secret, labels, mayExist }, signal)));
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
      withRemedy(message, 'run, secret_env, secret_files, registry_username and workspace: checkout need it.'),
      {
        ...(remedy !== undefined && { remedy }),
        cause: error,
      },
    );
  }
}
