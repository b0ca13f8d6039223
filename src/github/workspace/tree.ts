import { accessSync, constants, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { reason } from '../workspace-file.ts';
import type { IsExcluded } from './exclude.ts';

/** Something in the workspace. */
export type TreeEntry = {
  /** Relative to the workspace, with `/` between its parts; they can be any bytes. */
  name: Buffer;
  kind: 'file' | 'folder' | 'link';
  /** Permissions, and the bits for setuid, setgid and sticky. */
  mode: number;
  mtimeSeconds: number;
  /** Bytes of a file; 0 of anything else. */
  size: number;
  /** What a link leads to, wherever that is. */
  target?: Buffer;
};

/** What there is to take. */
export type Survey = {
  files: number;
  folders: number;
  links: number;
  bytes: number;
  /** Sockets, pipes and devices. */
  leftOut: number;
  /** Names to show, of the first files and folders that the runner's user may not read. */
  unreadable: string[];
  unreadableCount: number;
};

const SHOWN_NAMES = 10;
/**
 * How long the event loop is held. A call that waits for a file takes a few microseconds, one that goes through libuv's threads thirty:
 * 510,000 entries were listed in 1.7 s with the former, in 5.3 s with 16 of the latter at a time.
 */
const TURN_MS = 20;

type Found = { name: Buffer; path: Buffer; stats: Stats };
type Unreadable = { name: Buffer; problem: unknown };

/**
 * All that is in the folder, in the order of its bytes, a folder before what is in it. No symbolic link is followed.
 * What disappears meanwhile is left out, as are sockets, pipes and devices.
 * @param root absolute
 * @throws Error with a sentence, where something cannot be read
 */
export async function* entriesOf(root: string, isExcluded: IsExcluded): AsyncGenerator<TreeEntry> {
  for await (const found of walk(root, isExcluded)) {
    if ('problem' in found) throw unreadable(found.name, found.problem);
    const entry = entryOf(found);
    if (entry !== undefined) yield entry;
  }
}

/**
 * Counts what {@link entriesOf} would yield, and finds what cannot be read.
 * @param root absolute
 * @throws Error with a sentence, where the root itself cannot be listed
 */
export async function surveyOf(root: string, isExcluded: IsExcluded): Promise<Survey> {
  const survey: Survey = { files: 0, folders: 0, links: 0, bytes: 0, leftOut: 0, unreadable: [], unreadableCount: 0 };
  const missed = (name: Buffer) => {
    if (survey.unreadableCount++ < SHOWN_NAMES) survey.unreadable.push(shownName(name));
  };
  for await (const found of walk(root, isExcluded)) {
    if ('problem' in found) {
      if (found.name.length === 0) throw unreadable(found.name, found.problem);
      missed(found.name);
      continue;
    }
    const { name, path, stats } = found;
    if (stats.isDirectory()) survey.folders++;
    else if (stats.isSymbolicLink()) survey.links++;
    else if (!stats.isFile()) survey.leftOut++;
    else {
      const problem = attempt(() => accessSync(path, constants.R_OK));
      if (problem instanceof Error && isGone(problem)) continue;
      if (problem instanceof Error) missed(name);
      survey.files++;
      survey.bytes += stats.size;
    }
  }
  return survey;
}

/** @returns the name as a line of text */
export function shownName(name: Buffer): string {
  return name.length === 0 ? '.' : JSON.stringify(name.toString()).slice(1, -1);
}

/** @returns an error that says which file or folder, and what to do */
export function unreadable(name: Buffer, cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException;
  const remedy = code === 'EACCES' || code === 'EPERM' ? " Let the runner's user read it, or exclude it." : '';
  return new Error(`"${shownName(name)}" cannot be read: ${reason(cause)}.${remedy}`, { cause });
}

/** Whether a call failed because what stood there does so no more, or is no folder any more. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Holds the names of the folders that it is in, nothing else.
 * They are latin1: one character for each byte, whatever the bytes mean, which sorts as they do and takes a tenth of a Buffer's room.
 */
async function* walk(root: string, isExcluded: IsExcluded): AsyncGenerator<Found | Unreadable> {
  const base = Buffer.from(root);
  const prefix = base.toString('latin1');
  /** Folders on the way, each with the names in it that are still to come: the next one is the last. */
  const way: { folder: string; names: string[] }[] = [];
  let since = performance.now();

  const first = await namesIn(base);
  if (!Array.isArray(first)) return yield { name: Buffer.alloc(0), problem: first };
  way.push({ folder: '', names: first });
  for (let inside = way.at(-1); inside !== undefined; inside = way.at(-1)) {
    const last = inside.names.pop();
    if (last === undefined) {
      way.pop();
      continue;
    }
    if (performance.now() - since > TURN_MS) {
      await setImmediate();
      since = performance.now();
    }
    const place = `${inside.folder}/${last}`;
    const path = Buffer.from(prefix + place, 'latin1');
    const name = path.subarray(base.length + 1);
    const stats = attempt(() => lstatSync(path, { throwIfNoEntry: false }));
    if (stats === undefined || isGone(stats)) continue;
    if (stats instanceof Error) {
      const isClosed = (stats as NodeJS.ErrnoException).code === 'EACCES';
      // It is the folder then that lets nobody in: the others in it would fail as well.
      if (isClosed) way.pop();
      yield { name: isClosed ? Buffer.from(inside.folder.slice(1), 'latin1') : name, problem: stats };
      continue;
    }
    if (isExcluded(name.toString(), stats.isDirectory())) continue;
    yield { name, path, stats };
    if (!stats.isDirectory()) continue;
    const names = await namesIn(path);
    if (Array.isArray(names)) way.push({ folder: place, names });
    else if (!isGone(names)) yield { name, problem: names };
  }
}

/** @returns the last one first; or why they cannot be had */
async function namesIn(folder: Buffer): Promise<string[] | Error> {
  try {
    // Not waited for in the event loop: a folder can have any number of names.
    return (await readdir(folder, { encoding: 'latin1' })).sort().reverse();
  } catch (error) {
    return error as Error;
  }
}

function entryOf({ name, path, stats }: Found): TreeEntry | undefined {
  const facts = { name, mode: stats.mode & 0o7777, mtimeSeconds: Math.floor(stats.mtimeMs / 1000), size: 0 };
  if (stats.isDirectory()) return { ...facts, kind: 'folder' };
  if (stats.isFile()) return { ...facts, kind: 'file', size: stats.size };
  if (!stats.isSymbolicLink()) return undefined;
  const target = attempt(() => readlinkSync(path, { encoding: 'buffer' }));
  if (!(target instanceof Error)) return { ...facts, kind: 'link', target };
  // EINVAL: no link any more.
  if (isGone(target) || (target as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
  throw unreadable(name, target);
}

/** @returns what the system said, where it refused */
function attempt<T>(call: () => T): T | Error {
  try {
    return call();
  } catch (error) {
    return error as Error;
  }
}
