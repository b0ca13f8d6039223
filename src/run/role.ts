import type { V1PolicyRule } from '@kubernetes/client-node';
import { DEFAULT_SCALAR_STYLE_RULES, dump, SCALAR_STYLE, type ScalarStyleRule } from 'js-yaml';
import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import { allows, grant, rulesFor, type Use } from '../kubernetes/access.ts';
import type { Denial } from '../kubernetes/denial.ts';
import { ApiError } from '../kubernetes/status.ts';
import type { Plan } from '../pod/manifest.ts';

/** @returns what a step does on the cluster, as far as it takes rights */
export function useOf(
  { dryRun, logs, files }: Pick<Inputs, 'dryRun' | 'logs'> & { files?: Inputs['files'] },
  { secrets, resultIn }: Pick<Plan, 'secrets' | 'resultIn'>,
): Use {
  return {
    dryRun,
    // Of a log that is not shown, the last lines are after a failure; and a sidecar sends its result by way of its own.
    logs: logs.shown || logs.file !== undefined || logs.eventsOnFailure || resultIn === 'sidecar',
    ownSecrets: secrets.length > 0,
    passingSecret: secrets.some(({ isPassing }) => isPassing),
    files: files?.workspace?.source === 'upload' || files?.download !== undefined,
  };
}

/**
 * Where a right is missing, prints the Role and the RoleBinding that give the user all that the step needs: one that lacks one right often lacks more.
 * @returns the error, with the way out that has been printed
 */
export function offerRole(error: unknown, use: Use, log: JobLog): unknown {
  return offerRules(error, rulesFor(use), log);
}

/** As {@link offerRole}, for a Role with these rules. */
export function offerRules(error: unknown, rules: V1PolicyRule[], log: JobLog): unknown {
  const offer = offerFor(error, rules);
  if (offer === undefined) return error;
  log.line('All that this step needs; for somebody who may grant it, as role.yaml: kubectl apply -f role.yaml');
  log.line(offer.grant);
  return offer.error;
}

/** @returns what would give the user all that the step needs, and the error with that for its way out; nothing where no right is missing. */
export function offerFor(error: unknown, rules: V1PolicyRule[]): { error: StepError; grant: string } | undefined {
  const denial = denialBehind(error);
  if (!(error instanceof StepError) || denial?.namespace === undefined) return undefined;
  // What no rule of ours is about, no Role of ours helps.
  if (!allows(rules, denial.verb, denial.resource)) return undefined;
  return {
    grant: printGrant({ ...denial, namespace: denial.namespace }, rules),
    error: new StepError(error.reason, error.title, error.message, {
      remedy:
        'Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.',
      cause: error,
    }),
  };
}

function denialBehind(error: unknown): Denial | undefined {
  if (error instanceof ApiError) return error.denial;
  return error instanceof StepError ? denialBehind(error.cause) : undefined;
}

/** Whoever copies a block of text from a log may lose what is white at the ends of its lines. */
const quoteLines: ScalarStyleRule = layout => {
  if (layout.node.value.includes('\n')) layout.style = SCALAR_STYLE.DOUBLE_QUOTED;
};
const SCALAR_STYLE_RULES = [quoteLines, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)];

/** @returns the two objects as YAML, so that they can be applied as they are printed: the user's name may hold anything. */
export function printGrant({ user, namespace }: { user: string; namespace: string }, rules: V1PolicyRule[]): string {
  return grant(user, namespace, rules)
    .map(object => dump(object, { flowLevel: 3, lineWidth: -1, noRefs: true, scalarStyleRules: SCALAR_STYLE_RULES }))
    .join('---\n')
    .replace(/\n$/, '');
}
