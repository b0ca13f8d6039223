import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCommandFile } from '../../src/github/command-file.ts';
import { parseKeyValueFile } from '../support/command-files.ts';

describe('a file of commands', () => {
  test.each<[string, string, [string, string][]]>([
    ['a line', 'a=1\n', [['a', '1']]],
    ['a last line without an end', 'a=1', [['a', '1']]],
    ['an empty value', 'a=', [['a', '']]],
    ['a value with = and <<', 'a=b=c<<d\n', [['a', 'b=c<<d']]],
    ['empty lines', '\n\na=1\n\n', [['a', '1']]],
    ['a block', 'a<<E\nx\n\ny\nE\n', [['a', 'x\n\ny']]],
    ['an empty block', 'a<<E\nE\n', [['a', '']]],
    ['a block whose end has no end', 'a<<E\nx\nE', [['a', 'x']]],
    [
      'a block with lines that look like others',
      'a<<E\nb=2\nc<<F\nE\nd=3\n',
      [
        ['a', 'b=2\nc<<F'],
        ['d', '3'],
      ],
    ],
    [
      'a name twice',
      'a=1\na=2\n',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['carriage returns, which belong to the value', 'a=1\r\n', [['a', '1\r']]],
    ['nothing', '', []],
  ])('%s', (_, text, entries) => {
    expect(readCommandFile(text)).toEqual({ entries });
  });

  test.each([
    ['neither', 'a=1\nfoo\n', 'line 2, "foo", is neither name=value nor name<<DELIMITER'],
    ['a line without a name', '=1', 'line 1, "=1", has no name'],
    ['a block without a name', '<<E\nE', 'line 1, "<<E", has no name'],
    ['a block without a delimiter', 'a<<\nb\n', 'line 1, "a<<", has no delimiter'],
    ['a block without an end', 'a<<E\nb\n', 'the block that begins in line 1, "a<<E", has no end: no line is "E"'],
    [
      'an end with a carriage return',
      'a<<E\nb\nE\r\n',
      'the block that begins in line 1, "a<<E", has no end: no line is "E"',
    ],
    ['a long line', `${'x'.repeat(200)}`, `line 1, "${'x'.repeat(100)}…", is neither name=value nor name<<DELIMITER`],
  ])('%s is told with its place', (_, text, fault) => {
    expect(readCommandFile(text)).toEqual({ fault });
  });

  test('is read as the runner reads it', () => {
    const part = fc.constantFrom('a', 'B', '=', '<<', '<', '\n', 'E', ' ', '\r', 'é', 'b<<E\nx\nE\n', 'c=1\n');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), parts => {
        const text = parts.join('');
        const read = readCommandFile(text);
        let runners: Record<string, string> | undefined;
        try {
          runners = parseKeyValueFile(text);
        } catch {
          runners = undefined;
        }
        expect('entries' in read ? Object.fromEntries(read.entries) : undefined).toEqual(runners);
      }),
      { numRuns: 2000 },
    );
  });
});
