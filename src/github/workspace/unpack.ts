import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breath } from 'node:timers/promises';
import { type Extract, type ExtractEvents, extract } from 'tar-stream';
import { isGitFolder, isRefusedByWindows, kind, reason, remove } from '../workspace-file.ts';

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

interface File {
  kind: 'file';
  /** Its place in the staging folder, while it has not been moved. */
  staged: string;
  size: number;
  mode: number;
  /** How many names of the archive it has. */
  names: number;
  /** Where it is in the workspace. */
  placed?: Buffer;
}
interface Link {
  kind: 'link';
  target: Buffer;
}
interface Folder {
  kind: 'folder';
  /** Where the archive has said one. */
  mode?: number;
  /** Keys are names in latin1, one character a byte, for they need not be UTF-8. */
  children: Map<string, Node>;
}
type Node = File | Link | Folder;
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

const MOST_ENTRIES = 200_000;
const MOST_REFUSED = 20;
/** Linux' own limits, of a name and of a path. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 4096;
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
/** What is beside the HEAD of one; on some file systems in capitals, too. */
const OF_A_REPOSITORY = [/^objects$/i, /^refs$/i];
/** How many names are made in the workspace before others have their turn. */
const AT_A_TIME = 200;
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * A tar from a container that nobody vouches for, on its way to the workspace.
 * In the staging folder files have numbers for names, and what the archive says of names, folders and links is kept in memory, so nothing of it means anything to the file system
 * before {@link finish}, which knows the whole tree by then.
 */
