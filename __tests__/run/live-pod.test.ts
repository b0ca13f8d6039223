import { describe, expect, test } from '@jest/globals';
import type { V1EnvVar, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { printLivePod } from '../../src/run/live-pod.ts';
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts';

const NONCE = 'kubernetes-pod-step/nonce';
const SECRET = 'correct horse';

const plan = (pod: V1Pod = {}): V1Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...pod,
  metadata: { name: 'p', namespace: 'etl', ...pod.metadata },
  spec: { containers: [{ name: 'base', image: 'busybox' }], ...pod.spec },
});
const withEnv = (env: V1EnvVar[], name = 'base') => plan({ spec: { containers: [{ name, env }] } });
const shown = (live: V1Pod, planned = plan(), secrets = [SECRET]) =>
  load(printLivePod(live, planned, secrets)) as V1Pod;

test('is what the cluster has, without state, the fields’ managers and the mark of the attempt', () => {
  const live: V1Pod = {
    ...plan({ spec: { containers: [{ name: 'base', image: 'busybox' }], nodeName: 'node-1' } }),
    metadata: {
      name: 'p',
      namespace: 'etl',
      uid: 'u',
      annotations: { [NONCE]: 'n0nce', other: 'kept' },
      managedFields: [{ manager: 'x' }],
    },
    status: { phase: 'Failed' },
  };
  expect(shown(live)).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'etl', uid: 'u', annotations: { other: 'kept' } },
    spec: { containers: [{ name: 'base', image: 'busybox' }], nodeName: 'node-1' },
  });
});

test('has no annotations where there was but the mark', () => {
  expect(shown(plan({ metadata: { annotations: { [NONCE]: 'x' } } })).metadata).not.toHaveProperty('annotations');
});

describe('a variable', () => {
  const token = `ghp_${'x'.repeat(36)}`;
  test.each<[string, V1EnvVar[], V1EnvVar[], (string | undefined)[]]>([
    ['that was asked for is shown', [{ name: 'A', value: 'a' }], [{ name: 'A', value: 'a' }], ['a']],
    ['that the cluster changed is hidden', [{ name: 'A', value: 'a' }], [{ name: 'A', value: 'b' }], ['***']],
    ['that the cluster added is hidden, however plain', [], [{ name: 'A', value: 'a' }], ['***']],
    ['that looks like a secret is hidden', [{ name: 'A', value: token }], [{ name: 'A', value: token }], ['***']],
    [
      'with the name of one is hidden',
      [{ name: 'DB_PASSWORD', value: 'a b' }],
      [{ name: 'DB_PASSWORD', value: 'a b' }],
      ['***'],
    ],
    [
      'has what was given as a secret hidden',
      [{ name: 'A', value: `x ${SECRET}` }],
      [{ name: 'A', value: `x ${SECRET}` }],
      ['x ***'],
    ],
    [
      'that refers to a Secret has nothing to hide',
      [],
      [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } }],
      [undefined],
    ],
  ])('%s', (_, planned, live, expected) => {
    const { containers = [] } = shown(withEnv(live), withEnv(planned)).spec ?? {};
    expect(containers[0]?.env?.map(({ value }) => value)).toEqual(expected);
    expect(containers[0]?.env?.map(({ name }) => name)).toEqual(live.map(({ name }) => name));
  });

  test('of another container of the same name is not the one that was asked for', () => {
    const env = [{ name: 'A', value: 'a' }];
    expect(shown(withEnv(env, 'mesh'), withEnv(env)).spec?.containers[0]?.env).toEqual([{ name: 'A', value: '***' }]);
  });

  test('of an init container is treated alike', () => {
    const init = (env: V1EnvVar[]) => plan({ spec: { containers: [], initContainers: [{ name: 'i', env }] } });
    const live = init([
      { name: 'A', value: 'a' },
      { name: 'B', value: 'b' },
    ]);
    expect(shown(live, init([{ name: 'A', value: 'a' }])).spec?.initContainers?.[0]?.env).toEqual([
      { name: 'A', value: 'a' },
      { name: 'B', value: '***' },
    ]);
  });
});

describe('an annotation', () => {
  const annotated = (annotations: Record<string, string>) => plan({ metadata: { annotations } });
  test.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
    ['that the cluster added is shown', {}, { 'mesh/status': 'injected' }, { 'mesh/status': 'injected' }],
    [
      'that the cluster added with the name of a secret is hidden',
      {},
      { 'vault/agent-token': 'abc def' },
      { 'vault/agent-token': '***' },
    ],
    [
      'that was asked for is hidden all the same, where its name says so',
      { 'x/token': 'abc def', 'x/note': 'abc' },
      { 'x/token': 'abc def', 'x/note': 'abc' },
      { 'x/token': '***', 'x/note': 'abc' },
    ],
    [
      'that the cluster changed is hidden by its name',
      { 'x/token': 'abc def' },
      { 'x/token': 'new one' },
      { 'x/token': '***' },
    ],
    ['has what was given as a secret hidden', { a: SECRET }, { a: `${SECRET}!` }, { a: '***!' }],
  ])('%s', (_, planned, live, expected) => {
    expect(shown(annotated(live), annotated(planned)).metadata?.annotations).toEqual(expected);
  });
});

