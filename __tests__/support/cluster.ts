import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { Cluster } from '../../dev/cluster/index.ts';
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
export function kubectl(args: string[], stdin?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      cluster.kubectl ?? fail('The cluster tests need kubectl on the PATH.'),
      ['--kubeconfig', cluster.kubeconfig, ...args],
      { maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr || error.message}`));
        else resolve(stdout);
      },
    );
    child.stdin?.end(stdin ?? '');
  });
}

/** A namespace of a test's own, with its default service account there, and gone after the test. */
export class Namespace implements AsyncDisposable {
  readonly name = `test-${randomBytes(5).toString('hex')}`;

  static async create(): Promise<Namespace> {
    const namespace = new Namespace();
    await kubectl(['create', 'namespace', namespace.name]);
    await kubectl(['-n', namespace.name, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s']);
    return namespace;
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

  #inputs(inputs: Record<string, string>): Record<string, string> {
    return { config_file: cluster.kubeconfig, namespace: this.name, image: cluster.images.shell, ...inputs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kubectl(['delete', 'namespace', this.name, '--wait=false', '--ignore-not-found']);
  }
}

/** @returns the inputs to run a shell script: `cmds` and `arguments` as people write them. */
export function script(text: string): { cmds: string; arguments: string } {
  return { cmds: '[sh, -c]', arguments: JSON.stringify([text]) };
}
