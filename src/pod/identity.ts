import type { StepIdentity } from '../github/identity.ts';
import { RESERVED_PREFIX } from '../github/inputs/inputs.ts';
import { labelValue } from './naming.ts';

/** Marks the attempt that created the pod. */
export const NONCE_ANNOTATION = `${RESERVED_PREFIX}nonce`;
export const RUN_URL_ANNOTATION = `${RESERVED_PREFIX}run-url`;

/** Labels to find a run's pods by. They are made safe, and can be forged by a neighbour: nothing rests on them alone. */
export function identityLabels(identity: StepIdentity): Record<string, string> {
  return prefixed(
    {
      repository: identity.repository,
      'repository-id': identity.repositoryId,
      workflow: identity.workflow,
      'run-id': identity.runId,
      'run-attempt': identity.runAttempt,
      job: identity.job,
      step: identity.step,
      matrix: identity.matrix,
    },
    labelValue,
  );
}

/** Whoever finds the pod finds the run. */
export function identityAnnotations(identity: StepIdentity): Record<string, string> {
  return prefixed({
    repository: identity.repository,
    workflow: identity.workflow,
    'run-url': identity.runUrl,
    commit: identity.sha,
    matrix: identity.matrix,
  });
}

function prefixed(values: Record<string, string>, made = (value: string) => value): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => [`${RESERVED_PREFIX}${key}`, made(value)]),
  );
}
