import { counted } from '../run/numbers.ts';
import type { LookAlike, MarkedPod } from './marks.ts';
import { LEFT, type Left, type Verdict } from './verdict.ts';

/** A pod that was looked at, and what became of it. */
export interface Judged {
  pod: MarkedPod | LookAlike;
  verdict: Verdict;
  /** What a sweep that is no dry run has done about a verdict to delete; nothing yet, if absent. */
  done?: 'deleted' | { failure: string };
}

/** All that a sweep has found and done, for its log, its summary and its outputs: also where it broke off. */
export interface Account {
  dryRun: boolean;
  /** None before the namespace has been looked at. */
  pods?: Judged[];
  /** Names of the Secrets that were deleted, or would be. */
  secrets: string[];
}

/** More lines than this nobody reads. */
const MOST_LEFT_LINES = 20;
const MOST_NAMES = 3;

/** @returns the names of the pods that were deleted; of a dry run those that would be. */
export function deletedPods({ dryRun, pods = [] }: Account): string[] {
  return pods.flatMap(({ pod, verdict, done }) =>
    verdict.kind === 'delete' && (dryRun || done === 'deleted') ? [pod.name] : [],
  );
}

/** @returns a line for a pod that is deleted, or would be */
export function deletedLine({ pod, verdict }: Judged, dryRun: boolean): string {
  return `${dryRun ? 'Would delete' : 'Deleted'} pod ${named(pod)}: ${verdict.why}.`;
}

/** @returns a line for each pod that is left; where there are many, for each reason. */
export function leftLines({ pods = [] }: Account): string[] {
  const left = pods.filter(({ verdict }) => verdict.kind !== 'delete');
  if (left.length <= MOST_LEFT_LINES) return left.map(({ pod, verdict }) => `Left pod ${named(pod)}: ${verdict.why}.`);
  return byReason(left).map(([reason, some]) => {
    const names = some.slice(0, MOST_NAMES).map(({ pod }) => pod.name);
    const more = some.length - names.length;
    return `Left ${counted(some.length, 'pod')} ${LEFT[reason]}: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
  });
}

/** @returns what was done, in a line with the counts. */
export function closingLine(account: Account): string {
  const { dryRun, pods = [], secrets } = account;
  const left = pods.filter(({ verdict }) => verdict.kind !== 'delete');
  const reasons = byReason(left).map(([reason, some]) => `${some.length} ${LEFT[reason]}`);
  const failed = pods.filter(({ done }) => typeof done === 'object').length;
  const untried = pods.filter(({ verdict, done }) => verdict.kind === 'delete' && !dryRun && done === undefined).length;
  const parts = [
    `${deletedPods(account).length === 0 ? 'no pod' : counted(deletedPods(account).length, 'pod')}${secrets.length > 0 ? ` and ${counted(secrets.length, 'Secret')}` : ''} ${dryRun ? 'would be ' : ''}deleted`,
    ...(failed > 0 ? [`${failed} could not be`] : []),
    ...(untried > 0 ? [`${untried} not tried`] : []),
    left.length === 0 ? 'none left' : `${left.length} left (${reasons.join(', ')})`,
  ];
  return `${parts.join(', ').replace(/^./, first => first.toUpperCase())}.`;
}

function named(pod: MarkedPod | LookAlike): string {
  return 'lacks' in pod ? pod.name || 'without a name' : `${pod.name} (run ${pod.runId})`;
}

/** In the order of {@link LEFT}. */
function byReason(left: Judged[]): [Left, Judged[]][] {
  const groups = Object.groupBy(left, ({ verdict }) => verdict.kind);
  return (Object.keys(LEFT) as Left[]).flatMap(reason => {
    const some = groups[reason];
    return some === undefined ? [] : [[reason, some]];
  });
}
