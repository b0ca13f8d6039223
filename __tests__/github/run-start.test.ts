import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StepError } from '../../src/github/failure.ts';
import { readRunStart } from '../../src/github/run-start.ts';

const clock = () => new Date('2026-11-22T00:00:09.123Z');
const run = { run_started_at: '2026-11-21T07:31:28Z', created_at: '2026-11-21T07:31:00Z' };

let server: Server;
let answer: (response: ServerResponse, count: number) => void;
let asked: IncomingMessage[];
beforeEach(async () => {
  asked = [];
  answer = response => response.end(JSON.stringify(run));
  server = createServer((request, response) => {
    asked.push(request);
    answer(response, asked.length);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function environment(attempt: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { port } = server.address() as AddressInfo;
  return {
    GITHUB_API_URL: `http://127.0.0.1:${port}`,
    GITHUB_REPOSITORY: 'octo/etl',
    GITHUB_RUN_ID: '17',
    GITHUB_RUN_ATTEMPT: attempt,
    ...more,
  };
}

const read = (env: NodeJS.ProcessEnv, token?: string, signal = new AbortController().signal) =>
  readRunStart(env, token, signal, clock);

async function failureOf(env: NodeJS.ProcessEnv): Promise<StepError> {
  const error = await read(env).catch((thrown: unknown) => thrown);
  if (error instanceof StepError) return error;
  throw new Error(`expected a StepError, got ${error}`);
}

describe('the start of the run', () => {
  test.each(['1', '3'])('is that of its first attempt, on attempt %s', async attempt => {
    expect(await read(environment(attempt))).toEqual(new Date(run.run_started_at));
    expect(asked.map(({ url }) => url)).toEqual(['/repos/octo/etl/actions/runs/17/attempts/1']);
  });

  test('is when the run was made, where no start is known', async () => {
    answer = response => response.end(JSON.stringify({ created_at: run.created_at }));
    expect(await read(environment('2'))).toEqual(new Date(run.created_at));
  });

  test('is asked for with the token, where there is one', async () => {
    await read(environment('1'), 'a-token');
    await read(environment('1'), undefined);
    await read(environment('1'), '');
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer a-token', undefined, undefined]);
  });

  test('is asked for again after a failure that may pass, on a later attempt', async () => {
    answer = (response, count) => {
      if (count === 1) response.writeHead(502).end();
      else if (count === 2) response.destroy();
      else response.end(JSON.stringify(run));
    };
    expect(await read(environment('2'))).toEqual(new Date(run.run_started_at));
    expect(asked).toHaveLength(3);
  });
});

const refusals: [what: string, answer: (response: ServerResponse) => void, why: string][] = [
  ['no permission', response => void response.writeHead(403).end('{}'), 'it answers HTTP 403'],
  ['no such run', response => void response.writeHead(404).end('{}'), 'it answers HTTP 404'],
  ['a page in place of JSON', response => void response.end('<html>'), 'its answer holds no time'],
  ['JSON without a time', response => void response.end('{"run_started_at":"soon"}'), 'its answer holds no time'],
  ['JSON that is no object', response => void response.end('null'), 'its answer holds no time'],
];

describe('where GitHub does not tell it', () => {
  test.each(refusals)('the clock does on the first attempt: %s', async (_, refusal) => {
    answer = refusal;
    expect(await read(environment('1'))).toEqual(clock());
    expect(asked).toHaveLength(1);
  });

  test.each(refusals)('a later attempt fails and says why: %s', async (_, refusal, why) => {
    answer = refusal;
    expect(await failureOf(environment('2'))).toMatchObject({
      reason: 'InvalidInput',
      message: `The template uses ds or ts, the start of the run's first attempt. This is attempt 2, and GitHub does not tell it: ${why}.`,
      remedy: 'Give the job `permissions: actions: read`, or give ds, ds_nodash and ts in template_vars.',
    });
  });

  test('the clock does where GitHub cannot be reached or the run is not known', async () => {
    expect(await read(environment('1', { GITHUB_API_URL: 'http://127.0.0.1:1' }))).toEqual(clock());
    expect(await read({})).toEqual(clock());
    expect(await read(environment('1', { GITHUB_API_URL: 'nowhere' }))).toEqual(clock());
    expect(await failureOf({ GITHUB_RUN_ATTEMPT: '2' })).toMatchObject({
      message: expect.stringContaining('GITHUB_REPOSITORY or GITHUB_RUN_ID is not set'),
    });
  });

  test('an aborted step stops asking, with the reason of its signal', async () => {
    const stop = new AbortController();
    answer = () => stop.abort(new Error('cancelled'));
    await expect(read(environment('2'), undefined, stop.signal)).rejects.toThrow('cancelled');
    await expect(read(environment('1'), undefined, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });
});
