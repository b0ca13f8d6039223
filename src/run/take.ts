import type { V1Pod } from '@kubernetes/client-node';
import { setOutput } from '../github/outputs.ts';
import type { SavedPod } from '../github/state.ts';
import { nonceOf } from '../pod/manifest.ts';
import { ObservedPod } from './observe.ts';
import { reportProgress } from './report.ts';
import type { Step } from './run.ts';

/** What the step needs to be of a pod that it takes for its own. */
export interface Taking extends Pick<Step, 'plan' | 'client' | 'record' | 'log'> {
  inputs: Pick<Step['inputs'], 'onFinishAction' | 'onKillAction' | 'skipOnExitCodes'>;
}

/** What the post step needs to see to the pod as the main step would have. */
export function whatToSave({ plan, client, inputs }: Taking): SavedPod {
  const { onFinishAction, onKillAction, skipOnExitCodes } = inputs;
  return {
    server: client.target.server,
    namespace: plan.namespace,
    name: plan.name,
    nonce: nonceOf(plan.pod),
    base: plan.base,
    onFinishAction,
    onKillAction,
    skipOnExitCodes,
  };
}

/** The pod is this step's from here on: it is saved, for the post step, told, for later steps, and watched. */
export function take(step: Taking, pod: V1Pod): ObservedPod {
  const { plan, client, record, log } = step;
  const observed = new ObservedPod(client, pod, log);
  record.save({ ...whatToSave(step), uid: observed.identity.uid });
  setOutput('pod_name', plan.name);
  setOutput('pod_namespace', plan.namespace);
  setOutput('pod_uid', observed.identity.uid);
  reportProgress(observed, plan.base);
  return observed;
}
