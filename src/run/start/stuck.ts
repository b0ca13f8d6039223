import type { V1Pod } from '@kubernetes/client-node';
import type { Reason } from '../../github/failure.ts';
import type { PodEvent } from '../../kubernetes/events.ts';
import type { Reference } from '../../pod/references.ts';
import { causeOf, explainMissing, type Missing } from './missing.ts';

/** What is missing may be on its way, or made by a neighbouring step. */
export const GRACE_SECONDS = 15;

/** The way out of a time-out. */
export const MORE_TIME = 'If it only needs more time, raise `startup_timeout_seconds`.';

/** What holds a pod up. */
export interface Stuck {
  /** For the log, e.g. `waiting for a node: 0/3 nodes are available: 3 Insufficient memory.` */
  what: string;
  /** The cluster's own account of it, where there is one. */
  why?: string;
  /** Whether the log should say so: a pod that starts at once needs no line about it. */
  worthTelling: boolean;
  /** Set when waiting longer will not help, or only for a short grace. */
  hopeless?: Hopeless;
  /** What to call it when it has lasted until the time-out, though it might have passed. */
  lasting?: Lasting;
}

export interface Lasting {
  reason: Reason;
  title: string;
  /** @param within the time-out in words */
  sentence?: (within: string) => string;
  remedy: string;
  /** Whether another pod may fare better. */
  mayPass?: boolean;
}

/** Why waiting longer will not help. */
export interface Hopeless {
  reason: Reason;
  title: string;
  sentence: string;
  remedy?: string;
  /** Whether another pod may fare better. */
  mayPass?: boolean;
  /** How long it may stand, counted from when this very cause was first seen. */
  graceSeconds: number;
  /** What stays the same while the words of it change. */
  cause: string;
  /** Whether the pod's events, not read so far, could add to the sentence. */
  wantsEvents?: boolean;
}

/** What is known beside the pod itself. */
export interface Known {
  /** All that the plan asks for. */
  references: readonly Reference[];
  /** As last read, newest last. */
  events?: readonly PodEvent[];
  /** Whether the action itself makes a pull secret, right after the pod: the first pull may have come before it. */
  ownPullSecret?: boolean;
  /** The containers whose image was refused more than once. */
  refusedAgain?: ReadonlySet<string>;
}

export function lacking(missing: Missing[], pod: V1Pod, graceSeconds: number): Stuck {
  const { title = '', sentence = '', remedy = '' } = explainMissing(missing, pod.metadata?.namespace ?? '') ?? {};
  const cause = missing.map(causeOf).join(', ');
  const stuck = hopeless({ reason: 'ContainerConfig', title, sentence, remedy, graceSeconds, cause });
  return graceSeconds > 0 ? { ...stuck, what: `${sentence} Waiting for it.` } : stuck;
}

export function hopeless(why: Hopeless): Stuck & { hopeless: Hopeless } {
  return { what: why.sentence, worthTelling: true, hopeless: why };
}
