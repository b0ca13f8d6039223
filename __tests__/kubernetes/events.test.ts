import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { followEvents, listEvents, type PodEvents } from '../../src/kubernetes/events.ts';
import { type FakeApiServer, type FaultAction, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { connectTo, noSignal } from './connected.ts';

const pod = { namespace: 'etl', name: 'p', uid: 'u-1' };
const events = { path: /\/events$/ };
/** As recorded: the kubelet fills in the old time fields, the scheduler the new ones. */
const list = [
  {
    type: 'Warning',
    metadata: { uid: 'e-1' },
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "v" : secret "gone" not found',
    count: 7,
    firstTimestamp: '2026-11-21T07:43:40Z',
    lastTimestamp: '2026-11-21T07:44:12Z',
    involvedObject: { uid: 'u-1' },
  },
  {
    type: 'Normal',
    metadata: { uid: 'e-2' },
    reason: 'Scheduled',
    message: 'Successfully assigned etl/p to localhost',
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: '2026-11-21T07:43:39.612345Z',
    involvedObject: { uid: 'u-1' },
  },
  {
    type: 'Warning',
    metadata: { uid: 'e-3' },
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

describe('followed', () => {
  const said = (reason: string, more: object = {}) => ({
    ...list[0],
    count: 1,
    metadata: { uid: reason },
    reason,
    firstTimestamp: '2026-11-21T07:50:00Z',
    lastTimestamp: '2026-11-21T07:50:00Z',
    ...more,
  });

  const watching = { ...events, query: { watch: 'true' } };

  /** Follows, and gives what it has told so far, each piece of news as the reasons in it. */
  function follow() {
    const stop = new AbortController();
    const news: (string | string[])[] = [];
    let look = () => {};
    const onNews = (told: PodEvents) => {
      news.push(typeof told === 'string' ? told : told.map(({ reason, count = 1 }) => `${reason} ${count}`));
      look();
    };
    const again = { list: 0, refused: 0 };
    const followed = followEvents(connected.client, pod, onNews, stop.signal, again);
    const untilNews = (count: number) =>
      new Promise<typeof news>(resolve => {
        look = () => news.length >= count && resolve(news.slice(0, count));
        look();
      });
    const end = async () => {
      stop.abort(new Error('over'));
      await expect(followed).rejects.toThrow('over');
    };
    return { untilNews, end };
  }
  const before = ['Scheduled 1', 'Failed 1', 'FailedMount 7'];

  test('are told as they come, with one list and one watch', async () => {
    const { untilNews, end } = follow();
    await server.request(watching);
    server.events.add(said('Pulling'));
    await untilNews(2);
    server.events.add(said('Pulling', { count: 3, lastTimestamp: '2026-11-21T07:51:00Z' }));
    expect(await untilNews(3)).toEqual([before, [...before, 'Pulling 1'], [...before, 'Pulling 3']]);
    expect(server.matching(events)).toHaveLength(2);
    await end();
  });

  test.each<[string, FaultAction]>([
    ['breaks', { kind: 'reset' }],
    ['is refused', { kind: 'answer', reply: replies.forbidden('watch', 'events', 'etl') }],
    ['is told that it is too old', { kind: 'expired' }],
  ])('go on after a watch that %s', async (_, action) => {
    server.fault({ match: watching, action });
    const { untilNews, end } = follow();
    await server.request(watching);
    server.events.add(said('Pulling'));
    const news = await untilNews(2);
    expect(news[1]).toEqual([...before, 'Pulling 1']);
    await server.request(watching, 2);
    await end();
  });

  test('that are not allowed are told of, and asked for again', async () => {
    const reply = replies.forbidden('list', 'events', 'etl');
    server.fault({ match: events, action: { kind: 'answer', reply } });
    const { untilNews, end } = follow();
    expect(await untilNews(2)).toEqual(['not allowed', before]);
    await end();
  });
});
