import { isGitFolder, isRefusedByWindows } from '../workspace-file.ts';

/** Linux' own limits, of a name and of a path. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 4096;

/** Names on the path, without what means nothing; in latin1. */
export function namesOf(bytes: Buffer): string[] {
  // Cut, for one that is too long is refused anyway.
  const text = bytes.subarray(0, LONGEST_PATH + 1).toString('latin1');
  return text.split('/').filter(name => name !== '' && name !== '.');
}

export function shownName(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}

export function shownPath(path: string[]): string {
  return path.map(shownName).join('/');
}

/** Why no file of the workspace may have the name. */
export function wrongName(bytes: Buffer, path: string[]): string | undefined {
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
export function wrongTarget(target: Buffer, depth: number): string | undefined {
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
