import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { createPod, deletePod, getPod, openLog, watchPod } from '../../src/kubernetes/pods.ts';
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

beforeEach(shortPauses);
afterEach(async () => {
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

async function start(options: FakeApiServerOptions = {}): Promise<void> {
  server = await startFakeApiServer(options);
  connected = connectTo(server);
}

const manifest = podManifest('p', { mark: 'ours' }) as V1Pod;
const verbs = () => server.requests.map(({ verb, code }) => `${verb} ${code ?? '-'}`);
const attempt = (stop = noSignal(), lastCall = noSignal()) => createPod(connected.client, manifest, { stop, lastCall });
const create = async () => {
  const creation = await attempt();
  if ('error' in creation) throw creation.error;
  return creation.pod;
};

describe('a create', () => {
  test('asks for strict validation, once', async () => {
    await start();
    expect((await create()).metadata?.uid).toBeDefined();
    expect(server.requests[0]?.query).toEqual({ fieldValidation: 'Strict' });
    expect(verbs()).toEqual(['create 201']);
  });

  test.each<[string, FaultAction, string[]]>([
    ['whose answer is lost is looked up, not sent again', { kind: 'loseAnswer' }, ['create -', 'get 200']],
    [
      'whose answer breaks off is looked up, not sent again',
      { kind: 'reset', afterBytes: 40 },
      ['create 201', 'get 200'],
    ],
    [
      'whose answer ends early is looked up, not sent again',
      { kind: 'cleanEnd', afterBytes: 40 },
      ['create 201', 'get 200'],
    ],
    [
      'that did not reach the server is looked up before it is sent again',
      { kind: 'reset' },
      ['create -', 'get 404', 'create 201'],
    ],
    [
      'answered with 500 is looked up before it is sent again',
      { kind: 'answer', reply: replies.internalError('failed calling webhook') },
      ['create 500', 'get 404', 'create 201'],
    ],
    [
      'answered with 429 has not been carried out',
      { kind: 'answer', reply: replies.tooManyRequests(0.01) },
      ['create 429', 'create 201'],
    ],
    [
      'that raced with another for a quota is sent again',
      {
        kind: 'answer',
        reply: status(
          409,
          'Conflict',
          'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified; please apply your changes to the latest version and try again',
          { name: 'compute', kind: 'resourcequotas' },
        ),
      },
      ['create 409', 'create 201'],
    ],
  ])('%s', async (_, action, expected) => {
    await start();
    server.fault({ match: { verb: 'create' }, action });
    const pod = await create();
    expect(verbs()).toEqual(expected);
    expect(server.pods).toHaveLength(1);
    expect(pod.metadata).toMatchObject({ uid: server.pods[0]?.object.metadata.uid, annotations: { mark: 'ours' } });
  });

  test('that keeps failing ends, though the server answers all else', async () => {
    await start();
    const now = performance.now.bind(performance);
    let aheadSeconds = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
    const reply = replies.internalError('failed calling webhook "w": refused');
    server.fault({ match: { verb: 'create' }, times: 99, action: { kind: 'answer', reply } });
    const created = attempt();
    await server.request({ verb: 'create' }, 2);
    aheadSeconds = 30;
    await server.request({ verb: 'create' }, 4);
    expect(connected.told).toEqual([
      expect.stringMatching(/^failing: The API server answered create pods with HTTP 500/),
    ]);
    aheadSeconds = 3601;
    expect(await created).toMatchObject({
      error: { reason: 'ServerError', message: expect.stringMatching(/ with HTTP 500 for 360[1-3] s: /) },
      maybeCreated: true,
    });
  });

  test('that finds no server is sent when there is one', async () => {
    await start();
    await server.refuse();
    const created = create();
    await new Promise(resolve => setTimeout(resolve, 30));
    await server.accept();
    await created;
    expect(verbs()).toEqual(['create 201']);
  });

  test('finds its pod when the look-up fails too', async () => {
    await start();
    server.fault({ match: { verb: 'create' }, action: { kind: 'loseAnswer' } });
    server.fault({ match: { verb: 'get' }, times: 3, action: { kind: 'reset' } });
    expect((await create()).metadata?.annotations).toEqual({ mark: 'ours' });
    expect(server.matching({ verb: 'create' })).toHaveLength(1);
  });

  test('finds its pod when the first request is carried out only after the look-up', async () => {
    await start();
    server.fault({ match: { verb: 'create' }, action: { kind: 'reset' } });
    // It was on its way still.
    server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: replies.podNotFound('p') } });
    const late = server.request({ verb: 'get' }).then(() => server.addPod({ ...manifest }));
    expect((await create()).metadata?.uid).toBe((await late).object.metadata.uid);
    expect(verbs()).toEqual(['create -', 'get 404', 'create 409', 'get 200']);
  });

  test('gives somebody else’s pod of that name as it is', async () => {
    await start();
    const foreign = server.addPod(podManifest('p', { mark: 'theirs' }));
    expect((await create()).metadata).toMatchObject({
      uid: foreign.object.metadata.uid,
      annotations: { mark: 'theirs' },
    });
    expect(verbs()).toEqual(['create 409', 'get 200']);
  });

  test('goes on when that pod is gone by the time it is looked up', async () => {
    await start();
    const foreign = server.addPod(podManifest('p', { mark: 'theirs' }));
    void server.request({ verb: 'create' }).then(() => foreign.remove());
    expect((await create()).metadata?.annotations).toEqual({ mark: 'ours' });
    expect(verbs()).toEqual(['create 409', 'get 404', 'create 201']);
  });

  test.each([
    ['Forbidden', replies.forbidden('create')],
    ['QuotaExceeded', replies.quota('p')],
    ['Forbidden', replies.podSecurity('p')],
    ['ContainerConfig', replies.serviceAccountNotFound('p', 'runner')],
    ['InvalidPod', replies.strictDecoding('spec.x')],
    ['NamespaceNotFound', replies.namespaceNotFound('etl')],
  ])('refused for %s is not sent again', async (reason, reply) => {
    await start();
    server.fault({ times: 9, action: { kind: 'answer', reply } });
    expect(await attempt()).toMatchObject({ error: { reason }, maybeCreated: false });
    expect(server.requests).toHaveLength(1);
  });

  test('cancelled in the pause after it was turned away leaves no pod', async () => {
    await start();
    server.fault({ action: { kind: 'answer', reply: replies.tooManyRequests(30) } });
    const stop = new AbortController();
    const attempted = attempt(stop.signal);
    await server.request({ verb: 'create' });
    await new Promise(resolve => setTimeout(resolve, 20));
    const reason = new Error('cancelled');
    stop.abort(reason);
    expect(await attempted).toEqual({ error: reason, maybeCreated: false });
  });

  test('cancelled while it is on its way is waited for: its pod has to be known to be deleted', async () => {
    await start();
    server.fault({ match: { verb: 'create' }, action: { kind: 'delay', ms: 100 } });
    const stop = new AbortController();
    const attempted = attempt(stop.signal);
    await server.request({ verb: 'create' });
    stop.abort(new Error('cancelled'));
    expect(await attempted).toMatchObject({ pod: { metadata: { uid: expect.any(String) } } });
    expect(verbs()).toEqual(['create 201']);
  });

  test('cancelled while it is on its way may have left a pod, when the time for its answer is over', async () => {
    await start();
    server.fault({ action: { kind: 'hang' } });
    const [stop, lastCall] = [new AbortController(), new AbortController()];
    const attempted = attempt(stop.signal, lastCall.signal);
    await server.request({ verb: 'create' });
    const reason = new Error('cancelled');
    stop.abort(reason);
    lastCall.abort(new Error('no more time'));
    expect(await attempted).toEqual({ error: reason, maybeCreated: true });
  });

  test('cancelled when it cannot be sent leaves no pod', async () => {
    await start();
    await server.refuse();
    const stop = new AbortController();
    // Between two tries, so that none is under way.
    const endure = connected.client.endure.bind(connected.client);
    jest.spyOn(connected.client, 'endure').mockImplementation((...tried) => {
      stop.abort(new Error('cancelled'));
      return endure(...tried);
    });
    expect(await attempt(stop.signal)).toMatchObject({ maybeCreated: false });
  });

  test('whose first answer was lost may have left a pod, though what follows is refused', async () => {
    await start();
    server.fault({ match: { verb: 'create' }, action: { kind: 'loseAnswer' } });
    server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: replies.badRequest('no') } });
    expect(await attempt()).toMatchObject({ error: { code: 400 }, maybeCreated: true });
  });
});

