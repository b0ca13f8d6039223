import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { cluster, Namespace } from './cluster.ts';
import { interpolate } from './expressions.ts';
import { LiveObjects } from './live-objects.ts';
import { Pool } from './pool.ts';
import { runStep } from './step-runner.ts';
import {
  type JobOutcome,
  ROOT,
  readWorkflow,
  runWorkflow,
  type StepOutcome,
  type WorkflowOptions,
} from './workflow.ts';

export const FOLDER = 'examples/airflow';

/** An image of the test cluster, which has a shell and its programs. */
const SHELL = cluster.images.shell;

/**
 * What the examples have that the test cluster has not, and what stands in for it: images, and programs in languages that no image of the cluster has,
 * as shell programs that print the same. All else runs as it is written.
 */
const STAND_INS: { [input: string]: { [written: string]: string } } = {
  image: {
    // Without a tag it would be asked for at its registry each time.
    bash: SHELL,
    'gcr.io/gcp-runtimes/ubuntu_20_0_4': SHELL,
    perl: SHELL,
    'perl:5.34.0': SHELL,
    'python:3.8-slim': SHELL,
    'python:3.10-slim': SHELL,
    'registry.example.com/team/process:1': SHELL,
    'ubuntu:16.04': SHELL,
  },
  // These images are in no registry.
  image_pull_policy: { Always: 'IfNotPresent' },
  cmds: {
    '["perl"]': '["sh", "-c"]',
    '["python", "-c"]': '["sh", "-c"]',
    '["python", "/scripts/process.py"]': '["sh", "-c", "cat /data/input; echo $DB_CRED"]',
    '["python", "-c", "print(\'Hello, World!\')", ">> /airflow/xcom/return.json"]':
      '["awk", "BEGIN { print \\"Hello, World!\\" }", ">> /airflow/xcom/return.json"]',
  },
  arguments: {
    "- print('Hello from Kubernetes!')": "- echo 'Hello from Kubernetes!'",
    "- print('enough of everything')": "- echo 'enough of everything'",
    "- import os; print(os.environ['ENV'], len(os.environ['DB_PASSWORD']))": '- echo $ENV ${#DB_PASSWORD}',
    '- print("Hello, World!")': "- echo 'Hello, World!'",
    // A number of 2,000 digits.
    '["-Mbignum=bpi", "-wle", "print bpi(2000)"]': '["echo \'2^6640\' | BC_LINE_LENGTH=0 bc"]',
    '- |\n  python -c "print(\'\\"Hello, World!\\"\')" >> /airflow/xcom/return.json':
      '- echo \'"Hello, World!"\' >> /airflow/xcom/return.json',
  },
};

export interface ExampleOptions extends Pick<WorkflowOptions, 'env' | 'vars' | 'actions' | 'programs'> {
  /** Makes what the example needs beside what its own kubectl commands make. */
  prepare?: (namespace: Namespace) => Promise<void>;
  /** Inputs that this run has in place of the example's, by step. */
  instead?: Record<string, Record<string, string>>;
}

/** A run of an example in a namespace of its own. */
export interface ExampleRun {
  namespace: Namespace;
  jobs: Record<string, JobOutcome>;
  /** @returns a step of any job */
  step(id: string): StepOutcome;
  /** @returns the pod of a step, as the API server had it last */
  live(step: string): V1Pod;
}

/** Runs the examples on the test cluster as somebody who may do what examples/cluster/runner.yaml allows. */
export class Examples implements AsyncDisposable {
  readonly #pods = new LiveObjects<V1Pod>('pods');
  readonly #namespaces: Namespace[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'examples-'));
  readonly #env: Record<string, string>;
  /** Much of it waits, but the machine may have few processors. */
  readonly #pool = new Pool(8);

  /** @param env what every step's environment has beside the usual */
  constructor(env: Record<string, string> = {}) {
    this.#env = env;
  }

  /** @param name of the file, without its folder and ending */
  run(name: string, options: ExampleOptions = {}): Promise<ExampleRun> {
    return this.#pool.run(() => this.#run(name, options));
  }

