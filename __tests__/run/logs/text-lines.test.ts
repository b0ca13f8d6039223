import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TextLines, type TextPiece } from '../../../src/run/logs/text-lines.ts';

/** What comes of these chunks, each with what it brings, and what comes at the end. */
function pushed(...chunks: string[]): string[][] {
  const lines = new TextLines();
  return [...chunks.map(chunk => lines.push(chunk)), lines.end()].map(pieces => pieces.map(shown));
}

function shown({ text, command }: TextPiece): string {
  return command ? `COMMAND ${text}` : text;
}

describe('a text is passed on', () => {
  test.each<[string, string[], string[][]]>([
    ['as it is without colons', ['a\nb\nc'], [['a\nb\nc'], []]],
    ['as it is with colons in its lines', ['a::b\nstd::map\n c ::error::\n'], [['a::b\nstd::map\n c ::error::\n'], []]],
    ['but for its commands', ['a\n::x::y\nb\n'], [['a\n', 'COMMAND ::x::y\n', 'b\n'], []]],
    ['in one piece between them', ['::x\na\nb\nc::d\n::y\n'], [['COMMAND ::x\n', 'a\nb\nc::d\n', 'COMMAND ::y\n'], []]],
    ['with the blanks before a command', ['a\n \t\u00a0::x\n'], [['a\n', 'COMMAND  \t\u00a0::x\n'], []]],
    ['at once where a line is unfinished', ['a', 'b', '::c', '\n'], [['a'], ['b'], ['::c'], ['\n'], []]],
    ['when a line cannot be a command any more', ['  ', ' ', '$ '], [[], [], ['   $ '], []]],
    ['when one colon stays one', ['a\n:', ')\n'], [['a\n'], [':)\n'], []]],
    ['when a command is whole', ['a\n::er', 'ror::', 'x\nb'], [['a\n'], [], ['COMMAND ::error::x\n', 'b'], []]],
    ['when the colons come one by one', [':', ':', 'x', '\n'], [[], [], [], ['COMMAND ::x\n'], []]],
    ['when it ends in a command', ['a\n::x'], [['a\n'], ['COMMAND ::x']]],
    ['when it ends in blanks', ['a\n  '], [['a\n'], ['  ']]],
    ['when it ends in a colon', ['a\n:'], [['a\n'], [':']]],
    ['whatever is behind a line that was unfinished', ['a', '\n::x\n'], [['a'], ['\n', 'COMMAND ::x\n'], []]],
    ['with its empty lines', ['\n\n::x\n\n'], [['\n\n', 'COMMAND ::x\n', '\n'], []]],
    ['as nothing where there is none', [''], [[], []]],
  ])('%s', (_, chunks, expected) => expect(pushed(...chunks)).toEqual(expected));
});

const LONGEST = 64 * 1024;

describe('a line of more than 64 KiB', () => {
  test.each([
    ['at once', (line: string) => [line]],
    ['without its end', (line: string) => [line.slice(0, -1), '\n']],
    ['in pieces', (line: string) => line.match(/.{1,1000}/gs) ?? []],
    ['character by character', (line: string) => [...line]],
  ])('is no command, come it %s', (_, cut) => {
    const longest = `::${'x'.repeat(LONGEST - 2)}\n`;
    expect(pushed(...cut(longest)).flat()).toEqual([`COMMAND ${longest}`]);
    const longer = `::${'x'.repeat(LONGEST - 1)}\n`;
    expect(
      pushed(...cut(longer))
        .flat()
        .join(''),
    ).toBe(longer);
    const blank = `${' '.repeat(LONGEST)}::x\n`;
    expect(
      pushed(...cut(blank))
        .flat()
        .join(''),
    ).toBe(blank);
  });

  test('is not held back, but for its beginning', () => {
    const lines = new TextLines();
    expect(lines.push('::')).toEqual([]);
    expect(lines.push('x'.repeat(LONGEST))).toHaveLength(1);
    expect(lines.push('more')).toEqual([{ text: 'more', command: false }]);
    expect(lines.push('\n::x\n').map(shown)).toEqual(['\n', 'COMMAND ::x\n']);
  });
});

describe('a line of more white space than 1 KiB before its ::', () => {
  test.each([
    ['at once', (line: string) => [line]],
    ['character by character', (line: string) => [...line]],
  ])('is no command, come it %s', (_, cut) => {
    const most = `a\n${' '.repeat(1024)}::x\n`;
    expect(pushed(...cut(most)).flat()).toContain(`COMMAND ${most.slice(2)}`);
    const more = `a\n${' '.repeat(1025)}::x\n`;
    expect(
      pushed(...cut(more))
        .flat()
        .join(''),
    ).toBe(more);
  });
});

const part = fc.constantFrom(
  '::',
  ':',
  '\n',
  '\n',
  ' ',
  '\t',
  '\u00a0',
  '\u2028',
  'x',
  'error',
  '🎉',
  '::x::y',
  '\n::',
);
const text = fc.array(part, { maxLength: 20 }).map(parts => parts.join(''));

test('wherever it is cut, a text is passed on whole, and the lines that begin with :: are found', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 6 }), chunks => {
      const whole = chunks.join('');
      const lines = new TextLines();
      const pieces = [...chunks.flatMap(chunk => lines.push(chunk)), ...lines.end()];
      expect(pieces.map(piece => piece.text).join('')).toBe(whole);
      expect(pieces.filter(({ command }) => command).map(piece => piece.text)).toEqual(
        whole.match(/[^\n]*\n|[^\n]+$/g)?.filter(line => line.trimStart().startsWith('::')) ?? [],
      );
      expect(pieces.filter(piece => piece.text === '')).toEqual([]);
    }),
    { numRuns: 5000 },
  );
});

/** Far from what any of these takes, near for what grows with the square (minutes). */
const LINEAR_MILLISECONDS = 10_000;

test.each([
  ['colons', '::'.repeat(2 ** 20)],
  ['colons in lines', 'x::\n'.repeat(2 ** 19)],
  ['blanks', ' '.repeat(2 ** 21)],
  ['blank lines', ' \n'.repeat(2 ** 20)],
  ['blanks and colons', '  x::'.repeat(2 ** 19)],
])('two mebibytes of %s take no more than their share of time', (_, hostile) => {
  const start = performance.now();
  for (const size of [hostile.length, 1000, 5]) {
    const lines = new TextLines();
    for (let at = 0; at < hostile.length; at += size) lines.push(hostile.slice(at, at + size));
    lines.end();
  }
  expect(performance.now() - start).toBeLessThan(LINEAR_MILLISECONDS);
});
