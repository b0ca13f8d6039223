import { JobLog } from '../github/commands.ts';
import { withRemedy } from '../github/failure.ts';
import { readCluster } from '../github/inputs/inputs.ts';
import { podLeftBehind } from '../github/state.ts';
import { deleteOurs } from './cleanup.ts';
import { connect } from './connect.ts';
import { guard } from './main.ts';
import { openInputs } from './prepare.ts';

/** The runner gives all post steps of a cancelled job five minutes together. */
const PATIENCE_SECONDS = 120;

/**
 * The post step: deletes the pod that the main step could not see to, because it was killed, or the cluster was away. Quiet when there is nothing to do, and never a failure: the job's outcome is not its concern.
 */
export async function post(): Promise<void> {
  const pod = podLeftBehind();
  if (pod === undefined) return;
  const log = new JobLog();
  guard(log);
  try {
    const client = connect(readCluster(openInputs(process.env)), log);
    if (client.target.server !== pod.server)
      throw new Error(`it is on ${pod.server}, and the kubeconfig that is found now is for ${client.target.server}.`);
    if (await deleteOurs(client, pod, AbortSignal.timeout(1000 * PATIENCE_SECONDS)))
      log.line(`Deleted pod ${pod.namespace}/${pod.name}, which the main step had left behind.`);
  } catch (error) {
    log.warning(
      'Pod not deleted',
      withRemedy(
        `Pod ${pod.namespace}/${pod.name} may still be there: ${(error as Error).message}`,
        `To delete it: kubectl -n ${pod.namespace} delete pod ${pod.name}`,
      ),
    );
  }
  await log.close();
  process.exit(0);
}
