import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process on this machine does work on the same subject.
 * The lock is an abstract Unix socket: the kernel frees it when its holder dies, however it dies, so none is ever stale.
 * Elsewhere than on Linux there is only kind, which refuses a second cluster of one name by itself.
 */
export async function withLock<T>(subject: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return await work();
  const address = `\0kubernetes-pod-step-${createHash('sha256').update(subject).digest('hex').slice(0, 32)}`;
  let held = await tryListen(address);
  if (!held) onWait();
  while (!held) {
    await sleep(100);
    held = await tryListen(address);
  }
  try {
    return await work();
  } finally {
    held.close();
  }
}

async function tryListen(address: string): Promise<Server | undefined> {
  const server = createServer(socket => socket.destroy());
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}
