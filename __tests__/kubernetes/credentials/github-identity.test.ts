import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GitHubIdentity } from '../../../src/kubernetes/credentials/github-identity.ts';

let server: Server;
let asked: IncomingMessage[];
let answer: { code: number; body: string };
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  asked = [];
  answer = { code: 200, body: JSON.stringify({ value: jwt({ exp: 2_000_000_000 }) }) };
  server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(answer.code, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`;
  env = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job' };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object) => `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;

test('a token is asked for in the job’s name, for the audience, and lasts as long as it says', async () => {
  const credential = await new GitHubIdentity('https://cluster.example/?a=b&c', env).obtain();
  expect(credential).toEqual({ token: jwt({ exp: 2_000_000_000 }), expiresAt: 2_000_000_000_000 });
  expect(asked).toHaveLength(1);
  const { url, headers } = asked[0] as IncomingMessage;
  const { searchParams } = new URL(url ?? '', 'http://x');
  expect(Object.fromEntries(searchParams)).toEqual({
    'api-version': '2.0',
    audience: 'https://cluster.example/?a=b&c',
  });
  expect(headers.authorization).toBe('Bearer of-the-job');
});

test.each(['opaque', 'a.b.c', jwt({}), jwt({ exp: 'soon' })])(
  'one that does not say lasts 5 minutes: %s',
  async value => {
    answer.body = JSON.stringify({ value });
    const before = Date.now();
    const { expiresAt = 0 } = await new GitHubIdentity('a', env).obtain();
    expect(expiresAt).toBeGreaterThanOrEqual(before + 300_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 300_000);
  },
);

describe('without a token it says why:', () => {
  test.each([
    { ACTIONS_ID_TOKEN_REQUEST_URL: '' },
    { ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' },
    { ACTIONS_ID_TOKEN_REQUEST_URL: 'x' },
  ])('the job may not: %j', without => {
    expect(() => new GitHubIdentity('a', { ...env, ...without })).toThrow(
      'the job may ask GitHub for no ID token: it needs `permissions: id-token: write`',
    );
  });

  test.each([
    [500, 'tok-12345678', /answers with HTTP 500$/],
    [200, 'tok-12345678', /answers with no token$/],
    [200, '{}', /answers with no token$/],
    [200, '{"value": 7}', /answers with no token$/],
    [200, '{"value": ""}', /answers with no token$/],
  ])('the service answers %d %s', async (code, body, why) => {
    answer = { code, body };
    const failure = new GitHubIdentity('a', env).obtain();
    await expect(failure).rejects.toThrow(why);
    await expect(failure).rejects.not.toThrow('tok-');
  });

  test('the service is not there', async () => {
    await new Promise(resolve => server.close(resolve));
    await expect(new GitHubIdentity('a', env).obtain()).rejects.toThrow(
      /ID token service at 127\.0\.0\.1:\d+ does not answer: /,
    );
  });
});

test('a token that the server refuses is told by what it said, as far as rules are made of that', () => {
  const claims = { iss: 'https://i', aud: 'a', sub: 's', repository: 'o/r', event_name: 'pull_request', actor: 'x' };
  const { reason, message } = new GitHubIdentity('a', env).refusal({ token: jwt(claims) });
  expect(reason).toBe('Unauthorized');
  expect(message).toMatch(/ It was told: iss "https:\/\/i", aud "a", repository "o\/r", event_name "pull_request"\.$/);
});
