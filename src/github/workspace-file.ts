import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  type PathLike,
  readlinkSync,
  realpathSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Names of devices, in every folder of Windows', with and without an extension; the digits also in superscript. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i;
/** `:` would begin the name of a stream of the file, a dot or space at the end is dropped. */
const WINDOWS_REFUSED = /[<>:"|?*]|[. ]$/;
/** Characters that some file systems of macOS' and Windows' skip in a name, and the short name that Windows gives to `.git`. */
const SKIPPED = /\p{Cf}/gu;
const GIT_FOLDER = /^(\.git|git~\d+)[. ]*$/i;

/** Whether a name is git's own folder to any system that a job runs on: a file in it can act on the job. */
export function isGitFolder(name: string): boolean {
  return GIT_FOLDER.test(name.replace(SKIPPED, ''));
}

/** Whether Windows has no file of this name, or another one. */
export function isRefusedByWindows(name: string): boolean {
  return name !== '.' && (WINDOWS_DEVICE.test(name) || WINDOWS_REFUSED.test(name));
}

/** @returns the job's workspace: absolute. */
export function workspaceOf(env: NodeJS.ProcessEnv): string {
  return resolve(env['GITHUB_WORKSPACE'] || '.');
}

/**
 * Whether a file can be made at the path: inside the workspace, and not through a link, which the checkout of an untrusted pull request may have brought along. Nothing is changed.
 * @param path as the user gave it; a relative one is relative to the workspace
 * @returns a sentence of what is wrong
 */
export function checkWorkspacePath(
  path: string,
  workspace: string,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  return wrongText(path, workspace, platform) ?? wrongPlace(path, workspace);
}

/** Whether two paths are one file. Where file systems tell no case apart, nor does this. */
export function isSameFile(
  one: string,
  other: string,
  workspace: string,
  platform: NodeJS.Platform = process.platform,
): boolean {
  const [first, second] = [one, other].map(path => {
    const whole = names(path, workspace).join('/');
    return platform === 'linux' ? whole : whole.toLowerCase();
  });
  return first === second;
}

/**
 * A new file in the workspace, written as its content comes. Never goes through a link, nor into a file that has another name elsewhere: one that is there already is replaced.
 * Once a write has failed the file is closed and takes no more, so its fault is told once.
 */
export class WorkspaceFile {
  /** As the user gave it. */
  readonly path: string;
  #file: number | undefined;

  /** @param file descriptor of the open file */
  constructor(path: string, file: number) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Makes the file, and the folders to it that are missing.
   * @throws Error with a sentence
   */
  static create(path: string, workspace: string): WorkspaceFile {
    const problem = checkWorkspacePath(path, workspace);
    if (problem !== undefined) throw new Error(problem);
    try {
      return new WorkspaceFile(path, openNew(workspace, names(path, workspace)));
    } catch (error) {
      throw new Error(`"${path}" cannot be written: ${reason(error)}.`, { cause: error });
    }
  }

  /**
   * Removes what {@link create} would replace; nothing where it could not.
   * @throws what the system says
   */
  static remove(path: string, workspace: string): void {
    if (checkWorkspacePath(path, workspace) === undefined) remove(join(resolve(workspace), ...names(path, workspace)));
  }

  /** @throws Error with a sentence, the first time that it fails */
  write(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#drop();
      throw this.#incomplete(error);
    }
  }

  /** @throws Error with a sentence: a network file system can tell only now that it kept less than it took */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (file !== undefined) closeSync(file);
    } catch (error) {
      throw this.#incomplete(error);
    }
  }

  #drop(): void {
    try {
      this.close();
    } catch {
      // The write's own fault is the one to tell.
    }
  }

  #incomplete(error: unknown): Error {
    return new Error(`"${this.path}" is not complete, for writing failed: ${reason(error)}.`, { cause: error });
  }
}

/** What is wrong with the path as such. */
function wrongText(path: string, workspace: string, platform: NodeJS.Platform): string | undefined {
  const windows = platform === 'win32';
  const separator = windows ? /[\\/]/ : '/';
  if (path.trim() === '') return 'expected the path of a file in the workspace, found empty text.';
  if (/\p{Cc}/u.test(path)) return `${JSON.stringify(path)} has a control character in it.`;
  const given = path.split(separator);
  const inside = isAbsolute(path) ? relative(workspace, path).split(sep) : given;
  if (isAbsolute(inside.join(sep)) || inside[0] === '..')
    return `"${path}" is outside of the workspace, ${workspace}; expected a path in it.`;
  if (given.includes('..')) return `"${path}" has ".." in it; write the path without.`;
  if (['', '.'].includes(given.at(-1) ?? '') || inside.every(name => name === ''))
    return `"${path}" is a folder; expected the path of a file.`;
  if (inside.some(isGitFolder)) return `"${path}" is in .git, where a file can act on the job; choose another place.`;
  const refused = inside.find(isRefusedByWindows);
  if (windows && refused !== undefined) return `"${refused}" cannot be the name of a file on Windows.`;
  return undefined;
}

/** What is wrong with what stands at the path, and on the way to it. */
function wrongPlace(path: string, workspace: string): string | undefined {
  const parts = names(path, workspace);
  let folder = resolve(workspace);
  try {
    for (const [index, name] of parts.entries()) {
      const place = join(folder, name);
      const shown = parts.slice(0, index + 1).join('/');
      const found = lstatSync(place, { throwIfNoEntry: false });
      if (found === undefined) break;
      if (found.isSymbolicLink())
        return `"${shown}" is a symbolic link, to ${JSON.stringify(readlinkSync(place))}; nothing is written through a link.`;
      const last = index === parts.length - 1;
      if (last && !found.isFile()) return `"${shown}" is ${kind(found)}; expected the path of a file.`;
      if (!last && !found.isDirectory()) return `"${shown}" is ${kind(found)}, so nothing can be in it.`;
      if (!last) folder = place;
    }
    // A file that is there is replaced, so it is the folder that counts.
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return `"${path}" cannot be written: ${reason(error)}.`;
  }
  return undefined;
}

/** Names of the folders from the workspace on, and of the file. */
function names(path: string, workspace: string): string[] {
  return relative(workspace, resolve(workspace, path)).split(sep);
}

function openNew(workspace: string, parts: string[]): number {
  const target = join(resolve(workspace), ...parts);
  makeFolders(workspace, parts.slice(0, -1));
  remove(target);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const file = openSync(target, flags, 0o666);
  // A folder on the way can have become a link since it was looked at.
  if (realpathSync(dirname(target)) === join(realpathSync(workspace), ...parts.slice(0, -1))) return file;
  closeSync(file);
  rmSync(target, { force: true });
  throw new Error('a folder on the way is a link');
}

/** One by one: `recursive` would go through a link that is there by now. */
function makeFolders(workspace: string, parts: string[]): void {
  let folder = resolve(workspace);
  for (const name of parts) {
    folder = join(folder, name);
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
    mkdirSync(folder);
  }
}

/** Removes the name; the content stays where the file has another one. */
export function remove(file: PathLike): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** What stands in the way, with its article. */
export function kind(found: Stats): string {
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a named pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

/** The system's own words, e.g. `no space left on device (ENOSPC)`. */
export function reason(error: unknown): string {
  const { message } = error as Error;
  const [, code, words] = /^([A-Z][A-Z0-9]+): (.*?), \w+/.exec(message) ?? [];
  return code === undefined ? message : `${words} (${code})`;
}
