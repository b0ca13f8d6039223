import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { attempt, program, run } from './command.ts';
import { withLock } from './lock.ts';

export interface Ports {
  apiServer: number;
  etcdClient: number;
  etcdPeer: number;
  kubelet: number;
}

export interface Network {
  /** The pods' addresses: 198.18.0.0/15 is set aside for benchmarks (RFC 2544) and meets nobody's real network. */
  subnet: string;
  ports: Ports;
}

/** Below the range that the kernel takes for outgoing connections: nobody gets the port of a part that is down for a moment. */
const firstPort = 21000;
const portsPerCluster = 20;

/** Makes the cluster's bridge. Its address is the claim on the subnet and on the ports that go with it, visible to all clusters of the machine. */
export async function claimNetwork(bridge: string): Promise<Network> {
  return await withLock(
    'network',
    () => {},
    async () => {
      const ip = program('ip');
      const addresses = await run(ip, ['-o', '-4', 'addr', 'show']);
      for (let slot = 0; slot < 200; slot++) {
        const prefix = `198.18.${slot}.`;
        if (addresses.includes(` ${prefix}`)) continue;
        const [apiServer, etcdClient, etcdPeer, kubelet] = await freePorts(firstPort + slot * portsPerCluster);
        if (!apiServer || !etcdClient || !etcdPeer || !kubelet) continue;
        // One of its own: else it has the lowest of its pods', and as they come and go the others send to one that is nobody's any more, for up to a minute [measured].
        await run(ip, ['link', 'add', bridge, 'address', hardwareAddress(slot), 'type', 'bridge']);
        await run(ip, ['addr', 'add', `${prefix}1/24`, 'dev', bridge]);
        await run(ip, ['link', 'set', bridge, 'up']);
        return { subnet: `${prefix}0/24`, ports: { apiServer, etcdClient, etcdPeer, kubelet } };
      }
      throw new Error(
        'No subnet below 198.18.0.0/15 is free: is a cluster of this name left over? `npm run cluster -- down`.',
      );
    },
  );
}

/** @returns one that is administered locally (IEEE 802) */
function hardwareAddress(slot: number): string {
  return `02:00:c6:12:${slot.toString(16).padStart(2, '0')}:01`;
}

/** Removes the bridge and the links of pods that hang on it; the other end of each, in the pod, goes with it. */
export async function removeBridge(bridge: string): Promise<void> {
  if (!existsSync(`/sys/class/net/${bridge}`)) return;
  const ip = program('ip');
  const links = existsSync(`/sys/class/net/${bridge}/brif`) ? readdirSync(`/sys/class/net/${bridge}/brif`) : [];
  for (const link of links) await attempt(ip, ['link', 'del', link]); // may be gone already, with its pod
  await run(ip, ['link', 'del', bridge]);
}

async function freePorts(first: number): Promise<number[]> {
  const candidates = Array.from({ length: portsPerCluster }, (_, index) => first + index);
  const free = await Promise.all(candidates.map(isFree));
  return candidates.filter((_, index) => free[index]);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
