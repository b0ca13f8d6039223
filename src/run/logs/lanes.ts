import { Spool } from './spool.ts';

/** Where lanes lead. */
export interface LaneEnd {
  /** Whether it takes more now. */
  readonly ready: boolean;
  /** Settles when it does again. */
  whenReady(): Promise<void>;
}

/** What one lane makes of its bytes at the end: prints them, or writes them. */
export interface LaneOutput {
  write(bytes: Uint8Array): void;
  /**
   * A log is at its end: writes what it still holds back, and ends the last line where something may follow.
   * @param last whether it is the container's last one, else it is started again
   */
  end(last: boolean): void;
  /** Whether the last line that was written is unfinished. */
  readonly midLine: boolean;
}

/**
 * Brings the logs of several containers into one stream, as they come, without one's line being torn by another's.
 * A lane takes everything at once. What cannot go on, since the end takes nothing more for now or another lane is in the middle of a line, waits in the lane's spool.
 */
export class Lanes {
  readonly #end: LaneEnd;
  readonly #lanes: Lane[] = [];
  #waiting = false;

  constructor(end: LaneEnd) {
    this.#end = end;
  }

  add(output: LaneOutput): Lane {
    const lane = new Lane(output, this);
    this.#lanes.push(lane);
    return lane;
  }

  /** Whether the lane's bytes may go on now. */
  isFree(lane: Lane): boolean {
    return this.#end.ready && this.#lanes.every(other => other === lane || !other.output.midLine);
  }

  /** Lets what waits go on, as far as it can. */
  advance(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const lane of this.#lanes) if (this.isFree(lane) && lane.step()) moved = true;
    }
    if (this.#waiting || this.#end.ready) return;
    this.#waiting = true;
    void this.#end.whenReady().then(() => {
      this.#waiting = false;
      this.advance();
    });
  }
}

/** The way of one container's log. */
export class Lane {
  readonly output: LaneOutput;
  readonly #lanes: Lanes;
  readonly #spool = new Spool();
  /** What is to be done when so many bytes have gone on. */
  readonly #notes: { at: number; act: () => void }[] = [];
  #pushed = 0;
  #written = 0;
  #emptied: (() => void) | undefined;

  constructor(output: LaneOutput, lanes: Lanes) {
    this.output = output;
    this.#lanes = lanes;
  }

  push(bytes: Uint8Array): void {
    this.#pushed += bytes.length;
    if (this.#spool.isEmpty && this.#lanes.isFree(this)) {
      const wasMidLine = this.output.midLine;
      this.#write(bytes);
      // The others may have waited for the line's end.
      if (wasMidLine && !this.output.midLine) this.#lanes.advance();
    } else {
      this.#spool.push(bytes);
      this.#lanes.advance();
    }
  }

  /** Has something done, or said, when all that was pushed before has gone on. */
  note(act: () => void): void {
    if (this.#spool.isEmpty) act();
    else this.#notes.push({ at: this.#pushed, act });
  }

  /** One run of the container is over, and another one follows. */
  endRun(): void {
    this.note(() => this.output.end(false));
    this.#lanes.advance();
  }

  /** Sends on some of what waits. @returns whether there was any */
  step(): boolean {
    const bytes = this.#spool.shift();
    if (bytes === undefined) return false;
    this.#write(bytes);
    if (this.#spool.isEmpty) this.#emptied?.();
    return true;
  }

  /** The log has come to its end: settles when nothing of it waits any more. */
  async end(): Promise<void> {
    if (!this.#spool.isEmpty) {
      await new Promise<void>(resolve => {
        this.#emptied = resolve;
      });
    }
    this.output.end(true);
    this.#spool.close();
    this.#lanes.advance();
  }

  #write(bytes: Uint8Array): void {
    let rest = bytes;
    for (let [next] = this.#notes; next && next.at <= this.#written + rest.length; [next] = this.#notes) {
      rest = this.#part(rest, next.at - this.#written);
      this.#notes.shift();
      next.act();
    }
    this.#part(rest, rest.length);
  }

  /** Writes the first bytes. @returns the others */
  #part(bytes: Uint8Array, length: number): Uint8Array {
    if (length > 0) this.output.write(bytes.subarray(0, length));
    this.#written += length;
    return bytes.subarray(length);
  }
}
