import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiException, CoreV1Api, KubeConfig, KubernetesObjectApi, loadAllYaml } from '@kubernetes/client-node';
import { until } from '../cluster/process.ts';

const RBAC = join(import.meta.dirname, '../../examples/cluster/runner.yaml');
/** The ServiceAccount in it. */
const RUNNER = 'github-runner';
const OURS = 'app.kubernetes.io/managed-by=kubernetes-pod-step';

/** A namespace for one demo, set up as examples/cluster/runner.yaml tells users to. By client-node's own calls: what checks the action does not rest on it. */
export class DemoNamespace {
  readonly name: string;
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;

  private constructor(name: string, config: KubeConfig, core: CoreV1Api) {
    this.name = name;
    this.#config = config;
    this.#core = core;
  }

  static async create(kubeconfig: string): Promise<DemoNamespace> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const core = config.makeApiClient(CoreV1Api);
    const created = await core.createNamespace({ body: { metadata: { generateName: 'pod-step-demo-' } } });
    const namespace = new DemoNamespace(created.metadata?.name ?? '', config, core);
    try {
      await namespace.#setUp();
      return namespace;
    } catch (error) {
      await namespace.delete();
      throw error;
    }
  }

  /** @returns a kubeconfig for somebody who may do what the Role allows and no more, base64-encoded as the secret of a repository is */
  async runnerKubeconfig(): Promise<string> {
    const { status } = await this.#core.createNamespacedServiceAccountToken({
      ...{ namespace: this.name, name: RUNNER },
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    });
    const cluster = this.#config.getCurrentCluster();
    if (!cluster || !status) throw new Error('The cluster gave no token to the demo.');
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [cluster],
      users: [{ name: RUNNER, token: status.token }],
      contexts: [{ name: 'demo', cluster: cluster.name, user: RUNNER, namespace: this.name }],
      currentContext: 'demo',
    });
    return Buffer.from(config.exportConfig()).toString('base64');
  }

  /** @returns the pods of the action that are there still; one that is being deleted has 30 s to go */
  async podsLeft(): Promise<string[]> {
    let left: string[] = [];
    await until(async () => {
      const { items } = await this.#core.listNamespacedPod({ namespace: this.name, labelSelector: OURS });
      left = items.map(({ metadata }) => metadata?.name ?? '');
      return items.every(({ metadata }) => metadata?.deletionTimestamp === undefined);
    }, 30);
    return left;
  }

  /** Returns when it is gone with all that was in it. */
  async delete(): Promise<void> {
    await this.#core.deleteNamespace({ name: this.name });
    const isGone = () => isMissing(this.#core.readNamespace({ name: this.name }));
    if (!(await until(isGone, 60))) throw new Error(`Namespace ${this.name} is not gone 60 s after its deletion.`);
  }

  async #setUp(): Promise<void> {
    const objects = this.#config.makeApiClient(KubernetesObjectApi);
    for (const object of loadAllYaml(await readFile(RBAC, 'utf8')))
      await objects.create({ ...object, metadata: { ...object.metadata, namespace: this.name } });
    // Pods are refused until their service account is there, which the cluster makes for every namespace in its own time.
    const account = () => this.#core.readNamespacedServiceAccount({ namespace: this.name, name: 'default' });
    if (!(await until(async () => !(await isMissing(account())), 30)))
      throw new Error(`Namespace ${this.name} has no service account yet after 30 s.`);
  }
}

async function isMissing(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return false;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return true;
    throw error;
  }
}
