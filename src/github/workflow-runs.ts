import { setTimeout } from 'node:timers/promises';
import { getOctokit } from '@actions/github';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { StepError } from './failure.ts';
import { limitSeconds, Patience } from './rate-limit.ts';

/** What GitHub knows of a workflow run as a whole, that is of its latest attempt. */
export type WorkflowRun =
  | { state: 'ended'; at: Date }
  /** With GitHub's own word for it. */
  | { state: 'active'; status: string }
  /** Deleted: by hand, or by GitHub after some months. */
  | { state: 'gone' }
  /** It could not be learnt: why, as a sentence's part. */
  | { state: 'unknown'; why: string };

/** Whom to ask, and as whom. */
export interface GitHub {
  env: NodeJS.ProcessEnv;
  token: string;
  /** Is told, as a sentence, when GitHub wants to be waited for. */
  say: (line: string) => void;
  signal: AbortSignal;
  clock?: Clock;
}

export interface Clock {
  /** In ms. */
  now(): number;
  pause(ms: number, signal: AbortSignal): Promise<unknown>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  pause: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

const AT_ONCE = 5;
const TRIES = 3;
const PAUSE_MS = 1000;
const DEADLINE_MS = 30_000;

/**
 * Asks GitHub for workflow runs of this repository, each once.
 * A run that is not there and a token that may not see it look the same, 404: so the run that asks is asked for first, which is there for sure.
 * @param ids digits
 * @throws StepError where the token may not see runs; the signal's reason
 */
export async function readWorkflowRuns(ids: Iterable<string>, github: GitHub): Promise<Map<string, WorkflowRun>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  // As GitHub's own actions do: runners behind a proxy reach GitHub through it alone.
  const agent = new EnvHttpProxyAgent();
  try {
    const ask = asker(github, agent);
    const own = await ask(github.env['GITHUB_RUN_ID'] ?? '');
    if (own.state === 'gone') throw cannotSee(github.env);
    // What is true of this run is true of all of them.
    if (own.state === 'unknown') return new Map(wanted.map(id => [id, own]));
    const found = new Map<string, WorkflowRun>();
    const queue = wanted.values();
    const work = async () => {
      for (const id of queue) found.set(id, await ask(id));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  } finally {
    await agent.destroy();
  }
}

function asker({ env, token, say, signal, clock = SYSTEM_CLOCK }: GitHub, agent: Dispatcher) {
  const [owner = '', repo = ''] = (env['GITHUB_REPOSITORY'] ?? '').split('/');
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const octokit = getOctokit(token, {
    baseUrl: env['GITHUB_API_URL'] || 'https://api.github.com',
    userAgent: 'kubernetes-pod-step',
    // It would print.
    log: silent,
    request: { fetch: fetchThrough(agent), log: silent },
  });
  const patience = new Patience();
  const pause = async (ms: number) => {
    await clock.pause(ms, signal).catch(() => {});
    signal.throwIfAborted();
  };
  return async (id: string): Promise<WorkflowRun> => {
    for (let tries = 1; ; ) {
      if (patience.over) return { state: 'unknown', why: 'GitHub’s rate limit is used up' };
      const waitMs = patience.waitMs(clock.now());
      if (waitMs > 0) {
        await pause(waitMs);
        continue;
      }
      try {
        const inTime = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
        const { data } = await octokit.rest.actions.getWorkflowRun({
          ...{ owner, repo, run_id: Number(id), exclude_pull_requests: true },
          request: { signal: inTime },
        });
        return runOf(data, id);
      } catch (error) {
        signal.throwIfAborted();
        const { status, headers, message, answered } = answerIn(error);
        const limit = limitSeconds(status, headers, message, clock.now() / 1000);
        if (limit !== undefined) {
          if (patience.limit(limit, clock.now())) say(`GitHub’s rate limit: asked again in ${Math.ceil(limit)} s.`);
          continue;
        }
        if (answered && status === 404) return { state: 'gone' };
        if (answered && status === 401) throw refused();
        const isOwn = id === env['GITHUB_RUN_ID'];
        if (answered && status === 403 && isOwn) throw cannotSee(env);
        const why = answered ? `GitHub answers HTTP ${status} when asked for its run` : 'GitHub cannot be reached';
        if ((answered && status < 500) || tries >= TRIES) return { state: 'unknown', why };
        await pause(PAUSE_MS * tries++);
      }
    }
  };
}

/** What Octokit takes for a fetch, by the HTTP library that is there anyway. */
function fetchThrough(dispatcher: Dispatcher) {
  return async (
    url: string,
    { method, headers, signal }: { method: string; headers: Record<string, string>; signal: AbortSignal },
  ): Promise<Response> => {
    const options = { dispatcher, method: method as Dispatcher.HttpMethod, headers, signal };
    const answer = await request(url, options);
    const text = await answer.body.text();
    const empty = [204, 205, 304].includes(answer.statusCode);
    return new Response(empty ? null : text, {
      status: answer.statusCode,
      headers: Object.entries(answer.headers).flatMap(([name, values]) =>
        [values ?? []].flat().map((value): [string, string] => [name, value]),
      ),
    });
  };
}

/** @returns what GitHub has answered, if it has: Octokit makes an error of status 500 of every failure on the way. */
function answerIn(error: unknown): {
  answered: boolean;
  status: number;
  headers: Record<string, string | number | undefined>;
  message: string;
} {
  const { status, response, message } = error as {
    status?: number;
    response?: { headers: Record<string, string | number | undefined> };
    message?: string;
  };
  return {
    answered: response !== undefined,
    status: status ?? 0,
    headers: response?.headers ?? {},
    message: message ?? '',
  };
}

/** @param data whatever was answered */
function runOf(data: unknown, id: string): WorkflowRun {
  const run: { id?: unknown; status?: unknown; updated_at?: unknown } =
    typeof data === 'object' && data !== null ? data : {};
  if (String(run.id) !== id || typeof run.status !== 'string' || !/^[a-z_]{1,40}$/.test(run.status))
    return { state: 'unknown', why: 'GitHub’s answer for its run is none that a run has' };
  if (run.status !== 'completed') return { state: 'active', status: run.status };
  const at = new Date(typeof run.updated_at === 'string' ? run.updated_at : Number.NaN);
  if (Number.isNaN(at.getTime())) return { state: 'unknown', why: 'GitHub does not say when its run ended' };
  return { state: 'ended', at };
}

function cannotSee(env: NodeJS.ProcessEnv): StepError {
  return new StepError(
    'Forbidden',
    'Workflow runs cannot be seen',
    `With github_token GitHub does not show even this run (${env['GITHUB_REPOSITORY']}, ${env['GITHUB_RUN_ID']}), so which runs have ended cannot be known. Nothing was deleted.`,
    { remedy: 'Give the job `permissions: actions: read`.' },
  );
}

function refused(): StepError {
  return new StepError(
    'Unauthorized',
    'GitHub does not accept the token',
    'GitHub does not accept github_token (401 Unauthorized). Nothing was deleted.',
    { remedy: 'Leave github_token out, so that it is the job’s own token, or renew it.' },
  );
}
