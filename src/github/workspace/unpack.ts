import { closeSync, constants, futimesSync, mkdtempSync, openSync, realpathSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Extract, type ExtractEvents, extract } from 'tar-stream';
import { reason } from '../workspace-file.ts';
import { namesOf, shownPath, wrongName, wrongTarget } from './unpack-names.ts';
import { Placing } from './unpack-place.ts';
import { type File, MOST_ENTRIES, Refusals, UnpackedTree } from './unpack-tree.ts';

/** What became of an archive. */
export interface Unpacked {
  /** Files and links that are in the workspace now. */
  files: number;
  bytes: number;
  /** At most 20, names as the archive has them, but cut: they are not made safe to print. */
  refused: { name: string; why: string }[];
  /** How many there were in all. */
  refusedCount: number;
}

/** The contents are more than was allowed. */
export class TooMuch extends Error {
  override name = 'TooMuch';
}

/** Of a name or a link's target. */
interface Text {
  bytes: Buffer;
  why?: string;
}

/** What the parser makes of a header, which is not what its types say: it lets pass much that it could not read. */
interface Header {
  name: string;
  type: ExtractEvents['entry'][0]['type'] | null;
  size: number | null;
  mode: number | null;
  mtime: Date;
  linkname: string | null;
  pax: Record<string, string> | null;
  /** Where the content begins in the archive. */
  byteOffset: number;
}
type Content = ExtractEvents['entry'][1];

/** Of all names and targets together, which are kept in memory: 200,000 of 320 bytes. */
const MOST_TEXT = 64 * 2 ** 20;
const BLOCK = 512;
/** The parser is fed in pieces no larger, so what it has not made an entry of is known to a piece. */
const PIECE = 64 * 1024;
/** Long names and pax headers in front of one entry, together, with their own headers. */
const MOST_HEADERS = 64 * 1024 + 8 * BLOCK;
/** What is neither content nor its padding: a tar that archives file by file, as by `xargs`, fills each to 10 KiB. */
const MOST_FRAME = 16 * 2 ** 20;
const MOST_FRAME_PER_ENTRY = 16 * 1024;
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * A tar from a container that nobody vouches for, on its way to the workspace.
 * In the staging folder files have numbers for names, and what the archive says of names, folders and links is kept in memory, so nothing of it means anything to the file system
 * before {@link finish}, which knows the whole tree by then.
 */
export class Unpacking {
  readonly #workspace: string;
  readonly #staging: string;
  readonly #limitBytes: number;
  readonly #wants: (path: string) => boolean;
  readonly #parser: Extract = parser();
  readonly #tree = new UnpackedTree();
  readonly #refusals = new Refusals();
  #entries = 0;
  /** Bytes of names and targets. */
  #text = 0;
  #stagedFiles = 0;
  /** Bytes of contents that the archive has announced so far. */
  #announced = 0;
  /** Bytes of the archive so far. */
  #written = 0;
  /** Where the last entry ends in the archive, with its padding. */
  #entryEnd = 0;
  /** Where something other than zeros begins after it. */
  #headersBegin: number | undefined;
  #open: number | undefined;
  #failure: Error | undefined;