  async #run(name: string, { prepare, instead = {}, ...options }: ExampleOptions): Promise<ExampleRun> {
    const namespace = await Namespace.create();
    this.#namespaces.push(namespace);
    await this.#runCommands(name, namespace);
    await prepare?.(namespace);
    const jobs = await runWorkflow(`${FOLDER}/${name}.yml`, {
      ...options,
      secrets: { KUBECONFIG: readFileSync(namespace.kubeconfig).toString('base64') },
      env: { ...this.#env, ...options.env, GCLOUD_KUBECONFIG: namespace.kubeconfig },
      inputs: (written, step) => ({ ...standIns(written, namespace), ...instead[step] }),
    });
    const steps = Object.assign({}, ...Object.values(jobs).map(job => job.steps)) as Record<string, StepOutcome>;
    const step = (id: string): StepOutcome => {
      const found = steps[id];
      if (found === undefined) throw new Error(`${name}.yml has no step ${id}.`);
      return found;
    };
    return { namespace, jobs, step, live: id => this.#pods.of(step(id).outputs['pod_uid']) };
  }

  /** The commands that the example says make what it needs. */
  async #runCommands(name: string, namespace: Namespace): Promise<void> {
    const text = readFileSync(join(ROOT, FOLDER, `${name}.yml`), 'utf8');
    const commands = [...text.matchAll(/^# {3}(kubectl .*)$/gm)].map(([, command = '']) =>
      command.replace(/ -n \S+/, ''),
    );
    if (commands.length === 0) return;
    const folder = mkdtempSync(join(this.#folder, 'commands-'));
    symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
    writeFileSync(join(folder, 'key.json'), '{"type": "service_account"}\n');
    await runAsAdministrator(commands.join('\n'), namespace, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pods[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
    for (const namespace of this.#namespaces) await namespace[Symbol.asyncDispose]();
  }
}

/** Runs kubectl commands as somebody would paste them who has set the namespace as that of the context. @returns what they print */
export function runAsAdministrator(commands: string, namespace?: Namespace, folder = ROOT): Promise<string> {
  const kubectl = cluster.kubectl ?? 'kubectl';
  const inNamespace = namespace ? `kubectl() { command kubectl --namespace ${namespace.name} "$@"; }\n` : '';
  const script = `set -e\n${inNamespace}${commands}`;
  return new Promise((resolve, reject) => {
    execFile(
      'bash',
      ['-c', script],
      {
        cwd: folder,
        env: {
          ...process.env,
          KUBECONFIG: cluster.kubeconfig,
          PATH: [dirname(kubectl), process.env['PATH']].join(delimiter),
        },
      },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${commands}: ${stderr || error.message}`));
        else resolve(stdout);
      },
    );
  });
}

/** @returns inputs as the test cluster can take them */
function standIns(written: Record<string, string>, namespace: Namespace): Record<string, string> {
  const inputs = Object.entries(written).map(([name, value]) => [name, STAND_INS[name]?.[value.trim()] ?? value]) as [
    string,
    string,
  ][];
  return {
    ...Object.fromEntries(inputs),
    ...(written['namespace'] !== undefined && { namespace: namespace.name }),
    ...(written['config_file'] !== undefined && { config_file: namespace.kubeconfig }),
  };
}

/** @returns what a step says of itself, each as `level: message` */
export function annotations({ step }: ExampleRun, id: string): string[] {
  return (step(id).result?.annotations ?? []).map(({ level, message }) => `${level}: ${message}`);
}

/** @returns the lines that a step's container printed: those between what the action says before and after */
export function printed({ step }: ExampleRun, id: string): string[] {
  const [, after = ''] = step(id).text.split(/^Created: .*\n/m);
  return (
    after
      .split(
        /\n?^(?:Pod .* is kept|Pod .* on (?:node|no node)|The last lines of|The container’s termination message|::)/m,
      )[0]
      ?.split('\n') ?? []
  );
}

/** @returns the container of a step's pod that decides */
export function base(example: ExampleRun, step: string): V1Container | undefined {
  return example.live(step).spec?.containers.find(({ name }) => name === 'base');
}

/** A step of an example that runs a pod. */
export interface ExamplePod {
  /** The file's and the step's. */
  name: string;
  job: string;
  step: string;
  workflow: string;
  inputs: Record<string, string>;
  env: Record<string, string>;
}

/** What the examples ask of the contexts that a dry run has none of. */
const CONTEXTS = {
  secrets: { KUBECONFIG: '' },
  vars: { my_value: 'example_value' },
  needs: { check: { outputs: { result: '{"rows": 3}' } }, load: { outputs: { reason: 'ExitCode' } } },
};

/** @returns every step of every example that runs a pod, as it is written */
export function examplePods(): ExamplePod[] {
  const files = readdirSync(join(ROOT, FOLDER)).filter(file => file.endsWith('.yml'));
  return files.flatMap(file => {
    const workflow = readWorkflow(`${FOLDER}/${file}`);
    const texts = (values: object = {}) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          interpolate(String(value), { contexts: CONTEXTS, succeeded: true }),
        ]),
      );
    return Object.entries(workflow.jobs).flatMap(([job, { steps }]) =>
      steps
        .filter(({ uses }) => uses === './')
        .map(({ id = '', with: inputs, env }) => ({
          ...{ name: `${file.replace('.yml', '')}.${id}`, job, step: id, workflow: workflow.name },
          ...{ inputs: texts(inputs), env: texts(env) },
        })),
    );
  });
}

/** Runs a step as it is written as a dry run. @returns its log, and the manifest without what each run has another of */
export async function showPod(
  { inputs, env, job, step, workflow }: ExamplePod,
  namespace: Namespace,
  moreEnv: Record<string, string>,
): Promise<{ text: string; manifest: string | undefined }> {
  const { kubeconfig: _, config_file: __, ...written } = inputs;
  const { text, outputs } = await runStep({
    inputs: {
      ...written,
      ...(inputs['namespace'] !== undefined && { namespace: namespace.name }),
      ...{ dry_run: 'true', config_file: namespace.kubeconfig },
    },
    workspace: ROOT,
    env: { ...env, ...moreEnv, GITHUB_JOB: job, GITHUB_ACTION: step, GITHUB_WORKFLOW: workflow },
  });
  const manifest = outputs['manifest']
    ?.replaceAll(namespace.name, inputs['namespace'] ?? 'NAMESPACE')
    .replace(/^( {2}name: .*)-[a-z][a-z0-9]{7}( |$)/m, '$1-SUFFIX$2');
  return { text, manifest };
}
