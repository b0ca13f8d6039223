import { deleteSecret } from '../../kubernetes/secrets.ts';
import { CHECKOUT_CONTAINER } from '../../pod/workspace.ts';
import { containerEnded, podEnded, terminated, willRestart } from '../containers.ts';
import { duration } from '../durations.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import type { Step } from '../run.ts';

/** It goes with its pod anyway: so long the start is held up for it where the server is away. */
const FORGET_MS = 20_000;

/** Waits until the pod has its repository, or never will, and takes away the token that it had for that. What becomes of the pod is for who waits for its start. */
export async function checkedOut(step: Step, pod: ObservedPod, signal: AbortSignal): Promise<void> {
  const { inputs, plan, log } = step;
  const { checkout } = inputs.files;
  if (checkout === undefined) return;
  await pod.until(view => isOver(view, plan.base) || undefined, signal);
  const ended = terminated(pod.view.pod, CHECKOUT_CONTAINER);
  await Promise.all(plan.secrets.filter(({ isPassing }) => isPassing).map(({ name }) => forget(step, pod, name)));
  if (ended?.exitCode === 0)
    log.line(`Checked out ${checkout.repository} at ${checkout.commit.slice(0, 12)}${duration(ended)}.`);
}

function isOver({ pod, gone }: PodView, base: string): boolean {
  if (gone || podEnded(pod) || containerEnded(pod, base)) return true;
  const ended = terminated(pod, CHECKOUT_CONTAINER);
  return ended !== undefined && !(ended.exitCode !== 0 && willRestart(pod, CHECKOUT_CONTAINER, ended));
}

async function forget({ client, log, lastCall }: Step, pod: ObservedPod, name: string): Promise<void> {
  const { namespace } = pod.identity;
  try {
    await deleteSecret(client, { namespace, name }, AbortSignal.any([lastCall, AbortSignal.timeout(FORGET_MS)]));
  } catch (error) {
    lastCall.throwIfAborted();
    log.warning(
      'Token not deleted',
      `Secret ${namespace}/${name} has the job's token, which the pod needs no more, and could not be deleted: ${(error as Error).message} It goes with the pod.`,
    );
  }
}
