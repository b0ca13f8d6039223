import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { findOwnPod, type OwnPod, type Surroundings } from '../../src/kubernetes/own-pod.ts';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { connectTo, noSignal, podManifest, shortPauses } from './connected.ts';

let server: FakeApiServer;
let connected: ReturnType<typeof connectTo>;
let serviceAccount: string;
beforeEach(async () => {
  server = await startFakeApiServer();
  connected = connectTo(server);
  serviceAccount = mkdtempSync(join(tmpdir(), 'service-account-'));
});
afterEach(async () => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  rmSync(serviceAccount, { recursive: true });
  await connected.client.close();
  await server.close();
});

const IN_POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
const OURS = ['10.244.0.7', 'fd00::a:7'];

const find = (env: NodeJS.ProcessEnv, namespace = 'default', signal = noSignal()): Promise<OwnPod | undefined> => {
  const here: Surroundings = { env, serviceAccount, addresses: () => OURS };
  return findOwnPod(connected.client, namespace, signal, here);
};

/** A pod of the cluster, with these addresses. */
function pod(name: string, ...ips: string[]): FakePod {
  return server.addPod(podManifest(name)).patch(({ status }) => {
    status.phase = 'Running';
    status['podIPs'] = ips.map(ip => ({ ip }));
  });
}

const uidOf = ({ object }: FakePod) => object.metadata.uid;
const mount = (file: 'token' | 'namespace', text: string) => writeFileSync(join(serviceAccount, file), text);
const tokenOf = (claims: unknown) =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.');
/** A token as the kubelet mounts it. */
const boundTo = (name: string, uid: string, namespace = 'default') =>
  tokenOf({
    aud: ['https://kubernetes.default.svc'],
    'kubernetes.io': { namespace, pod: { name, uid }, serviceaccount: { name: 'runner', uid: 'another' } },
    sub: `system:serviceaccount:${namespace}:runner`,
  });
const gets = () => server.requests.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);

test.each<[string, NodeJS.ProcessEnv]>([
  ['knows nothing', {}],
  ['has a host name like a pod’s', { HOSTNAME: 'runner' }],
  ['is told a pod’s name', { ACTIONS_RUNNER_POD_NAME: 'runner', KUBERNETES_SERVICE_HOST: '' }],
])('a process outside a cluster, which %s, asks for nothing', async (_, env) => {
  pod('runner', ...OURS);
  expect(await find(env)).toBeUndefined();
  expect(server.requests).toEqual([]);
});

describe('the token that the kubelet has mounted', () => {
  test('names the pod, and its UID is the proof', async () => {
    const runner = pod('runner');
    mount('token', boundTo('runner', uidOf(runner)));
    expect(await find({})).toEqual({ pod: { namespace: 'default', name: 'runner', uid: uidOf(runner) } });
    expect(gets()).toEqual(['GET runner']);
  });

  test('is believed before the environment', async () => {
    pod('other', ...OURS);
    const runner = pod('runner');
    mount('token', boundTo('runner', uidOf(runner)));
    expect(await find({ ...IN_POD, HOSTNAME: 'other' })).toMatchObject({ pod: { name: 'runner' } });
  });

  test.each([
    ['a namesake on another cluster', () => pod('runner', ...OURS), 'it has another UID than'],
    ['none', () => {}, 'there is none'],
  ])('does not make an owner of %s', async (_, arrange, why) => {
    arrange();
    mount('token', boundTo('runner', 'its-uid'));
    const found = await find({ ...IN_POD, HOSTNAME: 'runner' });
    expect(found).toEqual({ unknown: expect.stringContaining(`pod default/runner: ${why}`) });
    expect(gets()).toEqual(['GET runner']);
  });

  test('of another namespace ends it without a request', async () => {
    const runner = pod('runner', ...OURS);
    mount('token', boundTo('runner', uidOf(runner), 'arc-runners'));
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({
      unknown: 'this process runs in namespace arc-runners',
    });
    expect(server.requests).toEqual([]);
  });

  test.each([
    ['is of no pod', tokenOf({ 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'runner' } } })],
    ['is an old one', tokenOf({ 'kubernetes.io/serviceaccount/namespace': 'default' })],
    ['is no JSON', ['a', Buffer.from('s3cret').toString('base64url'), 'c'].join('.')],
    ['is no token', 's3cret'],
    ['names no text', tokenOf({ 'kubernetes.io': { namespace: 'default', pod: { name: ['runner'], uid: 7 } } })],
    ['is empty', ''],
    ['is null', tokenOf(null)],
  ])('that %s leaves it to the environment', async (_, token) => {
    const runner = pod('runner', ...OURS);
    mount('token', token);
    expect(await find({ HOSTNAME: 'runner' })).toEqual({
      pod: { namespace: 'default', name: 'runner', uid: uidOf(runner) },
    });
    expect(JSON.stringify(await find({}))).toBe('{"unknown":"nothing says which pod this process runs in"}');
  });

  test('that names what cannot be a pod’s name is no path to anywhere', async () => {
    mount('token', boundTo('../secrets/x', 'uid'));
    expect(await find(IN_POD)).toEqual({ unknown: 'nothing says which pod this process runs in' });
    expect(server.requests).toEqual([]);
  });
});

