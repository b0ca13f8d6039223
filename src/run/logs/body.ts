import type { Readable } from 'node:stream';

/**
 * Reads a body to its end as fast as it comes.
 * @param take is called with each piece, which is its own. `false` ends the reading.
 * @throws what broke the body off; what had come has been taken then
 */
export function readBody(body: Readable, take: (bytes: Buffer) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      body.off('data', onData).off('end', onEnd).off('error', onError).off('close', onEnd);
      body.destroy();
      end();
    };
    const onData = (piece: Buffer) => {
      try {
        if (!take(piece)) settle(resolve);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onEnd = () => settle(resolve);
    const onError = (error: unknown) => settle(() => reject(error));
    // It may have broken off before anybody listened: nothing more is told then.
    if (body.errored) onError(body.errored);
    else if (body.destroyed) onEnd();
    else body.on('data', onData).on('end', onEnd).on('error', onError).on('close', onEnd);
  });
}
