import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cluster } from './cluster.ts';

/** What the API server answers. */
export interface Answer<T> {
  status: number;
  body: T;
}

/** The API server as the cluster's administrator reaches it, at a few milliseconds a request, where a kubectl for each would take a hundred. */
export class ApiProxy implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #origin: string;

  private constructor(child: ReturnType<typeof spawn>, origin: string) {
    this.#child = child;
    this.#origin = origin;
  }

  static async start(): Promise<ApiProxy> {
    const args = ['--kubeconfig', cluster.kubeconfig, 'proxy', '--port=0'];
    const child = spawn(cluster.kubectl ?? 'kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /Starting to serve on (\S+)/.exec(line)?.[1];
      if (address !== undefined) return new ApiProxy(child, `http://${address}`);
    }
    throw new Error('kubectl proxy ended before it served');
  }

  async request<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer<T>> {
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      headers: { 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
