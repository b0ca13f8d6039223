import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { setImmediate as breath } from 'node:timers/promises';
import { kind, reason, remove } from '../workspace-file.ts';
import { shownPath } from './unpack-names.ts';
import type { File, Folder, Link, Refusals } from './unpack-tree.ts';

/** How many names are made in the workspace before others have their turn. */
const AT_A_TIME = 200;
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** Makes in the workspace what an archive has, given its whole tree. */
export class Placing {
  readonly #workspace: Buffer;
  readonly #refusals: Refusals;
  /** Bytes that copies may take. */
  #room: number;
  readonly #links: { parent: Buffer; path: string[]; link: Link }[] = [];
  readonly #modes: { place: Buffer; mode: number }[] = [];
  #count = 0;
  /** Files and links that are in the workspace now. */
  files = 0;
  bytes = 0;

  /**
   * @param workspace absolute, without links in it
   * @param room bytes that may be copied where a hard link cannot be made
   */
  constructor(workspace: string, refusals: Refusals, room: number) {
    this.#workspace = Buffer.from(workspace);
    this.#refusals = refusals;
    this.#room = room;
  }

  /** @throws Error with a sentence, where the system refuses to go on: what was made stays */
  async place(root: Folder): Promise<void> {
    await this.#place(root, this.#workspace, []);
    // Last, so that nothing that is made here can go through one.
    for (const { parent, path, link } of this.#links)
      await this.#placed(path, () => this.#placeLink(parent, path, link));
    for (const { place, mode } of this.#modes) chmodSync(place, mode | 0o700);
  }

  /** Makes in a folder of the workspace, which is a real one, what the archive has in it; links are left for later. */
  async #place(folder: Folder, place: Buffer, path: string[]): Promise<void> {
    for (const [name, node] of folder.children) {
      const inside = [...path, name];
      const target = within(place, name);
      if (node.kind === 'link') this.#links.push({ parent: place, path: inside, link: node });
      else if (node.kind === 'file') await this.#placed(inside, () => this.#placeFile(target, inside, node));
      else {
        const entered = await this.#placed(inside, () => this.#enter(target, inside, node));
        if (entered) await this.#place(node, target, inside);
        else this.#refuseAllIn(node, inside);
      }
    }
  }

  /** Tells what the system says. @returns whether it was made */
  async #placed(path: string[], make: () => Promise<boolean> | boolean): Promise<boolean> {
    this.#count += 1;
    if (this.#count % AT_A_TIME === 0) await breath();
    try {
      return await make();
    } catch (error) {
      const shown = shownPath(path);
      const { code = '' } = error as NodeJS.ErrnoException;
      const sentence = `"${shown.slice(0, 200)}" cannot be written: ${reason(error)}.`;
      // A matter of this name, not of the disk.
      if (!['ENAMETOOLONG', 'EILSEQ', 'EINVAL', 'ELOOP'].includes(code)) throw new Error(sentence, { cause: error });
      this.#refusals.add(shown, reason(error));
      return false;
    }
  }

  /** @returns whether it is a real folder; one that is there already stays as it is */
  #enter(place: Buffer, path: string[], folder: Folder): boolean {
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory()) return true;
    if (found !== undefined) {
      const what = found.isSymbolicLink()
        ? `a symbolic link, to ${JSON.stringify(readlinkSync(place))}; nothing is written through a link`
        : `${kind(found)}, so nothing can be in it`;
      this.#refusals.add(shownPath(path), `in the workspace this is ${what}`);
      return false;
    }
    mkdirSync(place);
    if (folder.mode !== undefined) this.#modes.push({ place, mode: folder.mode & 0o777 });
    return true;
  }

  #refuseAllIn(folder: Folder, path: string[]): void {
    for (const [name, node] of folder.children) {
      const inside = [...path, name];
      if (node.kind === 'folder') this.#refuseAllIn(node, inside);
      else this.#refusals.add(shownPath(inside), 'its folder could not be made');
    }
  }

  async #placeFile(target: Buffer, path: string[], file: File): Promise<boolean> {
    if (this.#isFolder(target, path)) return false;
    if (file.placed === undefined) {
      await move(file, target);
      file.placed = target;
      this.bytes += file.size;
    } else if (!linked(file.placed, target)) {
      // A copy of the archive's own making must not go round the limit.
      if (file.size > this.#room) {
        this.#refusals.add(shownPath(path), 'it is a hard link, and can neither be linked nor copied here');
        return false;
      }
      this.#room -= file.size;
      await copy(file.placed, target, file.mode);
      this.bytes += file.size;
    }
    this.files += 1;
    return true;
  }

  #placeLink(parent: Buffer, path: string[], link: Link): boolean {
    const target = within(parent, path.at(-1) ?? '');
    if (this.#isFolder(target, path)) return false;
    remove(target);
    symlinkSync(link.target, target);
    this.files += 1;
    return true;
  }

  #isFolder(target: Buffer, path: string[]): boolean {
    const found = lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
    if (found) this.#refusals.add(shownPath(path), 'in the workspace this is a folder');
    return found;
  }
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
