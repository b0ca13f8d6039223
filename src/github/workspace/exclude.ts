import ignore from 'ignore';

/**
 * Whether something stays out of what is taken from the workspace.
 * @param name relative to the workspace, with `/` between its parts
 */
export type IsExcluded = (name: string, isFolder: boolean) => boolean;

/** A folder, or in the worktree of a submodule a file: it holds the job's token, and what in it can act on whoever uses git there. */
const GIT = /(^|\/)\.git(\/|$)/;
/** `ignore` remembers every name it was asked about, and is asked about each one once. */
const REMEMBERED_NAMES = 10_000;

/**
 * What the patterns of an input keep out, as git would with them in `.gitignore`, and `.git` always: no pattern brings it back.
 * @param patterns one a line
 */
export function excluding(patterns: string | undefined): IsExcluded {
  // Git tells case apart, except where it was configured not to; `ignore` does not unless told so.
  const empty = () => ignore({ ignoreCase: false, allowRelativePaths: true });
  const rules = empty().add(patterns ?? '');
  let matcher = rules;
  let asked = 0;
  return (name, isFolder) => {
    if (GIT.test(name)) return true;
    if (!patterns) return false;
    if (asked++ % REMEMBERED_NAMES === 0) matcher = empty().add(rules);
    return matcher.ignores(isFolder ? `${name}/` : name);
  };
}
