import { expect, describe as group, test } from '@jest/globals';
import fc from 'fast-check';
import {
  describe,
  type NodePlace,
  numberOrBoolean,
  parseYaml,
  parseYamlDocuments,
  plain,
  Scalar,
  type Tree,
  YamlError,
} from '../../src/github/yaml.ts';

function errorOf(text: string): Error {
  try {
    parseYaml(text);
  } catch (error) {
    return error as Error;
  }
  throw new Error('was read without an error');
}

group('scalars', () => {
  test.each<[text: string, value: unknown, what: string]>([
    ['0400', 256, 'a leading zero means octal, as in a file mode'],
    ['-0400', -256, 'octal below zero'],
    ['0o17', 15, "YAML 1.2's octal"],
    ['0x1F', 31, 'hexadecimal'],
    ['0', 0, 'zero'],
    ['00', 0, 'octal zero'],
    ['1.10', 1.1, 'a decimal fraction'],
    ['1e3', 1000, 'an exponent'],
    ['-5', -5, 'a number below zero'],
    ['true', true, 'a boolean'],
    ['TRUE', true, 'a boolean in capitals'],
    ['null', null, 'null'],
    ['~', null, "null's tilde"],
    ['!!int "0400"', 256, 'a number by its tag'],
  ])('%s is %j: %s', (text, value) => expect(plain(parseYaml(text))).toBe(value));

  test.each([
    '089',
    '0089',
    'yes',
    'no',
    'on',
    'off',
    'y',
    'n',
    'Yes',
    '2020-01-01',
    '2020-01-01T00:00:00Z',
    '12:30:45',
    '1_000',
    '0b11',
    'tRue',
    '1.2.3',
    '500m',
    '=',
  ])('%s is text', text => expect(parseYaml(text)).toBe(text));

  test.each(['1.10', '0400', '1e3', '0x1F', 'TRUE', '~', '12345678901234567890', '-0', '.inf'])(
    '%s keeps the text it was written in',
    text => expect(String(parseYaml(text))).toBe(text),
  );

  test.each(['"0400"', "'0400'", '!!str 0400', '|-\n  0400'])('%j is the text 0400', text =>
    expect(parseYaml(text)).toBe('0400'),
  );

  test.each(['', ' ', '\n\n', '# a comment', '  # one\n# two\n\n', '---', '---\n...\n', '\ufeff'])(
    '%j holds nothing',
    text => expect(plain(parseYaml(text))).toBeNull(),
  );
});

group('mappings and lists', () => {
  test.each<[what: string, text: string, value: unknown]>([
    ['a number as a key is its text', '1.10: x', { '1.10': 'x' }],
    ['null as a key is its text', 'null: x', { null: 'x' }],
    ['a boolean as a key is its text', 'true: x', { true: 'x' }],
    ['octal as a key is its text', '0400: x', { '0400': 'x' }],
    ['n as a key', 'n: x', { n: 'x' }],
    ['names that every object inherits', 'constructor: x\ntoString: y', { constructor: 'x', toString: 'y' }],
    ['JSON', '{"a": [1, "b", null, {"c": false}]}', { a: [1, 'b', null, { c: false }] }],
    ['a list', '- a\n- 1\n-', ['a', 1, null]],
    ['a merge, whose own keys win', 'a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}', { a: { p: 1, q: 2 }, b: { p: 1, q: 3 } }],
    ['a merge behind its own keys', 'b: {q: 3, <<: {q: 1, r: 2}}', { b: { q: 3, r: 2 } }],
    ['a merge of two, whose first wins', 'b: {<<: [{q: 1}, {q: 2, r: 2}]}', { b: { q: 1, r: 2 } }],
    ['an alias', 'a: &x 1.10\nb: *x', { a: 1.1, b: 1.1 }],
    ['a block of text', 'a: |-\n  # no comment\n  x', { a: '# no comment\nx' }],
    ['a comment and then something', '# comment\na: 1', { a: 1 }],
    ['a byte order mark', '\ufeffa: 1', { a: 1 }],
    ['a directive', '%YAML 1.2\n---\na: 1', { a: 1 }],
  ])('%s', (_, text, value) => expect(plain(parseYaml(text))).toEqual(value));

  test('__proto__ is a key like any other', () => {
    const tree = plain(parseYaml('__proto__: {hostNetwork: true}\na: 1')) as object;
    expect(JSON.stringify(tree)).toBe('{"__proto__":{"hostNetwork":true},"a":1}');
    expect(Object.getPrototypeOf(tree)).toBe(Object.prototype);
  });

  test('a list that holds itself is an error, not an endless pod', () => {
    expect(errorOf('a: &x [*x]')).toBeInstanceOf(YamlError);
  });
});

