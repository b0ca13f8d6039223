/** The time stamp that the kubelet puts in front of a line: RFC 3339 with nine digits, which it always writes, in the node's time zone, `Z` or `+02:00`. */
export class Stamp {
  /** Seconds since the epoch, rounded down. */
  readonly second: number;
  readonly nanoseconds: number;
  /** Bytes of the stamp, and of the space behind it. */
  readonly length: number;
  readonly #known: KnownSecond;

  constructor(known: KnownSecond, nanoseconds: number, length: number) {
    this.second = known.second;
    this.nanoseconds = nanoseconds;
    this.length = length;
    this.#known = known;
  }

  /** As the kubelet wrote it. */
  get text(): string {
    return `${this.#known.head}${String(this.nanoseconds).padStart(DIGITS, '0')}${this.#known.zone}`;
  }

  isBefore(other: Stamp): boolean {
    return this.second < other.second || (this.second === other.second && this.nanoseconds < other.nanoseconds);
  }
}

/** The parts that thousands of lines share. */
interface KnownSecond {
  /** Up to the dot before the nanoseconds. */
  head: string;
  /** Behind them. */
  zone: string;
  second: number;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const DIGITS = 9;
const HEAD = '2006-01-02T15:04:05.'.length;
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.)\d{9}(Z|[+-]\d\d:\d\d)$/;

/** The last one that was parsed. */
let known: KnownSecond = { head: '', zone: '', second: 0 };

/** @returns the stamp that the line at `start` begins with, or `undefined` for text that has none. */
export function readStamp(bytes: Buffer, start = 0): Stamp | undefined {
  if (!isAt(bytes, start, known.head) || !isAt(bytes, start + HEAD + DIGITS, known.zone)) {
    const second = readSecond(bytes, start);
    if (second === undefined) return undefined;
    known = second;
  }
  let nanoseconds = 0;
  for (let index = start + HEAD; index < start + HEAD + DIGITS; index++) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    nanoseconds = 10 * nanoseconds + digit;
  }
  const length = HEAD + DIGITS + known.zone.length;
  const behind = bytes[start + length];
  // An empty line may come without the space.
  if (behind !== SPACE && behind !== NEWLINE) return undefined;
  return new Stamp(known, nanoseconds, behind === SPACE ? length + 1 : length);
}

function isAt(bytes: Buffer, start: number, text: string): boolean {
  if (text === '') return false;
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}

function readSecond(bytes: Buffer, start: number): KnownSecond | undefined {
  for (const zoneLength of ['Z'.length, '+00:00'.length]) {
    const [, head, zone] = STAMP.exec(bytes.toString('latin1', start, start + HEAD + DIGITS + zoneLength)) ?? [];
    if (head === undefined || zone === undefined) continue;
    const second = Math.floor(Date.parse(`${head.slice(0, -1)}${zone}`) / 1000);
    // A day that does not exist: not the kubelet's, but the container's own, in the tail of a long line.
    return Number.isNaN(second) ? undefined : { head, zone, second };
  }
  return undefined;
}
