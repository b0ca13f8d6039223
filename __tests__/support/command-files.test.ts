import { expect, test } from '@jest/globals';
import { parseKeyValueFile, parsePathFile } from './command-files.ts';

test.each<[string, string, Record<string, string>]>([
  ['nothing', '', {}],
  ['lines', 'a=1\nb=2\n', { a: '1', b: '2' }],
  ['no newline at the end', 'a=1', { a: '1' }],
  ['empty lines', '\na=1\n\n', { a: '1' }],
  ['an empty value', 'a=', { a: '' }],
  ['a value with an equals sign', 'a=b=c', { a: 'b=c' }],
  ['a value with <<', 'a=b<<c', { a: 'b<<c' }],
  ['a carriage return, which stays', 'a=1\r\n', { a: '1\r' }],
  ['the same key twice', 'a=1\na=2', { a: '2' }],
  ['a block', 'a<<EOF\nx\ny\nEOF\n', { a: 'x\ny' }],
  ['an empty block', 'a<<EOF\nEOF\n', { a: '' }],
  ['a block of one empty line', 'a<<EOF\n\nEOF\n', { a: '' }],
  ['a block that ends the file', 'a<<EOF\nx\nEOF', { a: 'x' }],
  ['a block that holds pairs', 'a<<EOF\nb=1\nc<<D\nEOF\nd=2', { a: 'b=1\nc<<D', d: '2' }],
  ['a delimiter with an equals sign', 'a<<E=F\nx\nE=F', { a: 'x' }],
  ['a delimiter within a line', 'a<<EOF\nxEOF\n EOF\nEOF', { a: 'xEOF\n EOF' }],
])('%s', (_, text, expected) => expect(parseKeyValueFile(text)).toEqual(expected));

test.each([
  ['a line without either', 'abc', "Invalid format 'abc'"],
  ['a line without a name', '=x', 'Name must not be empty'],
  ['a block without a name', '<<EOF\nEOF', 'Name must not be empty and delimiter must not be empty'],
  ['a block without a delimiter', 'a<<\nx', 'Name must not be empty and delimiter must not be empty'],
  ['a block that does not end', 'a<<EOF\nx\n', "Matching delimiter not found 'EOF'"],
  ['a block whose delimiter is glued to it', 'a<<EOF\nxEOF', 'EOF marker missing new line'],
])('%s is refused', (_, text, message) => expect(() => parseKeyValueFile(text)).toThrow(message));

test('a path file is a list', () => expect(parsePathFile('/a\n\n/b\r\n/a\n')).toEqual(['/a', '/b']));
