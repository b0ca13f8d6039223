/** The files a step writes its outputs, state and environment to (actions/runner, src/Runner.Worker/FileCommandManager.cs). */

/** `key=value` lines and `key<<DELIMITER` blocks; the later of two equal keys wins. Throws with the runner's own words. */
export function parseKeyValueFile(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const reader = new LineReader(text);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (line.text === '') continue;
    const equals = line.text.indexOf('=');
    const heredoc = line.text.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) throw new Error(`Invalid format '${line.text}'. Name must not be empty`);
      entries[line.text.slice(0, equals)] = line.text.slice(equals + 1);
    } else if (heredoc >= 0) {
      const name = line.text.slice(0, heredoc);
      const delimiter = line.text.slice(heredoc + 2);
      if (name === '' || delimiter === '') {
        throw new Error(`Invalid format '${line.text}'. Name must not be empty and delimiter must not be empty`);
      }
      entries[name] = readBlock(reader, text, delimiter);
    } else {
      throw new Error(`Invalid format '${line.text}'`);
    }
  }
  return entries;
}

/** GITHUB_PATH: one folder a line. */
export function parsePathFile(text: string): string[] {
  return [...new Set(text.split(/\r\n|\n|\r/).filter(line => line !== ''))];
}

function readBlock(reader: LineReader, text: string, delimiter: string): string {
  const start = reader.index;
  let end = start;
  for (let line = reader.next(); line?.text !== delimiter; line = reader.next()) {
    if (line === undefined) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
    if (!line.newline) throw new Error('Invalid value. EOF marker missing new line.');
    end = reader.index - 1;
  }
  return text.slice(start, end);
}

/** Lines end at `\n` alone here: on Linux a `\r` stays part of the value. */
class LineReader {
  readonly #text: string;
  index = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): { text: string; newline: boolean } | undefined {
    if (this.index >= this.#text.length) return undefined;
    const start = this.index;
    const end = this.#text.indexOf('\n', start);
    this.index = end < 0 ? this.#text.length : end + 1;
    return { text: this.#text.slice(start, end < 0 ? undefined : end), newline: end >= 0 };
  }
}
