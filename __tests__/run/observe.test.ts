import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { ObservedPod, type PodView } from '../../src/run/observe.ts';
import { type Connected, connectTo, podManifest, shortPauses } from '../kubernetes/connected.ts';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../support/fake-api-server.ts';

let server: FakeApiServer;
let connected: Connected;
let pod: FakePod;
let observed: ObservedPod;
/** Every state of the pod that the observer has shown, in order. */
let seen: string[];
/** What the log was told. */
let told: string[];

beforeEach(async () => {
  shortPauses();
  server = await startFakeApiServer();
  connected = connectTo(server);
  pod = server.addPod(podManifest());
});
afterEach(async () => {
  observed.stop();
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

/** From the pod's state as it is now. */
function observe(polling?: { seconds: number; times: number }): void {
  told = [];
  const log = { line: (text: string) => void told.push(text) };
  observed = new ObservedPod(connected.client, structuredClone(pod.object) as unknown as V1Pod, log, polling);
  seen = [];
  observed
    .until(view => {
      seen.push(shown(view));
      return undefined;
    })
    .catch(() => {});
}

const shown = ({ pod, gone }: PodView) => `${gone ? 'gone ' : ''}${pod.metadata?.resourceVersion} ${pod.status?.phase}`;
const node = ({ pod }: PodView) => pod.spec?.nodeName;
const phase = (wanted: string) => (view: PodView) => (view.pod.status?.phase === wanted ? view : undefined);
const isGone = (view: PodView) => (view.gone ? view : undefined);
const versions = () => seen.map(state => Number(/\d+/.exec(state)?.[0]));

describe('what is observed', () => {
  test('follows the pod, from its create to its end', async () => {
    observe();
    expect(observed.view.gone).toBe(false);
    const found = observed.until(node);
    pod.schedule('node-7');
    expect(await found).toBe('node-7');
    pod.run().terminate({ exitCode: 3 });
    await observed.until(phase('Failed'));
    expect(server.matching({ verb: 'watch' })[0]?.query['resourceVersion']).toBe('1001');
    expect(seen).toEqual(['1001 Pending', '1002 Pending', '1003 Running', '1004 Failed']);
  });

  test('is the last state, once the pod is gone', async () => {
    observe();
    pod.run();
    await observed.until(phase('Running'));
    pod.stop(137);
    const { pod: last } = await observed.until(isGone);
    expect(last.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(137);
    expect(shown(observed.view)).toMatch(/^gone \d+ Failed$/);
    await new Promise(resolve => setTimeout(resolve, 30));
    expect(server.open()).toEqual([]);
  });

  test('is not the pod of that name that came after it', async () => {
    observe();
    pod.run();
    await observed.until(phase('Running'));
    await server.refuse();
    pod.remove();
    const other = server.addPod(podManifest()).run().terminate();
    await server.accept();
    await observed.until(isGone);
    expect(observed.view.pod.metadata?.uid).toBe(pod.object.metadata.uid);
    expect(observed.view.pod.metadata?.uid).not.toBe(other.object.metadata.uid);
  });

  test('is not the pod of that name that came after it, when the watch tells nothing of its end', async () => {
    observe();
    await server.request({ verb: 'watch' });
    server.fault({ match: { verb: 'watch' }, times: 99, action: { kind: 'answer', reply: replies.unavailable() } });
    await server.refuse();
    pod.remove();
    server.addPod(podManifest()).run().terminate();
    await server.accept();
    expect((await observed.until(isGone)).pod.metadata?.uid).toBe(pod.object.metadata.uid);
  });

  test('is not the pod of that name that the watch shows', async () => {
    const other = structuredClone(pod.object);
    Object.assign(other.metadata, { uid: 'another', resourceVersion: '9999' });
    const body = `${JSON.stringify({ type: 'ADDED', object: other })}\n`;
    server.fault({ match: { verb: 'watch' }, action: { kind: 'answer', reply: { code: 200, body } } });
    observe();
    expect((await observed.until(isGone)).pod.metadata?.uid).toBe(pod.object.metadata.uid);
    expect(server.matching({ verb: 'get' })).toEqual([]);
  });

  test('is gone only when two answers say so', async () => {
    observe();
    await server.request({ verb: 'watch' });
    const fault = server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: replies.podNotFound('p') } });
    server.endStreams({ verb: 'watch' });
    await server.request({ verb: 'watch' }, 2);
    expect(fault.hits).toBe(1);
    expect(observed.view.gone).toBe(false);
    pod.run();
    await observed.until(phase('Running'));
  });

  test('does not go back to what a newer answer has overtaken', async () => {
    observe();
    await server.request({ verb: 'watch' });
    // Nothing comes of the first watch; the second goes on from where that began, behind what the GET between them finds.
    await server.refuse();
    pod.run().write('x').terminate();
    await server.accept();
    await observed.until(phase('Succeeded'));
    await server.request({ verb: 'watch' }, 2);
    pod.patch(({ metadata }) => {
      metadata.labels = { last: 'yes' };
    });
    await observed.until(({ pod }) => pod.metadata?.labels?.['last']);
    expect(versions()).toEqual([...versions()].sort((a, b) => a - b));
  });

  test('is not overwritten by an older answer', async () => {
    observe();
    await server.request({ verb: 'watch' });
    const old = structuredClone(pod.object);
    pod.run();
    await observed.until(phase('Running'));
    server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: { code: 200, body: old } } });
    server.endStreams({ verb: 'watch' });
    await server.request({ verb: 'watch' }, 2);
    expect(observed.view.pod.status?.phase).toBe('Running');
    expect(seen).not.toContain('1001 Pending 2');
    expect(versions()).toEqual([...versions()].sort((a, b) => a - b));
  });
});

