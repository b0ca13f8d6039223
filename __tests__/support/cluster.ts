import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { V1Pod } from '@kubernetes/client-node';
import type { Cluster } from '../../dev/cluster/index.ts';
import {
  accountFile,
  accountKubeconfig,
  applyAll,
  bundled,
  kubeconfigsOf,
  kubectlOn,
  runnerKubeconfig,
} from './account.ts';
import { type RunningStep, runStep, type StepOptions, type StepResult, startStep } from './step-runner.ts';

/** The real cluster, which dev/test.ts has brought up for all cluster tests together. */
export const cluster: Cluster = JSON.parse(
  process.env['POD_STEP_TEST_CLUSTER'] ??
    fail('There is no cluster to test on: run these tests by "npm run test:cluster".'),
);

function fail(message: string): never {
  throw new Error(message);
}

/** Runs kubectl as the cluster's administrator and returns what it prints. */
export const kubectl = (args: string[], stdin?: string): Promise<string> => kubectlOn(cluster, args, stdin);

/** A namespace of a test's own, with its default service account there and what examples/cluster/runner.yaml makes, and gone after the test. */
export class Namespace implements AsyncDisposable {
  readonly name: string;
  /** Path of one for somebody who may do what examples/cluster/runner.yaml allows here, and no more: as which steps run. */
  readonly kubeconfig: string;

  private constructor(name: string, kubeconfig: string) {
    this.name = name;
    this.kubeconfig = kubeconfig;
  }

  static async create(): Promise<Namespace> {
    const name = `test-${randomBytes(5).toString('hex')}`;
    const own = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await applyAll(cluster, [own, ...bundled('runner.yaml', name)]);
    await kubectl(['-n', name, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s']);
    return new Namespace(name, await runnerKubeconfig(cluster, name));
  }

  kubectl(args: string[], stdin?: string): Promise<string> {
    return kubectl(['-n', this.name, ...args], stdin);
  }

  /** @returns the pods there are, those that are being deleted left out. */
  async pods(): Promise<V1Pod[]> {
    const { items } = JSON.parse(await this.kubectl(['get', 'pods', '-o', 'json'])) as { items: V1Pod[] };
    return items.filter(pod => pod.metadata?.deletionTimestamp === undefined);
  }

  /** Runs a step here, main and post, with the shell image unless `inputs` says otherwise. */
  run(
    inputs: Record<string, string>,
    options: Omit<StepOptions, 'inputs'> = {},
  ): Promise<StepResult & { post?: StepResult }> {
    return runStep({ ...options, inputs: this.#inputs(inputs) });
  }

  /** Starts a step here; the caller disposes of it. */
  start(inputs: Record<string, string>, options: Omit<StepOptions, 'inputs'> = {}): RunningStep {
    return startStep({ ...options, inputs: this.#inputs(inputs) });
  }

  /** As {@link run}, for a step that makes no pod but follows one of here. */
  attach(
    inputs: Record<string, string>,
    options: Omit<StepOptions, 'inputs'> = {},
  ): Promise<StepResult & { post?: StepResult }> {
    const { image: _, ...given } = this.#inputs(inputs);
    return runStep({ ...options, inputs: given });
  }

  /** Makes a service account that may do nothing. @returns the path of its kubeconfig */
  async account(name: string): Promise<string> {
    await this.kubectl(['create', 'serviceaccount', name]);
    return await accountFile(cluster, this.name, name);
  }

  /** @returns a kubeconfig for somebody who may do what examples/cluster/sweep.yaml allows here, and no more */
  async sweepKubeconfig(): Promise<string> {
    await applyAll(cluster, bundled('sweep.yaml', this.name));
    return JSON.stringify(await accountKubeconfig(cluster, this.name, 'github-sweep'));
  }

  #inputs(inputs: Record<string, string>): Record<string, string> {
    return { config_file: this.kubeconfig, namespace: this.name, image: cluster.images.shell, ...inputs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(kubeconfigsOf(cluster, this.name), { recursive: true, force: true });
    await kubectl(['delete', 'namespace', this.name, '--wait=false', '--ignore-not-found']);
  }
}

/** @returns the inputs to run a shell script: `cmds` and `arguments` as people write them. */
export function script(text: string): { cmds: string; arguments: string } {
  return { cmds: '[sh, -c]', arguments: JSON.stringify([text]) };
}
