import type { Value } from './jinja.ts';

/** Far above what any pod needs, and reached within a second and some tens of megabytes. */
const MOST_STEPS = 500_000;
const MOST_CHARACTERS = 4 * 2 ** 20;
const MOST_ITEMS = 100_000;
/** Macros within macros. */
const MOST_DEPTH = 60;

/** Ends the whole template. */
export class LimitReached extends Error {}

/** A fault of one tag. Its message follows the tag's text in a sentence. */
export class Failure extends Error {}

/** What a template may still spend: one that never ends, or that eats all memory, is a mistake or an attack. */
export class Budget {
  #steps = MOST_STEPS;
  #characters = MOST_CHARACTERS;
  #depth = MOST_DEPTH;

  step(count = 1): void {
    this.#steps -= count;
    if (this.#steps < 0)
      throw new LimitReached(
        `it takes more than ${MOST_STEPS} steps. Is there a loop over a large range, or one in another?`,
      );
  }

  write(characters: number): void {
    this.#characters -= characters;
    if (this.#characters < 0) throw tooLarge();
  }

  deeper<T>(evaluate: () => T): T {
    if (--this.#depth < 0)
      throw new LimitReached(`calls go more than ${MOST_DEPTH} deep. Does a macro call itself without an end?`);
    try {
      return evaluate();
    } finally {
      this.#depth++;
    }
  }

  /** Charges for what takes as long as the values are large: an operator, a filter, a function. */
  work(values: readonly Value[]): void {
    for (const value of values) this.step(value.type === 'StringValue' ? value.value.length >> 8 : sizeOf(value));
  }

  /** Charges for what the library copies item by item, and a text character by character. */
  copy(value: Value): void {
    this.step(sizeOf(value));
  }

  /** As {@link work}, where what comes out may be as large as the product of what goes in. */
  product(owners: readonly Value[], args: readonly Value[]): void {
    const product = Math.max(0, ...owners.map(sizeOf)) * Math.max(1, ...args.map(magnitudeOf));
    if (product > 16 * MOST_CHARACTERS) throw tooLarge();
  }

  /** Charges for all that a value holds, before it is made text: a list that holds another twice, and that a third twice, is small until then. */
  weigh(value: Value): void {
    this.step();
    if (value.type === 'UndefinedValue') throw new Failure('holds something that is not defined.');
    if (value.type === 'FunctionValue') throw new Failure('holds a function.');
    if (Array.isArray(value.value)) for (const item of value.value) this.weigh(item);
    else if (value.value instanceof Map) for (const item of value.value.values()) this.weigh(item);
  }
}

/** @returns the value, where it is not too large to go on with */
export function bounded(value: Value): Value {
  if (value.type === 'StringValue' && value.value.length > MOST_CHARACTERS) throw tooLarge();
  if (Array.isArray(value.value) && value.value.length > MOST_ITEMS) throw tooLarge();
  return value;
}

/** @returns what a fault of JavaScript itself means: of the stack, of a text or a list too long */
export function limitOf(error: unknown): LimitReached | undefined {
  if (error instanceof LimitReached) return error;
  if (!(error instanceof RangeError)) return undefined;
  if (/call stack/.test(error.message)) return new LimitReached('it is nested too deeply.');
  return /length/.test(error.message) ? tooLarge() : undefined;
}

function tooLarge(): LimitReached {
  return new LimitReached(
    `it makes more than ${MOST_CHARACTERS} characters of text, or a list of more than ${MOST_ITEMS} items.`,
  );
}

function sizeOf({ value }: Value): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 1;
}

function magnitudeOf(value: Value): number {
  return typeof value.value === 'number' ? Math.abs(value.value) : sizeOf(value);
}

/** Python's `range`, which does not begin to make what is too much. */
export function range(args: readonly Value[]): number[] {
  const numbers = args.map(({ type, value }) =>
    type === 'IntegerValue' && typeof value === 'number' ? value : Number.NaN,
  );
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  if (start === undefined || stop === undefined || step === 0 || numbers.length > 3 || !numbers.every(Number.isInteger))
    throw new Failure('gives range() something else than one to three whole numbers, of which the step is not 0.');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MOST_ITEMS) throw tooLarge();
  return Array.from({ length }, (_, index) => start + index * step);
}
