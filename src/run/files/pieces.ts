import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** The longest piece before it is compressed, in bytes. */
export const LONGEST_PIECE = 1024 * 1024;

const compressed = promisify<Buffer, { level: number }, Buffer>(gzip);

/**
 * @param compress whether it is to be made smaller, as fast as that goes, if it gets smaller at all
 * @returns what is sent of a piece: the line that says how long it is, and the piece
 */
export async function framed(piece: Buffer, compress: boolean): Promise<[line: Buffer, content: Buffer]> {
  const smaller = compress ? await compressed(piece, { level: constants.Z_BEST_SPEED }) : piece;
  const [kind, content]: [string, Buffer] = smaller.length < piece.length ? ['gzip', smaller] : ['raw', piece];
  return [Buffer.from(`${kind} ${content.length}\n`), content];
}

/** @returns what ends so many pieces */
export function lastFrame(count: number): Buffer {
  return Buffer.from(`end ${count}\n`);
}
