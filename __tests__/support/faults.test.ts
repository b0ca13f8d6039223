import { afterEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  type FaultAction,
  replies,
  startFakeApiServer,
} from './fake-api-server.ts';

let server: FakeApiServer;
const agents: Agent[] = [];
afterEach(async () => {
  await server.close();
  for (const agent of agents.splice(0)) await agent.close();
});

const pods = '/api/v1/namespaces/default/pods';
const manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'base', image: 'x' }] },
};
const log = `${pods}/p/log?follow=true`;

/** A server with a pod that has written three lines of five bytes. */
async function start(options: FakeApiServerOptions = {}): Promise<void> {
  server = await startFakeApiServer(options);
  server.addPod(manifest).run().write('1111').write('2222').write('3333');
}

interface Outcome {
  code?: number;
  text: string;
  /** `clean`, or the error's code. */
  end: string;
  headers: Record<string, unknown>;
}

async function ask(
  path: string,
  options: { method?: 'POST' | 'DELETE'; body?: unknown; ca?: string; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const agent = new Agent({ connect: { ca: options.ca } });
  agents.push(agent);
  const outcome: Outcome = { text: '', end: 'clean', headers: {} };
  try {
    const answer = await request(server.url + path, {
      method: options.method ?? 'GET',
      dispatcher: agent,
      headers: { authorization: 'Bearer fake-token' },
      body: options.body === undefined ? null : JSON.stringify(options.body),
      ...(options.signal && { signal: options.signal }),
    });
    Object.assign(outcome, { code: answer.statusCode, headers: answer.headers });
    for await (const chunk of answer.body) outcome.text += chunk;
  } catch (error) {
    const { name, code } = error as { name: string; code?: string };
    outcome.end = name === 'AbortError' ? name : (code ?? String(error));
  }
  return outcome;
}

const socketError = expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/);

test.each<[string, FaultAction, object]>([
  [
    'a Status',
    { kind: 'answer', reply: replies.internalError('etcdserver: request timed out') },
    { code: 500, text: expect.stringContaining('InternalError') },
  ],
  [
    '429 with Retry-After',
    { kind: 'answer', reply: replies.tooManyRequests(7) },
    { code: 429, headers: { 'retry-after': '7' } },
  ],
  ['204', { kind: 'answer', reply: { code: 204 } }, { code: 204, text: '', end: 'clean' }],
  ['garbage', { kind: 'answer', reply: { code: 200, body: '{"kind":' } }, { code: 200, text: '{"kind":' }],
  ['a reset before the headers', { kind: 'reset' }, { end: socketError, headers: {} }],
  ['a reset at once after the headers', { kind: 'reset', afterBytes: 0 }, { code: 200, text: '', end: socketError }],
  ['a reset in mid-body', { kind: 'reset', afterBytes: 7 }, { code: 200, text: '1111\n22', end: socketError }],
  ['a clean end in mid-body', { kind: 'cleanEnd', afterBytes: 7 }, { code: 200, text: '1111\n22', end: 'clean' }],
  [
    'text behind a part of the body, between lines',
    { kind: 'append', text: 'rpc error', afterBytes: 7 },
    { code: 200, text: '1111\nrpc error', end: 'clean' },
  ],
])('%s, once', async (_, action, expected) => {
  await start();
  const fault = server.fault({ match: { verb: 'log' }, action });
  expect(await ask(log)).toMatchObject(expected);
  expect(fault.hits).toBe(1);
  (await server.pod()).terminate();
  expect(await ask(log)).toMatchObject({ code: 200, text: '1111\n2222\n3333\n', end: 'clean' });
});

test('text before and behind a whole body', async () => {
  await start();
  (await server.pod()).terminate();
  server.fault({ action: { kind: 'prepend', text: 'tail of a line\n' } });
  server.fault({ action: { kind: 'append', text: 'unable to retrieve container logs for containerd://1' } });
  expect((await ask(log)).text).toBe('tail of a line\n1111\n2222\n3333\n');
  expect((await ask(log)).text).toBe('1111\n2222\n3333\nunable to retrieve container logs for containerd://1');
});

test('a fault takes the requests it is meant for, as often as asked', async () => {
  await start();
  const fault = server.fault({
    match: { method: 'GET', path: /\/pods\/p$/, query: { x: /^1/ } },
    after: 1,
    times: 2,
    action: { kind: 'answer', reply: replies.unauthorized() },
  });
  const codes: (number | undefined)[] = [];
  for (const path of [
    `${pods}/p`,
    '/version?x=1',
    `${pods}/p?x=1`,
    `${pods}/p?x=12`,
    `${pods}/p?x=1`,
    `${pods}/p?x=1`,
  ]) {
    codes.push((await ask(path)).code);
  }
  expect(codes).toEqual([200, 200, 200, 401, 401, 200]);
  const endless = server.fault({
    times: Number.POSITIVE_INFINITY,
    action: { kind: 'answer', reply: replies.unavailable() },
  });
  expect([(await ask('/version')).code, (await ask('/version')).code]).toEqual([503, 503]);
  endless.clear();
  expect((await ask('/version')).code).toBe(200);
  expect([fault.hits, endless.hits]).toEqual([2, 2]);
});

