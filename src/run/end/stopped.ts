import type { V1Pod, V1PodCondition } from '@kubernetes/client-node';
import type { Reason } from '../../github/failure.ts';
import { RESULT_FOLDER, RESULT_SIDECAR } from '../../pod/result.ts';
import { brief } from '../brief.ts';
import { podEnded } from '../containers.ts';

/** Why a pod was told to stop before its work was done. */
export interface Stop {
  /** In ms since the epoch, as exactly as the API's whole seconds have it; 0 where only that it was stopped is known. */
  sinceMs: number;
  reason: Reason;
  title: string;
  /** For behind a colon: `a pod of higher priority took its place on node n1.` */
  cause: string;
  remedy?: string;
}

type Why = Omit<Stop, 'sinceMs'>;

/**
 * Why the pod was told to stop, if it was: by its deadline, by its node, by the cluster's control plane (condition DisruptionTarget, KEP-3329, which comes before the deletion [measured]), or by a deletion that nobody gave a
 * reason for.
 */
export function stopOf(pod: V1Pod): Stop | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata ?? {};
  const { reason, startTime, conditions = [] } = pod.status ?? {};
  const disruption = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (reason === 'DeadlineExceeded') {
    const seconds = pod.spec?.activeDeadlineSeconds ?? 0;
    return { sinceMs: ms(startTime) + 1000 * seconds, ...deadline(seconds) };
  }
  if (reason === 'Evicted') return { sinceMs: sinceKubelet(pod, disruption), ...evicted(pod) };
  const shut = shutDown(pod);
  if (shut !== undefined) return { sinceMs: sinceKubelet(pod, disruption), ...shut };
  const why = disruption && disrupted(pod, disruption);
  // The timestamp says when the grace will be over.
  if (deletionTimestamp)
    return { sinceMs: ms(deletionTimestamp) - 1000 * deletionGracePeriodSeconds, ...(why ?? DELETED) };
  // Told so, and not yet stopped, it may still be spared.
  return why && (reason !== undefined || podEnded(pod))
    ? { sinceMs: ms(disruption?.lastTransitionTime), ...why }
    : undefined;
}

/**
 * Whether the cluster hears nothing from the pod's node: the pod counts as not ready then, though all its containers did when last heard of [measured].
 * A pod may have other conditions to be ready (KEP-580), which say nothing of the node.
 */
export function nodeNotReady({ spec, status }: V1Pod): boolean {
  const is = (type: string, wanted: string): boolean =>
    status?.conditions?.some(condition => condition.type === type && condition.status === wanted) === true;
  return (spec?.readinessGates ?? []).length === 0 && is('Ready', 'False') && is('ContainersReady', 'True');
}

/** The kubelet writes down that it stops a pod when it has [measured], so the containers had their grace before, and a moment more. */
function sinceKubelet({ spec }: V1Pod, disruption: V1PodCondition | undefined): number {
  const stopMs = ms(disruption?.lastTransitionTime);
  return stopMs === 0 ? 0 : stopMs - 1000 * ((spec?.terminationGracePeriodSeconds ?? 30) + 10);
}

/** @returns why the pod's object went away: nobody need have told the pod first. */
export function whyGone(pod: V1Pod): Stop {
  return stopOf(pod) ?? { sinceMs: 0, ...DELETED };
}

const DELETED: Why = {
  reason: 'PodDeleted',
  title: 'Pod deleted',
  cause: 'somebody or something else deleted the pod.',
};

function deadline(seconds: number): Why {
  return {
    reason: 'DeadlineExceeded',
    title: 'Deadline exceeded',
    cause: `the pod ran into its active_deadline_seconds of ${seconds} s.`,
    remedy: 'Raise `active_deadline_seconds`, or make the work shorter.',
  };
}

/** A drained node, or a cheaper one elsewhere: what does that leaves alone a pod that asks for it. */
const DO_NOT_DISRUPT =
  'Run the step again. What removes nodes leaves alone a pod with the annotation `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"` (Karpenter: `karpenter.sh/do-not-disrupt: "true"`).';

