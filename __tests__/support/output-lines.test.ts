import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OutputLines } from './output-lines.ts';

function linesOf(...chunks: (string | number[])[]): string[] {
  const lines = new OutputLines();
  return [
    ...chunks.flatMap(chunk => lines.push(typeof chunk === 'string' ? Buffer.from(chunk) : Uint8Array.from(chunk))),
    ...lines.end(),
  ];
}

test.each<[string, (string | number[])[], string[]]>([
  ['newlines', ['a\nb\n'], ['a', 'b']],
  ['carriage return and newline', ['a\r\nb\r\n'], ['a', 'b']],
  ['bare carriage returns', ['a\rb\rc\n'], ['a', 'b', 'c']],
  ['a carriage return and newline in two chunks', ['a\r', '\nb\n'], ['a', 'b']],
  ['a carriage return at a chunk end', ['a\r', 'b\n'], ['a', 'b']],
  ['a carriage return at the very end', ['a\r'], ['a']],
  ['two carriage returns at a chunk end', ['a\r\r', '\n'], ['a', '']],
  ['empty lines', ['\n\n\r\r\n'], ['', '', '', '']],
  ['a last line without an end', ['a\nb'], ['a', 'b']],
  ['nothing', [], []],
  ['a line in many chunks', ['a', 'b', 'c\n'], ['abc']],
  ['a character in two chunks', [[0xc3], [0xa9, 0x0a]], ['é']],
  ['invalid UTF-8', [[0x61, 0xff, 0x62, 0x0a]], ['a\ufffdb']],
  ['half a character at the end', [[0x61, 0xc3]], ['a\ufffd']],
  ['a byte order mark at the start', [[0xef, 0xbb, 0xbf, 0x61, 0x0a, 0xef, 0xbb, 0xbf, 0x62]], ['a', '\ufeffb']],
])('%s', (_, chunks, expected) => expect(linesOf(...chunks)).toEqual(expected));

test('a carriage return waits for the next character, as the runner does', () => {
  const lines = new OutputLines();
  expect(lines.push(Buffer.from('50%\r'))).toEqual([]);
  expect(lines.push(Buffer.from('100%'))).toEqual(['50%']);
});

test('the lines do not depend on the chunks', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\n') });
  fc.assert(
    fc.property(text, fc.array(fc.nat(20)), (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const chunks: number[][] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        chunks.push([...bytes.subarray(at, at + cut)]);
        at += cut;
      }
      expect(linesOf(...chunks)).toEqual(linesOf(whole));
    }),
  );
});
