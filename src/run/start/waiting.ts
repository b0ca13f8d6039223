import type { V1Pod } from '@kubernetes/client-node';
import { CHECKOUT_CONTAINER, UPLOAD_CONTAINER } from '../../pod/workspace.ts';
import { type Phase, phaseOf, runningInit } from '../phase.ts';
import { sidecarOfOldNode, stuckContainer, unreadySidecar } from './container.ts';
import { missingIn } from './missing.ts';
import { onTheNode } from './node.ts';
import { gatesOf, whyNoNode } from './scheduling.ts';
import { GRACE_SECONDS, type Known, lacking, type Stuck } from './stuck.ts';

/** What a pod that has not started is waiting for. */
export interface Waiting extends Stuck {
  phase: Exclude<Phase, 'running' | 'ended'>;
}

/** @returns what the pod waits for; `undefined` once the base container has started, or never will. */
export function waitingFor(pod: V1Pod, base: string, known: Known = { references: [] }): Waiting | undefined {
  const phase = phaseOf(pod, base, known.events);
  switch (phase) {
    case 'running':
    case 'ended':
      return undefined;
    case 'queued':
      return { phase, what: `held by scheduling gate ${gatesOf(pod).join(', ')}`, worthTelling: true };
    case 'scheduling':
      return { phase, ...forNode(pod, known) };
  }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const stuck = stuckContainer(pod, status, known);
    if (stuck) return { phase: phase === 'initializing' ? 'starting' : phase, ...stuck };
  }
  if (phase === 'initializing') return { phase, ...forInit(runningInit(pod) ?? '') };
  return { phase, ...(sidecarOfOldNode(pod) ?? unreadySidecar(pod, known) ?? onTheNode(pod, known)) };
}

function forInit(name: string): Stuck {
  if (name === CHECKOUT_CONTAINER) return { what: 'the repository is being checked out', worthTelling: true };
  // The upload tells of itself.
  if (name === UPLOAD_CONTAINER) return { what: 'waiting for its workspace', worthTelling: false };
  return { what: `init container ${name} runs`, worthTelling: true };
}

function forNode(pod: V1Pod, { references, events }: Known): Stuck {
  const { nodeName } = pod.spec ?? {};
  // Only a node's own kubelet says that a pod which names its node is scheduled.
  if (nodeName !== undefined)
    return {
      what: `waiting for node ${nodeName}, which the pod names itself, to take it`,
      why: `the pod names node ${nodeName} itself, and no kubelet of that name has taken it.`,
      worthTelling: false,
    };
  const message = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
  const missing = missingIn(message ?? '', references, pod);
  const why = whyNoNode(pod, message, events);
  return {
    what: `waiting for a node${why && `: ${why}`}`,
    why,
    worthTelling: message !== undefined,
    // The scheduler looks as soon as a claim is made.
    ...(missing.length > 0 && lacking(missing, pod, GRACE_SECONDS)),
  };
}