test('a create whose answer is lost has been executed', async () => {
  await start();
  server.fault({ match: { verb: 'create' }, action: { kind: 'loseAnswer' } });
  const body = { ...manifest, metadata: { name: 'q' } };
  expect(await ask(pods, { method: 'POST', body })).toMatchObject({ end: socketError });
  expect((await ask(`${pods}/q`)).code).toBe(200);
  expect((await ask(pods, { method: 'POST', body })).code).toBe(409);
});

test('a create that is cut off before it was executed has not', async () => {
  await start();
  server.fault({ match: { verb: 'create' }, action: { kind: 'reset' } });
  expect(await ask(pods, { method: 'POST', body: { ...manifest, metadata: { name: 'q' } } })).toMatchObject({
    end: socketError,
  });
  expect((await ask(`${pods}/q`)).code).toBe(404);
});

test('fields are dropped from the echo of a create', async () => {
  await start();
  server.fault({
    match: { verb: 'create' },
    action: { kind: 'dropFields', fields: ['spec.initContainers.0.restartPolicy', 'spec.nothing.at.all'] },
  });
  const spec = { ...manifest.spec, initContainers: [{ name: 'side', restartPolicy: 'Always' }] };
  const echo = await ask(pods, { method: 'POST', body: { ...manifest, metadata: { name: 'q' }, spec } });
  expect(JSON.parse(echo.text).spec.initContainers).toEqual([{ name: 'side' }]);
});

test('a request hangs until the client has enough of it', async () => {
  await start();
  server.fault({ action: { kind: 'hang' } });
  const enough = new AbortController();
  const hanging = ask(`${pods}/p`, { signal: enough.signal });
  await server.request({ verb: 'get' });
  expect(server.open()).toHaveLength(1);
  enough.abort();
  expect((await hanging).end).toBe('AbortError');
});

test('an answer is late', async () => {
  await start();
  server.fault({ action: { kind: 'delay', ms: 100 } });
  const startedAt = performance.now();
  expect((await ask(`${pods}/p`)).code).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThan(95);
});

test('a watch goes quiet, then is ended', async () => {
  await start();
  server.fault({ match: { verb: 'watch' }, action: { kind: 'quiet' } });
  const watching = ask(`${pods}?watch=true`);
  await server.request({ verb: 'watch' });
  (await server.pod()).terminate();
  server.endStreams({ verb: 'watch' });
  expect(await watching).toMatchObject({ code: 200, text: '', end: 'clean' });
});

test('a watch is told 410 in its stream', async () => {
  await start();
  server.fault({ match: { verb: 'watch' }, action: { kind: 'expired' } });
  const { code, text } = await ask(`${pods}?watch=true&resourceVersion=1`);
  expect(code).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
});

test('open streams are cut', async () => {
  await start();
  const following = ask(log);
  await server.request({ verb: 'log' });
  server.cutStreams({ verb: 'log' });
  expect(await following).toMatchObject({ code: 200, text: '1111\n2222\n3333\n', end: socketError });
});

test('open streams fall silent, and can be ended still', async () => {
  await start();
  const following = ask(log);
  await server.request({ verb: 'log' });
  server.muteStreams({ verb: 'log' });
  (await server.pod()).write('4444').terminate();
  expect(server.open()).toHaveLength(1);
  server.endStreams();
  expect(await following).toMatchObject({ code: 200, text: '1111\n2222\n3333\n', end: 'clean' });
});

test('connections are refused for a while, then taken on the same port', async () => {
  await start();
  const following = ask(log);
  await server.request({ verb: 'log' });
  const { url } = server;
  await server.refuse();
  expect((await following).end).toEqual(socketError);
  expect((await ask('/version')).end).toBe('ECONNREFUSED');
  await server.accept();
  expect(server.url).toBe(url);
  expect((await ask('/version')).code).toBe(200);
});

test('streams may outlive the refusal of new connections', async () => {
  await start();
  const following = ask(log);
  await server.request({ verb: 'log' });
  await server.refuse({ cut: false });
  (await server.pod()).write('4444').terminate();
  expect(await following).toMatchObject({ text: expect.stringContaining('4444'), end: 'clean' });
});

test('a token is changed', async () => {
  await start();
  server.changeToken('new');
  expect((await ask(`${pods}/p`)).code).toBe(401);
  expect(server.kubeconfig).toContain('token: new');
});

test('a generator may make the faults', async () => {
  await start({
    faultSource: ({ path }) => (path === '/version' ? { kind: 'answer', reply: { code: 500 } } : undefined),
  });
  expect([(await ask('/version')).code, (await ask('/readyz')).code]).toEqual([500, 200]);
});

test.each([
  [false, { code: 200 }],
  [true, { end: 'CERT_HAS_EXPIRED' }],
])('over TLS, with the certificate expired: %s', async (expired, expected) => {
  await start({ tls: { expired } });
  const ca = Buffer.from(/certificate-authority-data: (\S+)/.exec(server.kubeconfig)?.[1] ?? '', 'base64').toString();
  expect(server.url).toMatch(/^https:/);
  expect(await ask('/version', { ca })).toMatchObject(expected);
});
