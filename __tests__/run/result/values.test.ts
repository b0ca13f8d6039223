import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OUTPUTS } from '../../../src/github/contract.ts';
import { valuesOf } from '../../../src/run/result/values.ts';

describe('a key becomes an output:', () => {
  test.each<[what: string, json: string, values: [string, string][]]>([
    ['none of an empty object', '{}', []],
    ['none of an empty object with white space', '{ \n }', []],
    ['text, as it is', '{"a": "b \\"c\\" \\u00e4\\n"}', [['a', 'b "c" \u00e4\n']]],
    ['empty text', '{"a": ""}', [['a', '']]],
    [
      'text that looks like JSON',
      '{"a": "{\\"b\\": 1}", "c": "null"}',
      [
        ['a', '{"b": 1}'],
        ['c', 'null'],
      ],
    ],
    ['a number, with its digits', '{"n": 12345678901234567890}', [['n', '12345678901234567890']]],
    ['a number above every double', '{"n": 1e400}', [['n', '1e400']]],
    [
      'a number as it was written',
      '{"n": 1.10, "m": -0, "e": 1E+2}',
      [
        ['n', '1.10'],
        ['m', '-0'],
        ['e', '1E+2'],
      ],
    ],
    [
      'true, false and null',
      '{"t":true,"f":false,"n":null}',
      [
        ['t', 'true'],
        ['f', 'false'],
        ['n', 'null'],
      ],
    ],
    ['an object as it was written', '{"a" : {"b":  1.0,\n "b": [2, {}]} }', [['a', '{"b":  1.0,\n "b": [2, {}]}']]],
    [
      'a list as it was written',
      '{"a":[1, "x",[ ]] ,"b":[]}',
      [
        ['a', '[1, "x",[ ]]'],
        ['b', '[]'],
      ],
    ],
    [
      'commas, colons and braces in text',
      '{"a": {"b": ",:}]"}, "c,d:}": 1}',
      [
        ['a', '{"b": ",:}]"}'],
        ['c,d:}', '1'],
      ],
    ],
    ['quotation marks and backslashes in a key', '{"a\\"\\\\b": 1}', [['a"\\b', '1']]],
    ['keys by other escapes', '{"\\u0061b": 1}', [['ab', '1']]],
    [
      'keys with spaces, dots and letters of all kinds',
      '{"my key": 1, "a.b-c_d": 2, "größe": 3}',
      [
        ['my key', '1'],
        ['a.b-c_d', '2'],
        ['größe', '3'],
      ],
    ],
    [
      'keys that objects of JavaScript have',
      '{"__proto__": {"x": 1}, "constructor": "c", "toString": 2}',
      [
        ['__proto__', '{"x": 1}'],
        ['constructor', 'c'],
        ['toString', '2'],
      ],
    ],
    ['keys of inner objects do not', '{"a": {"result": 1, "": 2, "A": 3}}', [['a', '{"result": 1, "": 2, "A": 3}']]],
    [
      'white space of all kinds around',
      '{\r\n\t"a"\t:\r\n1\t,\n"b"\n:"c" }',
      [
        ['a', '1'],
        ['b', 'c'],
      ],
    ],
    [
      'keys that only begin like ours',
      '{"results": 1, "state2": 2, "my_result": 3}',
      [
        ['results', '1'],
        ['state2', '2'],
        ['my_result', '3'],
      ],
    ],
  ])('%s', (_, json, values) => expect(valuesOf(json)).toEqual({ values }));

  test('whatever the object is', () => {
    const name = fc.stringMatching(/^key[a-z]{0,8}$/);
    const written = fc.dictionary(name, fc.jsonValue(), { maxKeys: 6, noNullPrototype: true });
    fc.assert(
      fc.property(written, fc.constantFrom(0, 2), (object, spaces) => {
        const found = valuesOf(JSON.stringify(object, undefined, spaces));
        const values = 'values' in found ? found.values : [];
        const read = values.map(([key, value]) => [key, typeof object[key] === 'string' ? value : JSON.parse(value)]);
        expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(object))));
      }),
    );
  });
});

describe('what is no object has no keys:', () => {
  test.each([
    ['[{"a": 1}]', 'a list'],
    ['"text: {}"', 'text'],
    ['7.0', '7.0'],
    ['null', 'null'],
    ['false', 'false'],
  ])('%s', (json, found) => {
    expect(valuesOf(json)).toEqual({
      fault: `multiple_outputs makes an output of each key of an object; return.json is ${found}`,
      remedy: 'Have the container write an object, or leave out `multiple_outputs`.',
    });
  });

  test('a number that is long, which is not shown', () => {
    const found = valuesOf('1'.repeat(100_000));
    expect(found).toMatchObject({ fault: expect.stringMatching(/; return\.json is a number$/) });
  });
});

