import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Markdown } from '../../src/github/markdown.ts';
import { HOSTILE_MARKDOWN, hostileMarkdown } from '../support/hostile-markdown.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';

const md = new Markdown(text => text);
/** As GitHub reads rendered text. */
const ACTIVE = /(^|\W)@\w|:[\w+-]+:|#\d|\bgh-\d|\$.*\$/i;

describe.each(HOSTILE_MARKDOWN.map(text => [JSON.stringify(text), text]))('%s', (_, text) => {
  test('is the same text in a paragraph, and nothing else', () => {
    const rendered = new RenderedMarkdown(`<p>${md.text(text)}</p>\n\nbehind`);
    expect(rendered.texts('p')).toEqual([text, 'behind']);
    expect(rendered.skeleton(['span', 'br'])).toBe('p p');
    expect(rendered.searched.filter(piece => ACTIVE.test(piece))).toEqual([]);
  });

  test('is the same text in a cell, and nothing else', () => {
    const cell = `<table>\n<tr><td>${md.text(text)}</td><td>${md.code(text)}</td></tr>\n<tr><td>x</td></tr>\n</table>`;
    const rendered = new RenderedMarkdown(cell);
    expect(rendered.rows).toEqual([[text, text.replaceAll('\n', '\\n')], ['x']]);
    expect(rendered.skeleton(['span', 'br'])).toBe('table(tbody(tr(td td(code)) tr(td)))');
  });

  test('is the same text in a fence, and ends there', () => {
    const rendered = new RenderedMarkdown(`before\n\n${md.fence(text, 'json')}\n\nbehind`);
    expect(rendered.fences).toEqual([{ language: 'json', text: text.replace(/\n+$/, '') }]);
    expect(rendered.skeleton()).toBe('p pre(code class=language-json) p');
  });
});

test.each([
  ['colours and other terminal control', '\u001b[31mred\u001b[0m \u001b]0;title\u0007x', 'red x'],
  ['what turns the order of letters', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['what is not seen', 'a\u200bb\ufeff\u{e0041}', 'a\\u200bb\\ufeff\\udb40\\udc41'],
  ['halves of characters', 'a\ud800b', 'a\ufffdb'],
  ['emoji and scripts that need their joiners', '👩‍💻 नमस्ते क्‍ष', '👩‍💻 नमस्ते क्‍ष'],
  ['line ends of all kinds', 'a\r\nb\rc', 'a\nb\nc'],
])('of %s the reader sees what is there', (_, text, seen) =>
  expect(new RenderedMarkdown(`<p>${md.text(text)}</p>`).text).toBe(seen),
);

test('JSON in a fence stays what it is', () => {
  const json = '{"a": "\u202e\u0085\u2028\u007f", "b": "`\u200b`"}';
  const [fence] = new RenderedMarkdown(md.fence(json, 'json')).fences;
  expect(fence?.text).not.toMatch(/[\u202e\u0085\u2028\u007f\u200b]/);
  expect(JSON.parse(fence?.text ?? '')).toEqual(JSON.parse(json));
});

test.each([
  ['names of inputs are code', 'Raise `a_b` or `c`.', 'p(code code)', 'Raise a_b or c.'],
  ['what is in backticks is text', 'no `<b>@x`', 'p(code)', 'no <b>@x'],
  ['one backtick is one', "it's ` only <i>", 'p', "it's ` only <i>"],
])('in a sentence %s', (_, sentence, skeleton, text) => {
  const rendered = new RenderedMarkdown(`<p>${md.prose(sentence)}</p>`);
  expect(rendered.skeleton(['span'])).toBe(skeleton);
  expect(rendered.text).toBe(text);
});

describe('a secret', () => {
  const hide = new Markdown(text => text.replaceAll('s3cr<t', '***'));

  test.each<[string, string]>([
    ['as text', hide.text('a s3cr<t b')],
    ['in code', hide.code('a s3cr<t b')],
    ['in a sentence', hide.prose('a `s3cr<t` b')],
    ['with terminal control in the middle', hide.text('a s3\u001b[0mcr<t b')],
  ])('is hidden %s', (_, html) => expect(new RenderedMarkdown(`<p>${html}</p>`).text).toBe('a *** b'));

  test('is hidden in a fence', () => expect(hide.fence('a s3cr<t b')).toBe('```\na *** b\n```'));

  test('that only the runner knows is written as it knows it, wherever it stands', () => {
    // .NET's SecurityElement.Escape, one of the forms that the runner masks.
    const secret = `p<a>s&s"w'rd://u:pw@host:5432/x`;
    const known = secret
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(/'/g, '&apos;');
    expect(md.text(`a ${secret} b`)).toContain(known);
    expect(md.code(secret)).toContain(known);
    expect(md.fence(secret)).toContain(secret);
  });

  test('is not cut in two', () => {
    const text = `${'x '.repeat(2040)}long-secret-that-only-the-runner-knows-of`;
    for (const cut of [md.text(text), md.fence(text)]) expect(cut).not.toContain('long');
    expect(md.fence('x'.repeat(5000))).toBe('```\n…\n```');
  });
});

test('a long text is cut at a word, by its bytes', () => {
  const shown = md.fence('žluť '.repeat(100), 'x', 100).split('\n')[1] ?? '';
  expect(shown).toMatch(/^(žluť )+…$/u);
  expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(103);
});

test('no text is more than text', () => {
  fc.assert(
    fc.property(hostileMarkdown, text => {
      const page = `<p>${md.text(text)}</p>\n\n<p>${md.prose(text)}</p>\n\n<table>\n<tr><td>${md.code(text)}</td></tr>\n</table>\n\n${md.fence(text)}\n\nend`;
      const rendered = new RenderedMarkdown(page);
      expect(rendered.skeleton(['span', 'br', 'code'])).toBe('p p table(tbody(tr(td))) pre p');
      expect(rendered.searched.filter(piece => ACTIVE.test(piece))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