/** The reasons of the condition DisruptionTarget, as Kubernetes 1.36 has them. */
function disrupted(pod: V1Pod, { reason = '', message = '' }: V1PodCondition): Why | undefined {
  const { spec, status } = pod;
  const node = `node ${spec?.nodeName ?? ''}`.trim();
  switch (reason) {
    case 'PreemptionByScheduler':
      return {
        reason: 'Preempted',
        title: 'Preempted',
        cause: `a pod of higher priority took its place on ${node}.`,
        remedy: 'Run the step again when there is room, or give it a higher `priority_class_name`.',
      };
    case 'EvictionByEvictionAPI':
      return {
        reason: 'Evicted',
        title: 'Evicted',
        cause: `the pod was evicted from ${node} through the API, as when a node is drained.`,
        remedy: DO_NOT_DISRUPT,
      };
    case 'DeletionByTaintManager':
      if (nodeNotReady(pod))
        return {
          reason: 'NodeLost',
          title: 'Node lost',
          cause: `${node} is not ready or cannot be reached, and the pod tolerates that for no longer.`,
          remedy: 'See to the node before the step is run again: the container may run on there.',
        };
      return {
        reason: 'Evicted',
        title: 'Evicted by a taint',
        cause: `${node} has a taint with the effect NoExecute that the pod does not tolerate, or no longer.`,
        remedy: 'See to the taints of the node, or to `tolerations`.',
      };
    case 'DeletionByPodGC':
      return {
        reason: 'NodeLost',
        title: 'Node lost',
        cause: `${node} does not exist, or not any more.`,
        remedy: status?.conditions?.some(({ type }) => type === 'PodScheduled')
          ? DO_NOT_DISRUPT
          : 'The pod names its node itself (`nodeName`): correct it, or leave it to the scheduler, with `node_selector` or `affinity`.',
      };
    case '':
      return undefined;
    default:
      return {
        reason: 'Evicted',
        title: 'Evicted',
        cause: `the cluster stopped the pod (${reason}): ${withoutEnd(brief(message))}.`,
      };
  }
}

/** The kubelet ends what runs on a node that is being shut down (KEP-2000), and takes nothing new. */
function shutDown({ spec, status }: V1Pod): Why | undefined {
  const { reason, message = '' } = status ?? {};
  if (reason !== 'NodeShutdown' && !(reason === 'Terminated' && /node shutdown/i.test(message))) return undefined;
  return {
    reason: 'NodeShutdown',
    title: 'Node shut down',
    cause: `node ${spec?.nodeName} was being shut down.`,
    remedy: DO_NOT_DISRUPT,
  };
}

/** The kubelet's words for what there was too little of, as Kubernetes 1.36 has them. */
function evicted({ spec, status }: V1Pod): Why {
  const { qosClass } = status ?? {};
  const message = brief(status?.message ?? '');
  const cause = `its node ${spec?.nodeName ?? ''} evicted the pod${qosClass ? `, of QoS class ${qosClass}` : ''}: ${withoutEnd(message) || 'it does not say why'}.`;
  const volume = /EmptyDir volume "([^"]*)" exceeds/.exec(message)?.[1];
  if (volume !== undefined)
    return {
      reason: 'Evicted',
      title: 'Evicted: a volume over its limit',
      cause,
      remedy:
        volume === RESULT_SIDECAR
          ? `That volume is at ${RESULT_FOLDER}, for the result alone: write what else is large elsewhere, e.g. to /tmp.`
          : `Raise the \`sizeLimit\` of volume ${volume}, or write less to it.`,
    };
  if (/ephemeral (local )?storage (usage exceeds|limit)|local ephemeral storage limit/.test(message))
    return {
      reason: 'Evicted',
      title: 'Evicted: over its limit of ephemeral storage',
      cause,
      remedy:
        'Raise `container_resources.limits.ephemeral-storage`, or write less: files in the container and its log count.',
    };
  const resource = /low on resource: ([\w.-]*\w)/.exec(message)?.[1] ?? PRESSURES[/\[(\w+)\]/.exec(message)?.[1] ?? ''];
  return {
    reason: 'Evicted',
    title: resource === undefined ? 'Evicted' : `Evicted: node low on ${resource}`,
    cause,
    ...(qosClass !== undefined &&
      qosClass !== 'Guaranteed' && {
        remedy:
          'A node evicts BestEffort pods first and Guaranteed ones last: raise the requests in `container_resources`, or set them equal to the limits.',
      }),
  };
}

const PRESSURES: Record<string, string> = {
  MemoryPressure: 'memory',
  DiskPressure: 'disk space',
  PIDPressure: 'process ids',
};

function withoutEnd(message: string): string {
  return message.trim().replace(/\.$/, '');
}

function ms(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime();
}

/** @returns the same; of a deadline, with what to do before it is raised */
export function patience(stop: Stop, first: string): Stop {
  return stop.reason === 'DeadlineExceeded'
    ? { ...stop, remedy: `${first}, or raise \`active_deadline_seconds\`.` }
    : stop;
}
