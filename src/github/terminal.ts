/**
 * Text for the job log out of text for a terminal.
 *
 * Colours (SGR, `ESC [ ... m`) pass. Every other control sequence is dropped, for the log viewer renders none, and a terminal that replays a raw log should not be steered (titles, clipboard, cursor).
 * `\r\n` and a bare `\r` become `\n`: the runner ends lines at all three (.NET's ReadLine), and only so a progress bar looks the same everywhere.
 */

const ESC = '\u001b';
/** Control characters that may stay as they are: tab and line feed. Text without any other needs no work. */
const HAS_CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g;
/**
 * An escape sequence, whole: CSI (final byte captured), a string command (OSC, DCS, SOS, PM, APC) up to its terminator or the line's end, or a two-character one.
 * C1 controls are the same commands in one character.
 */
const SEQUENCE =
  /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n\r]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-Z\\`-~]/g;
/** The start of a sequence that the text's end has cut. */
const CUT =
  /(?:\u001b|(?:\u001b\[|\u009b)[0-?]*[ -/]*|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n\r]*\u001b?|\r)$/;
/** More than any real sequence is long; what goes on without end is dropped rather than held in memory. */
const LONGEST_SEQUENCE = 4096;

/** @returns `text` without terminal control, but for colours, with `\n` as its only line end. For text that is whole; a stream needs {@link TerminalFilter}. */
export function jobLogText(text: string): string {
  if (!HAS_CONTROL.test(text)) return text;
  return text
    .replace(SEQUENCE, (_, parameters: string | undefined, final: string | undefined) =>
      final === 'm' && /^[0-9;:]*$/.test(parameters ?? '') ? `${ESC}[${parameters}m` : '',
    )
    .replace(/\u001b(?!\[[0-9;:]*m)/g, '')
    .replace(/\r\n?/g, '\n')
    .replace(CONTROL, '');
}

/** {@link jobLogText} for a stream: a sequence or a `\r\n` that two chunks share is seen as one. */
export class TerminalFilter {
  #held = '';

  push(chunk: string): string {
    const text = this.#held + chunk;
    this.#held = '';
    if (!HAS_CONTROL.test(text)) return text;
    const cut = CUT.exec(text.slice(-LONGEST_SEQUENCE));
    if (cut === null) return jobLogText(text);
    this.#held = cut[0];
    return jobLogText(text.slice(0, text.length - cut[0].length));
  }

  /** @returns what was still held back at the stream's end. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return jobLogText(rest);
  }
}
