/** The fake cluster's time: it stands still until something happens, so that every run has the same timestamps. */
export class FakeClock {
  #now: bigint;

  constructor(start: string) {
    this.#now = parseTime(start);
  }

  /** Nanoseconds since the epoch. */
  now(): bigint {
    return this.#now;
  }

  /** Moves on by `ms` and one nanosecond, so that all nine digits count. */
  tick(ms = 1): bigint {
    this.#now += BigInt(Math.round(ms * 1_000_000)) + 1n;
    return this.#now;
  }

  /** As in an object's timestamps: whole seconds, UTC. */
  seconds(aheadSeconds = 0): string {
    return `${new Date(Number(this.#now / 1_000_000n) + 1000 * aheadSeconds).toISOString().slice(0, 19)}Z`;
  }
}

/** RFC 3339 with up to nine digits of a second, to nanoseconds since the epoch. */
export function parseTime(text: string): bigint {
  const [, whole, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${whole}${zone}`);
  if (whole === undefined || Number.isNaN(ms)) throw new Error(`${text} is not an RFC 3339 time.`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/**
 * As the kubelet prefixes log lines: always nine digits, in the node's zone.
 * @param zone `Z` or an offset such as `+02:00`
 */
export function formatTime(ns: bigint, zone = 'Z'): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  const offsetMs = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
  const whole = new Date(Number(ns / 1_000_000n) + offsetMs).toISOString().slice(0, 19);
  return `${whole}.${String(ns % 1_000_000_000n).padStart(9, '0')}${zone}`;
}
