import { plainText } from './terminal.ts';

/**
 * Markdown for the job summary out of text that others wrote: names, images, messages, results.
 *
 * Such text stands in HTML blocks and in fences only. An HTML block is passed through as it is up to the next blank line, and nothing that is returned here holds a line break outside a fence: so neither emphasis nor
 * a table's pipe nor an autolink is looked for in it, and HTML's own five characters are all that has to be escaped. They are written as .NET writes them, which is a form that the runner masks secrets in too.
 * What GitHub looks for in the rendered text afterwards (mentions, emoji, references, formulas) it does not look for in code; elsewhere the character that begins it gets an element of its own.
 */
export class Markdown {
  readonly #hide: (text: string) => string;

  /** @param hide takes the secrets out of a text */
  constructor(hide: (text: string) => string) {
    this.#hide = hide;
  }

  /** Text for a cell or a paragraph of an HTML block. Line breaks stay. */
  text(text: string): string {
    return this.#text(this.#clean(text));
  }

  #text(plain: string): string {
    const begins = (plain.match(/\$/g) ?? []).length > 1 ? ACTIVE_AND_FORMULAS : ACTIVE;
    let html = '';
    let from = 0;
    for (const { index, 0: character } of plain.matchAll(begins)) {
      html += `${escaped(plain.slice(from, index))}<span>${character}</span>`;
      from = index + character.length;
    }
    return `${html}${escaped(plain.slice(from))}`.replaceAll('\n', '<br>');
  }

  /** The same for a sentence of ours, which may have names of inputs in backticks. */
  prose(sentence: string): string {
    return this.#clean(sentence)
      .split(/`([^`\n]+)`/)
      .map((part, index) => (index % 2 === 0 ? this.#text(part) : `<code>${escaped(part)}</code>`))
      .join('');
  }

  /** A word or two as code, in an HTML block. */
  code(text: string): string {
    return `<code>${escaped(this.#clean(text)).replaceAll('\n', '\\n')}</code>`;
  }

  /**
   * A block of code, by itself between blank lines. What could steer the reader's eye is written out as JSON does, so JSON stays what it is.
   * @param language for the colours; one of our own words
   */
  fence(text: string, language = '', mostBytes = MOST_BYTES): string {
    const shown = cut(visible(this.#hide(text)), mostBytes).replace(/\n+$/, '');
    const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longest + 1);
    return `${fence}${language}\n${shown}\n${fence}`;
  }

  /** What {@link text} shows, for a place with rules of its own. */
  plain(text: string): string {
    return this.#clean(text);
  }

  /** Once more hidden: a secret may have had a control character in the middle. */
  #clean(text: string): string {
    return cut(this.#hide(visible(plainText(this.#hide(text)))), MOST_BYTES);
  }
}

/** What a message says in more than this is not read in a summary. */
const MOST_BYTES = 4096;

/** @returns `text`, of a longer one the beginning. It is cut where there is a break: half of a secret that only the runner knows would be shown. */
function cut(text: string, mostBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= mostBytes) return text;
  // As a stream's part, for it may end within a character.
  const start = new TextDecoder().decode(bytes.subarray(0, mostBytes), { stream: true });
  return `${start.slice(0, Math.max(0, start.search(/[\s,][^\s,]*$/) + 1))}…`;
}

/** Where a mention (`@name`), an emoji (`:name:`), an issue (`#1`, `GH-1`) begins. */
const ACTIVE = /(?<![\w])@(?=\w)|:(?=[\w+-]+:)|#(?=\d)|(?<=\bgh)-(?=\d)/gi;
const ACTIVE_AND_FORMULAS = new RegExp(`${ACTIVE.source}|\\$`, 'gi');

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? '');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Controls, and what turns the order of the text around it, ends its line, or is not seen at all. Not the joiners, which many scripts and emoji need. */
const UNSEEN =
  /(?![\t\n])[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** @returns `text` with `\n` as its only line end, and `\u202e` and the like for what would not be seen. */
function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(UNSEEN, unseen =>
      unseen
        .split('')
        .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
    );
}
