import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Report } from './cluster.ts';
import { findProgram, run } from './command.ts';
import { withLock } from './lock.ts';
import { cacheHome } from './places.ts';

const sources = join(import.meta.dirname, 'kube');
const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'];

/** Builds every part of Kubernetes as one binary with a name for each part. @returns the folder that holds them */
export async function buildKubernetes(report: Report): Promise<string> {
  const files = await Promise.all(['go.mod', 'go.sum', 'main.go'].map(file => readFile(join(sources, file), 'utf8')));
  const version = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(files[0] ?? '')?.[1] ?? '';
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  const stamp = 'k8s.io/component-base/version';
  const versions = `-X ${stamp}.gitVersion=${version} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`;
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${versions}`];
  const target = join(cacheHome(), `kube-${version}-${digest([...files, ...flags, process.arch])}`);

  return await buildOnce(target, report, async folder => {
    report(`building Kubernetes ${version} from Go modules, as no release has its parts for this: ${target}`);
    report('this takes about 7 minutes on 2 cores the first time, seconds while Go still has it in its cache');
    await goBuild(report, join(folder, 'kube'), [...flags, '.'], sources);
    for (const name of names) await symlink('kube', join(folder, name));
  });
}

/** Builds the one program of the image without a shell. @returns its path */
export async function buildNoShell(report: Report): Promise<string> {
  const folder = join(import.meta.dirname, 'images/no-shell');
  const source = await readFile(join(folder, 'main.go'), 'utf8');
  const target = join(cacheHome(), `no-shell-${digest([source, process.arch])}`);
  await buildOnce(target, report, async built => {
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w', 'main.go'];
    await goBuild(report, join(built, 'no-shell'), flags, folder);
  });
  return join(target, 'no-shell');
}

/**
 * Makes a folder of the cache, once for all who ask at the same time. It gets its name only when it is whole: what a killed build
 * left has another name, does not count as done and goes with the next build.
 */
export async function buildOnce(
  target: string,
  report: Report,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  if (existsSync(target)) return target;
  const waiting = (): void => report(`waiting for another process that is making ${target}`);
  return await withLock(`build ${target}`, waiting, async () => {
    if (existsSync(target)) return target;
    const cache = dirname(target);
    await mkdir(cache, { recursive: true });
    const unfinished = `${basename(target)}.unfinished-`;
    for (const entry of await readdir(cache)) {
      if (entry.startsWith(unfinished)) await rm(join(cache, entry), { recursive: true, force: true });
    }
    const folder = join(cache, `${unfinished}${process.pid}`);
    await mkdir(folder);
    try {
      await build(folder);
      await rename(folder, target);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return target;
  });
}

async function goBuild(report: Report, output: string, flags: string[], cwd: string): Promise<void> {
  const start = performance.now();
  const elapsed = (): string => `${Math.round((performance.now() - start) / 1000)} s`;
  const alive = setInterval(() => report(`still building, ${elapsed()} so far`), 60_000);
  try {
    // Containers and the host's Kubernetes parts are Linux, on kind's macOS too.
    const env = { CGO_ENABLED: '0', GOOS: 'linux', GOWORK: 'off' };
    await run(findGo(), ['build', '-o', output, ...flags], { cwd, env });
  } finally {
    clearInterval(alive);
  }
  report(`built ${basename(output)} in ${elapsed()}`);
}

function findGo(): string {
  const go = findProgram('go', ['/usr/local/go/bin']);
  if (go === undefined) throw new Error('Go is missing: install Go 1.26 or later, on PATH or in /usr/local/go.');
  return go;
}

export function digest(contents: (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content).update('\0');
  return hash.digest('hex').slice(0, 12);
}
