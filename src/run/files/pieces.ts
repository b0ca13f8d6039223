import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** The longest piece before it is compressed, in bytes. */
export const LONGEST_PIECE = 1024 * 1024;

const compressed = promisify<Buffer, { level: number }, Buffer>(gzip);

/**
 * @param compress whether it is to be made smaller, as fast as that goes, if it gets smaller at all
 * @returns a piece as it is sent, with the line that says how long it is
 */
export async function framed(piece: Buffer, compress: boolean): Promise<Buffer> {
  const smaller = compress ? await compressed(piece, { level: constants.Z_BEST_SPEED }) : piece;
  const [kind, content] = smaller.length < piece.length ? ['gzip', smaller] : ['raw', piece];
  return Buffer.concat([Buffer.from(`${kind} ${content.length}\n`), content]);
}

/** @returns what ends so many pieces */
export function lastFrame(count: number): Buffer {
  return Buffer.from(`end ${count}\n`);
}
