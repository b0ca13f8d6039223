import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { listMetadata } from '../../src/kubernetes/metadata.ts';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  replies,
  startFakeApiServer,
} from '../support/fake-api-server.ts';
import { type Connected, connectTo, noSignal, podManifest, shortPauses } from './connected.ts';

let server: FakeApiServer;
let connected: Connected;
beforeEach(shortPauses);
afterEach(async () => {
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

async function start(pods: number, options: FakeApiServerOptions = {}): Promise<void> {
  server = await startFakeApiServer(options);
  connected = connectTo(server);
  for (let index = 0; index < pods; index++) {
    const manifest = podManifest(`p${index}`, { secret: 'none' });
    server.addPod({ ...manifest, metadata: { ...manifest.metadata, labels: { team: index % 2 === 0 ? 'a' : 'b' } } });
  }
}

const asked = { verb: 'list', resource: 'pods', namespace: 'default' } as const;
const names = async (labelSelector?: string, pageSize?: number) => {
  const selection = { asked, ...(labelSelector !== undefined && { labelSelector }) };
  return (await listMetadata(connected.client, selection, noSignal(), pageSize)).map(({ name }) => name);
};
const queries = () => server.requests.map(({ query }) => query);

test('a list has the metadata of what the selector selects, and nothing else of it', async () => {
  await start(4);
  const list = await listMetadata(connected.client, { asked, labelSelector: 'team=b' }, noSignal());
  expect(list.map(({ name, labels, annotations }) => [name, labels, annotations])).toEqual([
    ['p1', { team: 'b' }, { secret: 'none' }],
    ['p3', { team: 'b' }, { secret: 'none' }],
  ]);
  expect(queries()).toEqual([{ labelSelector: 'team=b', limit: '500' }]);
  expect(server.requests[0]?.headers['accept']).toBe(
    'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  );
});

test('of Secrets too: their data are not even asked for', async () => {
  await start(0, { secrets: [{ metadata: { name: 's', uid: 'u' }, data: { password: 'aHVudGVyMg==' } }] });
  const secrets = { verb: 'list', resource: 'secrets', namespace: 'default' } as const;
  expect(await listMetadata(connected.client, { asked: secrets }, noSignal())).toEqual([{ name: 's', uid: 'u' }]);
});

test('a list of nothing is empty', async () => {
  await start(0);
  expect(await names()).toEqual([]);
});

test('a long list comes page by page', async () => {
  await start(1203);
  expect(await names()).toEqual(Array.from({ length: 1203 }, (_, index) => `p${index}`));
  expect(queries().map(query => query['continue'])).toEqual([undefined, '500', '1000']);
});

test('a list whose continuation has expired starts over, and has each object once', async () => {
  await start(7);
  const expired = replies.expired('1', '2');
  server.fault({ match: { query: { continue: '4' } }, action: { kind: 'answer', reply: expired } });
  expect(await names(undefined, 2)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
  expect(queries().map(query => query['continue'] ?? '')).toEqual(['', '2', '4', '', '2', '4', '6']);
});

test('one whose continuation always expires is given up', async () => {
  await start(5);
  const expired = replies.expired('1', '2');
  server.fault({ match: { query: { continue: '2' } }, times: 99, action: { kind: 'answer', reply: expired } });
  await expect(names(undefined, 2)).rejects.toMatchObject({ code: 410 });
  expect(server.requests).toHaveLength(12);
});

test('a page that got lost is asked for again', async () => {
  await start(3);
  server.fault({ match: { query: { continue: '2' } }, action: { kind: 'reset' } });
  expect(await names(undefined, 2)).toEqual(['p0', 'p1', 'p2']);
});

test.each(['{}', '{"kind":"PodList","items":[]}', '[]', 'null'])('what is no list is none: %s', async body => {
  await start(1);
  const reply = { code: 200, body: JSON.parse(body) };
  server.fault({ match: { verb: 'list' }, action: { kind: 'answer', reply } });
  await expect(names()).rejects.toThrow('it answers a list of pods with something else');
});

test('one that is refused is an error', async () => {
  await start(1);
  server.fault({ match: { verb: 'list' }, action: { kind: 'answer', reply: replies.forbidden('list') } });
  await expect(names()).rejects.toMatchObject({ code: 403, denial: { verb: 'list', resource: 'pods' } });
});
