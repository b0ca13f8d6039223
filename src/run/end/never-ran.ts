import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import { CHECKOUT_CONTAINER, UPLOAD_CONTAINER } from '../../pod/workspace.ts';
import { brief } from '../brief.ts';
import { failedInit } from '../containers.ts';
import { podPath } from '../pod-path.ts';
import { pullFault } from '../pull-fault.ts';
import { NO_SIDECAR } from '../result/no-sidecar.ts';
import { type Failure, failureOf, stopped, wasStoppedBy } from './failure.ts';
import { notCheckedOut } from './not-checked-out.ts';
import { patience, stopOf } from './stopped.ts';

/** The pod is over, and its base container never ran. */
export function neverRan(pod: V1Pod): Failure {
  const { reason, message } = pod.status ?? {};
  const before = `Pod ${podPath(pod)} ended before its container had run`;
  const init = failedInit(pod);
  const stop = stopOf(pod);
  // A pod is deleted after its init container has failed, too.
  const initStopped =
    init !== undefined && (wasStoppedBy(stop, init.ended) !== undefined || (stop !== undefined && wasToldTo(init)));
  if (stop !== undefined && (stop.reason !== 'PodDeleted' || initStopped)) {
    const why = heldUp(pod);
    return stopped(why === '' ? stop : patience(stop, 'See to that'), `${before}${why}`);
  }
  if (init?.name === CHECKOUT_CONTAINER) return notCheckedOut(pod, init.ended);
  if (init !== undefined) return initFailed(pod, init.name, init.ended);
  // The kubelet deletes what it has refused, as anybody might.
  if (reason === undefined && stop !== undefined) return stopped(stop, before);
  return {
    reason: reason === 'Preempting' ? 'Preempted' : 'Rejected',
    title: 'Rejected by the node',
    sentence: `Node ${pod.spec?.nodeName ?? ''} refused pod ${podPath(pod)} (${reason ?? 'no reason given'})${message ? `: ${brief(message).replace(/^Pod was rejected: /, '')}` : '.'}`,
    remedy: `Nothing has run. ${wayIn(pod)}`,
  };
}

/** Our own containers end so only where they are told to, whatever the clocks say of when that was. */
function wasToldTo({ name, ended }: { name: string; ended: V1ContainerStateTerminated }): boolean {
  return (name === CHECKOUT_CONTAINER || name === UPLOAD_CONTAINER) && [137, 143].includes(ended.exitCode);
}

/** What to do about a pod that its node has refused, by the kubelet's reason (Kubernetes 1.36). */
function wayIn({ spec, status }: V1Pod): string {
  const { reason = '', conditions = [] } = status ?? {};
  // The scheduler says of its own choice that it is one; then another pod has come first, and it may choose better next time.
  if (conditions.some(({ type }) => type === 'PodScheduled')) return 'Run the step again.';
  const elsewhere = 'or leave the choice of the node to the scheduler.';
  if (reason === 'InitContainerRestartPolicyForbidden') return NO_SIDECAR;
  if (reason === 'OutOfpods') return `Run the step again later, ${elsewhere}`;
  if (reason.startsWith('OutOf')) return `Lower the requests in \`container_resources\`, ${elsewhere}`;
  if (reason === 'NodeAffinity') return `Check \`node_selector\` and \`affinity\` against that node, ${elsewhere}`;
  if (reason === 'SysctlForbidden') return 'Leave it out of `security_context`, or use a node that allows it.';
  return spec?.nodeName === undefined ? 'Run the step again.' : `Run the step again, ${elsewhere}`;
}

/** @returns what a container of the pod was waiting for, as far as its status says so. */
function heldUp(pod: V1Pod): string {
  const { status } = pod;
  const init = failedInit(pod);
  if (init && wasStoppedBy(stopOf(pod), init.ended)) return ` (init container ${init.name} was running)`;
  for (const { name, image, state } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const { reason = '', message } = state?.waiting ?? {};
    if (message === undefined) continue;
    return /^(ErrImagePull|ImagePullBackOff)$/.test(reason)
      ? ` (image ${image} could not be pulled: ${pullFault(message)})`
      : ` (container ${name} was waiting, ${reason}: ${brief(message)})`;
  }
  return '';
}

/** Of the container that takes an upload. */
export const NO_HELPER = 'Check `helper_image`, which has to have what busybox has, and `workspace_path`.';

/** An init container that fails ends the pod before its base container starts. */
function initFailed(pod: V1Pod, name: string, ended: V1ContainerStateTerminated): Failure {
  const { reason, title, sentence } = failureOf(pod, name, ended);
  const words = ended.message && brief(ended.message);
  return {
    reason: reason === 'ExitCode' ? 'InitContainer' : reason,
    title: `Init container: ${title}`,
    sentence: `Init ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}${words && reason !== 'StartError' ? ` Its last words: ${words}` : ''}`,
    remedy: `The base container never started. ${name === UPLOAD_CONTAINER ? NO_HELPER : 'See to the container in `init_containers` or the template.'}`,
  };
}
