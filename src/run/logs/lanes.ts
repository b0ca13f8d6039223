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
  /** Writes what it still holds back, and ends the last line where others may follow. */
  end(): void;
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
  #emptied: (() => void) | undefined;

  constructor(output: LaneOutput, lanes: Lanes) {
    this.output = output;
    this.#lanes = lanes;
  }

  push(bytes: Uint8Array): void {
    if (this.#spool.isEmpty && this.#lanes.isFree(this)) {
      const wasMidLine = this.output.midLine;
      this.output.write(bytes);
      // The others may have waited for the line's end.
      if (wasMidLine && !this.output.midLine) this.#lanes.advance();
    } else {
      this.#spool.push(bytes);
      this.#lanes.advance();
    }
  }

  /** Sends on some of what waits. @returns whether there was any */
  step(): boolean {
    const bytes = this.#spool.shift();
    if (bytes === undefined) return false;
    this.output.write(bytes);
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
    this.output.end();
    this.#spool.close();
    this.#lanes.advance();
  }
}
