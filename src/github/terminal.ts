/**
 * Text for the job log out of text for a terminal.
 *
 * Colours (SGR, `ESC [ ... m`) pass. Every other control sequence is dropped, for the log viewer renders none, and a terminal that replays a raw log should not be steered (titles, clipboard, cursor).
 * `\r\n` and a bare `\r` become `\n`: the runner ends lines at all three (.NET's ReadLine), and only so a progress bar looks the same everywhere.
 */

/** What is no plain text: every control character but tab and line feed. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Characters in the parameters of a colour. A longer list than any program writes is dropped rather than held in memory. */
const MOST_PARAMETERS = 200;
const COLOUR = /^[0-9;:]*$/;
/** The digits, `:` and `;` are neighbours. */
const [DIGIT_0, SEMICOLON, FINAL_M] = [0x30, 0x3b, 0x6d];
const ESC = '\u001b';
const BEL = '\u0007';

/** Where in a sequence the text stands, by the states of ECMA-48: `string` is an operating system or device command up to its terminator, or the line's end. */
type State = 'text' | 'return' | 'escape' | 'intermediate' | 'control' | 'string' | 'string escape';

/** Filters a stream: it does not matter how the text is cut into chunks. */
export class TerminalFilter {
  #state: State = 'text';
  /** What of a control sequence (`ESC [`) has come so far. */
  #parameters = '';

  push(chunk: string): string {
    let out = '';
    /** Where what passes as it stands begins, as far as it is not in `out` yet. */
    let from = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#state !== 'text') {
        const { shown, taken } = this.#step(chunk.charAt(at));
        out += shown;
        if (taken) at++;
        from = at;
        continue;
      }
      at = nextControl(chunk, at);
      const past = colourEnd(chunk, at);
      if (past !== undefined) {
        at = past;
        continue;
      }
      if (from < at) out += chunk.slice(from, at);
      // A `\r` that is followed by something needs no state: this and the colours are what coloured logs and progress bars are made of.
      if (chunk[at] === '\r' && at + 1 < chunk.length) {
        if (chunk[at + 1] !== '\n') out += '\n';
        at++;
        from = at;
        if (chunk[at] === '\n') at++;
        continue;
      }
      if (at < chunk.length) this.#begin(chunk.charAt(at++));
      from = at;
    }
    return out + chunk.slice(from);
  }

  /** @returns what was still held back at the stream's end. */
  end(): string {
    const rest = this.#state === 'return' ? '\n' : '';
    this.#state = 'text';
    return rest;
  }

  #begin(control: string): void {
    if (control === '\r') this.#state = 'return';
    else if (control === ESC) this.#state = 'escape';
    else if (control === '\u009b') this.#enterControl();
    else if ('\u0090\u0098\u009d\u009e\u009f'.includes(control)) this.#state = 'string';
  }

  /** @returns what `char` lets through, and whether it belongs to the sequence at all; else it is looked at again as text. */
  #step(char: string): { shown: string; taken: boolean } {
    switch (this.#state) {
      case 'return':
        this.#state = 'text';
        return { shown: '\n', taken: char === '\n' };
      case 'escape':
        return this.#escape(char);
      case 'intermediate':
        if (!/[ -/]/.test(char)) this.#state = 'text';
        return { shown: '', taken: /[ -~]/.test(char) };
      case 'control':
        return this.#control(char);
      case 'string':
        if (char === ESC) this.#state = 'string escape';
        else if (char === BEL || char === '\u009c' || char === '\n' || char === '\r') this.#state = 'text';
        return { shown: '', taken: char !== '\n' && char !== '\r' };
      default:
        this.#state = char === '\\' ? 'text' : 'escape';
        return { shown: '', taken: char === '\\' };
    }
  }

  #escape(char: string): { shown: string; taken: boolean } {
    if (char === '[') this.#enterControl();
    else if (']PX^_'.includes(char)) this.#state = 'string';
    else if (/[ -/]/.test(char)) this.#state = 'intermediate';
    else this.#state = 'text';
    return { shown: '', taken: /[ -~]/.test(char) };
  }

  #control(char: string): { shown: string; taken: boolean } {
    if (/[ -?]/.test(char)) {
      if (this.#parameters.length <= MOST_PARAMETERS) this.#parameters += char;
      return { shown: '', taken: true };
    }
    this.#state = 'text';
    const colour = char === 'm' && this.#parameters.length <= MOST_PARAMETERS && COLOUR.test(this.#parameters);
    return { shown: colour ? `${ESC}[${this.#parameters}m` : '', taken: /[@-~]/.test(char) };
  }

  #enterControl(): void {
    this.#state = 'control';
    this.#parameters = '';
  }
}

/** @returns where the next control character is, or the text's length. */
function nextControl(text: string, from: number): number {
  CONTROL.lastIndex = from;
  return CONTROL.test(text) ? CONTROL.lastIndex - 1 : text.length;
}

/** @returns where a colour that begins at `at` ends; `undefined` where none does, or where it is not all there yet. */
function colourEnd(text: string, at: number): number | undefined {
  if (text.charAt(at) !== ESC || text.charAt(at + 1) !== '[') return undefined;
  const last = at + 2 + MOST_PARAMETERS;
  for (let end = at + 2; end <= last; end++) {
    const code = text.charCodeAt(end);
    if (code === FINAL_M) return end + 1;
    if (!(code >= DIGIT_0 && code <= SEMICOLON)) return undefined;
  }
  return undefined;
}

/** @returns `text` without terminal control, but for colours, with `\n` as its only line end. For text that is whole; a stream needs {@link TerminalFilter}. */
export function jobLogText(text: string): string {
  CONTROL.lastIndex = 0;
  if (!CONTROL.test(text)) return text;
  const filter = new TerminalFilter();
  return filter.push(text) + filter.end();
}

/** @returns `text` as {@link jobLogText} has it, and without colours, which only a log shows. */
export function plainText(text: string): string {
  return jobLogText(text).replace(/\u001b\[[0-9;:]*m/g, '');
}
