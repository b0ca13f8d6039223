import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isObject, type Path, parsePath, pathText } from '../../src/pod/json.ts';

describe('a path', () => {
  test.each<[text: string, path: Path]>([
    ['spec.containers[0].env', ['spec', 'containers', 0, 'env']],
    ['[1].mountPath', [1, 'mountPath']],
    [
      'spec.containers[0].resources.limits[nvidia.com/gpu]',
      ['spec', 'containers', 0, 'resources', 'limits', 'nvidia.com/gpu'],
    ],
    ['metadata.labels[a.io/b]', ['metadata', 'labels', 'a.io/b']],
    ['metadata.labels[a b]', ['metadata', 'labels', 'a b']],
    ['metadata.labels[]', ['metadata', 'labels', '']],
    ['[a.b]', ['a.b']],
    ['spec.$patch', ['spec', '$patch']],
    ['spec[$deleteFromPrimitiveList/args]', ['spec', '$deleteFromPrimitiveList/args']],
    ['data.key-1_b', ['data', 'key-1_b']],
    ['labels.1', ['labels', '1']],
    ['', []],
  ])('%s is written and read back', (text, path) => {
    expect(pathText(path)).toBe(text);
    expect(parsePath(text)).toEqual(path);
  });

  test.each<[text: string, path: Path]>([
    [
      'spec.template.spec.containers[10].ports[2].containerPort',
      ['spec', 'template', 'spec', 'containers', 10, 'ports', 2, 'containerPort'],
    ],
    ['spec.containers[0].image.', ['spec', 'containers', 0, 'image']],
    ['spec..containers', ['spec', 'containers']],
    ['<nil>', ['<nil>']],
    ['spec.containers[', ['spec', 'containers']],
  ])("the server's %s is read", (text, path) => expect(parsePath(text)).toEqual(path));

  test('of any fields, keys and indexes is read back', () => {
    // Digits alone in brackets are an index.
    const key = fc.string().filter(text => !/[[\]]|^[0-9]+$/.test(text));
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.nat())), path => {
        expect(parsePath(pathText(path))).toEqual(path);
      }),
    );
  });

  test('of any text is read without an accident', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(Array.isArray(parsePath(text))).toBe(true);
      }),
    );
  });
});

test.each([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  ['a', false],
  [undefined, false],
])('%j is an object: %s', (value, expected) => expect(isObject(value)).toBe(expected));
