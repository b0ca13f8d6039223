import type { Reason } from '../../github/failure.ts';
import type { RetryRule } from '../../github/inputs/retry.ts';

/** A try that has failed, as far as it matters for another. */
export interface FailedTry {
  reason: Reason;
  /** Of the base container, where it ended. */
  exitCode?: number;
  /** Whether the base container has run, or may have: what is not known counts as that. */
  mayHaveRun: boolean;
  /** Whether the same may go well a little later, though nobody changes anything. */
  mayPass: boolean;
}

/** Nothing that another pod would do better, or that somebody wanted. */
const FINAL: ReadonlySet<Reason> = new Set([
  'InvalidInput',
  'InvalidKubeconfig',
  'Unreachable',
  'Unauthorized',
  'Forbidden',
  'NamespaceNotFound',
  'InvalidPod',
  'NameTaken',
  'FieldDropped',
  'ServerError',
  'Cancelled',
  'Bug',
]);
/** The pod was turned away, through no fault of its own. */
const TURNED_AWAY: ReadonlySet<Reason> = new Set([
  'Rejected',
  'Preempted',
  'Evicted',
  'NodeShutdown',
  'NodeLost',
  'QuotaExceeded',
]);
const LOST: ReadonlySet<Reason> = new Set(['Preempted', 'Evicted', 'NodeShutdown', 'NodeLost']);
/** The container's own doing, which has an exit code. */
const OWN_END: ReadonlySet<Reason> = new Set(['ExitCode', 'OOMKilled']);

/** Whether a failed try is followed by another. What may have run is never run twice unless the user has said so. */
export function triesAgain({ reason, exitCode, mayHaveRun, mayPass }: FailedTry, rule: RetryRule): boolean {
  if (FINAL.has(reason)) return false;
  if (rule.any) return true;
  if (!mayHaveRun) return mayPass || TURNED_AWAY.has(reason);
  if (LOST.has(reason)) return rule.lost;
  return exitCode !== undefined && OWN_END.has(reason) && rule.exitCodes.includes(exitCode);
}

const LONGEST_DELAY_SECONDS = 3600;

/**
 * @param failed how many tries have failed so far
 * @param dice from 0 to 1: what fails together is not to come back together
 * @returns seconds to the next try: twice as long each time, up to an hour, or what was asked for if that is longer
 */
export function delayBefore(failed: number, delaySeconds: number, dice: number): number {
  const longest = Math.max(LONGEST_DELAY_SECONDS, delaySeconds);
  return Math.min(delaySeconds * 2 ** (failed - 1), longest) * (0.75 + dice / 2);
}
