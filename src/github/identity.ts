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
  /** What sets this job of a matrix apart, e.g. `os=linux,python=3.12`, another one for each; empty outside one. */
  matrix: string;
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
    matrix: matrixEntry(readMatrix(env)),
    sha: of('GITHUB_SHA'),
    runUrl: runId && `${of('GITHUB_SERVER_URL')}/${repository}/actions/runs/${runId}/attempts/${runAttempt}`,
    hosted: of('RUNNER_ENVIRONMENT') === 'github-hosted',
  };
}

/** JSON's values. */
export type MatrixValue = string | number | boolean | null | MatrixValue[] | { [key: string]: MatrixValue };

/** @returns the job's entry of its matrix. The runner sets no variable for it: it comes as the default of an input. */
export function readMatrix(env: NodeJS.ProcessEnv): { [key: string]: MatrixValue } {
  try {
    const matrix: unknown = JSON.parse(env['INPUT_MATRIX'] || 'null');
    return typeof matrix === 'object' && matrix !== null && !Array.isArray(matrix)
      ? (matrix as { [key: string]: MatrixValue })
      : {};
  } catch {
    return {};
  }
}

function matrixEntry(matrix: { [key: string]: MatrixValue }): string {
  return Object.entries(matrix)
    .map(([key, value]) => `${word(key)}=${word(value)}`)
    .sort()
    .join(',');
}

/** @returns a plain word as it is, anything else as JSON, so that no two values look alike: the text `1` and the number, or a text with a comma in it. */
function word(value: MatrixValue): string {
  const isPlain = typeof value === 'string' && /^[A-Za-z_][\w./ -]*$/.test(value) && !/^(true|false|null)$/.test(value);
  try {
    return isPlain ? value : JSON.stringify(value);
  } catch {
    // Nested deeper than the stack.
    return '...';
  }
}
