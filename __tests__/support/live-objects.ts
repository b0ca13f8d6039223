import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { cluster } from './cluster.ts';

/** Every object of a kind that the action made, as the API server last had it, also after it is gone. */
export class LiveObjects<T extends { metadata?: V1ObjectMeta }> implements AsyncDisposable {
  readonly #objects = new Map<string, T>();
  readonly #child: ReturnType<typeof spawn>;

  /** @param kind as kubectl has it, e.g. `pods` */
  constructor(kind: string) {
    const ours = 'app.kubernetes.io/managed-by=kubernetes-pod-step';
    const args = ['--kubeconfig', cluster.kubeconfig, 'get', kind, '-A', '-l', ours, '--watch', '-o', 'json'];
    this.#child = spawn(cluster.kubectl ?? 'kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#child.stdout === null) throw new Error('kubectl has no output.');
    let lines: string[] = [];
    createInterface({ input: this.#child.stdout }).on('line', line => {
      lines.push(line);
      // Each object begins and ends at the left margin.
      if (line !== '}') return;
      const object = JSON.parse(lines.join('\n')) as T;
      this.#objects.set(object.metadata?.uid ?? '', object);
      lines = [];
    });
  }

  /** @param uid of one that has been there */
  of(uid: string | undefined): T {
    const object = this.#objects.get(uid ?? '');
    if (object === undefined) throw new Error(`Nothing with the UID ${uid} was seen.`);
    return object;
  }

  /** @param uid of the owner */
  ownedBy(uid: string | undefined): T[] {
    return [...this.#objects.values()].filter(({ metadata }) =>
      metadata?.ownerReferences?.some(owner => owner.uid === uid),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It ends by itself when the API server goes.
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
