/** The time stamp that the kubelet puts in front of a line, as far as it is needed. */
export interface Stamp {
  /** As the kubelet wrote it. */
  text: string;
  /** Seconds since the epoch, rounded down. */
  second: number;
  /** Bytes of the stamp, and of the space behind it. */
  length: number;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
/** RFC 3339 with nine digits, which the kubelet always writes, in the node's time zone: `Z` or `+02:00`. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{9}(Z|[+-]\d\d:\d\d)$/;

/** Thousands of lines share a second: its text is parsed once. */
let known = { text: '', second: 0 };

/** @returns the stamp that the line at `start` begins with, or `undefined` for text that has none. */
export function readStamp(bytes: Buffer, start = 0): Stamp | undefined {
  for (const length of [30, 35]) {
    const behind = bytes[start + length];
    // An empty line may come without the space.
    if (behind !== SPACE && behind !== NEWLINE) continue;
    const text = bytes.toString('latin1', start, start + length);
    const match = STAMP.exec(text);
    if (match === null) continue;
    const second = `${match[1]}${match[2]}`;
    if (second !== known.text) known = { text: second, second: Math.floor(Date.parse(second) / 1000) };
    // A day that does not exist: not the kubelet's, but the container's own, in the tail of a long line.
    if (Number.isNaN(known.second)) continue;
    return { text, second: known.second, length: behind === SPACE ? length + 1 : length };
  }
  return undefined;
}

/** Whether `one` is before `other`, by the nanosecond, as far as their zones let it be seen. */
export function isBefore(one: Stamp, other: Stamp): boolean {
  const [zone, otherZone] = [one.text.slice(29), other.text.slice(29)];
  return zone === otherZone ? one.text < other.text : one.second < other.second;
}
