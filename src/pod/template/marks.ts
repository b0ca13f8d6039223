/**
 * Stands behind each `$` of a value until it is known which field the value is for: where Kubernetes replaces `$(NAME)`, be it by a secret, a value is to arrive as it is.
 * A Unicode noncharacter, which {@link dollars} takes out again.
 */
const OF_A_VALUE = '\uFDD4';

/** @returns a value with a mark behind each `$`, for {@link dollars} */
export function markedDollars(value: string): string {
  return value.replaceAll('$', () => `$${OF_A_VALUE}`);
}

/** @param replaced whether Kubernetes replaces `$(NAME)` in the field; `$$` is how it writes a `$` there */
export function dollars(text: string, replaced: boolean): string {
  return text.replaceAll(`$${OF_A_VALUE}`, () => (replaced ? '$$' : '$'));
}

/** Where a line of the template, or the rest of one behind a tag, begins in a rendered text. */
export interface Place {
  offset: number;
  line: number;
}

/**
 * What stands in a rendered text for a value and for a place in the template, until the YAML is read.
 * Both are Unicode noncharacters around a token. The noncharacters keep YAML from seeing anything but text in them, the token keeps them apart from whatever the template or a value holds.
 */
export class Marks {
  readonly #token: string;
  readonly #value: RegExp;
  readonly #any: RegExp;

  /** @param token letters and digits that neither the template nor any value can hold */
  constructor(token: string) {
    this.#token = token;
    this.#value = new RegExp(`\uFDD0${token}:(\\d+)\uFDD1`, 'g');
    this.#any = new RegExp(`\uFDD0${token}:(\\d+)\uFDD1|\uFDD2${token}:(\\d+)\uFDD3`, 'g');
  }

  value(index: number): string {
    return `\uFDD0${this.#token}:${index}\uFDD1`;
  }

  /** @returns text of a template with a mark before what is on each of its lines */
  lines(text: string, first: number): string {
    const mark = (line: string, index: number) =>
      line === '' ? '' : `\uFDD2${this.#token}:${first + index}\uFDD3${line}`;
    return text.split('\n').map(mark).join('\n');
  }

  /** @returns the numbers of the values that stand in the text */
  valuesIn(text: string): number[] {
    return Array.from(text.matchAll(this.#value), ([, index]) => Number(index));
  }

  isIn(text: string): boolean {
    return text.includes(this.#token);
  }

  /** @returns the text with its values, and without marks of lines */
  filled(text: string, values: readonly string[]): string {
    return text.replace(this.#any, (_, index?: string) => (index === undefined ? '' : (values[Number(index)] ?? '')));
  }

  /** @returns the text without marks of lines, and for each place in it the line of the template that it came from */
  withoutLines(
    text: string,
    lineOfValue: (index: number) => number,
  ): { text: string; placeAt: (offset: number) => Place } {
    const from: Place[] = [];
    let removed = 0;
    const unmarked = text.replace(this.#any, (mark, index: string | undefined, line: string, offset: number) => {
      from.push({ offset: offset - removed, line: index === undefined ? Number(line) : lineOfValue(Number(index)) });
      if (index !== undefined) return mark;
      removed += mark.length;
      return '';
    });
    return {
      text: unmarked,
      placeAt: offset => from.findLast(place => place.offset <= offset) ?? { offset: 0, line: 1 },
    };
  }
}
