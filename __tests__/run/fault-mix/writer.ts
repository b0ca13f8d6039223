import type { FakeApiServer, FakePod } from '../../support/fake-api-server.ts';
import { formatTime } from '../../support/fake-clock.ts';
import type { Dice } from './dice.ts';

export interface WrittenLine {
  text: string;
  /** Nanoseconds since the epoch. */
  at: bigint;
}

/** A container that writes, and knows what. */
export class Writer {
  readonly lines: WrittenLine[] = [];
  /** All of it. */
  text = '';
  readonly #dice: Dice;
  readonly #server: FakeApiServer;
  readonly #pod: FakePod;
  readonly #container: string;

  constructor(dice: Dice, server: FakeApiServer, pod: FakePod, container = 'base') {
    this.#dice = dice;
    this.#server = server;
    this.#pod = pod;
    this.#container = container;
  }

  /** A line of any kind: empty, like the one before, of many bytes, in two parts, at the same time or out of order. */
  any(): void {
    const dice = this.#dice;
    const text = dice.one([
      '',
      'x',
      'x',
      `line ${this.lines.length}`,
      'long '.repeat(dice.upTo(4000)),
      '\u00e4 \ud83c\udf89'.repeat(9),
    ]);
    const now = this.#server.clock.tick(dice.one([0, 0, 0, 1, 90, 700, 1300]));
    this.#write(text, now - BigInt(dice.one([0, 0, 1, 90_000])));
  }

  /** A line that is like no other, later than all before. */
  numbered(): void {
    const tail = this.#dice.one(['', '', ' and more of it'.repeat(this.#dice.upTo(30))]);
    const now = this.#server.clock.tick(this.#dice.one([0, 0, 1, 90, 700]));
    this.#write(`${this.#container} line ${this.lines.length}${tail}`, now);
  }

  /** A last line that does not end. */
  unfinished(): void {
    const text = `${this.#container} has no newline`;
    this.#pod.write(text, { container: this.#container, newline: false });
    this.lines.push({ text, at: this.#server.clock.now() });
    this.text += text;
  }

  #write(text: string, at: bigint): void {
    const container = this.#container;
    if (text.length > 9000) {
      this.#pod.writePart(text.slice(0, 9000), { container, at: formatTime(at) });
      const later = this.#server.clock.tick(this.#dice.one([0, 1500]));
      this.#pod.write(text.slice(9000), { container, at: formatTime(later) });
    } else this.#pod.write(text, { container, at: formatTime(at) });
    this.lines.push({ text, at });
    this.text += `${text}\n`;
  }
}
