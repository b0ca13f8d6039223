/** A longer line is no command: it is passed on as it comes, so memory stays bounded. */
const LONGEST_COMMAND = 64 * 1024;
/** Nor is one that begins with more white space. */
const MOST_BLANKS = 1024;
/** What the runner skips at a line's start (.NET's TrimStart), but for the line ends. */
const BLANK = /[\p{Zs}\u2028\u2029\t\v\f\u0085]/u;

/** A part of a text. All of them together, in order, are the text. */
export interface TextPiece {
  text: string;
  /** Whether it is one whole line, with its end, that begins with `::`. Else it is text of any kind: many lines, or part of one. */
  command: boolean;
}

/**
 * Finds the lines that may be commands in a text that comes in chunks, with `\n` as its only line end (see TerminalFilter).
 * Of an unfinished line only what can still become a command is held back, so that a prompt is seen as it comes.
 */
export class TextLines {
  /** The unfinished line, from its start, while it can still become a command. */
  #held = '';
  /** Whether it has its `::` already. */
  #begun = false;
  /** Whether part of the unfinished line has been passed on. */
  #midLine = false;

  push(chunk: string): TextPiece[] {
    if (chunk === '') return [];
    // It waits for its end alone: many small chunks are not looked through again and again.
    if (this.#begun && !chunk.includes('\n')) return this.#hold(this.#held + chunk, true);
    const text = this.#held + chunk;
    this.#held = '';
    this.#begun = false;
    return this.#cut(text);
  }

  /** @returns what was still held back at the stream's end: the last line may lack its end. */
  end(): TextPiece[] {
    const [text, command] = [this.#held, this.#begun];
    this.#held = '';
    this.#begun = false;
    this.#midLine = false;
    return text === '' ? [] : [{ text, command }];
  }

  #cut(text: string): TextPiece[] {
    const pieces: TextPiece[] = [];
    /** Start of what is passed on as text. */
    let from = 0;
    const pass = (to: number) => {
      if (to > from) pieces.push({ text: text.slice(from, to), command: false });
      from = to;
    };
    /** Start of the first line that has not been looked at. */
    let line = this.#midLine ? behindLine(text, 0) : 0;
    while (line < text.length) {
      const colons = text.indexOf('::', line);
      if (colons === -1) {
        line = text.lastIndexOf('\n') + 1;
        if (!canBegin(text, line)) break;
        pass(line);
        return [...pieces, ...this.#hold(text.slice(line), false)];
      }
      const start = startOfLine(text, colons, line);
      line = behindLine(text, colons);
      if (start === undefined) continue;
      if (line > text.length) {
        pass(start);
        return [...pieces, ...this.#hold(text.slice(start), true)];
      }
      if (line - 1 - start > LONGEST_COMMAND) continue;
      pass(start);
      pieces.push({ text: text.slice(start, line), command: true });
      from = line;
    }
    pass(text.length);
    this.#midLine = !text.endsWith('\n');
    return pieces;
  }

  #hold(text: string, begun: boolean): TextPiece[] {
    const fits = text.length <= (begun ? LONGEST_COMMAND : MOST_BLANKS + 1);
    this.#held = fits ? text : '';
    this.#begun = fits && begun;
    this.#midLine = !fits;
    return fits ? [] : [{ text, command: false }];
  }
}

/** @returns where the line that `at` is in ends, behind its `\n`; more than the text's length where it has none. */
function behindLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length + 1 : end + 1;
}

/** @returns where the line of these colons starts, if nothing but blanks is before them; `first` is as far back as it can. */
function startOfLine(text: string, colons: number, first: number): number | undefined {
  let at = colons;
  while (at > first && colons - at < MOST_BLANKS && BLANK.test(text.charAt(at - 1))) at--;
  return at === first || text.charAt(at - 1) === '\n' ? at : undefined;
}

/** Whether the unfinished line, which has no `::`, can still begin with one. */
function canBegin(text: string, line: number): boolean {
  let at = line;
  while (at < text.length && BLANK.test(text.charAt(at))) at++;
  return line < text.length && (at === text.length || (at === text.length - 1 && text.endsWith(':')));
}