describe('a watch', () => {
  test.each<[string, () => void]>([
    ['ends', () => server.endStreams({ verb: 'watch' })],
    ['is reset', () => server.cutStreams({ verb: 'watch' })],
  ])('that %s is opened again', async (_, interrupt) => {
    observe();
    for (let times = 1; times <= 3; times++) {
      await server.request({ verb: 'watch' }, times);
      interrupt();
    }
    await server.request({ verb: 'watch' }, 4);
    pod.run();
    await observed.until(phase('Running'));
    expect(connected.told).toEqual([]);
  });

  test('whose credentials expire between two of them is opened again with new ones', async () => {
    observe();
    for (let times = 1; times <= 3; times++) {
      await server.request({ verb: 'watch' }, 2 * times - 1);
      server.fault({ match: { verb: 'watch' }, action: { kind: 'answer', reply: replies.unauthorized() } });
      server.endStreams({ verb: 'watch' });
      await server.request({ verb: 'watch' }, 2 * times + 1);
    }
    pod.run();
    await observed.until(phase('Running'));
    expect(connected.told).toEqual([]);
  });

  test('that is too old is opened again from what a GET finds', async () => {
    observe();
    await server.request({ verb: 'watch' });
    pod.schedule();
    await observed.until(node);
    server.fault({ match: { verb: 'watch' }, action: { kind: 'expired' } });
    server.endStreams({ verb: 'watch' });
    const third = await server.request({ verb: 'watch' }, 3);
    expect(third.query['resourceVersion']).toBe('1002');
    pod.run();
    await observed.until(phase('Running'));
  });

  test('that is refused with 410 is opened again too', async () => {
    server.fault({ match: { verb: 'watch' }, action: { kind: 'answer', reply: replies.expired('1', '9') } });
    observe();
    pod.run();
    await observed.until(phase('Running'));
  });

  test('goes on from the last bookmark', async () => {
    observe();
    await server.request({ verb: 'watch' });
    server.addPod(podManifest('another'));
    server.bookmark();
    server.endStreams({ verb: 'watch' });
    const second = await server.request({ verb: 'watch' }, 2);
    expect(second.query['resourceVersion']).toBe('1002');
    expect(seen).toEqual(['1001 Pending']);
  });

  test('that may not be is replaced by asking now and then', async () => {
    server.fault({
      match: { verb: 'watch' },
      times: 99,
      action: { kind: 'answer', reply: replies.forbidden('watch') },
    });
    observe();
    await server.request({ verb: 'watch' }, 4);
    pod.run();
    await observed.until(phase('Running'));
    pod.terminate();
    await observed.until(phase('Succeeded'));
    expect(server.matching({ verb: 'watch' })).toHaveLength(4);
    expect(server.matching({ verb: 'get' }).length).toBeGreaterThan(1);
    expect(told).toEqual([
      'The credentials may not watch pods, so the pod is asked for every 2 s: its start and its end are seen that much later.',
    ]);
  });

  test('that may not be is tried again after a while, for the right may have been given', async () => {
    const forbidden = server.fault({
      match: { verb: 'watch' },
      times: 9999,
      action: { kind: 'answer', reply: replies.forbidden('watch') },
    });
    observe({ seconds: 0.01, times: 20 });
    await server.request({ verb: 'watch' }, 8);
    expect(server.matching({ verb: 'get' }).length).toBeGreaterThan(20);
    expect(told).toHaveLength(1);
    forbidden.clear();
    await server.request({ verb: 'watch' }, 9);
    pod.run();
    await observed.until(phase('Running'));
  });

  test('that is refused once, as by a server that has just started, is asked for again', async () => {
    server.fault({ match: { verb: 'watch' }, times: 1, action: { kind: 'answer', reply: replies.forbidden('watch') } });
    observe();
    pod.run();
    await observed.until(phase('Running'));
    await server.request({ verb: 'watch' }, 2);
    pod.terminate();
    await observed.until(phase('Succeeded'));
  });

  test.each<[string, Parameters<FakeApiServer['fault']>[0]['action']]>([
    ['ends at once', { kind: 'cleanEnd', afterBytes: 0 }],
    ['is told at once that it is too old', { kind: 'expired' }],
    ['is refused with 410', { kind: 'answer', reply: replies.expired('1', '9') }],
    ['is reset at once', { kind: 'reset' }],
    ['breaks off with rubbish', { kind: 'answer', reply: { code: 200, body: '<html>\n' } }],
  ])('that %s, always, is no reason to overrun the server, and the pod is seen all the same', async (_, action) => {
    jest.restoreAllMocks();
    server.fault({ match: { verb: 'watch' }, times: 9999, action });
    observe();
    await new Promise(resolve => setTimeout(resolve, 600));
    expect(server.requests.length).toBeLessThan(12);
    pod.run();
    await observed.until(phase('Running'));
  });

  test.each([
    ['500', replies.internalError('x')],
    ['503', replies.unavailable()],
    ['429', replies.tooManyRequests(0.01)],
  ])('that is answered with %s is opened again', async (_, reply) => {
    server.fault({ match: { verb: 'watch' }, times: 3, action: { kind: 'answer', reply } });
    observe();
    await server.request({ verb: 'watch' }, 4);
    pod.run();
    await observed.until(phase('Running'));
  });
});

