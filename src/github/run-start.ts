import { setTimeout } from 'node:timers/promises';
import { EnvHttpProxyAgent, request } from 'undici';
import { StepError } from './failure.ts';

const LIMIT_SECONDS = 10;
const PAUSE_MS = 1000;

/**
 * When this run's first attempt started, so that a re-run renders the same dates.
 * On the first attempt itself that is now or a little before, so where GitHub cannot be asked the clock does; on a later one nothing on the runner knows it.
 * @param token with which `actions: read` is asked for; a public repository needs none
 * @throws StepError on a later attempt that cannot learn it; the signal's reason when that is aborted
 */
export async function readRunStart(
  env: NodeJS.ProcessEnv,
  token: string | undefined,
  signal: AbortSignal,
  clock: () => Date = () => new Date(),
): Promise<Date> {
  const now = clock();
  const attempt = env['GITHUB_RUN_ATTEMPT'] || '1';
  const answer = await askGitHub(env, token, signal, attempt === '1' ? 1 : Number.POSITIVE_INFINITY);
  if (answer instanceof Date) return answer;
  if (attempt === '1') return now;
  throw new StepError(
    'InvalidInput',
    'Start of the run unknown',
    `The template uses ds or ts, the start of the run's first attempt. This is attempt ${attempt}, and GitHub does not tell it: ${answer}.`,
    { remedy: 'Give the job `permissions: actions: read`, or give ds, ds_nodash and ts in template_vars.' },
  );
}

/** @returns the time, or why there is none. A failure that may pass is tried again as long as there is time. */
async function askGitHub(
  env: NodeJS.ProcessEnv,
  token: string | undefined,
  signal: AbortSignal,
  mostTries: number,
): Promise<Date | string> {
  const repository = env['GITHUB_REPOSITORY'];
  const runId = env['GITHUB_RUN_ID'];
  if (!repository || !runId) return 'GITHUB_REPOSITORY or GITHUB_RUN_ID is not set';
  const server = env['GITHUB_API_URL'] || 'https://api.github.com';
  const url = URL.parse(`${server}/repos/${repository}/actions/runs/${runId}/attempts/1`);
  if (url === null) return 'GITHUB_API_URL is no address';
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(1000 * LIMIT_SECONDS)]);
  // As GitHub's own actions do: runners behind a proxy reach GitHub through it alone.
  const agent = new EnvHttpProxyAgent();
  let failure = `no answer within ${LIMIT_SECONDS} s`;
  try {
    for (let tries = 1; ; tries++) {
      try {
        const { statusCode, body } = await request(url, { dispatcher: agent, signal: inTime, headers: headers(token) });
        const text = await body.text();
        if (statusCode === 200) return startOf(text) ?? 'its answer holds no time';
        failure = `it answers HTTP ${statusCode}`;
        if (statusCode < 500 && statusCode !== 429) return failure;
      } catch (error) {
        inTime.throwIfAborted();
        failure = error instanceof Error ? error.message : String(error);
      }
      if (tries >= mostTries) return failure;
      await setTimeout(PAUSE_MS, undefined, { signal: inTime });
    }
  } catch {
    signal.throwIfAborted();
    return failure;
  } finally {
    await agent.destroy();
  }
}

function headers(token: string | undefined): Record<string, string> {
  return {
    accept: 'application/vnd.github+json',
    'user-agent': 'kubernetes-pod-step',
    ...(token && { authorization: `Bearer ${token}` }),
  };
}

function startOf(text: string): Date | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { run_started_at: started, created_at: created }: { run_started_at?: unknown; created_at?: unknown } = answer;
  for (const time of [started, created]) {
    const date = new Date(typeof time === 'string' ? time : Number.NaN);
    if (!Number.isNaN(date.getTime())) return date;
  }
  return undefined;
}
