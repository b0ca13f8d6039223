import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../src/pod/json.ts';
import { MergedPod } from '../../src/pod/merge.ts';
import { fieldNamed, itemKey, itemType, mergeKeys, valueType } from '../../src/pod/schema.ts';
import { ApiProxy } from '../support/api-proxy.ts';
import { Namespace } from '../support/cluster.ts';
import { patchOfPod, validPod } from '../support/valid-pods.ts';

/** `SEED=n` makes other pods and patches, `PATCH_RUNS=n` more or fewer. */
const SEED = Number(process.env['SEED'] ?? 1);
const RUNS = Number(process.env['PATCH_RUNS'] ?? 600);
const PATCHES_OF_A_POD = 20;

/** The pod in a PodTemplate: an object that stores any pod, with what Kubernetes fills in, checks it, and runs nothing. */
interface Answer {
  template?: JsonObject;
  message?: string;
}

let namespace: Namespace;
let api: ApiProxy;
let templates: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  api = await ApiProxy.start();
  templates = `/api/v1/namespaces/${namespace.name}/podtemplates`;
}, 60_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await namespace[Symbol.asyncDispose]();
});

async function create(name: string, template: JsonObject, query = ''): Promise<Answer> {
  const object = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name }, template };
  return (await api.request<Answer>('POST', `${templates}${query}`, object)).body;
}

/** What the server makes of a patch. Nothing is stored. */
async function theirs(name: string, patch: JsonObject): Promise<Answer> {
  const type = 'application/strategic-merge-patch+json';
  return (await api.request<Answer>('PATCH', `${templates}/${name}?dryRun=All`, { template: patch }, type)).body;
}

/** What we make of it, with what the server fills in. */
async function ours(base: JsonObject, patch: JsonObject): Promise<Answer> {
  const { pod } = new MergedPod([
    { from: 'template', pod: base },
    { from: 'pod_patch', pod: patch, strategic: true },
  ]);
  return create('ours', pod, '?dryRun=All');
}

/** Fields by name, and items of keyed lists by key: the order of items has a test of its own. */
function ordered(value: Json, type: string): Json {
  if (Array.isArray(value)) return value.map(item => ordered(item, itemType(type) ?? 'any'));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([field, child]) => {
        const keys = mergeKeys(type, field, true);
        const inOrder = ordered(child, valueType(type) ?? fieldNamed(type, field)?.type ?? 'any');
        if (keys === undefined || !Array.isArray(inOrder)) return [field, inOrder];
        return [field, inOrder.toSorted((a, b) => (`${itemKey(a, keys)}` < `${itemKey(b, keys)}` ? -1 : 1))];
      }),
  );
}

const text = ({ template }: Answer) => template && JSON.stringify(ordered(template, 'V1Pod'));

test(`${RUNS} random patches do what the API server makes of them (seed ${SEED})`, async () => {
  const differing: string[] = [];
  let accepted = 0;
  for (const [index, pod] of fc.sample(validPod, { numRuns: RUNS / PATCHES_OF_A_POD, seed: SEED }).entries()) {
    const name = `base-${index}`;
    // With the server's defaults, for those are what its patch works on.
    const { template: base, message } = await create(name, pod);
    if (base === undefined) throw new Error(`The server refuses the pod itself: ${message}`);
    const compare = async (patch: JsonObject) => {
      const [one, other] = await Promise.all([theirs(name, patch), ours(base, patch)]);
      if (one.template !== undefined) accepted++;
      if (text(one) === text(other)) return;
      const results = `theirs: ${text(one) ?? one.message}\nours:   ${text(other) ?? other.message}`;
      differing.push(`pod:    ${JSON.stringify(base)}\npatch:  ${JSON.stringify(patch)}\n${results}`);
    };
    await Promise.all(fc.sample(patchOfPod(base), { numRuns: PATCHES_OF_A_POD, seed: SEED + index }).map(compare));
  }
  expect(differing.slice(0, 3).join('\n\n')).toBe('');
  // A patch that both refuse tells little.
  expect(accepted).toBeGreaterThan(RUNS / 2);
}, 600_000);

