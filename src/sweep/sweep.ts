import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import { readWorkflowRuns } from '../github/workflow-runs.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { listMetadata, type ObjectMetadata } from '../kubernetes/metadata.ts';
import { deletePod } from '../kubernetes/pods.ts';
import { deleteSecret } from '../kubernetes/secrets.ts';
import { ApiError } from '../kubernetes/status.ts';
import { REPOSITORY_ID_LABEL } from '../pod/identity.ts';
import { counted } from '../run/numbers.ts';
import { type Account, closingLine, deletedLine, type Judged, leftLines } from './account.ts';
import type { SweepInputs } from './inputs.ts';
import { readMarks } from './marks.ts';
import type { Repository } from './repository.ts';
import { type OwnedSecret, orphansAmong, ownedSecrets } from './secrets.ts';
import { needsRun, verdictOf } from './verdict.ts';

/** What a sweep needs of the world. */
export interface Sweep {
  inputs: SweepInputs;
  repository: Repository;
  env: NodeJS.ProcessEnv;
  client: ApiClient;
  log: JobLog;
  /** Aborted with a StepError when the step is cancelled. */
  stop: AbortSignal;
}

const AT_ONCE = 5;

/**
 * Deletes what lost runners have left behind in a namespace: every decision is made before the first deletion.
 * @param account is filled on the way
 * @throws StepError when the cluster or GitHub cannot be asked, or something could not be deleted
 */
export async function sweep(step: Sweep, account: Account): Promise<void> {
  const { inputs, repository, env, client, log, stop } = step;
  const found = await listOurs(step, 'pods');
  const pods = found.map(readMarks);
  const options = { ownRunId: repository.runId, olderThanSeconds: inputs.olderThanSeconds };
  const asked = new Set(pods.flatMap(pod => (needsRun(pod, options) ? [pod.runId] : [])));
  log.line(
    `Namespace ${client.target.namespace}: ${counted(pods.length, 'pod')} of ${repository.name}. GitHub is asked about ${counted(asked.size, 'run')}.`,
  );
  const say = (line: string) => log.line(line);
  const runs = await readWorkflowRuns(asked, { env, token: inputs.token, say, signal: stop });

  const now = new Date();
  account.pods = pods.map(pod => ({
    pod,
    verdict: verdictOf(pod, 'lacks' in pod ? undefined : runs.get(pod.runId), now, options),
  }));
  const orphans = await orphanedSecrets(step, new Set(found.flatMap(({ uid }) => uid ?? [])));
  for (const line of leftLines(account)) log.line(line);
  warnOfUnknown(account.pods, log);
  try {
    await deletePods(step, account.pods);
    await deleteSecrets(step, orphans, account);
  } finally {
    log.line(closingLine(account));
  }
  refuseFailures(account.pods);
}

/** What has the label of this repository. */
function listOurs({ client, repository, stop }: Sweep, resource: 'pods' | 'secrets'): Promise<ObjectMetadata[]> {
  const { namespace } = client.target;
  const labelSelector = `${REPOSITORY_ID_LABEL}=${repository.id}`;
  return listMetadata(client, { asked: { verb: 'list', resource, namespace }, labelSelector }, stop);
}

/**
 * The cluster deletes a pod's Secrets with it, so who may not list them loses little.
 * @param known UIDs of the pods that there are
 */
async function orphanedSecrets(step: Sweep, known: ReadonlySet<string>): Promise<OwnedSecret[]> {
  const { client, stop, log } = step;
  try {
    return await orphansAmong(ownedSecrets(await listOurs(step, 'secrets')), known, client, stop);
  } catch (error) {
    if (!(error instanceof ApiError) || error.denial?.resource !== 'secrets') throw error;
    log.line(
      'Secrets are not looked at, for want of the right to list them: the cluster deletes them with their pods.',
    );
    return [];
  }
}

function warnOfUnknown(pods: Judged[], log: JobLog): void {
  const unknown = pods.filter(({ verdict }) => verdict.kind === 'unknown');
  const [first] = unknown;
  if (first === undefined) return;
  log.warning(
    'Not all runs are known',
    `${counted(unknown.length, 'pod')} left, for GitHub does not tell whether their runs have ended: ${first.verdict.why}. The next sweep asks again.`,
  );
}

async function deletePods({ client, inputs, log, stop }: Sweep, pods: Judged[]): Promise<void> {
  const { namespace } = client.target;
  const doomed = pods.filter(({ verdict }) => verdict.kind === 'delete');
  await inParallel(doomed, async judged => {
    const { pod } = judged;
    if ('lacks' in pod) return;
    try {
      if (!inputs.dryRun) {
        await deletePod(client, { namespace, name: pod.name, uid: pod.uid }, { signal: stop });
        judged.done = 'deleted';
      }
      log.line(deletedLine(judged, inputs.dryRun));
    } catch (error) {
      // What one pod is refused for, e.g. by a policy, the others may not be.
      if (!(error instanceof ApiError) || error.denial !== undefined || error.code === 401) throw error;
      judged.done = { failure: error.message };
      log.line(`Pod ${pod.name} could not be deleted: ${error.message}`);
    }
  });
}

async function deleteSecrets(
  { client, inputs, log, stop }: Sweep,
  orphans: OwnedSecret[],
  account: Account,
): Promise<void> {
  const { namespace } = client.target;
  for (const { name, uid } of orphans) {
    try {
      if (!inputs.dryRun) await deleteSecret(client, { namespace, name, uid }, stop);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      log.line(`Secret ${name}, whose pod is gone, is left: ${error.message}`);
      if (error.denial !== undefined) return;
      continue;
    }
    account.secrets.push(name);
    log.line(`${inputs.dryRun ? 'Would delete' : 'Deleted'} Secret ${name}: its pod is gone.`);
  }
}

function refuseFailures(pods: Judged[]): void {
  const failed = pods.filter(({ done }) => typeof done === 'object');
  const [first] = failed;
  if (first === undefined || typeof first.done !== 'object') return;
  throw new StepError(
    'Forbidden',
    `${counted(failed.length, 'pod')} not deleted`,
    `${counted(failed.length, 'pod')} could not be deleted. ${first.pod.name}: ${first.done.failure}`,
  );
}

/** Some at a time. After a failure nothing new is begun; it is thrown when what was under way has ended. */
async function inParallel<T>(items: T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed = false;
  const work = async () => {
    for (const item of queue) {
      if (failed) return;
      await act(item).catch(error => {
        failed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