group('a fault is told with its place', () => {
  test.each([
    ['duplicate keys', 'a: 1\na: 2', 'duplicated mapping key (line 2, column 1)'],
    ['a number and its text as keys', '1: a\n"1": b', 'duplicated mapping key (line 2, column 2)'],
    ['an unclosed list', '[a, b', 'unexpected end of the stream within a flow collection (line 1, column 6)'],
    ['an unclosed mapping', 'x:\n  {a: b', 'unexpected end of the stream within a flow collection (line 2, column 8)'],
    ['an unclosed quote', 'a: "b', 'unexpected end of the stream within a double quoted scalar (line 1, column 6)'],
    ['a tab as indentation', 'a:\n\t- b', 'tab characters must not be used in indentation (line 2, column 1)'],
    [
      'a colon in a value',
      'a: b: c',
      'bad indentation of a mapping entry, or text with a colon in it that needs quotes (line 1, column 5)',
    ],
    [
      'a list as a key',
      '[a]: b',
      'a key is a list or a mapping; it has to be text, and text that begins with { or [ needs quotes (line 1, column 1)',
    ],
    ['too deep a list', '['.repeat(200), 'nesting exceeded maxDepth (100) (line 1, column 100)'],
    ['a control character', 'a: \u0007x', 'the stream contains non-printable characters (line 1, column 4)'],
  ])('%s', (_, text, expected) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(YamlError);
    expect(error.message).toBe(expected);
  });

  test.each([
    ['two documents', 'a: 1\n---\nb: 2', 'it holds more than one document; only one is expected'],
    ['an end of document and nothing before', '...', 'it holds a document without content'],
  ])('%s, which has no place', (_, text, expected) => expect(errorOf(text)).toEqual(new YamlError(expected)));

  test.each([
    ['an unknown tag', 'a: !vault x'],
    ['a binary', '!!binary aGk='],
    ['a number by its tag that is none', '!!int foo'],
    ['an alias of nothing', 'a: *b'],
    ['an anchor twice', '&a &b x'],
  ])('%s', (_, text) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(YamlError);
    expect(error.message).toMatch(/\(line \d+, column \d+\)$/);
  });

  test.each([
    'p: *hunter2',
    'p: *a"hunter2',
    'p: !hunter2',
    'p: !a"hunter2 x',
    'p: !a%3ehunter2 x',
    'p: !hunter2!x y',
    'p: !<hunter2> y',
    'p: !!hunter2 y',
    'p: @hunter2',
    'p: `hunter2',
    'p: %hunter2',
    'p: "hunter2',
    'p: &a &hunter2 x',
    'p: hunter2: x',
    'p: >hunter2',
    '"\\xhunter2"',
    '%YAML hunter2\n---\n1',
    '<<: hunter2',
    '!!int hunter2',
    '[hunter2',
    'hunter2: 1\nhunter2: 2',
    '&hunter2 {a: *hunter2}',
    '{a: 1}: hunter2: 3',
  ])('%j is refused without a word of it', text => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(YamlError);
    expect(error.message).not.toContain('hunter2');
  });

  test('any text is read or refused with a YamlError', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(...'[]{},:#&*!|>\'"%@`-?~<\n\t 0a\\.'.split(''), '---', '...', '<<: ', '&a ', '*a', '!!int '),
          { maxLength: 20 },
        )
        .map(parts => parts.join('')),
    );
    fc.assert(
      fc.property(text, source => {
        try {
          plain(parseYaml(source));
        } catch (error) {
          expect(error).toBeInstanceOf(YamlError);
        }
      }),
      { numRuns: 3000, seed: 7 },
    );
  });
});

