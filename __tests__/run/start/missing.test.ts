import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { referencesOf } from '../../../src/pod/references.ts';
import { explainMissing, type Missing, missingIn } from '../../../src/run/start/missing.ts';

const variable = (secret: string, key: string) => ({ name: 'A', valueFrom: { secretKeyRef: { name: secret, key } } });
const podWith = (spec: Partial<NonNullable<V1Pod['spec']>>): V1Pod => ({
  metadata: { namespace: 'etl', name: 'p' },
  spec: { containers: [], ...spec },
});
const origins: Record<string, string> = {
  'spec.containers[0].env[0].valueFrom.secretKeyRef': 'secrets[0]',
  'spec.containers[0].env[1].valueFrom.secretKeyRef': 'env_vars[3]',
  'spec.volumes[0].secret.items[0]': 'secrets[1]',
};
const explain = (text: string, pod: V1Pod, volume?: string) =>
  explainMissing(
    missingIn(
      text,
      referencesOf(pod, path => origins[path] ?? path),
      pod,
      volume,
    ),
    'etl',
  );

test('one sentence names the Secret, the namespace and the input', () => {
  const pod = podWith({ containers: [{ name: 'base', env: [variable('db-secret', 'password')] }] });
  expect(explain('secret "db-secret" not found', pod)).toEqual({
    title: 'Secret missing',
    sentence: 'Secret "db-secret" does not exist in namespace etl; secrets[0] asks for it.',
    remedy: 'Create it: kubectl -n etl create secret generic db-secret --from-literal=password=VALUE',
  });
});

test('everyone who asks is named, and the command has all their keys', () => {
  const pod = podWith({
    containers: [{ name: 'base', env: [variable('s', 'user'), variable('s', 'password')] }],
    volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'service-account.json', path: 'x' }] } }],
  });
  expect(explain('secret "s" not found', pod)).toEqual({
    title: 'Secret missing',
    sentence: 'Secret "s" does not exist in namespace etl; secrets[0], env_vars[3] and secrets[1] ask for it.',
    remedy:
      'Create it: kubectl -n etl create secret generic s --from-literal=user=VALUE --from-literal=password=VALUE --from-file=service-account.json=PATH',
  });
});

test('a thing that several texts name is told once', () => {
  const pod = podWith({
    volumes: [
      { name: 'v', secret: { secretName: 's' } },
      { name: 'w', secret: { secretName: 's' } },
    ],
  });
  expect(explain('secret "s" not found, secret "s" not found', pod)?.sentence).toBe(
    'Secret "s" does not exist in namespace etl; spec.volumes[0].secret and spec.volumes[1].secret ask for it.',
  );
});

test('a key of a volume is looked for in that volume alone', () => {
  const items = [{ key: 'k', path: 'x' }];
  const pod = podWith({
    volumes: [
      { name: 'v', secret: { secretName: 'one', items } },
      { name: 'w', secret: { secretName: 'two', items } },
    ],
  });
  expect(explain('references non-existent secret key: k', pod, 'w')?.sentence).toBe(
    'Secret "two" exists in namespace etl, but has no key "k"; spec.volumes[1].secret.items[0] asks for it.',
  );
});

describe('nothing is said to be missing that', () => {
  const items = [{ key: 'k', path: 'x' }];
  test.each<[string, string, V1Pod]>([
    [
      'the pod does not ask for',
      'secret "other" not found',
      podWith({ containers: [{ name: 'base', env: [variable('s', 'k')] }] }),
    ],
    [
      'may be missing',
      'secret "s" not found',
      podWith({ containers: [{ name: 'base', envFrom: [{ secretRef: { name: 's', optional: true } }] }] }),
    ],
    [
      'could be either of two',
      'references non-existent secret key: k',
      podWith({
        volumes: [
          { name: 'v', projected: { sources: [{ secret: { name: 'a', items } }, { secret: { name: 'b', items } }] } },
        ],
      }),
    ],
  ])('%s', (_, text, pod) => {
    expect(
      missingIn(
        text,
        referencesOf(pod, path => path),
        pod,
        'v',
      ),
    ).toEqual([]);
  });
});

describe('a command holds no more than was meant:', () => {
  const missing = (name: string, key?: string): Missing => ({
    kind: 'Secret',
    name,
    askedFor: [
      {
        kind: 'Secret',
        name,
        path: 'spec.containers[0].envFrom[0].secretRef',
        origin: 'x',
        ...(key !== undefined && { key }),
      },
    ],
  });

  test('a key is quoted', () => {
    expect(explainMissing([missing('s', "a'; rm -rf $HOME")], 'etl')?.remedy).toBe(
      `Create it: kubectl -n etl create secret generic s --from-literal='a'\\''; rm -rf $HOME'=VALUE`,
    );
  });

  test.each(['--all', 'a b', '$(id)', 'Upper', 'x;y', ''])('there is none for the name "%s"', name => {
    expect(explainMissing([missing(name)], 'etl')?.remedy).toBe('No object can have that name: correct it');
  });
});
