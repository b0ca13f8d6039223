import { pause } from '../../kubernetes/pause.ts';

/**
 * A stream that has been silent for this long is held against the log's last line: a proxy may have lost its other end, and kubelets before 1.27 lose it when the log is rotated (kubernetes/kubernetes#59902,
 * #115702). Each silent answer doubles the time, up to the second value.
 */
const SILENCE_MS = { first: 60_000, longest: 600_000 };
/** A line that was there a while ago and has not come is not on its way. */
const ON_ITS_WAY_MS = 2000;

/** A stream that may have fallen silent. */
export interface Listening {
  /** When it last brought something, on `performance.now()`'s clock. */
  heardAt(): number;
  /** The log's last line as it stands, with its time stamp. */
  lastLine(): Promise<Buffer>;
  /** Whether the stream has brought that line. */
  knows(line: Buffer): boolean;
}

/** Settles when the log has a line that the stream has not brought, nor brings soon. @throws when it is aborted */
export async function untilBehind(stream: Listening, signal: AbortSignal): Promise<void> {
  let silenceMs = SILENCE_MS.first;
  let checkedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (stream.heardAt() > checkedAt) silenceMs = SILENCE_MS.first;
    const leftMs = Math.max(stream.heardAt(), checkedAt) + silenceMs - performance.now();
    if (leftMs > 0) await pause(leftMs, signal);
    else if (await isBehind(stream, signal)) return;
    else {
      checkedAt = performance.now();
      silenceMs = Math.min(2 * silenceMs, SILENCE_MS.longest);
    }
  }
}

async function isBehind(stream: Listening, signal: AbortSignal): Promise<boolean> {
  let line: Buffer;
  try {
    line = await stream.lastLine();
  } catch {
    // Whatever is wrong will show in the stream, or pass.
    return false;
  }
  if (stream.knows(line)) return false;
  await pause(ON_ITS_WAY_MS, signal);
  return !stream.knows(line);
}
