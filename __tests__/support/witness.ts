import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { cluster } from './cluster.ts';

/** What the API server told of a pod, and when. */
export interface Report {
  /** By `performance.now()`. */
  atMs: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  pod?: V1Pod;
  event?: CoreV1Event;
}

/** The label that a pod is watched by. */
export const WATCHED = 'witnessed-as';

/** Watches the pods with the label {@link WATCHED}, and all events, of the whole cluster, beside the steps and without them. */
export class Witness implements Disposable {
  readonly #reports: Report[] = [];
  readonly #watches: ChildProcess[];
  readonly #looks = new Set<() => void>();

  constructor() {
    this.#watches = [
      this.#watch(`/api/v1/pods?watch=true&labelSelector=${WATCHED}`, object => ({ pod: object as V1Pod })),
      this.#watch('/api/v1/events?watch=true', object => ({ event: object as CoreV1Event })),
    ];
  }

  /** @returns what was told of the pod that has this value of the label, and of its events, in order. */
  reportsOf(value: string): Report[] {
    const pods = this.#reports.filter(({ pod }) => pod?.metadata?.labels?.[WATCHED] === value);
    const uid = pods[0]?.pod?.metadata?.uid;
    return this.#reports.filter(
      report => pods.includes(report) || (uid !== undefined && report.event?.involvedObject?.uid === uid),
    );
  }

  /** @returns the first report of that pod, past or to come, that is one that is waited for. */
  until(value: string, isIt: (report: Report) => boolean, timeoutMs = 60_000): Promise<Report> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.reportsOf(value).find(isIt);
        if (found === undefined) return;
        leave();
        resolve(found);
      };
      const leave = () => {
        clearTimeout(timer);
        this.#looks.delete(look);
      };
      const timer = setTimeout(() => {
        leave();
        const last = this.reportsOf(value).findLast(({ pod }) => pod)?.pod?.status;
        reject(new Error(`No such report within ${timeoutMs} ms. The pod’s last status: ${JSON.stringify(last)}`));
      }, timeoutMs);
      this.#looks.add(look);
      look();
    });
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch.kill();
  }

  #watch(path: string, read: (object: unknown) => Pick<Report, 'pod' | 'event'>): ChildProcess {
    const child = spawn(cluster.kubectl ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, 'get', '--raw', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', line => {
      const atMs = performance.now();
      const { type, object } = JSON.parse(line) as { type: Report['type']; object: unknown };
      this.#reports.push({ atMs, type, ...read(object) });
      for (const look of [...this.#looks]) look();
    });
    return child;
  }
}
