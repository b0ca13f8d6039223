import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { IsExcluded } from './exclude.ts';
import { entriesOf, isGone, shownName, type TreeEntry, unreadable } from './tree.ts';

/** A multiple of a block, so that a piece ends between two blocks. */
export const PIECE_BYTES = 2 ** 20;
const BLOCK_BYTES = 512;
/** What a header has room for; more stands in a member before it. */
const NAME_BYTES = 100;

/** `0` for a file and so on: see `tar.h` of GNU tar. */
const TYPES = { file: '0', folder: '5', link: '2', longName: 'L', longTarget: 'K' };

/** A file has less in it than when it was begun, so the archive cannot be finished. */
export class FileChanged extends Error {
  constructor(name: Buffer, read: number, size: number) {
    super(
      `"${shownName(name)}" became shorter while it was read: ${read} of ${size} bytes were there. Let nothing write to it meanwhile, or exclude it.`,
    );
  }
}

/**
 * What is in the folder, as an archive in GNU's format: busybox skips the names of the newer one, pax.
 * Everything belongs to root, so whoever unpacks it owns it.
 * @param root absolute
 * @returns pieces of {@link PIECE_BYTES}, the last one smaller; each is good until the next one is asked for
 * @throws FileChanged, or Error with a sentence where something cannot be read
 */
export async function* tarOf(root: string, isExcluded: IsExcluded): AsyncGenerator<Buffer> {
  const base = Buffer.from(`${root}/`);
  const pieces = new Pieces();
  for await (const entry of fillable(entriesOf(root, isExcluded))) {
    if (entry.kind !== 'file') {
      yield* pieces.add(headerOf(entry));
      continue;
    }
    const file = openFile(Buffer.concat([base, entry.name]), entry);
    if (file === undefined) continue;
    try {
      yield* pieces.add(headerOf(file.entry));
      yield* contentOf(file, pieces);
    } finally {
      closeSync(file.descriptor);
    }
  }
  yield* pieces.add(Buffer.alloc(2 * BLOCK_BYTES));
  yield* pieces.rest();
}

type OpenFile = { descriptor: number; entry: TreeEntry };

/**
 * A folder that its owner may not write to comes twice: as one that can be filled, and after what is in it as what it is.
 * Otherwise only root could unpack it.
 */
async function* fillable(entries: AsyncIterable<TreeEntry>): AsyncGenerator<TreeEntry> {
  const shut: TreeEntry[] = [];
  for await (const entry of entries) {
    for (let last = shut.at(-1); last !== undefined && !isIn(entry, last); last = shut.at(-1)) {
      shut.pop();
      yield last;
    }
    const isShut = entry.kind === 'folder' && (entry.mode & 0o300) !== 0o300;
    if (isShut) shut.push(entry);
    yield isShut ? { ...entry, mode: entry.mode | 0o700 } : entry;
  }
  yield* shut.reverse();
}

function isIn({ name }: TreeEntry, folder: TreeEntry): boolean {
  const { length } = folder.name;
  return name[length] === 0x2f && name.subarray(0, length).equals(folder.name);
}

const readInto = promisify(read);

/** Straight into the pieces. What fits into one is waited for, which takes a tenth of the time that a file takes otherwise; the rest may be on a slow disk. */
async function* contentOf({ descriptor, entry: { name, size } }: OpenFile, pieces: Pieces): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const room = pieces.room(size - done);
    const count = await readSome(descriptor, room, size).catch(error => {
      throw unreadable(name, error);
    });
    if (count === 0) throw new FileChanged(name, done, size);
    done += count;
    yield* pieces.take(count);
  }
  yield* pieces.add(Buffer.alloc(padding(size)));
}

async function readSome(descriptor: number, room: Buffer, size: number): Promise<number> {
  if (size <= PIECE_BYTES) return readSync(descriptor, room, 0, room.length, null);
  return (await readInto(descriptor, room, 0, room.length, null)).bytesRead;
}

/** @returns nothing where it is not a file any more */
function openFile(path: Buffer, entry: TreeEntry): OpenFile | undefined {
  let descriptor: number;
  try {
    // A link would lead elsewhere, and a pipe be waited for.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    // ELOOP: a link now. ENXIO: a socket, or a device that is not there.
    const { code } = error as NodeJS.ErrnoException;
    if (isGone(error) || code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw unreadable(entry.name, error);
  }
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    return undefined;
  }
  const { size, mode, mtimeMs } = stats;
  return {
    descriptor,
    entry: { ...entry, size, mode: mode & 0o7777, mtimeSeconds: Math.floor(mtimeMs / 1000) },
  };
}

/** The archive's bytes, gathered in the same memory each time: to be given new memory takes longer than to copy [measured]. */
class Pieces {
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = 0;

  /** Where the next bytes go, to be told by {@link take}. At least one, at most so many. */
  room(most: number): Buffer {
    return this.#piece.subarray(this.#used, this.#used + most);
  }

  /** @param count bytes that were written to {@link room} */
  *take(count: number): Generator<Buffer> {
    this.#used += count;
    if (this.#used < PIECE_BYTES) return;
    yield this.#piece;
    this.#used = 0;
  }

  *add(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(this.room(bytes.length - at), 0, at);
      at += count;
      yield* this.take(count);
    }
  }

  *rest(): Generator<Buffer> {
    if (this.#used > 0) yield this.#piece.subarray(0, this.#used);
  }
}

/** All blocks that come before the content. */
function headerOf({ name, kind, mode, mtimeSeconds, size, target = Buffer.alloc(0) }: TreeEntry): Buffer {
  const path = kind === 'folder' ? Buffer.concat([name, Buffer.from('/')]) : name;
  const own = block(TYPES[kind], path, target, mode, mtimeSeconds, size);
  return Buffer.concat([...long(TYPES.longTarget, target), ...long(TYPES.longName, path), own]);
}

/** A member that says a name of the one after it. */
function long(type: string, text: Buffer): Buffer[] {
  if (text.length <= NAME_BYTES) return [];
  // It ends with a zero.
  const size = text.length + 1;
  const header = block(type, Buffer.from('././@LongLink'), Buffer.alloc(0), 0o644, 0, size);
  return [header, text, Buffer.alloc(1 + padding(size))];
}

function block(type: string, name: Buffer, target: Buffer, mode: number, mtimeSeconds: number, size: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  name.copy(header, 0, 0, NAME_BYTES);
  number(mode, header.subarray(100, 108));
  number(0, header.subarray(108, 116)); // user
  number(0, header.subarray(116, 124)); // group
  number(size, header.subarray(124, 136));
  number(Math.max(0, mtimeSeconds), header.subarray(136, 148));
  header.write('        ', 148, 'latin1'); // the sum counts its own field as spaces
  header.write(type, 156, 'latin1');
  target.copy(header, 157, 0, NAME_BYTES);
  header.write('ustar  ', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  number(sum, header.subarray(148, 155));
  return header;
}

/** In octal digits and a zero; where they do not suffice (8 GiB), as a binary number whose first bit is set. */
function number(value: number, field: Buffer): void {
  const digits = value.toString(8).padStart(field.length - 1, '0');
  if (digits.length < field.length) {
    field.write(`${digits}\0`, 'latin1');
    return;
  }
  field.writeUIntBE(value, field.length - 6, 6);
  field[0] = 0x80;
}

/** Bytes to the end of the block. */
function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}