test('what the cluster added elsewhere is hidden where it looks like a secret', () => {
  const live = plan({
    spec: {
      containers: [
        { name: 'base' },
        {
          name: 'mesh',
          args: ['--token=abc def', '--password', 'hunter two', 'plain', 'x'.repeat(100_000)],
          lifecycle: { preStop: { httpGet: { port: 1, httpHeaders: [{ name: 'X-Auth-Token', value: 'abc def' }] } } },
        },
      ],
      volumes: [{ name: 'v', csi: { driver: 'd', volumeAttributes: { secretKey: 'abc def', share: 'plain' } } }],
    },
  });
  const { spec } = shown(live);
  expect(spec?.containers[1]).toEqual({
    name: 'mesh',
    args: ['--token=***', '--password', '***', 'plain', '(100000 characters)'],
    lifecycle: { preStop: { httpGet: { port: 1, httpHeaders: [{ name: 'X-Auth-Token', value: '***' }] } } },
  });
  expect(spec?.volumes?.[0]?.csi?.volumeAttributes).toEqual({ secretKey: '***', share: 'plain' });
});

describe('a pod of any length', () => {
  const long = plan({
    spec: {
      containers: Array.from({ length: 5000 }, (_, at) => ({ name: `c${at}`, image: 'busybox', args: ['a b'] })),
    },
  });
  test('is cut at the end of a line, and says so', () => {
    const lines = printLivePod(long, plan(), [SECRET]).split('\n');
    expect(lines.join('\n').length).toBeLessThan(64 * 1024 + 100);
    expect(lines.at(-2)).toMatch(/^ {4}- name: c\d+$|^ {6}(image: busybox|args:)$|^ {8}- a b$/);
    const rest = /^\(cut here: (\d+) more lines\)$/.exec(lines.at(-1) ?? '')?.[1];
    // Six lines, the spec's containers of four lines each.
    expect(lines.length - 1 + Number(rest)).toBe(7 + 4 * 5000);
  });
});

describe('whatever is in the pod', () => {
  test.each(HOSTILE_TEXTS)('%j is printed as the text that it is', text => {
    const pod = plan({ metadata: { annotations: { a: text, [text]: 'b' } } });
    const { [NONCE]: _, ...annotations } = { a: text, [text]: 'b' } as Record<string, string>;
    expect(shown(pod, pod).metadata?.annotations).toEqual(annotations);
  });

  /** Anywhere in a pod, by itself or within other text. */
  const secret = fc.stringMatching(/^S3[a-zA-Z0-9"'\n:# -]{4,20}T$/);
  const around = fc.tuple(fc.constantFrom('', 'x ', '--opt=', 'A=', '\n'), fc.constantFrom('', ' y', '\n', '"'));
  const places: ((text: string) => V1Pod)[] = [
    text => withEnv([{ name: 'A', value: text }]),
    text => plan({ metadata: { annotations: { a: text }, labels: { b: text } } }),
    text => plan({ spec: { containers: [{ name: 'base', command: ['sh', '-c', text], args: [text, text] }] } }),
    text => plan({ spec: { containers: [{ name: 'base', image: text, workingDir: text }], hostname: text } }),
    text => plan({ spec: { containers: [{ name: 'm', lifecycle: { postStart: { exec: { command: [text] } } } }] } }),
    text =>
      plan({
        spec: { containers: [], volumes: [{ name: 'v', csi: { driver: text, volumeAttributes: { a: text } } }] },
      }),
    text => plan({ spec: { containers: [], initContainers: [{ name: 'i', env: [{ name: 'A', value: text }] }] } }),
    text => plan({ spec: { containers: [], tolerations: [{ key: text, value: text }] } }),
  ];
  test('no secret that was given is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        around,
        fc.boolean(),
        (place, secrets, [before, after], asked) => {
          const live = place(`${before}${secrets.join(' ')}${after}`);
          const printed = printLivePod(live, asked ? live : plan(), secrets);
          for (const one of secrets) {
            expect(printed).not.toContain(one);
            expect(JSON.stringify(load(printed))).not.toContain(JSON.stringify(one).slice(1, -1));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
