import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalPid, until } from './process.ts';

/*
 * Every process of a cluster lives below one cgroup of its own: the parts, with containerd's shims, in `parts`, the pods in
 * `kubepods`. That keeps two kubelets apart (each kills what it does not know below its root) and lets `down` find every
 * process by what it belongs to, without trusting any record.
 */

/** Mount points of the hierarchies that Kubernetes uses: the one of cgroup v2, or one per controller of v1. */
function hierarchies(): string[] {
  const v2 = mountPoints('cgroup2').filter(path => path === '/sys/fs/cgroup');
  return v2.length > 0 ? v2 : mountPoints('cgroup');
}

function mountPoints(type: 'cgroup' | 'cgroup2'): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' '));
  return mounts.flatMap(([, path, is]) => (is === type && path?.startsWith('/sys/fs/cgroup') ? [path] : []));
}

/** @returns the file that takes the pid of a part */
export function createCgroup(cgroup: string): string {
  const roots = hierarchies();
  if (roots.length === 0) throw new Error('No cgroups are mounted on /sys/fs/cgroup; the kubelet cannot run here.');
  for (const root of roots) mkdirSync(join(root, cgroup), { recursive: true });
  if (roots[0] === '/sys/fs/cgroup') {
    // v2: the kubelet refuses a root that lacks these controllers; each is enabled by itself, as one may not exist.
    for (const folder of [roots[0], join(roots[0], cgroup)]) {
      for (const controller of ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']) {
        try {
          writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
        } catch {
          // the kubelet says which one it misses, in its log
        }
      }
    }
  }
  const tracking = roots.find(root => root.endsWith('/pids')) ?? roots.find(root => !root.endsWith('/cpuset')) ?? '';
  const parts = join(tracking, cgroup, 'parts');
  mkdirSync(parts, { recursive: true });
  return join(parts, 'cgroup.procs');
}

/** Kills every process below the cgroup and waits until none is left. */
export async function killCgroup(cgroup: string): Promise<void> {
  const gone = await until(() => {
    const pids = pidsBelow(cgroup);
    for (const pid of pids) signalPid(pid, 'SIGKILL');
    return pids.length === 0;
  }, 20);
  if (!gone) throw new Error(`These processes did not die within 20 s of SIGKILL: ${pidsBelow(cgroup).join(', ')}.`);
}

export function pidsBelow(cgroup: string): number[] {
  const pids = new Set<number>();
  for (const folder of foldersOf(cgroup)) {
    try {
      for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')) {
        if (Number(pid) > 1) pids.add(Number(pid));
      }
    } catch {
      // gone meanwhile
    }
  }
  return [...pids];
}

/** A cgroup stays busy for a moment after its last process is gone. */
export async function removeCgroup(cgroup: string): Promise<void> {
  const removed = await until(() => {
    for (const folder of foldersOf(cgroup)) {
      try {
        rmdirSync(folder);
      } catch {
        // busy for a moment more, or gone meanwhile
      }
    }
    return foldersOf(cgroup).length === 0;
  }, 10);
  if (!removed) throw new Error(`The cgroup ${foldersOf(cgroup)[0]} could not be removed.`);
}

/** All folders of the cgroup in all hierarchies, children first. Where v1 and v2 are both mounted, runc makes some in v2 too. */
function foldersOf(cgroup: string): string[] {
  const below = (folder: string): string[] => {
    try {
      const children = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory());
      return [...children.flatMap(child => below(join(folder, child.name))), folder];
    } catch {
      return [];
    }
  };
  return [...mountPoints('cgroup'), ...mountPoints('cgroup2')]
    .map(root => join(root, cgroup))
    .filter(folder => existsSync(folder))
    .flatMap(below);
}