export class Unpacking {
  readonly #workspace: Buffer;
  readonly #staging: string;
  readonly #limitBytes: number;
  readonly #wants: (path: string) => boolean;
  readonly #parser: Extract = parser();
  readonly #tree: Folder = { kind: 'folder', children: new Map() };
  readonly #refused: { name: string; why: string }[] = [];
  #refusedCount = 0;
  #entries = 0;
  #folders = 0;
  #placedCount = 0;
  /** Bytes of names and targets. */
  #text = 0;
  #files = 0;
  #bytes = 0;
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
    this.#workspace = Buffer.from(workspace);
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
      this.#refuseRepositories(this.#tree, []);
      const links: { parent: Buffer; path: string[]; link: Link }[] = [];
      const modes: { place: Buffer; mode: number }[] = [];
      await this.#place(this.#tree, this.#workspace, [], links, modes);
      // Last, so that nothing that is made here can go through one.
      for (const { parent, path, link } of links) await this.#placed(path, () => this.#placeLink(parent, path, link));
      for (const { place, mode } of modes) chmodSync(place, mode | 0o700);
      return { files: this.#files, bytes: this.#bytes, refused: this.#refused, refusedCount: this.#refusedCount };
    } finally {
      await this.discard();
    }
  }

  /** Removes all that is staged; safe at any time. */
  async discard(): Promise<void> {
    this.#fail(new Error('The unpacking has ended.'));
    await rm(this.#staging, { recursive: true, force: true });
  }

  /** What git takes for a repository without a `.git` (setup.c, is_git_directory) runs the programs that its configuration names, for whoever uses git in it. */
  #refuseRepositories({ children }: Folder, path: string[]): void {
    for (const name of children.keys())
      if (/^head$/i.test(name) && OF_A_REPOSITORY.every(other => [...children.keys()].some(one => other.test(one)))) {
        children.delete(name);
        this.#refuse([...path, name].join('/'), 'with what is beside it, git would take its folder for a repository');
      }
    for (const [name, child] of children) if (child.kind === 'folder') this.#refuseRepositories(child, [...path, name]);
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
    if (why !== undefined) this.#refuse(nameOf(header).bytes.toString(), why);
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
        return this.#put(path, { kind: 'folder', mode: header.mode ?? 0, children: new Map() });
      case 'symlink': {
        const target = targetOf(header);
        const wrong = target.why ?? wrongTarget(target.bytes, path.length - 1);
        return wrong ?? this.#put(path, { kind: 'link', target: target.bytes });
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
    const why = this.#put(path, file);
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
    const found = target.why ?? wrongName(target.bytes, names) ?? this.#find(names);
    if (typeof found === 'string' || found?.kind !== 'file')
      return 'it is a hard link to what is no file that was taken before';
    return this.#put(path, found);
  }

  #find(names: string[]): Node | undefined {
    let found: Node | undefined = this.#tree;
    for (const name of names) found = found?.kind === 'folder' ? found.children.get(name) : undefined;
    return found;
  }

  /** Puts it in the tree, where the last of a name wins. @returns why not */
  #put(path: string[], node: Node): string | undefined {
    let folder = this.#tree;
    for (const name of path.slice(0, -1)) {
      const inside = folder.children.get(name) ?? this.#addFolder(folder, name);
      if (inside.kind !== 'folder')
        return `"${shownName(name)}" is a ${inside.kind} in the archive, so nothing can be in it`;
      folder = inside;
    }
    const last = path.at(-1) ?? '';
    const before = folder.children.get(last);
    if (before?.kind === 'folder' && node.kind === 'folder') {
      if (node.mode !== undefined) before.mode = node.mode;
      return undefined;
    }
    if (before?.kind === 'folder' && node.kind === 'link') return 'it is a link in the place of a folder';
    // Counted before the other is let go: a hard link to itself stays.
    if (node.kind === 'file') node.names += 1;
    if (before !== undefined) release(before);
    folder.children.set(last, node);
    return undefined;
  }

  /** One that the archive has no entry of: a path of 4096 bytes can have 2048 of them, so they are counted, too. */
  #addFolder(parent: Folder, name: string): Folder {
    this.#folders += 1;
    if (this.#folders > MOST_ENTRIES) throw new Error(`The archive has more than ${MOST_ENTRIES} folders.`);
    const folder: Folder = { kind: 'folder', children: new Map() };
    parent.children.set(name, folder);
    return folder;
  }

  #refuse(name: string, why: string): void {
    this.#refusedCount += 1;
    if (this.#refused.length < MOST_REFUSED) this.#refused.push({ name: name.slice(0, 200), why });
  }

  /** Makes in a folder of the workspace, which is a real one, what the archive has in it; links are left for later. */
  async #place(
    folder: Folder,
    place: Buffer,
    path: string[],
    links: { parent: Buffer; path: string[]; link: Link }[],
    modes: { place: Buffer; mode: number }[],
  ): Promise<void> {
    for (const [name, node] of folder.children) {
      const inside = [...path, name];
      const target = within(place, name);
      if (node.kind === 'link') links.push({ parent: place, path: inside, link: node });
      else if (node.kind === 'file') await this.#placed(inside, () => this.#placeFile(target, inside, node));
      else {
        const entered = await this.#placed(inside, () => this.#enter(target, inside, node, modes));
        if (entered) await this.#place(node, target, inside, links, modes);
        else this.#refuseAllIn(node, inside);
      }
    }
  }

  /** Tells what the system says. @returns whether it was made */
  async #placed(path: string[], make: () => Promise<boolean> | boolean): Promise<boolean> {
    this.#placedCount += 1;
    if (this.#placedCount % AT_A_TIME === 0) await breath();
    try {
      return await make();
    } catch (error) {
      const shown = shownPath(path);
      const { code = '' } = error as NodeJS.ErrnoException;
      const sentence = `"${shown.slice(0, 200)}" cannot be written: ${reason(error)}.`;
      // A matter of this name, not of the disk.
      if (!['ENAMETOOLONG', 'EILSEQ', 'EINVAL', 'ELOOP'].includes(code)) throw new Error(sentence, { cause: error });
      this.#refuse(shown, reason(error));
      return false;
    }
  }

  /** @returns whether it is a real folder; one that is there already stays as it is */
  #enter(place: Buffer, path: string[], folder: Folder, modes: { place: Buffer; mode: number }[]): boolean {
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory()) return true;
    if (found !== undefined) {
      const what = found.isSymbolicLink()
        ? `a symbolic link, to ${JSON.stringify(readlinkSync(place))}; nothing is written through a link`
        : `${kind(found)}, so nothing can be in it`;
      this.#refuse(shownPath(path), `in the workspace this is ${what}`);
      return false;
    }
    mkdirSync(place);
    if (folder.mode !== undefined) modes.push({ place, mode: folder.mode & 0o777 });
    return true;
  }

  #refuseAllIn(folder: Folder, path: string[]): void {
    for (const [name, node] of folder.children) {
      const inside = [...path, name];
      if (node.kind === 'folder') this.#refuseAllIn(node, inside);
      else this.#refuse(shownPath(inside), 'its folder could not be made');
    }
  }

  async #placeFile(target: Buffer, path: string[], file: File): Promise<boolean> {
    if (this.#isFolder(target, path)) return false;
    if (file.placed === undefined) {
      await move(file, target);
      file.placed = target;
      this.#bytes += file.size;
    } else if (!linked(file.placed, target)) {
      // A copy of the archive's own making must not go round the limit.
      if (this.#announced + file.size > this.#limitBytes) {
        this.#refuse(shownPath(path), 'it is a hard link, and can neither be linked nor copied here');
        return false;
      }
      this.#announced += file.size;
      await copy(file.placed, target, file.mode);
      this.#bytes += file.size;
    }
    this.#files += 1;
    return true;
  }

  #placeLink(parent: Buffer, path: string[], link: Link): boolean {
    const target = within(parent, path.at(-1) ?? '');
    if (this.#isFolder(target, path)) return false;
    remove(target);
    symlinkSync(link.target, target);
    this.#files += 1;
    return true;
  }

  #isFolder(target: Buffer, path: string[]): boolean {
    const found = lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
    if (found) this.#refuse(shownPath(path), 'in the workspace this is a folder');
    return found;
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

