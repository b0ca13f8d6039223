import { afterEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { type FakeApiServer, type FakeApiServerOptions, replies, startFakeApiServer } from './fake-api-server.ts';

let server: FakeApiServer;
const agent = new Agent({ keepAliveTimeout: 1 });
afterEach(async () => await server.close());

const start = async (options: FakeApiServerOptions = {}): Promise<void> => {
  server = await startFakeApiServer(options);
};

const pods = '/api/v1/namespaces/default/pods';
const manifest = (name = 'p', spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'x' } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'base', image: 'busybox' }], ...spec },
});

interface Answer {
  code: number;
  text: string;
  json(): Record<string, unknown>;
  headers: Record<string, unknown>;
}

async function ask(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  token = 'fake-token',
): Promise<Answer> {
  const answer = await request(server.url + path, {
    method,
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}` },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.body.text();
  return { code: answer.statusCode, text, headers: answer.headers, json: () => JSON.parse(text) };
}

/** What arrives of a body until it ends, and how it ends. */
async function stream(path: string): Promise<{ text: () => string; over: Promise<string> }> {
  const answer = await request(server.url + path, {
    dispatcher: agent,
    headers: { authorization: 'Bearer fake-token' },
  });
  let text = '';
  const over = (async () => {
    try {
      for await (const chunk of answer.body) text += chunk;
      return 'clean';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  })();
  return { text: () => text, over };
}

const create = async (...args: Parameters<typeof manifest>) => {
  await ask('POST', pods, manifest(...args));
  return await server.pod();
};
const events = (text: string): [string, unknown][] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
    .map(({ type, object }) => [type, object.status?.phase ?? object.code ?? object.metadata.resourceVersion]);

describe('pods', () => {
  test('are created, read, listed and taken', async () => {
    await start();
    const created = await ask('POST', `${pods}?fieldValidation=Strict`, manifest());
    expect(created.code).toBe(201);
    expect(created.json()).toMatchObject({
      metadata: {
        name: 'p',
        namespace: 'default',
        uid: expect.any(String),
        resourceVersion: '1001',
        creationTimestamp: '2026-03-01T12:00:00Z',
      },
      spec: { restartPolicy: 'Never', dnsPolicy: 'ClusterFirst' },
      status: { phase: 'Pending' },
    });
    expect((await ask('GET', `${pods}/p`)).text).toBe(created.text);
    const again = await ask('POST', pods, manifest());
    expect(again.json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "p" already exists',
      reason: 'AlreadyExists',
      details: { name: 'p', kind: 'pods' },
      code: 409,
    });
    await ask('POST', pods, manifest('q'));
    expect(
      (await ask('GET', `${pods}?fieldSelector=metadata.name%3Dq&labelSelector=app%3Dx`)).json()['items'],
    ).toHaveLength(1);
    expect((await ask('GET', pods)).json()['items']).toHaveLength(2);
    expect((await ask('GET', `${pods}/other`)).json()).toMatchObject({
      code: 404,
      reason: 'NotFound',
      details: { name: 'other', kind: 'pods' },
    });
    expect(server.requests.map(({ verb, code }) => [verb, code])).toEqual([
      ['create', 201],
      ['get', 200],
      ['create', 409],
      ['create', 201],
      ['list', 200],
      ['list', 200],
      ['get', 404],
    ]);
    expect(server.requests[0]).toMatchObject({
      query: { fieldValidation: 'Strict' },
      body: { metadata: { name: 'p' } },
      ended: true,
    });
  });

  test('are refused as Kubernetes refuses them', async () => {
    await start({ missingNamespaces: ['gone'] });
    const typo = manifest('p', { containers: [{ name: 'base', imagee: 'x' }] });
    expect((await ask('POST', `${pods}?fieldValidation=Strict`, typo)).json()['message']).toBe(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee"',
    );
    expect((await ask('POST', pods, manifest('p', { containers: [] }))).json()).toMatchObject({
      code: 422,
      message: 'Pod "p" is invalid: spec.containers: Required value',
      details: { causes: [{ field: 'spec.containers', reason: 'FieldValueRequired' }] },
    });
    expect((await ask('POST', pods, manifest('UPPER'))).code).toBe(422);
    expect((await ask('POST', pods.replace('default', 'gone'), manifest())).json()['details']).toEqual({
      name: 'gone',
      kind: 'namespaces',
    });
    expect((await ask('GET', `${pods}/p`, undefined, 'wrong')).json()).toMatchObject({
      code: 401,
      message: 'Unauthorized',
    });
    expect((await ask('GET', '/apis/nothing')).code).toBe(404);
    expect((await ask('GET', '/version')).json()).toMatchObject({ major: '1', minor: '36' });
  });

  test('go through their life, and a watch tells each step of it', async () => {
    await start();
    const pod = await create('p', { initContainers: [{ name: 'side', restartPolicy: 'Always' }] });
    const watch = await stream(
      `${pods}?watch=true&fieldSelector=metadata.name%3Dp&resourceVersion=1001&allowWatchBookmarks=true`,
    );
    pod.schedule();
    server.bookmark();
    pod.run().write('x').terminate({ exitCode: 3, message: 'done' });
    expect(pod.object.status.phase).toBe('Running'); // the sidecar still runs
    pod.terminate({ container: 'side', exitCode: 137 });
    server.addPod(manifest('q')); // not ours
    expect((await ask('DELETE', `${pods}/p`)).json()).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
    await server.gone(pod);
    server.endStreams({ verb: 'watch' });
    expect(await watch.over).toBe('clean');
    expect(events(watch.text())).toEqual([
      ['MODIFIED', 'Pending'],
      ['BOOKMARK', '1002'],
      ['MODIFIED', 'Running'],
      ['MODIFIED', 'Running'],
      ['MODIFIED', 'Failed'],
      ['MODIFIED', 'Failed'],
      ['DELETED', 'Failed'],
    ]);
    expect(pod.object.status.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 3, reason: 'Error', message: 'done' },
    });
    expect((await ask('GET', `${pods}/p`)).code).toBe(404);
  });

  test('a watch starts with what there is, and ends after its time', async () => {
    await start();
    await create();
    const watch = await stream(`${pods}?watch=1&timeoutSeconds=0.05`);
    expect(await watch.over).toBe('clean');
    expect(events(watch.text())).toEqual([['ADDED', 'Pending']]);
    server.expireWatches();
    (await server.pod()).schedule();
    const expired = await stream(`${pods}?watch=1&resourceVersion=5`);
    expect(await expired.over).toBe('clean');
    expect(events(expired.text())).toEqual([['ERROR', 410]]);
    expect(JSON.parse(expired.text()).object.reason).toBe('Expired');
  });

  test('deletion minds the UID and the grace period, and a pod may be slow to go', async () => {
    await start();
    const pod = (await create()).run();
    const { uid } = pod.object.metadata;
    const wrong = await ask('DELETE', `${pods}/p`, { preconditions: { uid: 'other' } });
    expect(wrong.json()).toMatchObject({ code: 409, reason: 'Conflict', details: { kind: 'Pod' } });
    const asked = new Promise(resolve => {
      pod.onDelete = resolve;
    });
    await ask('DELETE', `${pods}/p`, { preconditions: { uid }, gracePeriodSeconds: 5 });
    await asked;
    expect((await ask('GET', `${pods}/p`)).json()).toMatchObject({
      metadata: { deletionGracePeriodSeconds: 5 },
      status: { phase: 'Running' },
    });
    await ask('DELETE', `${pods}/p?gracePeriodSeconds=0`);
    expect((await ask('GET', `${pods}/p`)).code).toBe(404);
  });

  test('autoplay moves a pod by itself, and its mistakes come out at the end', async () => {
    await start({ autoplay: pod => void pod.run().write('hello').finish({ exitCode: 7 }) });
    await create();
    const log = await stream(`${pods}/p/log?follow=true`);
    await log.over;
    expect(log.text()).toBe('hello\n');
    const broken = await startFakeApiServer({ autoplay: pod => void pod.write('too early') });
    broken.addPod(manifest());
    await request(`${broken.url}${pods}`, {
      method: 'POST',
      headers: { authorization: 'Bearer fake-token' },
      body: JSON.stringify(manifest('b')),
    }).then(answer => answer.body.dump());
    await new Promise(resolve => setImmediate(resolve));
    await expect(broken.close()).rejects.toThrow('has not been started');
  });
});

describe('a log', () => {
  const log = (query = '') => `${pods}/p/log?container=base&timestamps=true${query}`;
  const stamp = (fraction: string) => `2026-03-01T12:00:${fraction}Z`;

  test('is 204 before the pod has a node, 400 before the container runs', async () => {
    await start();
    const pod = await create();
    expect(await ask('GET', log())).toMatchObject({ code: 204, text: '' });
    pod.schedule();
    expect((await ask('GET', log())).json()).toMatchObject({
      code: 400,
      reason: 'BadRequest',
      message: 'container "base" in pod "p" is waiting to start: ContainerCreating',
    });
    pod.run();
    expect((await ask('GET', `${pods}/p/log?container=nope`)).text).toContain('container nope is not valid for pod p');
    expect((await ask('GET', log('&previous=true'))).text).toContain(
      'previous terminated container \\"base\\" in pod \\"p\\" not found',
    );
    expect((await ask('GET', log('&sinceTime=yesterday'))).code).toBe(400);
    expect((await ask('GET', `${pods}/other/log`)).json()['details']).toEqual({ name: 'other', kind: 'pods' });
  });

  test('is followed to its end, with timestamps of nine digits', async () => {
    await start();
    const pod = (await create()).run();
    pod.write('one', { at: stamp('01.000000001') });
    const follow = await stream(log('&follow=true'));
    pod.write('two', { at: stamp('02.5') }).write('rest', { at: stamp('03'), newline: false });
    pod.terminate();
    expect(await follow.over).toBe('clean');
    expect(follow.text()).toBe(
      `${stamp('01.000000001')} one\n${stamp('02.500000000')} two\n${stamp('03.000000000')} rest`,
    );
  });

  test('is asked for since a whole second, whatever fraction is given', async () => {
    await start({ nodeZone: '+02:00' });
    const pod = (await create()).run();
    for (const second of ['01.9', '02.0', '02.1', '02.9']) pod.write(second, { at: stamp(second) });
    const lines = (await ask('GET', log(`&sinceTime=${stamp('02.5')}`))).text.split('\n');
    expect(lines).toEqual([
      '2026-03-01T14:00:02.000000000+02:00 02.0',
      '2026-03-01T14:00:02.100000000+02:00 02.1',
      '2026-03-01T14:00:02.900000000+02:00 02.9',
      '',
    ]);
    expect((await ask('GET', log('&tailLines=1'))).text).toMatch(/^\S+ 02\.9\n$/);
    expect((await ask('GET', log(`&tailLines=3&sinceTime=${stamp('02.1')}`))).text).toMatch(/^\S+ 02\.0\n.*\n.*\n$/);
    expect((await ask('GET', log(`&tailLines=1&sinceTime=${stamp('03')}`))).text).toBe('');
  });

  test('starts with a tail that has no timestamp when a long line is older than the time asked for', async () => {
    await start();
    const pod = (await create()).run();
    pod
      .writePart('aaa', { at: stamp('01.9') })
      .write('bbb', { at: stamp('02.1') })
      .write('next', { at: stamp('03') });
    expect((await ask('GET', log())).text).toBe(`${stamp('01.900000000')} aaabbb\n${stamp('03.000000000')} next\n`);
    expect((await ask('GET', log(`&sinceTime=${stamp('02')}`))).text).toBe(`bbb\n${stamp('03.000000000')} next\n`);
    // The last lines are counted in the runtime's file, where a part is one.
    expect((await ask('GET', log('&tailLines=2'))).text).toBe(
      `${stamp('02.100000000')} bbb\n${stamp('03.000000000')} next\n`,
    );
    expect((await ask('GET', log(`&tailLines=9&sinceTime=${stamp('02')}`))).text).toMatch(/^bbb\n/);
  });

  test('loses what was rotated away, except for those who follow', async () => {
    await start();
    const pod = (await create()).run();
    const follow = await stream(`${pods}/p/log?follow=true`);
    pod.write('old').rotateLog().write('new').terminate();
    await follow.over;
    expect(follow.text()).toBe('old\nnew\n');
    expect((await ask('GET', `${pods}/p/log`)).text).toBe('new\n');
    pod.collect();
    expect(await ask('GET', `${pods}/p/log`)).toMatchObject({
      code: 200,
      text: expect.stringMatching(/^unable to retrieve container logs for containerd:/),
    });
  });

  test('belongs to one instance of a container', async () => {
    await start();
    const pod = (await create()).run().write('first').restart().write('second');
    expect((await ask('GET', `${pods}/p/log`)).text).toBe('second\n');
    expect((await ask('GET', `${pods}/p/log?previous=true`)).text).toBe('first\n');
    expect(pod.object.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1 } },
    });
  });

  test('ends when the pod is removed', async () => {
    await start();
    const pod = (await create()).run().write('x');
    const follow = await stream(`${pods}/p/log?follow=true`);
    await ask('DELETE', `${pods}/p`);
    expect(await follow.over).toBe('clean');
    expect(follow.text()).toBe('x\n');
    expect(pod.object.status.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(143);
  });
});

test('requests can be awaited', async () => {
  await start();
  const second = server.request({ method: 'GET', path: /version/ }, 2);
  await ask('GET', '/version');
  await ask('GET', '/version?x=1');
  expect((await second).query).toEqual({ x: '1' });
  await expect(server.request({ verb: 'delete' }, 1, 1)).rejects.toThrow(/\{"verb":"delete"\}.*GET \/version 200/s);
});

test('a kubeconfig of its own goes with each way to serve', async () => {
  await start({ namespace: 'etl', token: 'T' });
  expect(server.kubeconfig).toContain(`server: http://127.0.0.1:`);
  expect(server.kubeconfig).toMatch(/insecure-skip-tls-verify: true.*namespace: etl.*token: T/s);
  expect(replies.forbidden('create', 'pods', 'etl').body.message).toBe(
    'pods is forbidden: User "system:serviceaccount:ci:runner" cannot create resource "pods" in API group "" in the namespace "etl"',
  );
  expect(replies.quota('p').body.message).toBe(
    'pods "p" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=2, limited: pods=2',
  );
});
