/**
 * Text for the job log out of text for a terminal.
 *
 * Colours (SGR, `ESC [ ... m`) pass. Every other control sequence is dropped, for the log viewer renders none, and a terminal that replays a raw log should not be steered (titles, clipboard, cursor).
 * `\r\n` and a bare `\r` become `\n`: the runner ends lines at all three (.NET's ReadLine), and only so a progress bar looks the same everywhere.
 */

/** What is no plain text: every control character but tab and line feed. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** The parameters of a colour. A longer list than any program writes is dropped rather than held in memory. */
const COLOUR = /^[0-9;:]{0,200}$/;
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
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === 'text') {
        CONTROL.lastIndex = at;
        const next = CONTROL.exec(chunk)?.index ?? chunk.length;
        out += chunk.slice(at, next);
        at = next;
        if (at < chunk.length) this.#begin(chunk.charAt(at++));
        continue;
      }
      const { shown, taken } = this.#step(chunk.charAt(at));
      out += shown;
      if (taken) at++;
    }
    return out;
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
      if (this.#parameters.length <= 200) this.#parameters += char;
      return { shown: '', taken: true };
    }
    this.#state = 'text';
    const colour = char === 'm' && COLOUR.test(this.#parameters);
    return { shown: colour ? `${ESC}[${this.#parameters}m` : '', taken: /[@-~]/.test(char) };
  }

  #enterControl(): void {
    this.#state = 'control';
    this.#parameters = '';
  }
}

/** @returns `text` without terminal control, but for colours, with `\n` as its only line end. For text that is whole; a stream needs {@link TerminalFilter}. */
export function jobLogText(text: string): string {
  CONTROL.lastIndex = 0;
  if (!CONTROL.test(text)) return text;
  const filter = new TerminalFilter();
  return filter.push(text) + filter.end();
}