/** Names on the path, without what means nothing; in latin1. */
function namesOf(bytes: Buffer): string[] {
  // Cut, for one that is too long is refused anyway.
  const text = bytes.subarray(0, LONGEST_PATH + 1).toString('latin1');
  return text.split('/').filter(name => name !== '' && name !== '.');
}

function shownName(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}

function shownPath(path: string[]): string {
  return path.map(shownName).join('/');
}

/** Why no file of the workspace may have the name. */
function wrongName(bytes: Buffer, path: string[]): string | undefined {
  if (path.length === 0) return 'its name is empty';
  if (bytes.includes(0)) return 'its name has a NUL in it';
  if (bytes.length > LONGEST_PATH) return `its name has more than ${LONGEST_PATH} bytes`;
  if (bytes[0] === 0x2f) return 'its name is absolute';
  if (path.includes('..')) return 'its name has ".." in it';
  if (path.some(name => name.length > LONGEST_NAME)) return `a name in it has more than ${LONGEST_NAME} bytes`;
  const shown = path.map(shownName);
  if (shown.some(isGitFolder)) return 'it is in .git, where a file can act on the job';
  if (process.platform === 'win32' && shown.some(name => name.includes('\\') || isRefusedByWindows(name)))
    return 'it cannot be the name of a file on Windows';
  return undefined;
}

/**
 * Why a symbolic link may not lead there.
 * What is let pass stays in the workspace, given that the link's parents are real folders, which they are when it is made: `..` in front goes up such parents only, and no further
 * than to the workspace; from there on the path only goes down, by folders or by links of which the same holds.
 * @param depth how many folders the link is in
 */
function wrongTarget(target: Buffer, depth: number): string | undefined {
  const names = namesOf(target);
  const up = names.findIndex(name => name !== '..');
  const wrong = (what: string) => `it is a symbolic link ${what}`;
  if (target.length === 0) return wrong('to nowhere');
  if (target.includes(0) || target.length > LONGEST_PATH) return wrong('to what is no path');
  if (target[0] === 0x2f) return wrong('to an absolute path');
  if ((up === -1 ? names.length : up) > depth) return wrong('that leads out of the workspace');
  if (up !== -1 && names.includes('..', up)) return wrong('with ".." in the middle, which may lead anywhere');
  if (names.map(shownName).some(isGitFolder)) return wrong('into .git');
  if (process.platform === 'win32' && /[\\:]/.test(shownName(target.toString('latin1'))))
    return wrong('that Windows may read otherwise');
  return undefined;
}

/** Lets go of what another entry of its name replaces: with its last name goes what was staged. */
function release(node: Node): void {
  if (node.kind === 'folder') for (const child of node.children.values()) release(child);
  if (node.kind !== 'file') return;
  node.names -= 1;
  if (node.names === 0) remove(node.staged);
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

/** A file or link that is there is replaced. */
async function move(file: File, target: Buffer): Promise<void> {
  chmodSync(file.staged, file.mode);
  try {
    renameSync(file.staged, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    chmodSync(file.staged, 0o600);
    await copy(file.staged, target, file.mode);
    unlinkSync(file.staged);
  }
}

/** @returns whether there is a link now: a file system may know none, or no more of this file */
function linked(from: Buffer, target: Buffer): boolean {
  remove(target);
  try {
    linkSync(from, target);
    return true;
  } catch (error) {
    if (!['EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    return false;
  }
}

async function copy(from: string | Buffer, target: Buffer, mode: number): Promise<void> {
  const { mtimeMs } = lstatSync(from);
  remove(target);
  try {
    // Exclusive, which does not go through a link either.
    await copyFile(from, target, constants.COPYFILE_EXCL);
    const file = openSync(target, constants.O_RDONLY | NO_FOLLOW);
    try {
      futimesSync(file, mtimeMs / 1000, mtimeMs / 1000);
      fchmodSync(file, mode);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // Half a file would pass for a whole one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') remove(target);
    throw error;
  }
}

function within(folder: Buffer, name: string): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), Buffer.from(name, 'latin1')]);
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