describe('a watch that brings nothing more', () => {
  const timers = ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask', 'performance', 'Date', 'hrtime'] as const;
  afterEach(() => void jest.useRealTimers());

  test('is helped by a GET every 45 s', async () => {
    jest.useFakeTimers({ doNotFake: [...timers] });
    server.fault({ match: { verb: 'watch' }, action: { kind: 'quiet' } });
    observe();
    await server.request({ verb: 'watch' });
    pod.run();
    jest.advanceTimersByTime(44_000);
    expect(server.matching({ verb: 'get' })).toEqual([]);
    jest.advanceTimersByTime(1000);
    await observed.until(phase('Running'));
    expect(server.matching({ verb: 'watch' })).toHaveLength(1);
  });

  test('is given up after 150 s, for bookmarks would come', async () => {
    jest.useFakeTimers({ doNotFake: [...timers] });
    const now = performance.now.bind(performance);
    let aheadSeconds = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
    server.fault({ match: { verb: 'watch' }, action: { kind: 'quiet' } });
    observe();
    const first = await server.request({ verb: 'watch' });
    aheadSeconds = 149;
    jest.advanceTimersByTime(1000);
    aheadSeconds = 151;
    expect(server.open({ verb: 'watch' })).toEqual([first]);
    jest.advanceTimersByTime(1000);
    await server.request({ verb: 'watch' }, 2);
    expect(first.ended).toBe(true);
  });
});

