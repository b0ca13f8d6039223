import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { Report } from './cluster.ts';
import { attempt, findProgram } from './command.ts';

/** Where Debian's package and the plugins' own release put the CNI plugins. */
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin'];

const packages: Record<string, () => boolean> = {
  containerd: () => has('containerd') && has('ctr'),
  runc: () => has('runc'),
  'containernetworking-plugins': () => findCniFolder() !== undefined,
  'busybox-static': () => findStaticBusybox() !== undefined,
  git: () => has('git'),
  iptables: () => has('iptables'),
  iproute2: () => has('ip'),
  openssl: () => has('openssl'),
};

/** Says in one line why a one-node cluster cannot run here; undefined when it can, or could after an installation. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') {
    return `No Kubernetes for the tests: without kind and Docker one can be started on Linux only, and this is ${process.platform}. Install both, or set POD_STEP_TEST_KUBECONFIG.`;
  }
  if (process.getuid?.() !== 0) {
    return 'No Kubernetes for the tests: starting one takes root (or kind and Docker). Run this as root, or set POD_STEP_TEST_KUBECONFIG.';
  }
  if (findProgram('go', ['/usr/local/go/bin']) === undefined) {
    return 'No Kubernetes for the tests: building one takes Go, which is neither on PATH nor in /usr/local/go. Install Go 1.26 or later, kind and Docker, or set POD_STEP_TEST_KUBECONFIG.';
  }
  return undefined;
}

/** Installs what is missing of the machine's own packages, or says what is. */
export async function installRequirements(report: Report): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const aptGet = findProgram('apt-get');
  if (aptGet === undefined) {
    throw new Error(`No Kubernetes for the tests: ${missing.join(', ')} missing, and no apt-get to install it with.`);
  }
  report(`installing Debian packages: ${missing.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  let installed = await attempt(aptGet, install, { env });
  if (installed.code !== 0) {
    // No package lists yet, as in a fresh container, or ones so old that the files they name are gone.
    await attempt(aptGet, ['update'], { env });
    installed = await attempt(aptGet, install, { env });
  }
  const still = missingPackages();
  if (still.length > 0) {
    const said = `${installed.stdout}\n${installed.stderr}`.trim().split('\n').slice(-20).join('\n');
    throw new Error(`apt-get could not install ${still.join(', ')}: ${said}`);
  }
}

function missingPackages(): string[] {
  return Object.entries(packages).flatMap(([name, isThere]) => (isThere() ? [] : [name]));
}

function has(name: string): boolean {
  return findProgram(name) !== undefined;
}

export function findCniFolder(): string | undefined {
  return cniFolders.find(folder => existsSync(`${folder}/bridge`) && existsSync(`${folder}/host-local`));
}

/** The machine's busybox, if it needs no library: it is all that the shell image holds. */
export function findStaticBusybox(): string | undefined {
  const path = findProgram('busybox');
  return path !== undefined && isStatic(path) ? path : undefined;
}

/** A dynamic executable names its loader in a program header of type 3 (PT_INTERP). 64-bit little-endian ELF only. */
function isStatic(path: string): boolean {
  const head = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString('latin1', 0, 4) !== '\x7fELF' || head[4] !== 2) return false;
  const offset = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => offset + index * size)
    .filter(at => at + 4 <= head.length)
    .every(at => head.readUInt32LE(at) !== 3);
}
