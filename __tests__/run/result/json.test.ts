import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { faultIn, isBlank, readJson } from '../../../src/run/result/json.ts';

const read = (text: string) => readJson(Buffer.from(text));
const LEVELS = 100_000;

describe('JSON is taken as it stands:', () => {
  test.each([
    ['an object', '{"a": [1, {"b": null}], "a": 1.10}'],
    ['a number beyond what a double holds', '12345678901234567890'],
    ['a number above every double', '1e400'],
    ['text', '"seven"'],
    ['null', 'null'],
    ['half a surrogate pair, escaped', '"\\ud800"'],
    ['a byte order mark in text', '"a\ufeffb"'],
    ['line separators in text', '"\u2028\u2029"'],
    ['the words of a workflow command', '"::set-output name=a::b"'],
    ['lists as deep as there are', '['.repeat(LEVELS) + ']'.repeat(LEVELS)],
    ['objects as deep as there are', `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`],
  ])('%s', (_, text) => expect(read(text)).toEqual({ text }));

  test('without white space around it', () => expect(read('\r\n\t [1,\n 2] \n')).toEqual({ text: '[1,\n 2]' }));

  test('without a byte order mark', () => expect(read('\ufeff {}\n')).toEqual({ text: '{}' }));

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), json => {
        expect(read(json)).toEqual({ text: json.trim() });
      }),
    );
  });
});

