/** Something that a log has to show. */
export interface Expected {
  text: string | RegExp;
  times: number;
  /** In words, for the report. */
  what: string;
}

/** @returns what the log does not show as often as it has to, in words */
export function missingFrom(log: string, expected: Expected[]): string[] {
  const lines = log.split(/\r?\n/);
  return expected.flatMap(({ text, times, what }) => {
    const found = lines.filter(line => (typeof text === 'string' ? line.includes(text) : text.test(line))).length;
    return found === times ? [] : [`${what} (${text}: ${found} times instead of ${times})`];
  });
}