describe('a key that cannot be an output is named:', () => {
  test.each<[json: string, fault: string]>([
    ['{"": 1}', 'the key "" is empty, and an output needs a name'],
    ['{" \\t": 1}', 'the key " \\t" is empty, and an output needs a name'],
    ...['a=b', 'a<<b', '<<', 'a\nb', 'a\r', '\u0000', 'a\u0085b', 'a\u2028b', 'a\u2029b'].map(
      (name): [string, string] => [
        JSON.stringify({ [name]: 1 }),
        `the key ${JSON.stringify(name)} cannot be the name of an output, which takes no =, no << and no control characters`,
      ],
    ),
    ...OUTPUTS.map((name): [string, string] => [
      JSON.stringify({ [name]: 1 }),
      `the key "${name}" is an output of this action’s own, ${name}`,
    ]),
    ['{"Result": 1}', 'the key "Result" is an output of this action’s own, result'],
    ['{"EXIT_CODE": 1}', 'the key "EXIT_CODE" is an output of this action’s own, exit_code'],
    ['{"a": 1, "a": 1}', 'the key "a" is there more than once'],
    ['{"a": 1, "\\u0061": 2}', 'the key "a" is there more than once'],
    ['{"a": 1, "a": 2, "a": 3}', 'the key "a" is there more than once'],
    ['{"a": 1, "b": 2, "A": 3}', 'the keys "a" and "A" differ by case alone, which outputs do not'],
    [
      '{"größe": 1, "GRÖSSE": 2, "GRÖßE": 3}',
      'the keys "größe" and "GRÖßE" differ by case alone, which outputs do not',
    ],
    [
      `{"${'k'.repeat(100)}=": 1}`,
      'the key of 101 characters cannot be the name of an output, which takes no =, no << and no control characters',
    ],
  ])('%j', (json, fault) => {
    expect(valuesOf(json)).toEqual({
      fault: `multiple_outputs: ${fault}`,
      remedy: 'Rename it, or leave out `multiple_outputs` and take the values from `result`.',
    });
  });

  test('a value that is no text', () => {
    expect(valuesOf('{"a": "b", "c": "\\ud800x"}')).toEqual({
      fault: 'multiple_outputs: the value of the key "c" has half of a surrogate pair in it, which no output can hold',
      remedy: 'Leave out `multiple_outputs`, and take it from `result`, where it is escaped.',
    });
    expect(valuesOf('{"a": ["\\ud800"]}')).toEqual({ values: [['a', '["\\ud800"]']] });
  });

  test('all of them at once', () => {
    expect(valuesOf('{"state": 1, "ok": 2, "": 3, "OK": 4}')).toMatchObject({
      fault:
        'multiple_outputs: the key "state" is an output of this action’s own, state; the key "" is empty, and an output needs a name; the keys "ok" and "OK" differ by case alone, which outputs do not',
    });
  });

  test('of many the first ones', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}=`, 1]));
    const found = valuesOf(JSON.stringify(many));
    expect('fault' in found && found.fault.split('; ')).toEqual([
      expect.stringContaining('"k0="'),
      ...Array.from({ length: 4 }, (_, index) => expect.stringContaining(`"k${index + 1}="`)),
      'and 9,995 more',
    ]);
  });

  test('keys that are long and differ by case are not shown', () => {
    const found = valuesOf(JSON.stringify({ ['k'.repeat(5000)]: 1, ['K'.repeat(5000)]: 2 }));
    expect(found).toMatchObject({
      fault: `multiple_outputs: the keys of 5,000 characters and of 5,000 characters differ by case alone, which outputs do not`,
    });
  });
});

describe('nesting', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;

  test('that is usual is taken apart', () => {
    expect(valuesOf(`{"a": ${deep(500)}}`)).toEqual({ values: [['a', deep(500)]] });
  });

  test('of 100,000 levels is not', () => {
    expect(valuesOf(`{"a": ${deep(100_000)}}`)).toEqual({
      fault: 'return.json is nested too deeply to be taken apart',
      remedy: 'Leave out `multiple_outputs`, and take it from `result`.',
    });
  });
});
