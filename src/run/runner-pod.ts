import type { JobLog } from '../github/commands.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { findOwnPod } from '../kubernetes/own-pod.ts';
import type { PodIdentity } from '../kubernetes/pods.ts';
import type { PlacedPlan } from '../pod/manifest.ts';
import { mayBeOwned } from '../pod/owner.ts';

/** @returns the pod that the runner is, where the step's pod is to go with it. What stands against that is no failure. */
export async function runnerPod(
  { pod, namespace }: PlacedPlan,
  client: ApiClient,
  log: JobLog,
  stop: AbortSignal,
): Promise<PodIdentity | undefined> {
  if (!mayBeOwned(pod)) return undefined;
  const found = await findOwnPod(client, namespace, stop);
  if (found === undefined) return undefined;
  if ('pod' in found) return found.pod;
  log.debug(`The pod does not go with the runner’s own, which is not known: ${found.unknown}`);
  return undefined;
}
