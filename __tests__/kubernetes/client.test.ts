import { execFile } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ApiRequest } from '../../src/kubernetes/client.ts';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  type FaultAction,
  replies,
  startFakeApiServer,
} from '../support/fake-api-server.ts';
import { status } from '../support/kubernetes-replies.ts';
import { type Connected, connectTo, noSignal, podManifest, shortPauses } from './connected.ts';

let server: FakeApiServer;
let connected: Connected;
/** Seconds by which the client's clock is ahead: an hour without the server need not take one. */
let aheadSeconds = 0;

beforeEach(() => {
  aheadSeconds = 0;
  const now = performance.now.bind(performance);
  shortPauses();
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

async function start(options: FakeApiServerOptions = {}): Promise<void> {
  server = await startFakeApiServer(options);
  server.addPod(podManifest());
  connected = connectTo(server);
}

const path = '/api/v1/namespaces/default/pods/p';
const getPod: ApiRequest = {
  method: 'GET',
  path,
  asked: { verb: 'get', resource: 'pods', namespace: 'default', name: 'p' },
};
const log: ApiRequest = { ...getPod, path: `${path}/log`, query: { follow: true, container: 'base' } };
const pod = expect.objectContaining({ metadata: expect.objectContaining({ name: 'p' }) });
const html = { code: 200, body: '<html>Please log in</html>', headers: { 'Content-Type': 'text/html' } };

describe('a call', () => {
  test('sends the credentials, and has them masked once', async () => {
    await start();
    expect(await connected.client.call(getPod)).toEqual(pod);
    await connected.client.call(getPod);
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer fake-token',
      'user-agent': 'kubernetes-pod-step',
    });
    expect(connected.credentials).toEqual(['fake-token']);
  });

  test('passes on the warnings that came with the answer', async () => {
    await start();
    const warning =
      '299 - "spec.x: deprecated since v1.19; use \\"y\\", not z", 299 kube "and this", 199 - "nothing for users"';
    server.fault({ action: { kind: 'answer', reply: { code: 200, body: pod, headers: { Warning: warning } } } });
    await connected.client.call(getPod);
    expect(connected.told).toEqual(['warned: spec.x: deprecated since v1.19; use "y", not z', 'warned: and this']);
  });

  test.each<[string, FaultAction]>([
    ['a connection reset before the answer', { kind: 'reset' }],
    ['a connection reset after the headers', { kind: 'reset', afterBytes: 0 }],
    ['a connection reset in mid-answer', { kind: 'reset', afterBytes: 30 }],
    ['a lost answer', { kind: 'loseAnswer' }],
    ['JSON that ends early, as if it were complete', { kind: 'cleanEnd', afterBytes: 30 }],
    ['500', { kind: 'answer', reply: replies.internalError('etcdserver: request timed out') }],
    ['502 from a proxy', { kind: 'answer', reply: { code: 502, body: '<html>Bad Gateway</html>' } }],
    ['503', { kind: 'answer', reply: replies.unavailable() }],
    ['504', { kind: 'answer', reply: status(504, 'Timeout', 'Timeout: request did not complete') }],
    ['429', { kind: 'answer', reply: replies.tooManyRequests(0.01) }],
    ['409 of two that raced for a quota', { kind: 'answer', reply: status(409, 'Conflict', 'try again') }],
  ])('bears %s', async (_, action) => {
    await start();
    const fault = server.fault({ action, times: 2 });
    expect(await connected.client.call(getPod)).toEqual(pod);
    expect(fault.hits).toBe(2);
    expect(server.requests).toHaveLength(3);
    expect(connected.told).toEqual([]);
  });

  test.each<[string, FaultAction]>([
    ['ends early, as if it were complete', { kind: 'cleanEnd', afterBytes: 30 }],
    ['breaks off', { kind: 'reset', afterBytes: 30 }],
  ])('bears a refusal that %s', async (_, action) => {
    await start();
    server.fault({ action });
    const missing = connected.client.call({ ...getPod, path: `${path}-other` });
    await expect(missing).rejects.toMatchObject({ code: 404, podNotFound: true });
    expect(server.requests.map(({ code }) => code)).toEqual([404, 404]);
  });

  test('waits as long as Retry-After says', async () => {
    await start();
    server.fault({ action: { kind: 'answer', reply: replies.tooManyRequests(1) } });
    expect(await connected.client.call(getPod)).toEqual(pod);
    const [first, second] = server.requests;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(995);
  });

  test.each([
    [400, replies.badRequest('no')],
    [403, replies.forbidden('get')],
    [404, replies.podNotFound('p')],
    [409, replies.alreadyExists('p')],
    [410, replies.expired('1', '2')],
    [422, replies.invalid('p', { reason: 'FieldValueInvalid', message: 'Invalid value', field: 'spec' })],
  ])('takes %i for an answer', async (code, reply) => {
    await start();
    server.fault({ times: 9, action: { kind: 'answer', reply } });
    await expect(connected.client.call(getPod)).rejects.toMatchObject({ name: 'StepError', code });
    expect(server.requests).toHaveLength(1);
  });

  test('tries once more after a 401, for the token may have been renewed', async () => {
    await start();
    await connected.client.call(getPod);
    server.fault({ action: { kind: 'answer', reply: replies.unauthorized() } });
    expect(await connected.client.call(getPod)).toEqual(pod);
    expect(server.requests.map(({ code }) => code)).toEqual([200, 401, 200]);
  });

  test('bears a 401 or 403 for 10 s from a server that has accepted it before', async () => {
    await start();
    await connected.client.call(getPod);
    for (const reply of [replies.unauthorized(), replies.forbidden('get')]) {
      server.fault({ times: 3, action: { kind: 'answer', reply } });
      expect(await connected.client.call(getPod)).toEqual(pod);
    }
    server.changeToken('other');
    const refused = connected.client.call(getPod).catch(error => error);
    await server.request({ method: 'GET' }, 11);
    aheadSeconds = 11;
    expect(await refused).toMatchObject({ reason: 'Credentials' });
  });

  test('does not bear a 403 for what it has never been allowed', async () => {
    await start();
    await connected.client.call(getPod);
    server.fault({ match: { verb: 'list' }, times: 9, action: { kind: 'answer', reply: replies.forbidden('list') } });
    const list = {
      ...getPod,
      path: '/api/v1/namespaces/default/pods',
      asked: { verb: 'list', resource: 'pods', namespace: 'default' },
    } as const;
    await expect(connected.client.call(list)).rejects.toMatchObject({ code: 403 });
    expect(server.matching({ verb: 'list' })).toHaveLength(1);
  });

  test('whose connection is still being made ends at once when it is aborted', async () => {
    // Takes connections, and says nothing: no TLS comes about.
    const silent = createServer(() => {});
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    try {
      await start({ tls: true });
      const { port } = silent.address() as AddressInfo;
      connected = connectTo({ kubeconfig: server.kubeconfig.replace(server.url, `https://127.0.0.1:${port}`) });
      const stop = new AbortController();
      const since = performance.now();
      const call = connected.client.call(getPod, stop.signal);
      setTimeout(() => stop.abort(new Error('cancelled')), 50);
      await expect(call).rejects.toThrow('cancelled');
      expect(performance.now() - since).toBeLessThan(2000);
    } finally {
      silent.close();
    }
  });

  test.each([
    ['a redirect to a login page', { code: 302, headers: { Location: 'https://sso.example/login' }, body: 'Found' }],
    ['a page instead of JSON', html],
    ['JSON that says it is text', { code: 200, body: '{"kind":' }],
    ['JSON of a gateway', { code: 404, body: { message: 'no Route matched with those values' } }],
    ['403 of a proxy', { ...html, code: 403 }],
    ['404 of a web server', { code: 404, body: '404 page not found\n' }],
    ['407', { ...html, code: 407 }],
  ])('knows what is no API server: %s', async (_, reply) => {
    await start();
    server.fault({ times: 9, action: { kind: 'answer', reply } });
    await expect(connected.client.call(getPod)).rejects.toMatchObject({
      reason: 'Unreachable',
      title: 'Not a Kubernetes API server',
      message: expect.stringContaining(server.url),
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe('an outage', () => {
  test('at first contact is borne for 60 s, told once, and its end too', async () => {
    await start();
    await server.refuse();
    const call = connected.client.call(getPod);
    await tries(2);
    expect(connected.told).toEqual([]);
    aheadSeconds = 30;
    await tries(3);
    expect(connected.told).toEqual(['lost: connection refused (60 s)']);
    await server.accept();
    expect(await call).toEqual(pod);
    expect(connected.told).toEqual(['lost: connection refused (60 s)', 'back']);
  });

  test('at first contact is an outcome after 60 s', async () => {
    await start();
    await server.refuse();
    const call = connected.client.call(getPod);
    call.catch(() => {});
    await tries(2);
    aheadSeconds = 61;
    await expect(call).rejects.toMatchObject({
      reason: 'Unreachable',
      message: expect.stringMatching(/ did not answer within 6[1-3] s: connection refused\.$/),
    });
  });

  test('after that is borne for an hour', async () => {
    await start();
    await connected.client.call(getPod);
    await server.refuse();
    const call = connected.client.call(getPod);
    call.catch(() => {});
    await tries(2);
    aheadSeconds = 3500;
    await tries(2);
    expect(connected.told).toEqual(['lost: connection refused (3600 s)']);
    aheadSeconds = 3601;
    await expect(call).rejects.toMatchObject({
      reason: 'Unreachable',
      message: expect.stringMatching(/ has been away for 360[1-3] s: connection refused\.$/),
      remedy: expect.stringContaining('outage_timeout_seconds'),
    });
  });

  test('that the server itself tells of, by 503, is one too', async () => {
    await start();
    const fault = server.fault({ times: 99, action: { kind: 'answer', reply: replies.unavailable() } });
    const call = connected.client.call(getPod);
    await server.request({}, 2);
    aheadSeconds = 5;
    await server.request({}, 4);
    expect(connected.told).toHaveLength(1);
    fault.clear();
    expect(await call).toEqual(pod);
    expect(connected.told).toEqual([expect.stringContaining('HTTP 503'), 'back']);
  });

  test('that the server itself tells of ends with how long it did', async () => {
    await start();
    const reply = replies.internalError('failed calling webhook "w": refused');
    server.fault({ times: 99, action: { kind: 'answer', reply } });
    const call = connected.client.call(getPod);
    call.catch(() => {});
    await server.request({}, 2);
    aheadSeconds = 3601;
    await expect(call).rejects.toMatchObject({
      reason: 'ServerError',
      title: 'An admission webhook does not answer',
      message: expect.stringMatching(
        /^The API server answered get pods with HTTP 500 for 360[1-3] s: .*webhook "w": refused$/,
      ),
      remedy: expect.stringMatching(/^See to webhook w: .* raise `outage_timeout_seconds`\.$/),
    });
  });

  test('may be followed by 403 for a while, from a server whose caches are empty', async () => {
    await start();
    await connected.client.call(getPod);
    server.fault({ action: { kind: 'reset' } });
    await connected.client.call(getPod);
    server.fault({ times: 2, action: { kind: 'answer', reply: replies.forbidden('get') } });
    expect(await connected.client.call(getPod)).toEqual(pod);
    aheadSeconds = 31;
    server.fault({ action: { kind: 'answer', reply: replies.forbidden('get') } });
    expect(await connected.client.call(getPod)).toEqual(pod);
  });

  /** Until the client has begun so many tries more: before each it asks for its credentials. */
  async function tries(times: number): Promise<void> {
    const { kubeConfig } = connected.client.target;
    const spy = jest.spyOn(kubeConfig, 'applyToHTTPSOptions');
    while (spy.mock.calls.length < times) await new Promise(resolve => setTimeout(resolve, 5));
    spy.mockRestore();
  }
});

describe('over TLS', () => {
  test('an authority of the kubeconfig is trusted', async () => {
    await start({ tls: true });
    expect(await connected.client.call(getPod)).toEqual(pod);
  });

  test.each([
    ['has expired', { expired: true }, (config: string) => config, 'its certificate has expired.'],
    [
      'is by somebody else',
      true as const,
      (config: string) => config.replace(/ +certificate-authority-data: .*\n/, ''),
      'its certificate is not signed by an authority that Node.js knows, and no other was given.',
    ],
  ])('a certificate that %s is not waited for', async (_, tls, change, why) => {
    await start({ tls });
    connected = connectTo({ kubeconfig: change(server.kubeconfig) });
    await expect(connected.client.call(getPod)).rejects.toMatchObject({
      reason: 'Unreachable',
      title: 'The API server cannot be trusted',
      message: `The API server at ${server.url} cannot be trusted: ${why}`,
      remedy: expect.stringMatching(/certificate/),
    });
    expect(connected.told).toEqual([]);
  });
});

describe('when it is aborted', () => {
  const reason = new Error('cancelled');

  test.each<[string, FaultAction]>([
    ['while it waits for an answer', { kind: 'hang' }],
    ['in mid-answer', { kind: 'quiet', afterBytes: 10 }],
    ['in the pause after a failed try', { kind: 'answer', reply: replies.tooManyRequests(30) }],
  ])('a call rejects with the reason of the abort, %s', async (_, action) => {
    await start();
    server.fault({ action });
    const stop = new AbortController();
    const call = connected.client.call(getPod, stop.signal);
    call.catch(() => {});
    const request = await server.request({});
    while (action.kind !== 'hang' && request.code === undefined) await new Promise(setImmediate);
    await new Promise(resolve => setTimeout(resolve, 20));
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  test('before it began, nothing is sent', async () => {
    await start();
    await expect(connected.client.call(getPod, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });

  test('its streams end, and nothing of it is left unhandled', async () => {
    await start();
    (await server.pod()).run().write('hello');
    // A process of its own: an unhandled rejection ends it.
    const script = `
      const [{ ApiClient }, { findCluster }] = await Promise.all([import(process.argv[1]), import(process.argv[2])]);
      const client = new ApiClient(findCluster({ kubeconfig: process.env.KC }, {}), { lost() {}, back() {}, credential() {} });
      const log = ${JSON.stringify(log)}, get = ${JSON.stringify(getPod)};
      for (let ms = 0; ms < 40; ms++) {
        const stop = new AbortController();
        setTimeout(() => stop.abort(new Error('stop')), ms / 4);
        await client.call(get, stop.signal).catch(() => {});
        const body = await client.open(log, stop.signal).catch(() => undefined);
        // Now read, now left alone.
        if (ms % 2) try { for await (const chunk of body ?? []); } catch {}
        await new Promise(resolve => stop.signal.aborted ? resolve() : stop.signal.addEventListener('abort', resolve));
      }
      await client.close();
      console.log('done');`;
    const module = (name: string) => join(import.meta.dirname, '../../src/kubernetes', name);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--input-type=module', '-e', script, module('client.ts'), module('config.ts')],
      { env: { KC: server.kubeconfig } },
    );
    expect([stdout, stderr]).toEqual(['done\n', '']);
  });
});

describe('a stream', () => {
  test('brings what comes, as it comes', async () => {
    await start();
    const running = (await server.pod()).run();
    const body = await connected.client.open(log, noSignal());
    const chunks = body?.[Symbol.asyncIterator]();
    running.write('one');
    expect(String((await chunks?.next())?.value)).toBe('one\n');
    running.write('two');
    expect(String((await chunks?.next())?.value)).toBe('two\n');
    running.terminate();
    expect((await chunks?.next())?.done).toBe(true);
  });

  test('is none while the pod has no node', async () => {
    await start();
    expect(await connected.client.open(log, noSignal())).toBeUndefined();
    // The connection can be used again.
    expect(await connected.client.call(getPod)).toEqual(pod);
  });

  test('that is refused says why', async () => {
    await start();
    (await server.pod()).schedule();
    await expect(connected.client.open(log, noSignal())).rejects.toMatchObject({
      code: 400,
      message: 'container "base" in pod "p" is waiting to start: ContainerCreating',
    });
  });
});
