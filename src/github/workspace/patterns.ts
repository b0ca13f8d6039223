import picomatch from 'picomatch';
import { isGitFolder } from '../workspace-file.ts';

/** One line of a list of patterns. */
export interface Pattern {
  /** As the user gave it. */
  text: string;
  /** Relative to the workspace, without what stands around it. */
  glob: string;
  excludes: boolean;
  /** Whether it must match something. */
  required: boolean;
}

/** The same on every system. A quote is a character like others, an exclusion has been told by its line already, and a name can have line breaks in it (`s`). */
const SYNTAX = { dot: true, windows: false, keepQuotes: true, nonegate: true, flags: 's' };
/** A name without any of what picomatch could take for more than itself: to it, `c++` is `c+` with as many as there are. */
const STATIC_NAME = /^(?!.*\+\+)[^*?[\]{}()|\\]+$/;

/**
 * Reads patterns, one a line: `!` in front excludes, `!` at the end of an inclusion says that it must match something.
 * @returns what could be read, and a sentence for each line that could not
 */
export function parsePatterns(lines: string[]): { patterns: Pattern[]; problems: string[] } {
  const texts = lines.map(line => line.trim()).filter(line => line !== '');
  const patterns = texts.map(toPattern);
  const problems = patterns.flatMap(pattern => wrongPattern(pattern) ?? []);
  if (patterns.length > 0 && patterns.every(({ excludes }) => excludes))
    problems.push('every pattern excludes, so nothing is left to match; expected one without "!" in front.');
  return { patterns, problems };
}

/** A pattern that brings what it matches. */
interface Inclusion {
  pattern: Pattern;
  matches: (path: string) => boolean;
}

const NOTHING: ReadonlySet<Inclusion> = new Set();
/** Folders, of which names can be long. */
const MOST_REMEMBERED = 1000;

/** What of a tree is asked for. An exclusion beats an inclusion, wherever it stands. */
export class Patterns {
  readonly #inclusions: Inclusion[];
  readonly #folders = new Map<string, ReadonlySet<Inclusion> | undefined>();
  readonly #exclusions: ((path: string) => boolean)[];

  /** @param patterns which {@link parsePatterns} had no problem with */
  constructor(patterns: Pattern[]) {
    const included = patterns.filter(({ excludes }) => !excludes);
    this.#inclusions = included.map(pattern => ({ pattern, matches: matcher(pattern) }));
    this.#exclusions = patterns.filter(({ excludes }) => excludes).map(matcher);
  }

  /** @param path of a file, link or folder, relative to the workspace */
  wants(path: string): boolean {
    return (this.#matched(path)?.size ?? 0) > 0;
  }

  /** @returns what {@link note} takes patterns from: each inclusion */
  open(): Set<Inclusion> {
    return new Set(this.#inclusions);
  }

  /** Takes the inclusions that bring a path out of those that have brought nothing yet; what another pattern excludes is not brought. @returns whether any brings it */
  note(path: string, open: Set<Inclusion>): boolean {
    const matched = this.#matched(path);
    for (const inclusion of matched ?? []) open.delete(inclusion);
    return matched !== undefined && matched.size > 0;
  }

  /** @returns the fewest folders (and files) that have all that could match in them; `.` is the workspace */
  roots(): string[] {
    const all = [...new Set(this.#inclusions.map(({ pattern }) => rootOf(pattern.glob)))];
    if (all.includes('.')) return ['.'];
    return all.filter(root => !all.some(other => root.startsWith(`${other}/`)));
  }

  /**
   * The inclusions that match the path, or a folder that it is in, for a pattern that matches a folder brings all in it; nothing where it is not to be had at all.
   * What is known of folders is remembered: a path of thousands of them would be looked at once for each.
   */
  #matched(path: string): ReadonlySet<Inclusion> | undefined {
    const names = path.split('/').filter(isName);
    let matched: ReadonlySet<Inclusion> | undefined = NOTHING;
    let place = '';
    const known = this.#longestKnown(names);
    if (known > 0) {
      place = names.slice(0, known).join('/');
      matched = this.#folders.get(place);
    }
    for (let at = known; at < names.length && matched !== undefined; at++) {
      const name = names[at] ?? '';
      place = at === 0 ? name : `${place}/${name}`;
      matched = this.#within(matched, place, name);
      if (at === names.length - 2) this.#remember(place, matched);
    }
    return matched;
  }

  /** @returns how many of the names are those of a folder that is known: its own, or the one above */
  #longestKnown(names: string[]): number {
    for (const length of [names.length - 1, names.length - 2])
      if (length > 0 && this.#folders.has(names.slice(0, length).join('/'))) return length;
    return 0;
  }

  #within(matched: ReadonlySet<Inclusion>, place: string, name: string): ReadonlySet<Inclusion> | undefined {
    if (name === '..' || isGitFolder(name) || this.#exclusions.some(excludes => excludes(place))) return undefined;
    const more = this.#inclusions.filter(one => !matched.has(one) && one.matches(place));
    return more.length === 0 ? matched : new Set([...matched, ...more]);
  }

  #remember(folder: string, matched: ReadonlySet<Inclusion> | undefined): void {
    if (this.#folders.size >= MOST_REMEMBERED) this.#folders.clear();
    this.#folders.set(folder, matched);
  }
}

function toPattern(text: string): Pattern {
  const excludes = text.startsWith('!');
  const required = !excludes && text.length > 1 && text.endsWith('!');
  const path = excludes ? text.slice(1) : required ? text.slice(0, -1) : text;
  const glob = path.split('/').filter(isName).join('/');
  // The workspace itself is a folder, too: `.` brings all in it.
  const all = glob === '' && path !== '';
  return { text, glob: path.startsWith('/') ? path : all ? '**' : glob, excludes, required };
}

/** What is wrong with a pattern. */
function wrongPattern({ text, glob, excludes }: Pattern): string | undefined {
  const names = glob.split('/');
  if (/\p{Cc}/u.test(text)) return `${JSON.stringify(text)} has a control character in it.`;
  if (glob === '') return `"${text}" has no pattern in it.`;
  if (glob.startsWith('/')) return `"${text}" is absolute; expected a pattern relative to the workspace.`;
  // Escaped or between braces, it would match nothing: there is no such name in a listing.
  if (names.some(name => name.replaceAll('\\', '') === '..'))
    return `"${text}" has ".." in it; expected a pattern of paths in the workspace.`;
  if (!excludes && names.some(isGitFolder)) return `"${text}" is in .git, where a file can act on the job.`;
  try {
    picomatch(glob, SYNTAX);
  } catch (error) {
    return `"${text.slice(0, 100)}" is no pattern: ${(error as Error).message}.`;
  }
  return undefined;
}

function matcher({ glob }: Pattern): (path: string) => boolean {
  const matches = picomatch(glob, SYNTAX);
  return path => matches(path);
}

/** Not picomatch's own `scan`, which takes `x/a|b` to be in `x`, while `b` matches. */
function rootOf(glob: string): string {
  if (glob.includes('|')) return '.';
  const names = glob.split('/');
  const end = names.findIndex(name => !STATIC_NAME.test(name));
  return (end === -1 ? names : names.slice(0, end)).join('/') || '.';
}

function isName(name: string): boolean {
  return name !== '' && name !== '.';
}
