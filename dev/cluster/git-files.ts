import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, findProgram, run } from './command.ts';
import type { TarEntry } from './tar.ts';

/** What fetches over HTTP, checks out, and knows submodules; each of the other programs would be 2 MB more. */
const PROGRAMS = ['git-remote-http', 'git-submodule', 'git-sh-setup', 'git-sh-i18n', 'git-sh-i18n--envsubst'];
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** @returns this machine's git with all that it is linked to, where its distribution has it: it fetches and checks out in an image that has a shell */
export async function gitFiles(): Promise<TarEntry[]> {
  const git = findProgram('git');
  if (git === undefined) throw new Error('git is missing: apt-get install git.');
  const folder = (await run(git, ['--exec-path'])).trim();
  const programs = PROGRAMS.map(name => join(folder, name));
  // Alpine's busybox has it, Debian's has not.
  const flock = findProgram('flock');
  const linked = [git, join(folder, 'git-remote-http'), ...(flock === undefined ? [] : [flock])];
  const files = [...new Set([...linked, ...programs, ...(await librariesOf(linked)), AUTHORITIES])];
  const links = { git, 'git-remote-https': 'git-remote-http' };
  return [
    ...foldersOf(files).map((name): TarEntry => ({ name: `${name.slice(1)}/`, kind: 'directory', mode: 0o755 })),
    ...(await Promise.all(
      files.map(
        async (name): Promise<TarEntry> => ({
          name: name.slice(1),
          kind: 'file',
          mode: name === AUTHORITIES ? 0o644 : 0o755,
          content: await readFile(name),
        }),
      ),
    )),
    ...Object.entries(links).map(
      ([name, target]): TarEntry => ({ name: join(folder, name).slice(1), kind: 'link', target }),
    ),
  ];
}

/** @returns the libraries that programs are linked to, and what loads them; none of static programs */
async function librariesOf(programs: string[]): Promise<string[]> {
  const { stdout } = await attempt('ldd', programs);
  const paths = [...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  return [...new Set(paths)];
}

/** @returns every folder above a file, the outermost first */
function foldersOf(files: string[]): string[] {
  const folders = new Set<string>();
  for (const file of files) for (let at = dirname(file); at !== '/'; at = dirname(at)) folders.add(at);
  return [...folders].sort();
}