describe('of a fault it says what it is, where, and what is there:', () => {
  test.each<[json: string, fault: string]>([
    ['seven', 'Unexpected text at line 1, column 1: it begins with `seven`'],
    ['{"a": ', 'Unexpected end of JSON input at line 1, column 7: it ends after `{"a": `'],
    ['{"a":1,}', 'Expected double-quoted property name at line 1, column 8: after `{"a":1,` comes `}`'],
    ['[1,]', 'Unexpected text at line 1, column 4: after `[1,` comes `]`'],
    ['{"rows": undefined}', 'Unexpected text at line 1, column 10: after `{"rows": ` comes `undefined}`'],
    ['[1,\n 2\n 3]', "Expected ',' or ']' after array element at line 3, column 2: after `[1,\\n 2\\n ` comes `3]`"],
    ['{} x', 'Unexpected non-whitespace character after JSON at line 1, column 4: after `{} ` comes `x`'],
    ['// c\n{}', 'Unexpected text at line 1, column 1: it begins with `// c\\n{}`'],
    ['{/*c*/}', "Expected property name or '}' at line 1, column 2: after `{` comes `/*c*/}`"],
    ['"abc', 'Unterminated string at line 1, column 5: it ends after `"abc`'],
    ['01', 'Unexpected number at line 1, column 2: in `01`'],
    ['\u00a0[]', 'Unexpected text at line 1, column 1: it begins with `\u00a0[]`'],
    // Its words for a text that it knows by heart are others.
    ['NaN', 'Unexpected text at line 1, column 1: it begins with `NaN`'],
    ['[object Object]', 'Unexpected text at line 1, column 2: after `[` comes `object Object]`'],
    ['undefined', 'Unexpected text at line 1, column 1: it begins with `undefined`'],
  ])('%j', (json, fault) => expect(read(json)).toMatchObject({ fault }));

  test('columns are of its line, whatever it ends with', () => {
    expect(read('{\r\n  "a": x\r\n}')).toMatchObject({
      fault: 'Unexpected text at line 2, column 8: after `{\\r\\n  "a": ` comes `x\\r\\n}`',
    });
  });

  test('a byte order mark has no column', () => {
    expect(read('\ufeff[x]')).toMatchObject({
      fault: 'Unexpected text at line 1, column 2: after `[` comes `x]`',
    });
  });

  test('another byte order mark is a fault like any other', () => {
    expect(read('{"a":\ufeff1}')).toMatchObject({
      fault: 'Unexpected text at line 1, column 6: after `{"a":` comes `\\ufeff1}`',
    });
  });

  // The runner masks a secret where it stands as a whole.
  test.each<[what: string, json: string, fault: string]>([
    [
      'words on either side as far as they are whole',
      `{"a": "${'x'.repeat(20)}", "b": ${'y'.repeat(20)}, ${'z'.repeat(20)}}`,
      `column 36: after \`"${'x'.repeat(20)}", "b": \` comes \`${'y'.repeat(20)},\``,
    ],
    ['nothing of a long one before it', `["${'x'.repeat(500)}", y]`, 'column 506: after `, ` comes `y]`'],
    ['nothing of a long one at it', `["x", ${'y'.repeat(31)}]`, 'column 7: it comes after `["x", `'],
    ['nothing of long ones on either side', `["${'x'.repeat(500)}"${'y'.repeat(31)}]`, 'column 504'],
    ['nothing of a long one in a row', `{${'y'.repeat(500)}`, 'column 2: it comes after `{`'],
    ['nothing of a long one that is all', 'y'.repeat(31), 'column 1'],
    ['what may be a part of more but up to where a value would end', `${'y'.repeat(20)}:${'z'.repeat(20)}`, 'column 1'],
    ['an address in one piece', 'pg://u:p@h/db, x', 'column 1: it begins with `pg://u:p@h/db, x`'],
    ['text that it is in as a whole', '{"a": "pass\\word", "b": 1}', 'column 13: in `"pass\\word"`'],
    [
      'text that it is in up to its line break',
      '{"a": "-----BEGIN KEY\nMII"}',
      'column 22: after `{"a": "-----BEGIN KEY` comes `\\nMII"}`',
    ],
    ['nothing of a long text that it is in', `{"a": "${'x'.repeat(60)}\\w"}`, 'column 69'],
    ['nothing of a long text that ends too soon', `["${'x'.repeat(60)}`, 'column 63: it ends there'],
    ['a number that it is in', '[1234567x89]', 'column 9: in `1234567x89`'],
    ['text to which something is glued', '["abc"def]', 'column 7: after `["abc"` comes `def]`'],
  ])('shows %s', (_, json, fault) => {
    const found = read(json);
    expect('fault' in found && found.fault.replace(/^.* at line 1, /, '')).toBe(fault);
  });

  test('shows no part of a word', () => {
    const word = fc.stringMatching(/^[A-Z]{1,60}$/);
    const between = fc.constantFrom('"', '", "', ', ', ' ', '\n', '{', '}', '[', ']', '": ', '": "', '\\', '\u0001');
    fc.assert(
      fc.property(fc.array(fc.tuple(between, word), { minLength: 1, maxLength: 6 }), pieces => {
        const found = faultIn(pieces.flat().join(''));
        const shown = [...(found?.fault.matchAll(/`([^`]*)`/g) ?? [])].map(([, text = '']) => text);
        const words = new Set(pieces.map(([, word]) => word));
        for (const text of shown) for (const [part] of text.matchAll(/[A-Z]+/g)) expect(words).toContain(part);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[what: string, json: string]>([
    ['begun', '['.repeat(LEVELS)],
    ['begun, of objects', '{"a":'.repeat(LEVELS)],
    ['that hold something else', `${'['.repeat(LEVELS)}x${']'.repeat(LEVELS)}`],
    ['that hold a control character', `${'['.repeat(LEVELS)}\u0001`],
  ])('however deep: levels %s', (_, json) => {
    expect(read(json)).toMatchObject({ fault: expect.stringMatching(/^Unexpected (end|text)/) });
  });
});

describe('a fault shows nothing that acts on who reads it:', () => {
  test.each([
    ['an escape sequence', '{"a": "\u001b[31mred"}', '\\u001b[31mred'],
    ['an escape sequence at the start', '\u001b[31m{}', '\\u001b[31m{}'],
    ['NUL', '\u0000', '\\u0000'],
    ['NUL in half a word', 'nul\u0000', 'nul\\u0000'],
    ['a carriage return', '[1\r,,\r]', '[1\\r,'],
    ['text from right to left', '\u202e[]', '\\u202e[]'],
    ['a C1 control character', '\u009b31m', '\\u009b31m'],
    ['a line separator', '[\u2028]', '[` comes `\\u2028]'],
  ])('%s', (_, json, shown) => {
    const found = read(json);
    expect(found).toMatchObject({ fault: expect.stringContaining(shown) });
    expect('fault' in found && found.fault).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  });

  test('whatever the text', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', 'e', 'null', 'x', '/', '\\');
    const odd = fc.constantFrom('\u0001', '\u001b[2J', '\r', '\n', '\u202e', '\ufeff', '\ud83d\ude00', '\u2028', 'NaN');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, odd), { maxLength: 12 }), pieces => {
        const text = pieces.join('');
        const found = faultIn(text);
        if (found === undefined) return void JSON.parse(text.replace(/^\ufeff/, ''));
        expect(found.fault).toMatch(
          /^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+ at line \d+, column \d+(: [^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+)?$/u,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what to do about it depends on the fault:', () => {
  const quotes = /^Write JSON \(text needs quotation marks\), or set `do_xcom_push: false`\.$/;
  const python = /^This is how Python prints: write it by json\.dumps\(\)\.$/;
  const numbers = /neither NaN nor infinities/;
  const second = /^Write one value: a second one is behind the first/;
  const whole = /^It breaks off/;
  const keys = /^Keys need quotation marks/;
  const comma = /^JSON takes no comma behind the last value\.$/;
  const comments = /^JSON has no comments\.$/;
  const controls = /line break or another control character .* as \\n,/;
  const backslash = /backslash .* as \\\\,/;

  test.each<[json: string, remedy: RegExp]>([
    ['seven', quotes],
    ['1 2', quotes],
    ["{'a': 1}", python],
    ['{"a": \'b\'}', python],
    ['[True]', python],
    ['[1, False]', python],
    ['None', python],
    ['NaN', numbers],
    ['[1, NaN]', numbers],
    ['[Infinity]', numbers],
    ['{"a":\n -Infinity}', numbers],
    ['{}{}', second],
    ['{"a":1}\n{"a":2}\n', second],
    ['[1]\n["', second],
    ['"a"\n"b"', second],
    ['[nan]', numbers],
    ['[-inf, 1]', numbers],
    ['[inferred]', quotes],
    ['{"a":1,}', comma],
    ['[1,\n]', comma],
    ['[]]', quotes],
    ['// c\n{}', comments],
    ['{"a": 1 /* c */}', comments],
    ['# c\n{}', comments],
    ['{"a": "b\nc"}', controls],
    ['"\u001b[0m"', controls],
    ['\u001f', quotes],
    ['"C:\\dir"', backslash],
    ['"\\u12g"', backslash],
    ['{"a": ', whole],
    ['["abc', whole],
    ['nul', whole],
    ['{rows: 1}', keys],
    ['{"a": 1, max-rows : 1}', keys],
  ])('%j', (json, remedy) => expect(read(json)).toMatchObject({ remedy: expect.stringMatching(remedy) }));
});

describe('bytes that are no UTF-8 are told, from 1:', () => {
  test.each<[what: string, bytes: number[], fault: string]>([
    ['Latin-1 in text', [...Buffer.from('{"a": "f\u00fcr"}', 'latin1')], 'byte 9 is no UTF-8'],
    ['Latin-1 that begins like a long character', [...Buffer.from('"\u00e4"', 'latin1')], 'byte 2 is no UTF-8'],
    ['the first', [0x80], 'byte 1 is no UTF-8'],
    ['the last', [...Buffer.from('"a"'), 0xff], 'byte 4 is no UTF-8'],
    ['a character that breaks off', [0x22, 0x61, 0xe2, 0x82], 'byte 3 is no UTF-8'],
    ['a character longer than need be', [...Buffer.from('"\u00e4'), 0xc0, 0x80, 0x22], 'byte 4 is no UTF-8'],
    ['half a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22], 'byte 2 is no UTF-8'],
    ['behind a byte order mark, which counts', [0xef, 0xbb, 0xbf, 0x22, 0xff], 'byte 5 is no UTF-8'],
    ['behind characters of four bytes', [...Buffer.from('"\u{1f600}\u{1f600}'), 0xfe], 'byte 10 is no UTF-8'],
  ])('%s', (_, bytes, fault) => {
    expect(readJson(Buffer.from(bytes))).toEqual({
      fault,
      remedy: 'Write UTF-8; bytes that are no text can be written as base64.',
    });
  });

  test('wherever the first one is', () => {
    const character = fc.constantFrom('"', '\u00e4', '\u20ac', '\u{1f600}');
    fc.assert(
      fc.property(
        fc.array(character, { minLength: 1, maxLength: 50 }),
        fc.uint8Array({ maxLength: 5 }),
        (text, more) => {
          const good = Buffer.from(text.join(''));
          const bytes = Buffer.concat([good, Buffer.from([0xff]), more]);
          expect(readJson(bytes)).toMatchObject({ fault: `byte ${good.length + 1} is no UTF-8` });
        },
      ),
    );
  });

  test.each([
    ['little-endian', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['big-endian', [0xfe, 0xff, 0x00, 0x7b, 0x00, 0x7d]],
  ])('but UTF-16 is known by its mark, %s', (_, bytes) => {
    expect(readJson(Buffer.from(bytes))).toEqual({
      fault: 'it is UTF-16, and JSON has to be UTF-8',
      remedy: 'Write UTF-8; in Windows PowerShell by `Out-File -Encoding utf8`.',
    });
  });
});

test.each<[what: string, bytes: Buffer, blank: boolean]>([
  ['nothing', Buffer.alloc(0), true],
  ['white space', Buffer.from(' \t\r\n'), true],
  ['a byte order mark', Buffer.from('\ufeff\n'), true],
  ['a value', Buffer.from('\n0'), false],
  ['NUL', Buffer.from([0]), false],
  ['what is no UTF-8', Buffer.from([0xff]), false],
])('%s in a file is blank: %#', (_, bytes, blank) => expect(isBlank(bytes)).toBe(blank));
