import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkPod } from '../../src/pod/check.ts';
import { type Json, type JsonObject, pathText } from '../../src/pod/json.ts';
import { isQuantity, quantityValue } from '../../src/pod/quantity.ts';
import { anyPod } from '../support/schema-pods.ts';
import { validPod } from '../support/valid-pods.ts';
import { brokenPods } from './broken-pods.ts';
import { manifests } from './manifests.ts';

/** What is said of a pod, each with its place. */
function problemsOf(pod: JsonObject): string[] {
  const problems: string[] = [];
  checkPod(pod, 'base', (path, sentence) => problems.push(`${pathText(path)}: ${sentence}`));
  return problems;
}

const container = { name: 'base', image: 'busybox' };
const withBase = (fields: JsonObject): JsonObject => ({ spec: { containers: [{ ...container, ...fields }] } });
const withSpec = (fields: JsonObject): JsonObject => ({ spec: { containers: [container], ...fields } });
const withMetadata = (fields: JsonObject): JsonObject => ({ metadata: fields, ...withBase({}) });

describe('is found', () => {
  test.each(brokenPods)('%s', (_, pod, ...problems) => expect(problemsOf(pod)).toEqual(problems));
});

describe('nothing is wrong with', () => {
  test.each(manifests)('%s', (_, pod) => expect(problemsOf(pod)).toEqual([]));

  test.each<[what: string, pod: JsonObject]>([
    [
      'the base container without an image: the image is an input of its own',
      { spec: { containers: [{ name: 'base' }] } },
    ],
    [
      'empty text beside a source',
      withBase({ env: [{ name: 'A', value: '', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    ],
    ['an unknown field', withSpec({ newField: [{ deep: {} }] })],
    ['a label of 63 characters', withMetadata({ labels: { [`a.io/${'k'.repeat(63)}`]: 'v'.repeat(63) } })],
    ['limits of nothing', withBase({ resources: { limits: { cpu: 0, memory: '0' }, requests: { cpu: '0m' } } })],
  ])('%s', (_, pod) => expect(problemsOf(pod)).toEqual([]));

  test('any pod that the API server takes', () => {
    fc.assert(
      fc.property(validPod, pod => {
        expect(problemsOf(pod)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test('no pod, whatever is in it, makes the check fail by accident', () => {
  fc.assert(
    fc.property(fc.oneof(anyPod, fc.object() as fc.Arbitrary<JsonObject>), pod => {
      problemsOf(pod);
    }),
    { numRuns: 200 },
  );
});

describe('quantities', () => {
  test.each<[least: Json, most: Json]>([
    ['1n', '1u'],
    ['999m', '1'],
    ['0.7', '701m'],
    ['1G', '1Gi'],
    ['1023Mi', '1Gi'],
    ['1e3', '1001'],
    ['1E', '1Ei'],
    ['-1', '0'],
    ['1.5Gi', '1537Mi'],
    ['.5', '0.51'],
    ['5.', 6],
  ])('%s is less than %s', (least, most) => {
    expect(quantityValue(least) ?? 0n).toBeLessThan(quantityValue(most) ?? 0n);
  });

  test.each<[one: Json, other: Json]>([
    ['700m', '0.7'],
    ['0.3', '300m'],
    ['1Gi', '1073741824'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['+5', 5],
    ['0.1Ki', '102.4'],
    ['128974848', '123Mi'],
  ])('%s is %s', (one, other) => expect(quantityValue(one)).toBe(quantityValue(other)));

  test.each(['', ' 1', '1 ', '1gb', '1Mb', '1,5', '0x10', 'one', '1Gi1', '--1', '.', '1e', 'Gi', true, 'infinity'])(
    '%j is none',
    text => {
      expect(isQuantity(text)).toBe(false);
      expect(quantityValue(text)).toBeUndefined();
    },
  );
});
