import type { Readable } from 'node:stream';

/** The kubelet sends each line by itself. Handled together, those of so many milliseconds cost a fraction [measured], and nobody reads faster. */
const TOGETHER_MS = 10;
const MOST_TOGETHER = 64 * 1024;

/**
 * Reads a body to its end as fast as it comes.
 * @param take is called with what has come, at once after a silence, otherwise with some milliseconds' worth; what it is given is its own. `false` ends the reading.
 * @param heard is called with each piece, as it comes
 * @throws what broke the body off; what had come has been taken then
 */
export function readBody(
  body: Readable,
  take: (bytes: Buffer) => boolean,
  heard: () => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] = [];
    let length = 0;
    let flushedAt = Number.NEGATIVE_INFINITY;
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      clearTimeout(timer);
      timer = undefined;
      flushedAt = performance.now();
      if (length === 0) return;
      const [first, ...more] = pieces;
      const bytes = more.length === 0 && first !== undefined ? first : Buffer.concat(pieces, length);
      pieces = [];
      length = 0;
      try {
        if (take(bytes)) return;
        settle(resolve);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const settle = (end: () => void) => {
      clearTimeout(timer);
      body.off('data', onData).off('end', onEnd).off('error', onError).off('close', onEnd);
      body.destroy();
      end();
    };
    const onData = (piece: Buffer) => {
      heard();
      pieces.push(piece);
      length += piece.length;
      const sinceFlush = performance.now() - flushedAt;
      if (length >= MOST_TOGETHER || sinceFlush >= TOGETHER_MS) flush();
      else timer ??= setTimeout(flush, TOGETHER_MS - sinceFlush);
    };
    const onEnd = () => {
      flush();
      settle(resolve);
    };
    const onError = (error: unknown) => {
      flush();
      settle(() => reject(error));
    };
    // It may have broken off before anybody listened: nothing more is told then.
    if (body.errored) onError(body.errored);
    else if (body.destroyed) onEnd();
    else body.on('data', onData).on('end', onEnd).on('error', onError).on('close', onEnd);
  });
}
