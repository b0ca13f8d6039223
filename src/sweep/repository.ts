import { StepError } from '../github/failure.ts';

/** Whose pods are swept, from the variables that the runner sets. */
export interface Repository {
  /** `owner/name`. */
  name: string;
  /** Digits: it stays when the name changes. */
  id: string;
  /** The run that sweeps. */
  runId: string;
}

/** @throws StepError where the runner does not say */
export function readRepository(env: NodeJS.ProcessEnv): Repository {
  const of = (name: string, form: RegExp) => {
    const value = env[name] ?? '';
    if (form.test(value)) return value;
    throw new StepError(
      'InvalidInput',
      'Repository not known',
      `${name} ${value === '' ? 'is not set' : 'is not what GitHub’s runner sets'}, so whose pods to sweep is not known.`,
      {
        remedy:
          'Run the sweep as a step of a workflow, on GitHub’s own runner: others, such as act, do not set all of it.',
      },
    );
  };
  return {
    name: of('GITHUB_REPOSITORY', /^[\w.-]+\/[\w.-]+$/),
    id: of('GITHUB_REPOSITORY_ID', /^[0-9]+$/),
    runId: of('GITHUB_RUN_ID', /^[0-9]+$/),
  };
}
