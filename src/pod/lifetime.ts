import type { Inputs } from '../github/inputs/inputs.ts';
import { RESERVED_PREFIX } from '../github/inputs/inputs.ts';

/**
 * Whom a pod outlives: an `owned` one nobody, it goes with its step; a `detached` one is for a later step to attach to; a `kept` one may be left for people to look at.
 * Whoever clears up what a lost runner left behind takes the last two only past their expiry.
 */
export type Lifetime = 'owned' | 'detached' | 'kept';

export const LIFETIME_LABEL = `${RESERVED_PREFIX}lifetime`;
export const EXPIRY_ANNOTATION = `${RESERVED_PREFIX}expires-at`;

/** From when the cluster has stopped it at the latest: a weekend and some days to look at what was kept. An owned pod is of no use to anybody then. */
const STAYS_DAYS: Record<Lifetime, number> = { owned: 1, detached: 7, kept: 7 };

export function isLifetime(text: string): text is Lifetime {
  return Object.hasOwn(STAYS_DAYS, text);
}

/** @returns the longest life that the step may ask of its pod, known before anything is created. */
export function lifetimeOf({
  deferrable,
  onFinishAction,
  onKillAction,
}: Pick<Inputs, 'deferrable' | 'onFinishAction' | 'onKillAction'>): Lifetime {
  if (deferrable !== undefined) return 'detached';
  return onFinishAction === 'delete_pod' && onKillAction === 'delete_pod' ? 'owned' : 'kept';
}

/**
 * @param deadlineSeconds the pod's activeDeadlineSeconds
 * @returns when a pod that nobody has deleted may be, RFC 3339 in whole seconds
 */
export function expiryOf(lifetime: Lifetime, created: Date, deadlineSeconds: number): string {
  const milliseconds = created.getTime() + 1000 * deadlineSeconds + STAYS_DAYS[lifetime] * 86_400_000;
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
