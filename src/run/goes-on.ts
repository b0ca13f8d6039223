import { StepError } from '../github/failure.ts';
import { keptPod } from './cleanup.ts';
import { containerEnded } from './containers.ts';
import type { ObservedPod } from './observe.ts';

/**
 * A pod whose container runs on, and a step that has no credentials any more: nothing of it is lost yet.
 * @returns the error, with where the pod is and how to get back to it; nothing where the step ended for another reason, or the pod has ended
 */
export function goesOn(
  error: unknown,
  pod: Pick<ObservedPod, 'identity' | 'view'>,
  base: string,
): StepError | undefined {
  if (!(error instanceof StepError) || error.reason !== 'Credentials') return undefined;
  const { identity, view } = pod;
  if (view.gone || containerEnded(view.pod, base)) return undefined;
  const { namespace, name, uid } = identity;
  const { startTime } = view.pod.status ?? {};
  const { activeDeadlineSeconds } = view.pod.spec ?? {};
  const end =
    startTime && activeDeadlineSeconds
      ? new Date(new Date(startTime).getTime() + 1000 * activeDeadlineSeconds).toISOString().replace(/\.\d+/, '')
      : undefined;
  const until = end === undefined ? '' : `, until ${end} at the latest (active_deadline_seconds)`;
  return new StepError(
    error.reason,
    error.title,
    `${error.message} Pod ${namespace}/${name} was left as it is, and goes on${until}.`,
    {
      remedy: `To follow it to its end: a step with new credentials and \`attach: ${name}\`, \`pod_uid: ${uid}\`, \`namespace: ${namespace}\`. To delete it: ${keptPod(pod, base).delete}`,
      cause: error,
    },
  );
}
