import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import type { LogInputs } from '../../github/inputs/inputs.ts';
import { dryRunPod } from '../../kubernetes/dry-run.ts';
import { ApiError } from '../../kubernetes/status.ts';
import type { Step } from '../run.ts';
import { namesAreKnown, wrongNames } from './selection.ts';

/**
 * Makes sure that the containers whose logs are asked for by name will be there, before anything is created. Where the manifest has none of that name, the API server is asked what it would make of the pod: a service mesh adds containers at admission.
 * @throws StepError that names the wrong ones
 */
export async function checkNames({ inputs, plan, client, stop }: Step): Promise<void> {
  if (namesAreKnown(inputs.logs, plan.pod)) return;
  let pod: V1Pod;
  try {
    pod = await dryRunPod(client, plan.pod, plan.namespace, stop);
  } catch (error) {
    // What is wrong with the pod itself the create will say; a webhook that takes no dry run leaves the names unchecked.
    if (error instanceof ApiError) return;
    throw error;
  }
  refuseWrongNames(inputs.logs, pod);
}

/** @throws StepError where a container is named that the pod does not have */
export function refuseWrongNames(logs: LogInputs, pod: V1Pod): void {
  const wrong = wrongNames(logs, pod);
  if (wrong.length === 0) return;
  const list = wrong.length === 1 ? wrong.join('') : wrong.map(sentence => `- ${sentence}`).join('\n');
  throw new StepError('InvalidInput', wrong.length === 1 ? 'Invalid input' : `${wrong.length} invalid inputs`, list);
}
