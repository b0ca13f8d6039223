/**
 * Cuts a process's output into lines as .NET's StreamReader.ReadLine does for the runner (ProcessInvoker.cs StartReadStream):
 * at `\n`, `\r\n` and a bare `\r`, invalid UTF-8 as U+FFFD, a leading byte order mark dropped, and a last line without an end counted.
 */
export class OutputLines {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';

  push(chunk: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(chunk, { stream: true }), false);
  }

  end(): string[] {
    const lines = this.#take(this.#decoder.decode(), true);
    if (this.#rest !== '') lines.push(this.#rest);
    this.#rest = '';
    return lines;
  }

  #take(text: string, last: boolean): string[] {
    let buffer = this.#rest + text;
    let held = '';
    // ReadLine looks at the character after a `\r` before it gives the line away, so it waits for more output, and so do we.
    if (!last && buffer.endsWith('\r')) {
      held = '\r';
      buffer = buffer.slice(0, -1);
    }
    const lines = buffer.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + held;
    return lines;
  }
}