/** Each row: why, the pod, the patch, a place in the spec, and what it holds then after the server's patch and after ours; a pattern for the server's refusal. */
describe('on purpose we differ', () => {
  const container = { name: 'base', image: 'busybox' };
  const withBase = (fields: JsonObject): JsonObject => ({ spec: { containers: [{ ...container, ...fields }] } });
  const withSpec = (fields: JsonObject): JsonObject => ({ spec: { containers: [container], ...fields } });
  const withNew = (fields: JsonObject): JsonObject => ({
    spec: { containers: [{ name: 'new', image: 'x', ...fields }] },
  });
  const [a, b] = [
    { name: 'A', value: 'x' },
    { name: 'B', value: '$(A)' },
  ];
  const [tcp, udp] = ['TCP', 'UDP'].map(protocol => ({ containerPort: 53, protocol }));
  const containers = (...names: string[]): JsonObject => ({
    spec: { containers: names.map(name => ({ name, image: `x:${names.length}` })) },
  });

  test.each<[why: string, pod: JsonObject, patch: JsonObject, place: string, theirs: unknown, ours: unknown]>([
    [
      'an explicit empty list empties',
      withBase({ env: [a] }),
      withBase({ env: [] }),
      'containers[0].env',
      [a],
      undefined,
    ],
    [
      'who sets a value has no valueFrom any more',
      withBase({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      withBase({ env: [a] }),
      'containers[0].env',
      /may not be specified when `value` is not empty/,
      [a],
    ],
    [
      'a volume has one source, and the last counts',
      withSpec({ volumes: [{ name: 'a', emptyDir: {} }] }),
      withSpec({ volumes: [{ name: 'a', hostPath: { path: '/x' } }] }),
      'volumes',
      /may not specify more than 1 volume type/,
      [{ name: 'a', hostPath: { path: '/x', type: '' } }],
    ],
    [
      'a probe has one handler, and the last counts',
      withBase({ livenessProbe: { exec: { command: ['a'] } } }),
      withBase({ livenessProbe: { tcpSocket: { port: 80 } } }),
      'containers[0].livenessProbe.exec',
      /may not specify more than 1 handler type/,
      undefined,
    ],
    [
      '$patch: delete of a mapping leaves nothing of it',
      withBase({ securityContext: { runAsUser: 1 } }),
      withBase({ securityContext: { $patch: 'delete' } }),
      'containers[0].securityContext',
      {},
      undefined,
    ],
    [
      '$patch: replace of a mapping that is not there sets it',
      withBase({}),
      withBase({ securityContext: { $patch: 'replace', runAsUser: 1 } }),
      'containers[0].securityContext',
      undefined,
      { runAsUser: 1 },
    ],
    [
      '$patch: replace in an item replaces the item, and not the list',
      withBase({ env: [a, b] }),
      withBase({ env: [{ name: 'A', value: 'z', $patch: 'replace' }] }),
      'containers[0].env',
      undefined,
      [{ name: 'A', value: 'z' }, b],
    ],
    [
      'directives count in an item that is new, too',
      withBase({}),
      withNew({ ports: [tcp ?? {}, { containerPort: 80, $patch: 'delete' }] }),
      'containers[name=new].ports',
      [tcp, { containerPort: 80, protocol: 'TCP' }],
      [tcp],
    ],
    [
      'null means nothing in an item that is new, too',
      withBase({}),
      withNew({ resources: { limits: { cpu: null } } }),
      'containers[name=new].resources.limits.cpu',
      '0',
      undefined,
    ],
    [
      'two ports of one number and two protocols are two',
      withBase({ ports: [tcp ?? {}] }),
      withBase({ ports: [udp ?? {}] }),
      'containers[0].ports',
      [udp],
      [tcp, udp],
    ],
    [
      'what is new comes behind what is there, so that it may build on it',
      withBase({ env: [a] }),
      withBase({ env: [b] }),
      'containers[0].env',
      [b, a],
      [a, b],
    ],
    [
      'items keep their order',
      containers('a', 'b', 'c'),
      containers('new', 'c', 'a'),
      'containers[*].name',
      ['new', 'b', 'c', 'a'],
      ['a', 'b', 'c', 'new'],
    ],
  ])('%s', async (why, pod, patch, place, expectedTheirs, expectedOurs) => {
    const name = `row-${why}`.replace(/[^a-z]+/gi, '-').toLowerCase();
    const { template = {}, message } = await create(name, pod);
    expect(message).toBeUndefined();
    const patched = await theirs(name, patch);
    if (expectedTheirs instanceof RegExp) expect(patched.message).toMatch(expectedTheirs);
    else expect(at(patched, place)).toEqual(expectedTheirs);
    expect(at(await ours(template, patch), place)).toEqual(expectedOurs);
  });

  test('a list of finalizers is taken as it is written', async () => {
    const finalizers = (name: string) => ({ metadata: { finalizers: [`a.io/${name}`] } });
    const { template = {} } = await create('finalizers', { ...withBase({}), ...finalizers('x') });
    const patched = {
      theirs: await theirs('finalizers', finalizers('y')),
      ours: await ours(template, finalizers('y')),
    };
    expect(patched.theirs.template).toMatchObject({ metadata: { finalizers: ['a.io/y', 'a.io/x'] } });
    expect(patched.ours.template).toMatchObject({ metadata: { finalizers: ['a.io/y'] } });
  });
});

/** What stands at a place such as `containers[name=new].ports` or `containers[*].name` of the spec. */
function at({ template }: Answer, place: string): unknown {
  return place.split(/[.[\]]+/).reduce<unknown>((value, step) => {
    const list = value as JsonObject[];
    if (step === '*') return list.map(({ name }) => ({ name }));
    if (step.startsWith('name=')) return list.find(({ name }) => `name=${name}` === step);
    return Array.isArray(value) && step === 'name'
      ? list.map(({ name }) => name)
      : (value as JsonObject | undefined)?.[step];
  }, template?.['spec']);
}