  private constructor(
    workspace: string,
    staging: string,
    options: { limitBytes: number; wants: (path: string) => boolean },
  ) {
    this.#workspace = workspace;
    this.#staging = staging;
    this.#limitBytes = options.limitBytes;
    this.#wants = options.wants;
    this.#parser.on('entry', (header, content, next) =>
      this.#attempt(() => this.#entry(header as unknown as Header, content, next)),
    );
    this.#parser.on('error', error => this.#fail(damaged(lowerFirst(error.message), error)));
  }

  /**
   * @param scratch a folder, best on the workspace's own file system
   * @param options `wants` is asked for a path in the workspace
   */
  static async begin(
    workspace: string,
    scratch: string,
    options: { limitBytes: number; wants: (path: string) => boolean },
  ): Promise<Unpacking> {
    // mkdtemp makes it for its owner only.
    return new Unpacking(realpathSync(workspace), mkdtempSync(join(realpathSync(scratch), 'unpack-')), options);
  }

  /** What the archive has had so far, taken or refused. */
  get entries(): number {
    return this.#entries;
  }

  /**
   * Takes the next bytes of the archive; one call at a time.
   * @throws TooMuch, or an Error with a sentence; once it has, it always does
   */
  async write(tarBytes: Uint8Array): Promise<void> {
    for (let at = 0; at < tarBytes.length; at += PIECE) {
      const piece = tarBytes.subarray(at, at + PIECE);
      this.#check();
      await this.#feed(piece);
      this.#check();
      this.#measure(piece);
      this.#check();
    }
  }

  /**
   * Moves what was taken to the workspace. The caller has verified that the archive is what the container sent.
   * @throws Error with a sentence, where the archive is not whole: nothing was moved; or where the system refuses to go on: what was moved stays
   */
  async finish(): Promise<Unpacked> {
    try {
      this.#check();
      await this.#end();
      this.#check();
      this.#tree.refuseRepositories(this.#refusals);
      const placing = new Placing(this.#workspace, this.#refusals, this.#limitBytes - this.#announced);
      await placing.place(this.#tree.root);
      const { files, bytes } = placing;
      return { files, bytes, refused: this.#refusals.shown, refusedCount: this.#refusals.count };
    } finally {
      await this.discard();
    }
  }

  /** Removes all that is staged; safe at any time. */
  async discard(): Promise<void> {
    this.#fail(new Error('The unpacking has ended.'));
    await rm(this.#staging, { recursive: true, force: true });
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The first one counts. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#close();
    this.#parser.destroy(null);
  }

  /** The parser calls from its own inside, where nobody would catch what is thrown. */
  #attempt(act: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      act();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #close(): void {
    const file = this.#open;
    this.#open = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** @returns when the parser has taken the piece, or never will */
  #feed(piece: Uint8Array): Promise<void> {
    this.#written += piece.length;
    return new Promise(resolve => {
      const taken = () => {
        this.#parser.off('drain', taken).off('close', taken);
        resolve();
      };
      this.#parser.on('drain', taken).on('close', taken);
      this.#parser.write(piece);
    });
  }

  /** Looks at what the parser has made no entry of. */
  #measure(piece: Uint8Array): void {
    const begin = this.#written - piece.length;
    if (this.#headersBegin === undefined && this.#entryEnd < this.#written) {
      const from = Math.max(0, this.#entryEnd - begin);
      const first = piece.subarray(from).findIndex(byte => byte !== 0);
      if (first !== -1) this.#headersBegin = begin + from + first;
    }
    this.#limitHeaders(this.#written);
    if (this.#written - this.#announced > MOST_FRAME + MOST_FRAME_PER_ENTRY * this.#entries)
      this.#fail(damaged('far more of it is headers and filling than its entries need'));
  }

  #limitHeaders(end: number): void {
    if (this.#headersBegin !== undefined && end - this.#headersBegin > MOST_HEADERS)
      this.#fail(damaged('the headers of an entry have more than 64 KiB'));
  }

  /** The parser itself takes an end between two entries for the end of the archive, which has two blocks of zeros. */
  async #end(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#parser.on('finish', resolve).on('close', resolve);
      this.#parser.end(null);
    });
    if (this.#headersBegin !== undefined || this.#written - this.#entryEnd < 2 * BLOCK)
      this.#fail(damaged('it ends before its end is told'));
  }

  #entry(header: Header, content: Content, next: () => void): void {
    const size = header.type === 'directory' ? 0 : header.size;
    // The parser lets pass what it could not read as a number, and would then wait for ever.
    if (typeof size !== 'number' || !(size >= 0)) throw damaged('the size of an entry cannot be read');
    const begin = header.byteOffset;
    this.#limitHeaders(begin - BLOCK);
    this.#check();
    this.#headersBegin = undefined;
    this.#entries += 1;
    if (this.#entries > MOST_ENTRIES) throw new Error(`The archive has more than ${MOST_ENTRIES} entries.`);
    this.#announced += size;
    if (this.#announced > this.#limitBytes)
      throw new TooMuch(`The files have more than the ${this.#limitBytes} bytes that are allowed.`);
    this.#entryEnd = begin + Math.ceil(size / BLOCK) * BLOCK;

    content.on('error', () => {});
    const why = this.#take(header, content);
    if (why !== undefined) this.#refusals.add(nameOf(header).bytes.toString(), why);
    if (header.type === 'directory') {
      next();
      return;
    }
    content.on('end', () => this.#attempt(next));
    content.resume();
  }

  /** @returns why it is not taken */
  #take(header: Header, content: Content): string | undefined {
    const name = nameOf(header);
    const path = namesOf(name.bytes);
    // The folder that was archived: the workspace itself.
    if (header.type === 'directory' && path.length === 0 && name.bytes[0] === 0x2e) return undefined;
    const why = name.why ?? wrongName(name.bytes, path);
    if (why !== undefined) return why;
    this.#text += name.bytes.length + targetOf(header).bytes.length;
    if (this.#text > MOST_TEXT) throw new Error('The names in the archive have more than 64 MiB.');
    if (!this.#wants(shownPath(path))) return 'it was not asked for';
    if (Object.keys(header.pax ?? {}).some(key => key.startsWith('GNU.sparse.')))
      return 'it is a sparse file, archived in a way of its own';

    switch (header.type) {
      case 'file':
      case 'contiguous-file':
        return this.#takeFile(path, header, content);
      case 'directory':
        return this.#tree.put(path, { kind: 'folder', mode: header.mode ?? 0, children: new Map() });
      case 'symlink': {
        const target = targetOf(header);
        const wrong = target.why ?? wrongTarget(target.bytes, path.length - 1);
        return wrong ?? this.#tree.put(path, { kind: 'link', target: target.bytes });
      }
      case 'link':
        return this.#takeHardLink(path, header);
      default:
        return header.type === null ? 'it is of an unknown kind' : `it is a ${header.type.replace('-', ' ')}`;
    }
  }

  #takeFile(path: string[], header: Header, content: Content): string | undefined {
    this.#stagedFiles += 1;
    const staged = join(this.#staging, String(this.#stagedFiles));
    const file: File = { kind: 'file', staged, size: header.size ?? 0, mode: (header.mode ?? 0) & 0o777, names: 0 };
    const why = this.#tree.put(path, file);
    if (why !== undefined) return why;
    const open = stage(staged);
    this.#open = open;
    content.on('data', bytes => this.#attempt(() => append(open, bytes as Uint8Array)));
    content.on('end', () =>
      this.#attempt(() => {
        const seconds = modified(header);
        if (seconds !== undefined) futimesSync(open, seconds, seconds);
        this.#close();
      }),
    );
    return undefined;
  }

  #takeHardLink(path: string[], header: Header): string | undefined {
    const target = targetOf(header);
    const names = namesOf(target.bytes);
    const found = target.why ?? wrongName(target.bytes, names) ?? this.#tree.find(names);
    if (typeof found === 'string' || found?.kind !== 'file')
      return 'it is a hard link to what is no file that was taken before';
    return this.#tree.put(path, found);
  }
}

function parser(): Extract {
  // Its types leave out what its documentation has. Names can be any bytes, and a piece is told to be taken when it is.
  const options = { filenameEncoding: 'latin1', allowUnknownFormat: false, highWaterMark: 1 };
  return extract(options);
}

function nameOf(header: Header): Text {
  return textOf(header.name, header.pax?.['path']);
}

function targetOf(header: Header): Text {
  return textOf(header.linkname ?? '', header.pax?.['linkpath']);
}

/** A pax header is in UTF-8, and the parser has replaced what was not. */
function textOf(text: string, pax: string | undefined): Text {
  if (!pax) return { bytes: Buffer.from(text, 'latin1') };
  return { bytes: Buffer.from(pax), ...(pax.includes('\ufffd') && { why: 'its name is not UTF-8' }) };
}

function stage(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, 0o600);
  } catch (error) {
    throw unstaged(error);
  }
}

function append(file: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } catch (error) {
    throw unstaged(error);
  }
}

/** @returns seconds, or undefined for a time that no file system keeps */
function modified(header: Header): number | undefined {
  const pax = header.pax?.['mtime'];
  const seconds = pax !== undefined && /^\d+(\.\d+)?$/.test(pax) ? Number(pax) : Number(header.mtime) / 1000;
  return seconds >= 0 && seconds < 2 ** 33 ? seconds : undefined;
}

function damaged(why: string, cause?: unknown): Error {
  return new Error(`What came is not a whole tar archive: ${why.replace(/[.?]$/, '')}.`, { cause });
}

function unstaged(error: unknown): Error {
  return new Error(`The files cannot be unpacked: ${reason(error)}.`, { cause: error });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
