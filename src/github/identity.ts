/**
 * Which step of which run this is, from the variables that the runner sets.
 * None of it is unique: two uses in one composite action, or two callers of one reusable workflow, share them all. What marks a pod as this process's is its nonce.
 */
export interface StepIdentity {
  /** `owner/name`. */
  repository: string;
  repositoryId: string;
  workflow: string;
  runId: string;
  runAttempt: string;
  job: string;
  /** The step's id, or what the runner makes up where it has none. */
  step: string;
  sha: string;
  /** The web page of this attempt of the run. */
  runUrl: string;
  /** Whether GitHub hosts the runner, which limits a job to 6 hours instead of 5 days. */
  hosted: boolean;
}

export function readIdentity(env: NodeJS.ProcessEnv): StepIdentity {
  const of = (name: string) => env[name] ?? '';
  const repository = of('GITHUB_REPOSITORY');
  const runId = of('GITHUB_RUN_ID');
  const runAttempt = of('GITHUB_RUN_ATTEMPT') || '1';
  return {
    repository,
    repositoryId: of('GITHUB_REPOSITORY_ID'),
    workflow: of('GITHUB_WORKFLOW'),
    runId,
    runAttempt,
    job: of('GITHUB_JOB'),
    step: of('GITHUB_ACTION'),
    sha: of('GITHUB_SHA'),
    runUrl: runId && `${of('GITHUB_SERVER_URL')}/${repository}/actions/runs/${runId}/attempts/${runAttempt}`,
    hosted: of('RUNNER_ENVIRONMENT') === 'github-hosted',
  };
}
