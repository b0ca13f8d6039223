import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { differenceOf, digestOf, droppedFields } from '../../src/pod/compare.ts';

const base = {
  name: 'base',
  image: 'busybox',
  args: ['a', 'b'],
  env: [
    { name: 'A', value: 'x' },
    { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
  ],
  resources: { requests: { memory: '1024Mi' } },
  lifecycle: { stopSignal: 'SIGINT' },
  volumeMounts: [{ name: 'tls', mountPath: '/etc/tls', readOnly: true }],
};
const pod = {
  metadata: { name: 'p', labels: { team: 'data' } },
  spec: { restartPolicy: 'Never', containers: [base], volumes: [{ name: 'tls', secret: { secretName: 'tls' } }] },
};

/** The pod with its container, or its spec, changed. */
const withBase = (changed: object) => ({ ...pod, spec: { ...pod.spec, containers: [{ ...base, ...changed }] } });
const withSpec = (changed: object) => ({ ...pod, spec: { ...pod.spec, ...changed } });

describe('nothing is missing', () => {
  test.each<[what: string, answer: unknown]>([
    ['from the same pod', pod],
    ['from a pod with defaults', withSpec({ dnsPolicy: 'ClusterFirst', tolerations: [{ key: 'x' }] })],
    ['where a quantity was rewritten', withBase({ resources: { requests: { memory: '1Gi' } } })],
    ['where a webhook set another image', withBase({ image: 'mirror.example/busybox' })],
    ['where a webhook rewrote a word of the command', withBase({ args: ['wrapper', 'b'] })],
    ['where a webhook put words before ours', withBase({ args: ['wrapper', 'a', 'b'] })],
    ['where a webhook put a container before ours', withSpec({ containers: [{ name: 'istio-proxy' }, base] })],
    ['where a webhook put a container behind ours', withSpec({ containers: [base, { name: 'istio-proxy' }] })],
    ['where a webhook put a variable before ours', withBase({ env: [{ name: 'Z', value: 'z' }, ...base.env] })],
    ['where a list is in another order', withBase({ env: [...base.env].reverse() })],
    [
      'where a webhook mounted more',
      withBase({ volumeMounts: [{ name: 'token', mountPath: '/var/run' }, ...base.volumeMounts] }),
    ],
    ['where a webhook added volumes', withSpec({ volumes: [{ name: 'token', projected: {} }, ...pod.spec.volumes] })],
    ['where labels were added', { ...pod, metadata: { ...pod.metadata, labels: { a: 'b', team: 'data' } } }],
  ])('%s', (_, answer) => expect(droppedFields(pod, answer)).toEqual([]));

  test.each([
    ['false', { hostNetwork: false }],
    ['0', { terminationGracePeriodSeconds: 0 }],
    ['empty text', { schedulerName: '' }],
    ['null', { affinity: null }],
    ['an empty list', { tolerations: [] }],
    ['an empty mapping', { securityContext: {} }],
    ['a mapping of nothing but such', { securityContext: { runAsNonRoot: false, sysctls: [] } }],
    ['a list of nothing but such', { tolerations: [{}, null] }],
  ])("where Go's omitempty leaves out %s", (_, field) => {
    expect(droppedFields(withSpec(field), pod)).toEqual([]);
  });
});

describe('what is missing is told by its path', () => {
  const { lifecycle, ...plain } = base;
  const without = (changed: object) => ({ ...pod, spec: { ...pod.spec, containers: [{ ...plain, ...changed }] } });

  test.each<[what: string, answer: unknown, paths: string[]]>([
    ['a field in a container', without({ lifecycle: {} }), ['spec.containers[0].lifecycle.stopSignal']],
    ['a mapping in a container', without({}), ['spec.containers[0].lifecycle']],
    ['null for a mapping', without({ lifecycle: null }), ['spec.containers[0].lifecycle']],
    ['text for a mapping', without({ lifecycle: 'x' }), ['spec.containers[0].lifecycle']],
    [
      'a field behind an injected container',
      withSpec({ containers: [{ name: 'istio-proxy', lifecycle }, plain] }),
      ['spec.containers[0].lifecycle'],
    ],
    ['a container', withSpec({ containers: [{ name: 'other' }] }), ['spec.containers[0]']],
    ['a word', withBase({ args: ['a'] }), ['spec.containers[0].args[1]']],
    ['all words', withBase({ args: [] }), ['spec.containers[0].args[0]', 'spec.containers[0].args[1]']],
    ['text for a list', withBase({ args: 'a b' }), ['spec.containers[0].args']],
    ['a variable', withBase({ env: [base.env[1]] }), ['spec.containers[0].env[0]']],
    ["a variable's source", withBase({ env: [base.env[0], { name: 'B' }] }), ['spec.containers[0].env[1].valueFrom']],
    ['a label with a dot and a slash', { ...pod, metadata: { name: 'p', labels: {} } }, ['metadata.labels.team']],
    ['more than one', { metadata: pod.metadata }, ['spec']],
    ['all of it', undefined, ['']],
  ])('%s', (_, answer, paths) => expect(droppedFields(pod, answer)).toEqual(paths));

  test('a label by a name that every object inherits', () => {
    expect(droppedFields({ labels: { constructor: 'a' } }, { labels: {} })).toEqual(['labels.constructor']);
  });

  test('one of two mounts of one volume', () => {
    const [a, b] = [
      { name: 'data', mountPath: '/a', subPath: 'a' },
      { name: 'data', mountPath: '/b', subPath: 'b' },
    ];
    expect(droppedFields({ volumeMounts: [a, b] }, { volumeMounts: [a] })).toEqual(['volumeMounts[1]']);
  });

  test('a field of one of two mounts of one volume', () => {
    const sent = [
      { name: 'data', mountPath: '/a', subPath: 'a' },
      { name: 'data', mountPath: '/b', subPath: 'b' },
    ];
    const answer = [sent[0], { name: 'data', mountPath: '/b' }];
    expect(droppedFields(sent, answer)).toEqual(['[1].subPath']);
  });
});

/** Objects as manifests have them: fields, lists of words, and lists of items that are told apart by their name. */
const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.integer({ min: 1 }), fc.constant(true));
const fieldName = fc.stringMatching(/^[a-z][a-zA-Z]{0,5}$/).map(name => `${name}_`);
const { object } = fc.letrec<{ object: Record<string, unknown>; value: unknown }>(tie => ({
  object: fc.dictionary(fieldName, tie('value'), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(scalar, { minLength: 1, maxLength: 3 }),
    tie('object'),
    fc
      .uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,4}$/), with: tie('object') }), {
        selector: item => item.name,
        minLength: 1,
        maxLength: 3,
      })
      .map(items => items.map(({ name, with: fields }) => ({ name, ...fields }))),
  ),
}));