describe('a look-up', () => {
  test('says that there is no pod', async () => {
    await start();
    expect(await getPod(connected.client, 'default', 'p')).toBeUndefined();
  });

  test('of what may not be looked up is an error', async () => {
    await start();
    server.fault({ action: { kind: 'answer', reply: replies.forbidden('get') } });
    await expect(getPod(connected.client, 'default', 'p')).rejects.toMatchObject({ reason: 'Forbidden' });
  });
});

describe('a delete', () => {
  const identity = { namespace: 'default', name: 'p', uid: '00000000-0000-4000-8000-000000000001' };
  const remove = () => deletePod(connected.client, identity);

  test('names the UID of the pod it means', async () => {
    await start();
    const pod = server.addPod(podManifest()).run();
    await remove();
    expect(server.requests[0]?.body).toMatchObject({ kind: 'DeleteOptions', preconditions: { uid: identity.uid } });
    await server.gone(pod);
  });

  test('leaves a pod of that name with another UID alone, at once', async () => {
    await start();
    server.addPod(podManifest()).remove();
    const other = server.addPod(podManifest()).run();
    await remove();
    expect(verbs()).toEqual(['delete 409']);
    expect(other.object.metadata.deletionTimestamp).toBeUndefined();
  });

  test('of a pod that is gone is done', async () => {
    await start();
    await remove();
    expect(verbs()).toEqual(['delete 404']);
  });

  test.each<[string, FaultAction]>([
    ['a lost answer', { kind: 'loseAnswer' }],
    ['500', { kind: 'answer', reply: replies.internalError('x') }],
    ['429', { kind: 'answer', reply: replies.tooManyRequests(0.01) }],
  ])('bears %s', async (_, action) => {
    await start();
    const pod = server.addPod(podManifest()).run();
    server.fault({ match: { verb: 'delete' }, action });
    await remove();
    await server.gone(pod);
  });

  test('that is not allowed is an error', async () => {
    await start();
    server.fault({ action: { kind: 'answer', reply: replies.forbidden('delete') } });
    await expect(remove()).rejects.toMatchObject({ reason: 'Forbidden' });
  });
});