describe('an outage', () => {
  test('is borne, and told once each', async () => {
    const now = performance.now.bind(performance);
    let aheadSeconds = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
    await connected.client.call({
      method: 'GET',
      path: '/version',
      asked: { verb: 'get', resource: 'pods', namespace: 'x' },
    });
    observe();
    await server.request({ verb: 'watch' });
    await server.refuse();
    await new Promise(resolve => setTimeout(resolve, 50));
    aheadSeconds = 100;
    while (connected.told.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
    expect(connected.told).toEqual([expect.stringContaining('lost: ')]);
    pod.run().terminate({ exitCode: 4 });
    await server.accept();
    await observed.until(phase('Failed'));
    expect(connected.told).toEqual([expect.stringContaining('lost: '), 'back']);
  });

  test('that does not end ends the observation, for everybody who waits', async () => {
    observe();
    await server.request({ verb: 'watch' });
    server.fault({ times: 99, action: { kind: 'answer', reply: replies.badRequest('broken') } });
    const waiting = [observed.until(isGone), observed.until(phase('Failed'))];
    server.endStreams();
    for (const wait of waiting) await expect(wait).rejects.toMatchObject({ code: 400 });
    await expect(observed.until(isGone)).rejects.toMatchObject({ code: 400 });
    // What is known already can still be had.
    expect(await observed.until(phase('Pending'))).toBeDefined();
  });
});

describe('waiting', () => {
  const listeners = (signal: AbortSignal) => {
    const [add, remove] = [jest.spyOn(signal, 'addEventListener'), jest.spyOn(signal, 'removeEventListener')];
    return () => add.mock.calls.length - remove.mock.calls.length;
  };

  test('ends with the reason of the abort, and leaves no listener', async () => {
    observe();
    const stop = new AbortController();
    const left = listeners(stop.signal);
    const looks: string[] = [];
    const waiting = observed.until(view => void looks.push(shown(view)), stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    pod.run();
    await observed.until(phase('Running'));
    expect(looks).toEqual(['1001 Pending']);
    expect(left()).toBeLessThanOrEqual(0);
  });

  test('leaves no listener when it has found what it waited for', async () => {
    observe();
    const stop = new AbortController();
    const left = listeners(stop.signal);
    const waiting = observed.until(phase('Running'), stop.signal);
    pod.run();
    await waiting;
    expect(left()).toBeLessThanOrEqual(0);
  });

  test('does not begin when it is aborted already', async () => {
    observe();
    const reason = new Error('enough');
    await expect(observed.until(() => true, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('ends with what its decision throws, now or later', async () => {
    observe();
    const fail = (wanted: string) => (view: PodView) => {
      if (view.pod.status?.phase === wanted) throw new Error(wanted);
      return undefined;
    };
    await expect(observed.until(fail('Pending'))).rejects.toThrow('Pending');
    const later = observed.until(fail('Running'));
    pod.run();
    await expect(later).rejects.toThrow('Running');
  });
});

test('stopped, it asks for nothing more', async () => {
  observe();
  const watch = await server.request({ verb: 'watch' });
  observed.stop();
  while (!watch.ended) await new Promise(setImmediate);
  const count = server.requests.length;
  pod.run();
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(server.requests).toHaveLength(count);
  expect(observed.view.pod.status?.phase).toBe('Pending');
});
