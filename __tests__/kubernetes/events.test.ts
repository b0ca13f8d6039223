import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { listEvents } from '../../src/kubernetes/events.ts';
import { type FakeApiServer, type FaultAction, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { connectTo, noSignal } from './connected.ts';

const pod = { namespace: 'etl', name: 'p', uid: 'u-1' };
const events = { path: /\/events$/ };
/** As recorded: the kubelet fills in the old time fields, the scheduler the new ones. */
const list = [
  {
    type: 'Warning',
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "v" : secret "gone" not found',
    count: 7,
    firstTimestamp: '2026-11-21T07:43:40Z',
    lastTimestamp: '2026-11-21T07:44:12Z',
    involvedObject: { uid: 'u-1' },
  },
  {
    type: 'Normal',
    reason: 'Scheduled',
    message: 'Successfully assigned etl/p to localhost',
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: '2026-11-21T07:43:39.612345Z',
    involvedObject: { uid: 'u-1' },
  },
  {
    type: 'Warning',
    reason: 'Failed',
    message: 'Error: secret "gone" not found',
    firstTimestamp: '2026-11-21T07:43:40Z',
    lastTimestamp: '2026-11-21T07:44:06Z',
    involvedObject: { uid: 'u-1', fieldPath: 'spec.containers{base}' },
  },
];

let server: FakeApiServer;
let connected: ReturnType<typeof connectTo>;
beforeEach(async () => {
  server = await startFakeApiServer({ events: list });
  connected = connectTo(server);
});
afterEach(async () => {
  await connected.client.close();
  await server.close();
});

const at = (time: string) => new Date(`2026-11-21T07:${time}Z`).getTime();

test('are those of the pod alone, newest last, with the times of the cluster', async () => {
  expect(await listEvents(connected.client, pod, noSignal())).toEqual([
    { type: 'Normal', reason: 'Scheduled', message: expect.any(String), firstMs: at('43:39'), lastMs: at('43:39') },
    {
      type: 'Warning',
      reason: 'Failed',
      message: 'Error: secret "gone" not found',
      container: 'base',
      firstMs: at('43:40'),
      lastMs: at('44:06'),
    },
    {
      type: 'Warning',
      reason: 'FailedMount',
      message: expect.any(String),
      count: 7,
      firstMs: at('43:40'),
      lastMs: at('44:12'),
    },
  ]);
  const [request] = server.matching(events);
  expect(request).toMatchObject({
    path: '/api/v1/namespaces/etl/events',
    query: { fieldSelector: 'involvedObject.uid=u-1' },
  });
});

test.each<[string, FaultAction, string]>([
  ['not allowed', { kind: 'answer', reply: replies.forbidden('list', 'events', 'etl') }, 'not allowed'],
  ['an error of the server', { kind: 'answer', reply: replies.internalError('etcd') }, 'unavailable'],
  ['too many requests', { kind: 'answer', reply: replies.tooManyRequests() }, 'unavailable'],
  ['an expired token', { kind: 'answer', reply: replies.unauthorized() }, 'unavailable'],
  ['a cut connection', { kind: 'reset' }, 'unavailable'],
  ['something else than a list', { kind: 'answer', reply: { code: 200, body: { kind: 'Pod' } } }, 'unavailable'],
  ['a login page', { kind: 'answer', reply: { code: 200, body: '<html>' } }, 'unavailable'],
])('are optional: %s is no failure, and is not tried again', async (_, action, expected) => {
  server.fault({ match: events, action });
  expect(await listEvents(connected.client, pod, noSignal())).toBe(expected);
  expect(server.matching(events)).toHaveLength(1);
  expect(connected.told).toEqual([]);
});

test('are given up with the wait that asked for them', async () => {
  server.fault({ match: events, action: { kind: 'hang' } });
  const stop = new AbortController();
  const listed = listEvents(connected.client, pod, stop.signal);
  await server.request(events);
  stop.abort(new Error('started'));
  await expect(listed).rejects.toThrow('started');
});
