import type { StepIdentity } from '../github/identity.ts';
import { RESERVED_PREFIX } from '../github/inputs/inputs.ts';
import { labelValue } from './naming.ts';

/** Marks the attempt that created the pod. */
export const NONCE_ANNOTATION = `${RESERVED_PREFIX}nonce`;
export const RUN_URL_ANNOTATION = `${RESERVED_PREFIX}run-url`;
/** `owner/name`, as it was when the pod was made. */
export const REPOSITORY_ANNOTATION = `${RESERVED_PREFIX}repository`;
/** Of the repository, which keeps it when it is renamed. */
export const REPOSITORY_ID_LABEL = `${RESERVED_PREFIX}repository-id`;
export const RUN_ID_LABEL = `${RESERVED_PREFIX}run-id`;
/** Names the container that decides the outcome, for a step that attaches to the pod. */
export const BASE_CONTAINER_ANNOTATION = `${RESERVED_PREFIX}base-container`;

export const ATTEMPT_LABEL = `${RESERVED_PREFIX}run-attempt`;
export const MATRIX_LABEL = `${RESERVED_PREFIX}matrix`;
/** The attempt of the run that has taken over a pod of an earlier one. */
export const CLAIM_ANNOTATION = `${RESERVED_PREFIX}taken-over-by-attempt`;
/** Set once the base container has ended while others go on: its result is to be sent. */
export const RESULT_ASKED_ANNOTATION = `${RESERVED_PREFIX}result-asked`;
/** The attempt of the run that has had the log and the result of a pod that is kept. */
export const READ_ANNOTATION = `${RESERVED_PREFIX}read-by-attempt`;

/** How long the containers have to end when the pod is deleted, in seconds, where the pod itself has a longer time for its files to be fetched. */
export const GRACE_ANNOTATION = `${RESERVED_PREFIX}grace-seconds`;

/** What the step asks for, as a digest: another attempt of it knows its pod by that. */
export const PLAN_ANNOTATION = `${RESERVED_PREFIX}plan`;

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
