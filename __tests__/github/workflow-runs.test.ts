import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StepError } from '../../src/github/failure.ts';
import { readWorkflowRuns } from '../../src/github/workflow-runs.ts';
import { FakeGitHub, type GitHubReply, github } from '../support/fake-github.ts';

const OWN = '1658821493';
const ENDED = '2026-11-20T10:00:00Z';
const ended = { state: 'ended', at: new Date(ENDED) };

let server: FakeGitHub;
let said: string[];
/** The clock's, in ms: it moves by what is paused for. */
let now: number;
beforeEach(async () => {
  server = await FakeGitHub.start(OWN);
  said = [];
  now = 1_800_000_000_000;
});
afterEach(() => server[Symbol.asyncDispose]());

const completed = (...ids: string[]) => {
  for (const id of ids) server.runs.set(id, github.run(id, 'completed', ENDED));
};

function read(ids: string[], { env = {}, signal = new AbortController().signal } = {}) {
  const clock = {
    now: () => now,
    pause: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  const runner = { GITHUB_API_URL: server.url, GITHUB_REPOSITORY: 'octo/repo', GITHUB_RUN_ID: OWN, ...env };
  return readWorkflowRuns(ids, { env: runner, token: 'ghs_x', say: line => said.push(line), signal, clock });
}

async function failureOf(reading: Promise<unknown>): Promise<StepError> {
  const error = await reading.catch((thrown: unknown) => thrown);
  if (error instanceof StepError) return error;
  throw new Error(`expected a StepError, got ${String(error)}`);
}

describe('workflow runs', () => {
  test('are asked for with the token, each once, after the run that asks', async () => {
    completed('7', '8');
    const runs = await read(['7', '8', '7', '7']);
    expect([...runs]).toEqual([
      ['7', ended],
      ['8', ended],
    ]);
    expect(server.asked[0]).toMatchObject({
      url: `/repos/octo/repo/actions/runs/${OWN}?exclude_pull_requests=true`,
      authorization: 'token ghs_x',
      userAgent: expect.stringContaining('kubernetes-pod-step'),
    });
    expect(server.ids).toEqual([OWN, '7', '8']);
  });

  test('that nobody wants are not asked for, nor is anything else', async () => {
    expect(await read([])).toEqual(new Map());
    expect(server.asked).toEqual([]);
  });

  test('are asked for five at a time', async () => {
    const ids = Array.from({ length: 23 }, (_, index) => String(index + 1));
    completed(...ids);
    server.delayMs = 5;
    expect((await read(ids)).size).toBe(23);
    expect(server.mostAtOnce).toBe(5);
  });

  test.each(['queued', 'in_progress', 'requested', 'waiting', 'pending', 'a_word_of_next_year'])(
    'that are %s have not ended',
    async status => {
      server.runs.set('7', github.run('7', status, ENDED));
      expect((await read(['7'])).get('7')).toEqual({ state: 'active', status });
    },
  );

  test('that were deleted are gone', async () => {
    completed('8');
    expect([...(await read(['7', '8'])).values()]).toEqual(expect.arrayContaining([{ state: 'gone' }, ended]));
  });

  test.each<[string, unknown]>([
    ['another run', github.run('8', 'completed', ENDED).body],
    ['no status', { id: 7 }],
    ['words of its own', { id: 7, status: '::error::x' }],
    ['nothing', null],
    ['text', 'hello'],
  ])('are not known where the answer has %s', async (_, body) => {
    server.runs.set('7', { code: 200, body });
    expect((await read(['7'])).get('7')).toEqual({
      state: 'unknown',
      why: 'GitHub’s answer for its run is none that a run has',
    });
  });

  test('are not known to have ended at no time', async () => {
    server.runs.set('7', github.run('7', 'completed', 'soon'));
    expect((await read(['7'])).get('7')).toEqual({ state: 'unknown', why: 'GitHub does not say when its run ended' });
  });
});

describe('a token that may not see runs', () => {
  test.each<[string, () => GitHubReply]>([
    ['404, as on a private repository', github.notFound],
    ['403', github.notAccessible],
  ])('is found out by the run that asks: %s', async (_, answer) => {
    server.instead = answer;
    expect(await failureOf(read(['7', '8']))).toMatchObject({
      reason: 'Forbidden',
      message: `With github_token GitHub does not show even this run (octo/repo, ${OWN}), so which runs have ended cannot be known. Nothing was deleted.`,
      remedy: 'Give the job `permissions: actions: read`.',
    });
    expect(server.ids).toEqual([OWN]);
  });

  test.each([1, 3])('is no token at all any more, from request %i on', async nth => {
    completed('7', '8', '9');
    server.instead = (_, count) => (count >= nth ? github.badCredentials() : undefined);
    expect(await failureOf(read(['7', '8', '9']))).toMatchObject({
      reason: 'Unauthorized',
      message: 'GitHub does not accept github_token (401 Unauthorized). Nothing was deleted.',
    });
  });

  test('a run that is refused alone is not known', async () => {
    completed('8');
    server.runs.set('7', github.notAccessible());
    expect(Object.fromEntries(await read(['7', '8']))).toEqual({
      7: { state: 'unknown', why: 'GitHub answers HTTP 403 when asked for its run' },
      8: ended,
    });
  });
});

describe('a failure that may pass', () => {
  test.each<[string, GitHubReply | 'drop']>([
    ['502', github.serverError()],
    ['a cut connection', 'drop'],
  ])('is tried again: %s', async (_, failure) => {
    completed('7');
    server.instead = (_, nth) => (nth === 1 || nth === 3 ? failure : undefined);
    expect((await read(['7'])).get('7')).toEqual(ended);
    expect(server.ids).toEqual([OWN, OWN, '7', '7']);
  });

  test.each<[string, GitHubReply | 'drop', string]>([
    ['503', github.serverError(503), 'GitHub answers HTTP 503 when asked for its run'],
    ['a cut connection', 'drop', 'GitHub cannot be reached'],
  ])('three times at most: %s', async (_, failure, why) => {
    completed('8');
    server.instead = id => (id === '7' ? failure : undefined);
    expect(Object.fromEntries(await read(['7', '8']))).toEqual({ 7: { state: 'unknown', why }, 8: ended });
    expect(server.ids.filter(id => id === '7')).toHaveLength(3);
  });

  test('that does not for the run that asks leaves all of them unknown', async () => {
    server.instead = () => github.serverError(500);
    const unknown = { state: 'unknown', why: 'GitHub answers HTTP 500 when asked for its run' };
    expect(Object.fromEntries(await read(['7', '8']))).toEqual({ 7: unknown, 8: unknown });
    expect(server.ids).toEqual([OWN, OWN, OWN]);
  });

  test('is not one where nobody listens: GitHub cannot be reached', async () => {
    const runs = await read(['7'], { env: { GITHUB_API_URL: 'http://127.0.0.1:1' } });
    expect(runs.get('7')).toEqual({ state: 'unknown', why: 'GitHub cannot be reached' });
  });
});

describe('a rate limit', () => {
  test.each<[string, (seconds: number) => GitHubReply]>([
    ['the primary one', seconds => github.primaryLimit(now / 1000 + seconds)],
    ['the primary one, as 429', seconds => github.primaryLimit(now / 1000 + seconds, 429)],
    ['a secondary one', seconds => github.secondaryLimit(seconds)],
    ['a secondary one, as 429', seconds => github.secondaryLimit(seconds, 429)],
  ])('that is short is waited for: %s', async (_, limited) => {
    completed('7');
    const since = now;
    server.instead = (_, nth) => (nth === 2 ? limited(30) : undefined);
    expect((await read(['7'])).get('7')).toEqual(ended);
    expect(now - since).toBe(30_000);
    expect(said).toEqual(['GitHub’s rate limit: asked again in 30 s.']);
  });

  test('that is long leaves the rest unknown, and what was told is known', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => String(index + 1));
    completed(...ids);
    server.instead = (_, nth) => (nth > 11 ? github.primaryLimit(now / 1000 + 1800) : undefined);
    const runs = [...(await read(ids)).values()];
    expect(runs.filter(({ state }) => state === 'ended')).toHaveLength(10);
    expect(runs.filter(({ state }) => state === 'unknown')).toHaveLength(30);
    expect(runs.at(-1)).toEqual({ state: 'unknown', why: 'GitHub’s rate limit is used up' });
    // Those that were under way, and no more.
    expect(server.asked.length).toBeLessThanOrEqual(11 + 5);
  });

  test('that comes back is waited for 60 s in all', async () => {
    completed('7');
    const since = now;
    server.instead = id => (id === '7' ? github.secondaryLimit(25) : undefined);
    expect((await read(['7'])).get('7')).toEqual({ state: 'unknown', why: 'GitHub’s rate limit is used up' });
    expect(now - since).toBe(50_000);
  });

  test('without a time is waited for a minute, as GitHub asks of clients', async () => {
    completed('7');
    const since = now;
    server.instead = (_, nth) => (nth === 2 ? github.secondaryLimit() : undefined);
    expect((await read(['7'])).get('7')).toEqual(ended);
    expect(now - since).toBe(60_000);
  });

  test('on the first question leaves all unknown, and is no lack of rights', async () => {
    server.instead = () => github.primaryLimit(now / 1000 + 1800);
    expect((await read(['7'])).get('7')).toEqual({ state: 'unknown', why: 'GitHub’s rate limit is used up' });
  });
});

test('an aborted sweep stops asking, with the reason of its signal', async () => {
  const stop = new AbortController();
  completed('7', '8');
  server.instead = id => {
    if (id === '7') stop.abort(new Error('cancelled'));
    return undefined;
  };
  await expect(read(['7', '8'], { signal: stop.signal })).rejects.toThrow('cancelled');
});
