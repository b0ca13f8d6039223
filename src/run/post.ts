import { JobLog } from '../github/commands.ts';
import { withRemedy } from '../github/failure.ts';
import { readCluster } from '../github/inputs/cluster.ts';
import { podsLeftBehind, type SavedPod } from '../github/state.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { deletePod } from '../kubernetes/pods.ts';
import { deletionOf } from '../pod/manifest.ts';
import { fateWhenKilled, tellKept } from './cleanup.ts';
import { connect } from './connect.ts';
import { guard } from './guard.ts';
import { findOurs } from './our-pod.ts';
import { openInputs } from './prepare.ts';

/** The runner gives all post steps of a cancelled job five minutes together. */
const PATIENCE_SECONDS = 120;

/**
 * The post step: sees to the pod that the main step could not see to, because it was killed, or the cluster was away. Quiet when there is nothing to do, and never a failure: the job's outcome is not its concern.
 */
export async function post(): Promise<void> {
  const pods = podsLeftBehind();
  if (pods.length === 0) return;
  const log = new JobLog();
  guard(log);
  const signal = AbortSignal.timeout(1000 * PATIENCE_SECONDS);
  let client: ApiClient | undefined;
  for (const pod of pods) {
    try {
      client ??= connect(readCluster(openInputs(process.env)), log, { quiet: true });
      if (client.target.server !== pod.server)
        throw new Error(`it is on ${pod.server}, and the kubeconfig that is found now is for ${client.target.server}.`);
      await seeTo(pod, client, log, signal);
    } catch (error) {
      log.warning(
        'Pod not deleted',
        withRemedy(
          `Pod ${pod.namespace}/${pod.name} may still be there: ${(error as Error).message}`,
          `To delete it: kubectl -n ${pod.namespace} delete pod ${pod.name}`,
        ),
      );
    }
  }
  await log.close();
  process.exit(0);
}

/** Does what the main step would have done: what on_finish_action asks for with a pod whose container has ended, else on_kill_action. */
async function seeTo(saved: SavedPod, client: ApiClient, log: JobLog, signal: AbortSignal): Promise<void> {
  const pod = await findOurs(client, saved, signal);
  if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return;
  const { namespace, name, base } = saved;
  const identity = { namespace, name, uid: pod.metadata?.uid ?? '' };
  const view = { pod, gone: false };
  const { keep, why } = fateWhenKilled(view, base, saved);
  if (keep) tellKept({ identity, view }, base, why, log);
  else {
    await deletePod(client, identity, { signal, ...deletionOf(pod) });
    log.line(`Deleted pod ${namespace}/${name}, which the main step had left behind.`);
  }
}