group('a comment takes no longer than other text', () => {
  /** Where every way to cut the line is tried, each `#` more doubles the time: 28 took 3.5 s, a line of 80 would never end. */
  test.each([
    ['a line of #', `${'#'.repeat(28)}\na: 1`],
    ['words of #', `${'# '.repeat(16)}\na: 1`],
  ])('%s', (_, text) => {
    const start = performance.now();
    parseYaml(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

group('what was found', () => {
  test.each<[Tree, string]>([
    ['secret', 'text'],
    [[], 'a list'],
    [{}, 'a mapping'],
    [new Scalar(7, '7'), 'the number 7'],
    [new Scalar(1.1, '1.10'), 'the number 1.10'],
    [new Scalar(true, 'True'), 'the boolean True'],
    [new Scalar(null, '~'), 'nothing'],
  ])('%j is called %s', (tree, expected) => expect(describe(tree)).toBe(expected));
});

group('several documents', () => {
  test.each<[text: string, values: unknown[]]>([
    ['a: 1\n---\nb: 0400', [{ a: 1 }, { b: 256 }]],
    ['a: 1', [{ a: 1 }]],
    ['---\n---\n# comment\n---\na: 1\n---\n', [{ a: 1 }]],
    ['', []],
    ['# comment', []],
    ['---\nnull\n---\n""', [null, '']],
  ])('%j', (text, values) => expect(parseYamlDocuments(text).map(plain)).toEqual(values));

  test('a fault has its place, in words and in the text', () => {
    const text = 'a: 1\n---\nb: 1\nb: 2';
    const fault = {
      reason: 'duplicated mapping key',
      message: 'duplicated mapping key (line 4, column 1)',
      offset: 14,
    };
    expect(() => parseYamlDocuments(text)).toThrow(expect.objectContaining(fault));
  });
});

group('a text of which parts are read in another way', () => {
  const seen = (text: string) => {
    const places: NodePlace[] = [];
    parseYamlDocuments(text, { see: place => places.push(place), read: () => undefined });
    return places;
  };

  test('is shown whole first, with its keys', () => {
    const keys = (text: string) =>
      seen(text)
        .filter(({ isKey }) => isKey)
        .map(({ text }) => text);
    expect(keys('a: {b: [c, d: e]}\n"f": g\n? h\n: i\n---\n{j, k: l}')).toEqual(['a', 'b', 'd', 'f', 'h', 'j', 'k']);
    expect(keys('x: &a b\n*a : c\n---\ny: &a d\n*a : e')).toEqual(['x', 'b', 'y', 'd']);
  });

  test('is shown with anchors, aliases and tags', () => {
    expect(seen('&a !!map {b: !!str &c d, e: *c}')).toEqual([
      { text: undefined, anchor: 'a', tag: '!!map', isKey: false },
      { text: 'b', anchor: '', tag: '', isKey: true },
      { text: 'd', anchor: 'c', tag: '!!str', isKey: false },
      { text: 'e', anchor: '', tag: '', isKey: true },
      { text: 'd', anchor: 'c', tag: '', isKey: false },
    ]);
  });

  test('is read so where the reader says so', () => {
    const text = 'a: X\nb: "X"\nc: 1\nd: |-\n  X\ne: &x X\nf: *x\ng: !!str X\nh: !!int 2';
    const read = (source: string, isPlain: boolean) => (source === 'X' ? `${isPlain}` : undefined);
    expect(parseYamlDocuments(text, { see: () => {}, read }).map(plain)).toEqual([
      { a: 'true', b: 'false', c: 1, d: 'false', e: 'true', f: 'true', g: 'false', h: 2 },
    ]);
  });
});

test.each<[text: string, value: unknown]>([
  ['1.10', 1.1],
  ['0400', 256],
  ['True', true],
  ['null', undefined],
  ['', undefined],
  ['~', undefined],
  ['yes', undefined],
  [' 1', undefined],
])('%j as plain text is the number or boolean %j', (text, value) => {
  expect(numberOrBoolean(text)).toEqual(value === undefined ? undefined : new Scalar(value as number, text));
});