describe('a name in the environment', () => {
  test.each([
    ['HOSTNAME', { HOSTNAME: 'runner' }, ['GET runner']],
    ['ACTIONS_RUNNER_POD_NAME', { ACTIONS_RUNNER_POD_NAME: 'runner' }, ['GET runner']],
    ['the second of both', { HOSTNAME: 'node-1', ACTIONS_RUNNER_POD_NAME: 'runner' }, ['GET node-1', 'GET runner']],
    ['one twice', { HOSTNAME: 'runner', ACTIONS_RUNNER_POD_NAME: 'runner' }, ['GET runner']],
    ['the one that can be a name', { HOSTNAME: 'Node_1', ACTIONS_RUNNER_POD_NAME: 'runner' }, ['GET runner']],
  ])('is taken where the pod has an address of this host: %s', async (_, env, requests) => {
    const runner = pod('runner', '192.0.2.4', 'FD00::A:7');
    expect(await find({ ...IN_POD, ...env })).toMatchObject({ pod: { uid: uidOf(runner) } });
    expect(gets()).toEqual(requests);
  });

  test.each<[string, () => unknown, string]>([
    ['a namesake', () => pod('runner', '10.244.0.8'), 'none of its addresses is this host’s'],
    ['one without an address yet', () => pod('runner'), 'none of its addresses is this host’s'],
    ['none', () => pod('another', ...OURS), 'there is none'],
    ['one that has failed', () => pod('runner', ...OURS).patch(failed), 'it has ended'],
    [
      'one that is being deleted with its dependents',
      () => pod('runner', ...OURS).patch(deleted('foregroundDeletion')),
      'it is being deleted with all that is its own',
    ],
  ])('is not taken for %s', async (_, arrange, why) => {
    arrange();
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({ unknown: `pod default/runner: ${why}` });
  });

  test('is taken for a pod that is told to stop, which may take hours for its job', async () => {
    pod('runner', ...OURS).patch(deleted());
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toMatchObject({ pod: { name: 'runner' } });
  });

  test('is not looked for in a namespace that the process does not run in', async () => {
    mount('namespace', 'arc-runners\n');
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({
      unknown: 'this process runs in namespace arc-runners',
    });
    expect(server.requests).toEqual([]);
  });
});

const failed = ({ status }: FakePod['object']) => {
  status.phase = 'Failed';
};
const deleted =
  (...finalizers: string[]) =>
  ({ metadata }: FakePod['object']) => {
    metadata.deletionTimestamp = '2026-03-01T12:00:00Z';
    metadata['finalizers'] = finalizers;
  };

describe('a request that brings no pod', () => {
  const refusal = { kind: 'answer', reply: replies.forbidden('get', 'pods') } as const;

  test('is no failure where it is refused, nor asked again', async () => {
    server.fault({ action: refusal, times: 9 });
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({ unknown: expect.stringContaining('may not get') });
    expect(gets()).toEqual(['GET runner']);
  });

  test('is given up after 2 s', async () => {
    pod('runner', ...OURS);
    server.fault({ action: { kind: 'hang' } });
    jest.useFakeTimers({ now: Date.now(), doNotFake: ['nextTick', 'setImmediate', 'performance', 'queueMicrotask'] });
    const found = find({ ...IN_POD, HOSTNAME: 'runner', ACTIONS_RUNNER_POD_NAME: 'another' });
    await server.request({ verb: 'get' });
    jest.advanceTimersByTime(1999);
    expect(await Promise.race([found, 'still waiting'])).toBe('still waiting');
    jest.advanceTimersByTime(1);
    expect(await found).toEqual({ unknown: 'no answer within 2 s' });
    expect(gets()).toEqual(['GET runner']);
  });

  test('is made again where the server is away for a while, as the create would be', async () => {
    shortPauses();
    pod('runner', ...OURS);
    server.fault({ action: { kind: 'reset' }, times: 8 });
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toMatchObject({ pod: { name: 'runner' } });
    expect(server.requests).toHaveLength(9);
  });

  test('is made again three times where the server fails by itself', async () => {
    shortPauses();
    server.fault({ action: { kind: 'answer', reply: replies.internalError('etcd') }, times: 9 });
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({ unknown: expect.any(String) });
    expect(server.requests).toHaveLength(4);
  });

  test('ends with the step that is cancelled', async () => {
    server.fault({ action: { kind: 'hang' } });
    const stop = new AbortController();
    const found = find({ ...IN_POD, HOSTNAME: 'runner' }, 'default', stop.signal);
    found.catch(() => {});
    await server.request({ verb: 'get' });
    stop.abort(new Error('cancelled'));
    await expect(found).rejects.toThrow('cancelled');
  });

  test('is no failure where what answers is no pod', async () => {
    server.fault({ action: { kind: 'answer', reply: { code: 200, body: null } } });
    expect(await find({ ...IN_POD, HOSTNAME: 'runner' })).toEqual({ unknown: expect.any(String) });
  });
});
