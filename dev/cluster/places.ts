import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where one cluster keeps its things. All of it follows from the name, so a cleanup needs no record of what a killed run did. */
export interface Places {
  name: string;
  state: string;
  /** For Unix sockets, whose paths are limited to 107 bytes; a state folder under a long HOME is longer. */
  run: string;
  containerdSocket: string;
  containerdState: string;
  kubelet: string;
  pki: string;
  log: string;
  podLogs: string;
  kubeconfig: string;
  bridge: string;
  /** Every process of the cluster, parts and pods, lives in this cgroup. */
  cgroup: string;
}

const longestSocketPath = 107;

export function placesOf(name: string): Places {
  if (!/^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$/.test(name)) {
    throw new Error(`The cluster name '${name}' is not usable: 1 to 30 lower-case letters, digits and '-'.`);
  }
  const state = join(stateHome(), name);
  // Two users' state folders may hold clusters of one name: what is machine-wide carries the folder's hash.
  const id = createHash('sha256').update(state).digest('hex').slice(0, 7);
  const run = `/run/kubernetes-pod-step/${name}-${id}`;
  const kubelet = join(state, 'kubelet');
  const kubeletSocketPath = join(kubelet, 'pod-resources/kubelet.sock');
  return {
    name,
    state,
    run,
    containerdSocket: join(run, 'containerd.sock'),
    containerdState: join(state, 'containerd/state'),
    kubelet: Buffer.byteLength(kubeletSocketPath) > longestSocketPath - 16 ? join(run, 'kubelet') : kubelet,
    pki: join(state, 'pki'),
    log: join(state, 'log'),
    podLogs: join(state, 'pod-logs'),
    kubeconfig: join(state, 'kubeconfig'),
    bridge: `podstep-${id}`,
    cgroup: `pod-step-${name}-${id}`,
  };
}

export function stateHome(): string {
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local/state'), 'kubernetes-pod-step');
}

/** Shared by all checkouts of this user, so that a fresh clone on a warm machine builds nothing. */
export function cacheHome(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kubernetes-pod-step');
}
