import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jobLogText, TerminalFilter } from '../../src/github/terminal.ts';

const ESC = '\u001b';
const BEL = '\u0007';

/** What a stream of these chunks shows. */
function streamed(chunks: string[]): string {
  const filter = new TerminalFilter();
  return chunks.map(chunk => filter.push(chunk)).join('') + filter.end();
}

function cutAt(text: string, places: number[]): string[] {
  const cuts = [...new Set(places.map(place => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => text.slice(start, cuts[index] ?? text.length));
}

describe('text for the job log', () => {
  test.each([
    ['plain text', 'a\tb\nc', 'a\tb\nc'],
    ['text beyond ASCII', 'naïve 日本 🎉\u00a0', 'naïve 日本 🎉\u00a0'],
    ['nothing', '', ''],
    ['a colour', `${ESC}[31mred${ESC}[0m`, `${ESC}[31mred${ESC}[0m`],
    ['a reset without a number', `${ESC}[m`, `${ESC}[m`],
    ['a colour of three numbers', `${ESC}[38;2;1;22;255mx`, `${ESC}[38;2;1;22;255mx`],
    ['a colour with colons', `${ESC}[38:5:208mx`, `${ESC}[38:5:208mx`],
    ['a colour in one C1 character', '\u009b31mred', `${ESC}[31mred`],
    ['two colours in a row', `${ESC}[1m${ESC}[31mx`, `${ESC}[1m${ESC}[31mx`],
    ['a colour of 200 characters', `a${ESC}[${'1;'.repeat(100)}mb`, `a${ESC}[${'1;'.repeat(100)}mb`],
    ['a colour, not the control before and behind it', `\b${ESC}[1m\bx`, `${ESC}[1mx`],
  ])('%s passes', (_, text, expected) => expect(jobLogText(text)).toBe(expected));

  test.each([
    ['a cursor movement', `a${ESC}[2Ab`, 'ab'],
    ['clearing the screen', `a${ESC}[2J${ESC}[Hb`, 'ab'],
    ['a private mode', `a${ESC}[?25lb`, 'ab'],
    ['a keyboard mode that ends in m', `a${ESC}[>4;1mb`, 'ab'],
    ['a sequence with a space before its m, which is no colour', `a${ESC}[1 mb`, 'ab'],
    ['a C1 cursor movement', 'a\u009b2Ab', 'ab'],
    ['a title ended by BEL', `a${ESC}]0;title${BEL}b`, 'ab'],
    ['a title ended by ST', `a${ESC}]0;title${ESC}\\b`, 'ab'],
    ['a title ended by the C1 ST', `a${ESC}]0;title\u009cb`, 'ab'],
    ['a C1 title', `a\u009d0;title${BEL}b`, 'ab'],
    ['the clipboard', `a${ESC}]52;c;aGk=${BEL}b`, 'ab'],
    ['a link, not its text', `${ESC}]8;;https://x.example${BEL}text${ESC}]8;;${BEL}`, 'text'],
    ['a title without an end, up to the end of the line', `a${ESC}]0;title\nb`, 'a\nb'],
    ['a title without an end, up to the next sequence', `a${ESC}]0;title${ESC}[31mb`, `a${ESC}[31mb`],
    ['a device control string', `a${ESC}Pq#0;2;0${ESC}\\b`, 'ab'],
    ['a C1 device control string', 'a\u0090q#0\u009cb', 'ab'],
    ['an application command', `a${ESC}_G1${ESC}\\b`, 'ab'],
    ['a privacy message', `a${ESC}^x${ESC}\\b`, 'ab'],
    ['a start of string', `a${ESC}Xx${ESC}\\b`, 'ab'],
    ['a character set, as tput sgr0 writes', `a${ESC}(Bb`, 'ab'],
    ['a two-character sequence', `a${ESC}cb${ESC}7c${ESC}=d`, 'abcd'],
    ['a lone C1 control', 'a\u0085b\u008dc', 'abc'],
    ['a lone ESC at the end', `a${ESC}`, 'a'],
    ['a lone ESC before a line end', `a${ESC}\nb`, 'a\nb'],
    ['a sequence that never ends', `a${ESC}[12`, 'a'],
    ['a sequence that a line end cuts', `a${ESC}[12\nb`, 'a\nb'],
    ['a colour of more numbers than any program writes', `a${ESC}[${'1;'.repeat(200)}mb`, 'ab'],
    ['a colour of 201 characters', `a${ESC}[${'1;'.repeat(100)}1mb`, 'ab'],
    ['the ESC before another ESC', `${ESC}${ESC}[31mx`, `${ESC}[31mx`],
    ['BEL', `a${BEL}b`, 'ab'],
    ['backspace', 'a\bb', 'ab'],
    ['NUL and DEL', 'a\u0000b\u007fc', 'abc'],
    ['vertical tab and form feed', 'a\u000bb\u000cc', 'abc'],
  ])('%s is dropped', (_, text, expected) => expect(jobLogText(text)).toBe(expected));

  test.each([
    ['\\r\\n', 'a\r\nb\r\n', 'a\nb\n'],
    ['a bare \\r, as of a progress bar', ' 50%\r100%\n', ' 50%\n100%\n'],
    ['\\r at the end', 'a\r', 'a\n'],
    ['\\r\\r\\n', 'a\r\r\nb', 'a\n\nb'],
    ['\\r before a colour', `a\r${ESC}[1mb`, `a\n${ESC}[1mb`],
    ['\\r before an erased line', ` 50%\r${ESC}[K100%`, ' 50%\n100%'],
  ])('%s ends a line', (_, text, expected) => expect(jobLogText(text)).toBe(expected));
});

/** Pieces that sequences are made of, so that random texts hold many. */
const piece = fc.constantFrom(
  ...[ESC, `${ESC}[`, '31', '0', ';', 'm', 'A', '[', ']', '(', 'B', '?', ' ', '\\', BEL, '\u009b', '\u009c', '\u009d'],
  ...['\u0090', 'P', '_', '\r', '\n', '\r\n', '\t', '\b', '\u0000', 'text', '🎉', `${ESC}]0;t`, `${ESC}[31m`],
);
const terminalText = fc
  .oneof({ weight: 5, arbitrary: fc.array(piece, { maxLength: 12 }) }, fc.array(fc.string({ unit: 'binary' })))
  .map(pieces => pieces.join(''));

const ALLOWED = /^(?:[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\u001b\[[0-9;:]*m)*$/;

describe('any text', () => {
  test('keeps no control but tabs, line feeds and colours', () => {
    fc.assert(
      fc.property(terminalText, text => {
        expect(jobLogText(text)).toMatch(ALLOWED);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps none as a stream either', () => {
    fc.assert(
      fc.property(fc.array(terminalText, { maxLength: 6 }), chunks => {
        expect(streamed(chunks)).toMatch(ALLOWED);
      }),
      { numRuns: 2000 },
    );
  });

  test('is not changed by a second pass', () => {
    fc.assert(
      fc.property(terminalText, text => {
        expect(jobLogText(jobLogText(text))).toBe(jobLogText(text));
      }),
    );
  });
});

describe('a stream shows what the whole would', () => {
  test.each([
    ['a colour', ['a', ESC, '[', '3', '1', 'm', 'b']],
    ['a title', [`${ESC}]0;ti`, 'tle', BEL, 'b']],
    ['a title and its ST', [`${ESC}]0;title${ESC}`, '\\b']],
    ['a title that a colour ends', [`${ESC}]0;title${ESC}`, '[31mb']],
    ['\\r\\n', ['a\r', '\nb']],
    ['\\r and no \\n', ['a\r', 'b']],
    ['\\r at the end of the stream', ['a\r']],
    ['a C1 sequence', ['\u009b3', '1mx']],
    ['ESC at the end of the stream', ['a', ESC]],
    ['a colour at the end of the stream that is not whole', ['a', `${ESC}[3`]],
    ['a character set, as tput sgr0 writes', [`a${ESC}(`, `B${ESC}[mb`]],
    ['a clipboard of 5,000 characters', [`a${ESC}]52;c;${'A'.repeat(5000)}`, 'B'.repeat(10), `${BEL}b`]],
    ['a picture of 9,000 characters', cutAt(`a${ESC}Pq${'#0~'.repeat(3_000)}${ESC}\\b`, [4096, 8192])],
    ['a \\r and \\n around a sequence', ['a\r', `${ESC}[K`, '\nb']],
    ['a \\r and \\n around a lone ESC', [`a\r${ESC}`, '\nb']],
    ['a sequence inside a sequence', [`${ESC}[3${ESC}]x`, `${BEL}1m`]],
  ])('%s', (_, chunks) => expect(streamed(chunks)).toBe(jobLogText(chunks.join(''))));

  test('wherever it is cut', () => {
    fc.assert(
      fc.property(terminalText, fc.array(fc.nat(100), { maxLength: 4 }), (text, places) => {
        expect(streamed(cutAt(text, places))).toBe(jobLogText(text));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('a line is not held back once it is whole', () => {
    expect(new TerminalFilter().push(`${ESC}[32mok${ESC}[0m\n`)).toBe(`${ESC}[32mok${ESC}[0m\n`);
  });
});

/** Far from what any of these takes (some 0.2 s), near for what grows with the square (minutes). */
const LINEAR_MILLISECONDS = 5_000;
const MIB = 1024 * 1024;

describe('a mebibyte takes no more than its share of time', () => {
  test.each([
    ['ESC', ESC.repeat(MIB)],
    ['ESC ]', `${ESC}]`.repeat(MIB / 2)],
    ['ESC ] without an end', `${ESC}]${'x'.repeat(MIB)}`],
    ['ESC [ and digits', `${ESC}[${'1'.repeat(MIB)}`],
    ['ESC [ and spaces', `${ESC}[${' '.repeat(MIB)}`],
    ['many unfinished ESC [', `${ESC}[1;1  `.repeat(MIB / 8)],
    ['ESC and spaces', ESC + ' '.repeat(MIB)],
    ['C1 CSI', '\u009b'.repeat(MIB)],
    ['C1 OSC', '\u009d'.repeat(MIB)],
    ['C1 DCS with text', '\u0090x'.repeat(MIB / 2)],
    ['\\r', '\r'.repeat(MIB)],
    ['one long colour', `${ESC}[${'1;'.repeat(MIB / 2)}m`],
  ])('%s', (_, text) => {
    const start = performance.now();
    const outputs = [jobLogText(text), streamed(text.match(/.{1,1000}/gs) ?? [])];
    expect(performance.now() - start).toBeLessThan(LINEAR_MILLISECONDS);
    for (const output of outputs) expect(ALLOWED.test(output)).toBe(true);
  });
});
