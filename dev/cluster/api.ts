import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { nodeName } from './pki.ts';
import type { Places } from './places.ts';

interface Answer {
  status: number;
  body: string;
}

/** Whether the whole cluster is ready for a pod: asked of the API server with the administrator's certificate. */
export class Readiness {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(places: Places, port: number) {
    const read = (file: string): Buffer => readFileSync(join(places.pki, file));
    this.#agent = new Agent({ keepAlive: true, ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') });
    this.#port = port;
  }

  async ofApiServer(): Promise<boolean> {
    return (await this.#get('/readyz'))?.status === 200;
  }

  /** Ready, and without the taints that a node carries at first, so that the scheduler takes it. */
  async ofNode(): Promise<boolean> {
    const answer = await this.#get(`/api/v1/nodes/${nodeName}`);
    if (answer?.status !== 200) return false;
    const node = JSON.parse(answer.body) as {
      spec: { taints?: unknown[] };
      status: { conditions?: { type: string; status: string }[] };
    };
    const ready = node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return ready === true && (node.spec.taints ?? []).length === 0;
  }

  /** A pod is refused before its service account exists, and waits for the CA certificates that are mounted with its token. */
  async ofDefaultNamespace(): Promise<boolean> {
    const namespace = '/api/v1/namespaces/default';
    const needed = [`${namespace}/serviceaccounts/default`, `${namespace}/configmaps/kube-root-ca.crt`];
    const answers = await Promise.all(needed.map(path => this.#get(path)));
    return answers.every(answer => answer?.status === 200);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #get(path: string): Promise<Answer | undefined> {
    return await new Promise(resolve => {
      const asked = request(
        { host: '127.0.0.1', port: this.#port, path, agent: this.#agent, timeout: 5000 },
        response => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
          response.on('error', () => resolve(undefined));
        },
      );
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(undefined)); // not there yet, or not any more
      asked.end();
    });
  }
}
