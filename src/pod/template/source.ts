import type { Token } from './jinja.ts';
import { checkBlocks, readTag } from './tags.ts';

/** Text between tags. */
export interface TextPiece {
  kind: 'text';
  text: string;
  /** The line of the template that it begins on, from 1. */
  line: number;
}

/** `{{ }}` or `{% %}`. */
export interface Tag {
  kind: 'expression' | 'statement';
  /** As it is written, on one line and not too long to quote. */
  text: string;
  line: number;
  /** What is between the brackets. */
  tokens: Token[];
}

export type Piece = TextPiece | Tag;

export interface Problem {
  /** `undefined` where it is the template's as a whole. */
  line: number | undefined;
  column?: number;
  sentence: string;
}

/** The library looks at white space in quadratic time. */
const LONGEST_TAG = 10_000;
/** So this many squares of lengths take about half a second. */
const MOST_COST = 3 * LONGEST_TAG ** 2;
const LONGEST_QUOTE = 80;

/**
 * Cuts a template into its text and its tags, as Jinja does with its own settings (nothing is trimmed but where a tag says so), and checks that the tags can be read.
 * The library could cut it too, but its tokens know no lines, and it has neither `raw` nor a word on what is wrong.
 */
export function cutTemplate(template: string): { pieces: Piece[]; problems: Problem[] } {
  const cutter = new Cutter(template);
  cutter.cut();
  if (cutter.problems.length === 0) checkBlocks(cutter.pieces, cutter.problems);
  return cutter;
}

class Cutter {
  readonly pieces: Piece[] = [];
  readonly problems: Problem[] = [];
  readonly #template: string;
  #position = 0;
  #line = 1;
  #cost = 0;
  /** Whether the tag before said `-%}`. */
  #trimming = false;

  constructor(template: string) {
    this.#template = template;
  }

  cut(): void {
    const opening = /\{[{%#]/g;
    for (;;) {
      opening.lastIndex = this.#position;
      const start = opening.exec(this.#template)?.index;
      this.#text(start);
      if (start === undefined) return;
      const bracket = this.#template.slice(start, start + 2);
      const closing = bracket === '{#' ? '#}' : bracket === '{{' ? '}}' : '%}';
      const end = bracket === '{#' ? this.#template.indexOf('#}', start + 2) : this.#tagEnd(start + 2, closing);
      if (end === -1 || end === this.#template.length) {
        this.#problem(`${bracket} is never closed: ${closing} is missing.`);
        // To look through the rest again for each of 100,000 takes minutes.
        if (end !== -1 || bracket === '{#') return;
        this.#position += 2;
        continue;
      }
      if (end - start <= LONGEST_TAG) this.#cost += (end - start) ** 2;
      if (this.#cost > MOST_COST) {
        this.#problem('the tags up to here are too long together.');
        return;
      }
      const line = this.#line;
      const whole = this.#template.slice(start, end + 2);
      const inner = whole.slice(2, -2).replace(bracket === '{%' ? /^[-+]|[-+]$/g : /^-|-$/g, '');
      this.#trimming = whole.at(-3) === '-';
      this.#advance(end + 2);
      if (bracket === '{#') continue;
      if (bracket === '{%' && inner.trim() === 'raw') this.#raw(line);
      else this.#tag(bracket === '{{' ? 'expression' : 'statement', whole, inner.trim(), line);
    }
  }

  /** @returns where the tag's closing bracket is; -1 where there is none before the next tag, the template's length where there is none at all. What is in quotes or braces of its own does not close it. */
  #tagEnd(start: number, closing: string): number {
    let depth = 0;
    for (let at = start; at < this.#template.length; at++) {
      const two = this.#template.slice(at, at + 2);
      const one = two.charAt(0);
      if (two === closing && (depth === 0 || closing === '%}')) return at;
      if (two === '{{' || two === '{%') return -1;
      if (one === '{') depth++;
      else if (one === '}') depth = Math.max(0, depth - 1);
      else if (one === '"' || one === "'") {
        at++;
        while (at < this.#template.length && this.#template[at] !== one) at += this.#template[at] === '\\' ? 2 : 1;
      }
    }
    return this.#template.length;
  }

  /** @param end where the next tag starts, which may trim what stands before it */
  #text(end = this.#template.length): void {
    const trimsEnd = this.#template.charAt(end + 2) === '-';
    this.#keep(this.#template.slice(this.#position, end), trimsEnd);
    this.#advance(end);
  }

  #keep(text: string, trimsEnd: boolean): void {
    const trimmed = this.#trimming ? text.trimStart() : text;
    const line = this.#line + newlines(text.slice(0, text.length - trimmed.length));
    const kept = trimsEnd ? trimmed.trimEnd() : trimmed;
    if (kept !== '') this.pieces.push({ kind: 'text', text: kept, line });
    this.#trimming = false;
  }

  #raw(line: number): void {
    const end = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
    end.lastIndex = this.#position;
    const found = end.exec(this.#template);
    if (found === null) {
      this.problems.push({ line, sentence: '{% raw %} is never closed: {% endraw %} is missing.' });
      return;
    }
    this.#keep(this.#template.slice(this.#position, found.index), found[1] === '-');
    this.#advance(found.index + found[0].length);
    this.#trimming = found[2] === '-';
  }

  #tag(kind: Tag['kind'], whole: string, inner: string, line: number): void {
    const tag = { kind, text: quote(whole.slice(0, LONGEST_TAG)), line, tokens: [] as Token[] };
    const previous = this.pieces.at(-1);
    if (kind === 'expression' && previous?.kind === 'text' && previous.text.endsWith('$')) {
      const sentence = `$${tag.text} is a workflow's expression, which GitHub does not look for in files. Write ${tag.text}, or {{ '$' }}${tag.text} where the dollar sign is meant.`;
      this.problems.push({ line, sentence });
      return;
    }
    const sentence =
      whole.length > LONGEST_TAG ? `a tag is longer than ${LONGEST_TAG} characters.` : readTag(tag, inner);
    if (sentence !== undefined) this.problems.push({ line, sentence });
    else this.pieces.push(tag);
  }

  #advance(position: number): void {
    this.#line += newlines(this.#template.slice(this.#position, position));
    this.#position = position;
  }

  #problem(sentence: string): void {
    this.problems.push({ line: this.#line, sentence });
  }
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function quote(tag: string): string {
  const line = tag
    .replace(/^(\{[{%])[-+]?\s*/, '$1 ')
    .replace(/\s*[-+]?([%}]\})$/, ' $1')
    .replace(/\s+/g, ' ');
  return line.length <= LONGEST_QUOTE ? line : `${line.slice(0, LONGEST_QUOTE - 6)} ... ${line.slice(-2)}`;
}