describe('a watch', () => {
  const events = async (version?: string) => {
    const seen: string[] = [];
    try {
      for await (const { type, object } of watchPod(connected.client, 'default', 'p', version, noSignal()))
        seen.push(`${type} ${object.metadata?.name ?? object.code}`);
      seen.push('end');
    } catch (error) {
      seen.push((error as Error).name);
    }
    return seen;
  };

  test('asks for one pod by name, bookmarks, and an end', async () => {
    await start();
    server.addPod(podManifest());
    server.addPod(podManifest('q'));
    server.fault({ action: { kind: 'reset', afterBytes: 4000 } });
    const watching = events('7');
    const { query } = await server.request({ verb: 'watch' });
    expect(query).toEqual({
      watch: 'true',
      fieldSelector: 'metadata.name=p',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '270',
      resourceVersion: '7',
    });
    server.endStreams();
    expect(await watching).toEqual(['ADDED p', 'end']);
  });

  test.each<[string, FaultAction, string[]]>([
    ['cut in the middle of an event', { kind: 'reset', afterBytes: 20 }, ['NetworkError']],
    ['ended in the middle of an event', { kind: 'cleanEnd', afterBytes: 20 }, ['end']],
    ['of a version that is too old', { kind: 'expired' }, ['ERROR 410', 'end']],
    ['that a proxy answers', { kind: 'answer', reply: { code: 200, body: '<html>\n</html>\n' } }, ['NetworkError']],
  ])('%s', async (_, action, expected) => {
    await start();
    server.addPod(podManifest());
    server.fault({ action });
    expect(await events()).toEqual(expected);
  });

  test('understands characters and events that chunks share', async () => {
    await start();
    const text = 'täglich ☕ 🎉';
    const line = Buffer.from(
      `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: text } } })}\n${JSON.stringify({ type: 'BOOKMARK', object: {} })}\n`,
    );
    async function* bytes() {
      for (const byte of line) yield Uint8Array.of(byte);
    }
    jest.spyOn(connected.client, 'open').mockResolvedValue(bytes() as never);
    expect(await events()).toEqual([`ADDED ${text}`, 'BOOKMARK undefined', 'end']);
  });
});

describe('a log', () => {
  test('is asked for with time stamps, and since a whole second', async () => {
    await start();
    const pod = server.addPod(podManifest()).run().write('x').terminate();
    const identity = { namespace: 'default', name: 'p', uid: pod.object.metadata.uid };
    const query = { container: 'base', follow: false, sinceTime: '2026-03-01T12:00:00Z' };
    let text = '';
    for await (const chunk of (await openLog(connected.client, identity, query, noSignal())) ?? [])
      text += Buffer.from(chunk).toString();
    expect(text).toMatch(/^2026-03-01T12:00:00\.\d{9}Z x\n$/);
    expect(server.requests[0]?.query).toEqual({
      container: 'base',
      follow: 'false',
      timestamps: 'true',
      sinceTime: '2026-03-01T12:00:00Z',
    });
  });
});
