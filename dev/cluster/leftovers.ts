import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { killCgroup, pidsBelow, removeCgroup } from './cgroups.ts';
import { attempt, program, run } from './command.ts';
import { removeBridge } from './network.ts';
import type { Places } from './places.ts';

/*
 * There is one way to end a cluster, whether it is whole, half started, half dead or gone with a reboot: kill all and take
 * away what it left. Nothing in it is worth a graceful stop, and what is used every time can be trusted when it matters.
 */

export function hasLeftovers(places: Places): boolean {
  const traces = [places.state, places.run, `/sys/class/net/${places.bridge}`];
  return traces.some(path => existsSync(path)) || pidsBelow(places.cgroup).length > 0;
}

/** Removes every process, mount, network link, cgroup and file of the cluster. */
export async function removeLeftovers(places: Places): Promise<void> {
  await killCgroup(places.cgroup);
  removeShimSockets(places); // before the files that name them
  await unmountBelow([places.state, places.run]);
  await removeBridge(places.bridge);
  await removeCgroup(places.cgroup);
  removeLogLinks(places);
  removeCniResults(places);
  removeDevicePluginSocket();
  rmSync(places.run, { recursive: true, force: true });
  rmSync(places.state, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  removeIfEmpty(dirname(places.run));
  removeIfEmpty(dirname(places.state));
}

/** containerd's shims have their sockets in a fixed folder, under names that only the containers' own folders tell. */
function removeShimSockets(places: Places): void {
  const tasks = join(places.containerdState, 'io.containerd.runtime.v2.task/k8s.io');
  for (const container of entriesOf(tasks)) {
    for (const file of ['address', 'bootstrap.json']) {
      const path = join(tasks, container, file);
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      for (const [socket] of text.matchAll(/\/run\/containerd\/s\/[0-9a-f]+/g)) rmSync(socket, { force: true });
    }
  }
  removeIfEmpty('/run/containerd/s');
  removeIfEmpty('/run/containerd');
}

async function unmountBelow(folders: string[]): Promise<void> {
  const mountPoints = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap(line => line.split(' ').slice(4, 5))
    .map(path => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter(path => folders.some(folder => path.startsWith(`${folder}/`)))
    .reverse(); // later ones may lie on earlier ones
  const umount = program('umount');
  for (const path of mountPoints) {
    const unmounted = await attempt(umount, ['--no-canonicalize', path]);
    if (unmounted.code !== 0) await run(umount, ['--lazy', path]);
  }
}

/** The kubelet links every container's log into a fixed folder. */
function removeLogLinks(places: Places): void {
  const folder = '/var/log/containers';
  for (const entry of entriesOf(folder)) {
    if (readlinkOf(join(folder, entry))?.startsWith(`${places.podLogs}/`)) rmSync(join(folder, entry), { force: true });
  }
  removeIfEmpty(folder);
}

/** The kubelet's socket for device plugins is in a fixed folder too. Taken away unless another kubelet listens on it. */
function removeDevicePluginSocket(): void {
  const folder = '/var/lib/kubelet/device-plugins';
  if (readFileSync('/proc/net/unix', 'utf8').includes(` ${folder}/kubelet.sock\n`)) return;
  for (const file of ['kubelet.sock', 'kubelet_internal_checkpoint']) rmSync(join(folder, file), { force: true });
  removeIfEmpty(folder);
  removeIfEmpty(dirname(folder));
}

/** libcni remembers every pod's addresses in a fixed folder; which are ours, the paths of the pods' network namespaces tell. */
function removeCniResults(places: Places): void {
  const folder = '/var/lib/cni/results';
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry);
    if (existsSync(path) && readFileSync(path, 'utf8').includes(`${places.containerdState}/`))
      rmSync(path, { force: true });
  }
  removeIfEmpty(folder);
  removeIfEmpty(dirname(folder));
}

function entriesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function readlinkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // not empty, or not there
  }
}
