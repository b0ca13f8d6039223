import { randomUUID } from 'node:crypto';
import { dryRunPod } from '../../kubernetes/dry-run.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { additionTo } from '../../pod/compare.ts';
import type { Step } from '../run.ts';
import type { EarlierPod } from './earlier-pods.ts';

/** A name is at most 63 characters long. */
const LONGEST_BEGINNING = 50;

/**
 * A pod that has more than its plan asks for may be what this cluster makes of every such pod (a service mesh's sidecar, a cloud identity's variables), or a neighbour's copy that does something else: the cluster itself is asked, by a dry run of the plan.
 * @returns what it would not have added, e.g. `spec.containers[0].env[0]`; nothing where all is as it would make it, or where it cannot be asked: some webhooks take no dry run, and the quota may be taken up by this very pod
 */
export async function additionIn({ client, stop }: Step, { pod, plan }: EarlierPod): Promise<string | undefined> {
  const name = `${plan.name.slice(0, LONGEST_BEGINNING)}-${randomUUID().slice(0, 8)}`;
  const asked = { ...plan.pod, metadata: { ...plan.pod.metadata, name } };
  try {
    return additionTo(await dryRunPod(client, asked, plan.namespace, stop), pod);
  } catch (error) {
    if (!(error instanceof ApiError) || stop.aborted) throw error;
    const cannotAsk = error.reason === 'QuotaExceeded' || /dry.?run/i.test(error.status.message ?? '');
    return cannotAsk ? undefined : 'the cluster takes no such pod any more';
  }
}
