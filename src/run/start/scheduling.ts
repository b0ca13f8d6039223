import type { V1Pod } from '@kubernetes/client-node';
import type { PodEvent } from '../../kubernetes/events.ts';
import { brief } from '../brief.ts';

/** The scheduler's words for what the nodes lack, as Kubernetes 1.36 has them, and the inputs that ask for it. */
const LACKING: [RegExp, string][] = [
  [/Insufficient |Too many pods/, '`container_resources`'],
  [/untolerated taint/, '`tolerations`'],
  [/node affinity\/selector/, '`node_selector` and `affinity`'],
  [/pod (anti-)?affinity/, '`affinity`'],
  [/topology spread/, 'the topology spread constraints of the template'],
  [/volume node affinity|persistent volume|PersistentVolume/, 'the claims in `volumes`'],
  [/free ports/, 'the host ports in `ports`'],
];

/**
 * What to do about a pod that no node takes.
 * @param message the scheduler's; empty where it has said nothing
 */
export function wayOut({ spec }: V1Pod, message: string): string {
  if (message === '') return `Check \`schedulername\`: does scheduler ${spec?.schedulerName} run in this cluster?`;
  const inputs = LACKING.filter(([words]) => words.test(message)).map(([, input]) => input);
  return `Check ${inputs.length > 0 ? inputs.join(', ') : '`container_resources`, `node_selector`, `affinity` and `tolerations`'} against the nodes, add nodes, or raise \`schedule_timeout_seconds\`.`;
}

/** @returns the scheduling gates (KEP-3521) that keep the pod from the scheduler, e.g. Kueue's while its quota is used up. */
export function gatesOf({ spec }: V1Pod): string[] {
  return (spec?.schedulingGates ?? []).map(({ name }) => name);
}

/**
 * Why a pod has no node yet, as far as anybody has said so.
 * @param verdict the scheduler's, of the condition PodScheduled
 * @param events the pod's, newest last: a cluster autoscaler tells there whether it adds a node
 */
export function whyNoNode(pod: V1Pod, verdict: string | undefined, events: readonly PodEvent[] = []): string {
  const message = verdict && brief(verdict.replace(BYWORDS, ''));
  const scaling = events.findLast(({ reason }) => reason in AUTOSCALER);
  const says = message ? [`${message}${requested(pod, message)}`] : [];
  return [...says, ...(scaling ? [`${AUTOSCALER[scaling.reason]}: ${brief(scaling.message)}`] : [])].join('; ');
}

/** What it adds of others that it might have moved away, which nobody can act on; and two words too many [measured]. */
const BYWORDS = /,? ?no new claims to deallocate,? ?|,? ?preemption: .*$| not found$/gs;

/** Events of Kubernetes' cluster autoscaler, and of Karpenter. */
const AUTOSCALER: Record<string, string> = {
  TriggeredScaleUp: 'a node is being added',
  NotTriggerScaleUp: 'the autoscaler adds no node',
  Nominated: 'a node is being added',
};

/** @returns what the containers ask for of what the nodes have too little of. */
function requested({ spec }: V1Pod, message: string): string {
  const resources = [...new Set([...message.matchAll(/Insufficient ([\w./-]*\w)/g)].map(([, name = '']) => name))];
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const asked = containers.flatMap(({ name, resources: own }) => {
    const amounts = resources.flatMap(resource => {
      const amount = own?.requests?.[resource] ?? own?.limits?.[resource];
      return amount === undefined ? [] : [`${resource} ${amount}`];
    });
    return amounts.length === 0 ? [] : [`${containers.length > 1 ? `${name} ` : ''}${amounts.join(', ')}`];
  });
  return asked.length === 0 ? '' : ` (it asks for ${asked.join('; ')})`;
}
