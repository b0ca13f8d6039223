import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';

type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

/** client-node's own, as far as it starts processes. */
interface ExecAuth {
  execFn: Spawn;
}

const running = new Set<ChildProcess>();

/**
 * Has the credential plugins of a kubeconfig end with this process, whatever they have started themselves included: client-node starts them and keeps no hold of them, so one that hangs would outlive a cancelled step.
 * A process that is killed outright cannot see to that; the runner kills what it has started then.
 */
export function endPluginsWithProcess(kubeConfig: KubeConfig): void {
  const { authenticators } = kubeConfig as unknown as { authenticators: Partial<ExecAuth>[] };
  const plugin = authenticators.find((one): one is ExecAuth => one.execFn !== undefined);
  if (plugin === undefined) throw new Error('client-node runs credential plugins in another way now');
  const spawn = plugin.execFn;
  plugin.execFn = (command, args, options) => {
    // A process group of its own can be killed as a whole; Windows has none.
    const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
    if (running.size === 0) process.once('exit', killAll);
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  };
}

function killAll(): void {
  for (const child of running) {
    try {
      if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL');
      else process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has gone already.
    }
  }
}