/** Every field in `value`, with its path, and what remains without it. */
function withoutEach(value: unknown, path = ''): { path: string; rest: unknown }[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      withoutEach(item, `${path}[${index}]`).map(({ path, rest }) => ({ path, rest: value.with(index, rest) })),
    );
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => key !== 'name')
    .flatMap(([key, field]) => {
      const here = path === '' ? key : `${path}.${key}`;
      const others = Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
      const deeper = withoutEach(field, here).map(({ path, rest }) => ({ path, rest: { ...value, [key]: rest } }));
      return [{ path: here, rest: others }, ...deeper];
    });
}

describe('whatever was sent', () => {
  test('nothing is missing from the same', () => {
    fc.assert(
      fc.property(fc.oneof(object, fc.object()), sent => {
        expect(droppedFields(sent, structuredClone(sent))).toEqual([]);
      }),
    );
  });

  test('any one field that is missing is told, and nothing else', () => {
    fc.assert(
      fc.property(object, sent => {
        for (const { path, rest } of withoutEach(sent)) expect(droppedFields(sent, rest)).toEqual([path]);
      }),
    );
  });

  test('nothing that was added counts', () => {
    fc.assert(
      fc.property(object, object, (sent, added) => {
        expect(droppedFields(sent, { ...added, ...sent })).toEqual([]);
      }),
    );
  });
});

describe('a live pod is what a plan asks for', () => {
  const live = { ...pod, status: { phase: 'Running' } };
  test.each<[what: string, live: object]>([
    ['where it is the same', live],
    ['where the cluster has set defaults', withSpec({ dnsPolicy: 'ClusterFirst', tolerations: [{ key: 'x' }] })],
    ['where a quantity was rewritten', withBase({ resources: { requests: { memory: '1Gi' } } })],
    ['where a webhook put a container beside ours', withSpec({ containers: [{ name: 'istio-proxy' }, base] })],
    ['where a webhook put a variable before ours', withBase({ env: [{ name: 'Z', value: 'z' }, ...base.env] })],
    ['where it says more of itself', { ...pod, metadata: { ...pod.metadata, labels: { team: 'data', more: 'x' } } }],
    [
      'where the action says something else of it',
      { ...pod, metadata: { ...pod.metadata, annotations: { 'kubernetes-pod-step/nonce': 'x' } } },
    ],
  ])('%s', (_, other) => expect(differenceOf(pod, other)).toBeUndefined());

  test.each<[where: string, live: object]>([
    ['metadata.name', { ...pod, metadata: { ...pod.metadata, name: 'other' } }],
    ['metadata.labels.team', { ...pod, metadata: { ...pod.metadata, labels: { team: 'other' } } }],
    ['spec.containers[0].image', withBase({ image: 'evil' })],
    ['spec.containers[0].args[0]', withBase({ args: ['x', 'b'] })],
    ['spec.containers[0].command', withBase({ command: ['evil'] })],
    ['spec.containers[0].workingDir', withBase({ workingDir: '/evil' })],
    ['spec.containers[0].env[0].value', withBase({ env: [{ name: 'A', value: 'y' }, base.env[1]] })],
    ['spec.containers[0].resources.requests.memory', withBase({ resources: { requests: { memory: '1025Mi' } } })],
    ['spec.containers[0].lifecycle', withBase({ lifecycle: undefined })],
    ['spec.restartPolicy', withSpec({ restartPolicy: 'Always' })],
  ])('but not where %s is another', (where, other) => expect(differenceOf(pod, other)).toBe(where));

  test('what is off in the plan is not on in the pod', () => {
    expect(differenceOf(withSpec({ hostNetwork: false }), withSpec({ hostNetwork: true }))).toBe('spec.hostNetwork');
    expect(differenceOf(withSpec({ hostNetwork: false }), pod)).toBeUndefined();
  });
});

describe('the digest of a plan', () => {
  test('is the same whatever the order of its keys, and whatever the action says of the pod', () => {
    const { metadata, spec } = pod;
    const marked = { ...metadata, annotations: { 'kubernetes-pod-step/nonce': 'x' } };
    expect(digestOf({ spec: { ...spec }, metadata: marked } as V1Pod)).toBe(
      digestOf({ ...pod, metadata: { ...metadata, annotations: {} } }),
    );
  });

  test('is another where anything that the step asks for is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), value => {
        expect(digestOf(withBase({ env: [...base.env, { name: 'MORE', value }] }))).not.toBe(digestOf(pod));
      }),
    );
  });
});
