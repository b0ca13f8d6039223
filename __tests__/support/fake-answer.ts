import type { ServerResponse } from 'node:http';
import type { FaultAction, RecordedRequest } from './faults.ts';
import type { Reply } from './kubernetes-replies.ts';

/** An answer on its way out, with what goes wrong with its body. */
export class FakeAnswer {
  readonly #response: ServerResponse;
  readonly #request: RecordedRequest;
  readonly #fault: FaultAction | undefined;
  readonly #onEnd: (() => void)[] = [];
  #left: number;
  /** Over for us, though perhaps not yet sent. */
  #cut = false;
  #muted = false;

  constructor(response: ServerResponse, request: RecordedRequest, fault?: FaultAction) {
    this.#response = response;
    this.#request = request;
    this.#fault = fault;
    const afterBytes = fault && 'afterBytes' in fault ? fault.afterBytes : undefined;
    this.#left = afterBytes ?? (fault?.kind === 'quiet' ? 0 : Number.POSITIVE_INFINITY);
    response.on('close', () => {
      this.#cut = true;
      request.ended = true;
      for (const act of this.#onEnd) act();
    });
  }

  /** The client has gone, or the answer is complete. */
  onEnd(act: () => void): void {
    this.#onEnd.push(act);
  }

  reply({ code, body, headers = {} }: Reply): void {
    if (body === undefined) {
      this.#head(code, headers);
      this.end();
      return;
    }
    const text = typeof body === 'string';
    this.stream(code, { 'Content-Type': text ? 'text/plain; charset=utf-8' : 'application/json', ...headers });
    this.write(text ? body : JSON.stringify(this.#withoutFields(body)));
    this.end();
  }

  /** Sends the headers of a body that follows in pieces. */
  stream(code: number, headers: Record<string, string>): void {
    this.#head(code, headers);
    if (this.#fault?.kind === 'prepend') this.write(this.#fault.text);
    else this.#spend();
  }

  write(text: string): void {
    if (this.#cut || this.#muted || text === '') return;
    const whole = Buffer.from(text);
    let bytes = whole.subarray(0, this.#left);
    this.#left -= bytes.length;
    // The kubelet breaks off between lines, of which it writes each at once.
    if (this.#fault?.kind === 'append' && bytes.length < whole.length)
      bytes = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    if (bytes.length > 0) this.#response.write(bytes);
    this.#spend();
  }

  end(): void {
    if (this.#muted || this.#cut) return;
    if (this.#fault?.kind === 'append') this.#response.write(this.#fault.text);
    this.#finish();
  }

  /** Ends it, also one that has gone quiet. Of an answer that has not begun there is nothing to be ended but the connection. */
  endNow(): void {
    this.#request.endedEarly = true;
    if (this.#response.headersSent) this.#finish();
    else this.cut();
  }

  /** Brings nothing more, with the connection open, as through a proxy that has lost its other end. */
  mute(): void {
    this.#muted = true;
  }

  /** Cuts the connection; what was written before arrives. */
  cut(): void {
    this.#cut = true;
    const { socket } = this.#response;
    if (this.#response.headersSent) socket?.destroySoon();
    else socket?.destroy();
  }

  #head(code: number, headers: Record<string, string>): void {
    if (this.#fault?.kind === 'loseAnswer') {
      this.cut();
      return;
    }
    this.#request.code = code;
    this.#response.writeHead(code, headers);
    this.#response.flushHeaders();
  }

  /** The budget of bytes is used up: now it happens. */
  #spend(): void {
    if (this.#left > 0 || this.#cut || this.#muted) return;
    if (this.#fault?.kind === 'reset') this.cut();
    else if (this.#fault?.kind === 'quiet') this.#muted = true;
    else {
      this.#request.endedEarly = true;
      this.end();
    }
  }

  #finish(): void {
    this.#cut = true;
    this.#response.end();
  }

  #withoutFields(body: unknown): unknown {
    if (this.#fault?.kind !== 'dropFields') return body;
    const copy: unknown = structuredClone(body);
    for (const field of this.#fault.fields) {
      const keys = field.split('.');
      const last = keys.pop();
      let parent: unknown = copy;
      for (const key of keys) parent = isObject(parent) ? parent[key] : undefined;
      if (last !== undefined && isObject(parent)) delete parent[last];
    }
    return copy;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
