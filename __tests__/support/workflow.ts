import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { load } from 'js-yaml';
import { parseKeyValueFile } from './command-files.ts';
import { interpolate, isMet, type Scope, type Value } from './expressions.ts';
import { type RunningStep, type StepResult, startStep } from './step-runner.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface WorkflowOptions {
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  /** What the runner's own environment has beside the usual. */
  env?: Record<string, string>;
  /** The inputs that a step of the action gets in place of those that are written. */
  inputs?: (written: Record<string, string>, step: string) => Record<string, string>;
  /** A folder of programs that come before all others of their name. */
  programs?: string;
  /** What a person gives who starts it by hand; nothing where a schedule does. */
  dispatch?: Record<string, string | boolean>;
  /** Values of expressions in the defaults of an action's inputs. */
  contexts?: Record<string, string>;
  /** Other actions that the workflow may use; they do nothing. */
  actions?: readonly string[];
  /** The jobs' workspace, where it is not this repository. */
  workspace?: string;
  timeoutMs?: number;
}

/** How a step ended. */
export interface StepOutcome {
  id: string;
  outcome: 'success' | 'failure' | 'skipped';
  outputs: Record<string, string>;
  /** What it printed. */
  text: string;
  /** Where it is one of this action. */
  result?: StepResult;
  post?: StepResult;
}

export interface JobOutcome {
  result: 'success' | 'failure' | 'skipped';
  outputs: Record<string, string>;
  steps: Record<string, StepOutcome>;
}

interface StepFile {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  with?: Record<string, string | number | boolean | null>;
  env?: Record<string, string>;
  run?: string;
  'continue-on-error'?: boolean;
}

interface JobFile {
  strategy?: { 'fail-fast'?: boolean; matrix: Record<string, Value[]> };
  'runs-on': string;
  needs?: string | string[];
  if?: string;
  outputs?: Record<string, string>;
  steps: StepFile[];
}

interface WorkflowFile {
  name: string;
  on: unknown;
  permissions: unknown;
  env?: Record<string, string>;
  jobs: Record<string, JobFile>;
}

const WORKFLOW_KEYS = ['name', 'on', 'permissions', 'concurrency', 'env', 'jobs'];
const JOB_KEYS = ['runs-on', 'environment', 'strategy', 'needs', 'if', 'outputs', 'steps'];
const STEP_KEYS = ['id', 'name', 'if', 'uses', 'with', 'env', 'run', 'continue-on-error'];

/** @param file from the project's root. What this reader does not know of workflows is an error. */
export function readWorkflow(file: string): WorkflowFile {
  const workflow = load(readFileSync(join(ROOT, file), 'utf8')) as WorkflowFile;
  known(workflow, WORKFLOW_KEYS, file);
  for (const [name, job] of Object.entries(workflow.jobs)) {
    known(job, JOB_KEYS, name);
    for (const step of job.steps) known(step, STEP_KEYS, step.id ?? step.name ?? name);
  }
  return workflow;
}

/** Runs a workflow as GitHub would, with this machine for its runner: jobs as their needs allow, and the post steps at the end of each. */
export async function runWorkflow(file: string, options: WorkflowOptions = {}): Promise<Record<string, JobOutcome>> {
  const workflow = readWorkflow(file);
  const jobs = new Map<string, Promise<JobOutcome>>();
  const start = (name: string): Promise<JobOutcome> => {
    const job = workflow.jobs[name];
    if (job === undefined) throw new Error(`${file} has no job ${name}.`);
    const needs = [job.needs ?? []].flat();
    const running =
      jobs.get(name) ??
      all(entriesOf(job).map(matrix => new Job(workflow, name, job, options, matrix).run(needs, start)));
    jobs.set(name, running);
    return running;
  };
  const outcomes = await Promise.all(Object.keys(workflow.jobs).map(async name => [name, await start(name)] as const));
  return Object.fromEntries(outcomes);
}

/** @returns what each job of a matrix has of it, all of them at once as where nothing fails fast; one that has nothing, if there is none */
function entriesOf({ strategy }: JobFile): Record<string, Value>[] {
  return Object.entries(strategy?.matrix ?? {}).reduce<Record<string, Value>[]>(
    (entries, [name, values]) => entries.flatMap(entry => values.map(value => ({ ...entry, [name]: value }))),
    [{}],
  );
}

/** The outcome of a matrix: the steps of each of its jobs under `NAME (n)`, where there are several. */
async function all(running: Promise<JobOutcome>[]): Promise<JobOutcome> {
  const jobs = await Promise.all(running);
  const [first] = jobs;
  if (first === undefined) throw new Error('A matrix is empty.');
  if (jobs.length === 1) return first;
  const worst = (['failure', 'success', 'skipped'] as const).find(result => jobs.some(job => job.result === result));
  const steps = jobs.flatMap(({ steps }, index) =>
    Object.entries(steps).map(([id, step]) => [`${id} (${index + 1})`, step] as const),
  );
  return { result: worst ?? 'skipped', outputs: first.outputs, steps: Object.fromEntries(steps) };
}

class Job {
  readonly #workflow: WorkflowFile;
  readonly #name: string;
  readonly #job: JobFile;
  readonly #options: WorkflowOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'job-'));
  readonly #env: Record<string, string> = {};
  readonly #steps: Record<string, StepOutcome> = {};
  readonly #running: { step: RunningStep; outcome: StepOutcome }[] = [];
  readonly #matrix: Record<string, Value>;
  #needs: Record<string, JobOutcome> = {};
  #succeeded = true;

  constructor(
    workflow: WorkflowFile,
    name: string,
    job: JobFile,
    options: WorkflowOptions,
    matrix: Record<string, Value>,
  ) {
    this.#workflow = workflow;
    this.#name = name;
    this.#job = job;
    this.#options = options;
    this.#matrix = matrix;
  }

  async run(needs: string[], start: (job: string) => Promise<JobOutcome>): Promise<JobOutcome> {
    this.#needs = Object.fromEntries(await Promise.all(needs.map(async name => [name, await start(name)] as const)));
    this.#succeeded = Object.values(this.#needs).every(({ result }) => result === 'success');
    try {
      if (!isMet(this.#job.if, this.#scope())) return { result: 'skipped', outputs: {}, steps: {} };
      this.#succeeded = true;
      const { env = {} } = this.#workflow;
      for (const [name, value] of Object.entries({ ...this.#options.env, ...env }))
        this.#env[name] = interpolate(String(value), this.#scope());
      for (const [index, step] of this.#job.steps.entries()) await this.#step(step, step.id ?? `__step_${index + 1}`);
      for (const { step, outcome } of this.#running.toReversed()) if (step.hasPost) outcome.post = await step.runPost();
      const outputs = Object.entries(this.#job.outputs ?? {});
      return {
        result: this.#succeeded ? 'success' : 'failure',
        outputs: Object.fromEntries(outputs.map(([name, value]) => [name, interpolate(value, this.#scope())])),
        steps: this.#steps,
      };
    } finally {
      for (const { step } of this.#running) await step.dispose();
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #step(step: StepFile, id: string): Promise<void> {
    const outcome: StepOutcome = { id, outcome: 'skipped', outputs: {}, text: '' };
    this.#steps[id] = outcome;
    if (!isMet(step.if, this.#scope())) return;
    const env = { ...this.#env };
    for (const [name, value] of Object.entries(step.env ?? {})) env[name] = interpolate(String(value), this.#scope());
    if (step.uses?.startsWith('./')) await this.#action(step.uses, step, outcome, env);
    else if (step.run !== undefined) await this.#command(interpolate(step.run, this.#scope()), outcome, env);
    else if (['actions/checkout', ...(this.#options.actions ?? [])].includes(step.uses?.replace(/@.*/, '') ?? ''))
      outcome.outcome = 'success';
    else throw new Error(`${this.#name}: the step ${id} uses ${step.uses}, of which nothing is known.`);
    if (outcome.outcome === 'failure' && step['continue-on-error'] !== true) this.#succeeded = false;
  }

  async #action(folder: string, step: StepFile, outcome: StepOutcome, env: Record<string, string>): Promise<void> {
    const { inputs = written => written, secrets = {}, contexts = {}, timeoutMs = 120_000 } = this.#options;
    const written = Object.entries(step.with ?? {}).map(([name, value]) => [
      name,
      interpolate(String(value ?? ''), this.#scope()),
    ]);
    const running = startStep({
      inputs: inputs(Object.fromEntries(written) as Record<string, string>, outcome.id),
      env: { ...env, GITHUB_JOB: this.#name, GITHUB_ACTION: outcome.id, GITHUB_WORKFLOW: this.#workflow.name },
      secrets: Object.values(secrets),
      workspace: this.#options.workspace ?? ROOT,
      actionFolder: join(ROOT, folder),
      contexts,
      timeoutMs,
    });
    this.#running.push({ step: running, outcome });
    const result = await running.done;
    Object.assign(outcome, { outcome: result.conclusion, outputs: result.outputs, text: result.text, result });
  }

  /** As GitHub does where no shell is named: bash -e. */
  async #command(script: string, outcome: StepOutcome, env: Record<string, string>): Promise<void> {
    const [file, output, environment] = ['script.sh', 'output', 'env'].map(name => join(this.#folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, script);
    for (const path of [output, environment]) writeFileSync(path, '');
    const path = [this.#options.programs, process.env['PATH']].filter(part => part !== undefined).join(delimiter);
    const child = spawn('bash', ['-e', file], {
      cwd: this.#options.workspace ?? ROOT,
      env: { PATH: path, RUNNER_TEMP: this.#folder, ...env, GITHUB_OUTPUT: output, GITHUB_ENV: environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        outcome.text += text;
      });
    }
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    outcome.outcome = code === 0 ? 'success' : 'failure';
    outcome.outputs = parseKeyValueFile(readFileSync(output, 'utf8'));
    Object.assign(this.#env, parseKeyValueFile(readFileSync(environment, 'utf8')));
  }

  #scope(): Scope {
    const { secrets = {}, vars = {}, dispatch = {} } = this.#options;
    const steps = Object.entries(this.#steps).map(([id, { outcome, outputs }]) => [id, { outcome, outputs }]);
    const needs = Object.entries(this.#needs).map(([name, { result, outputs }]) => [name, { result, outputs }]);
    const contexts: { [name: string]: Value } = {
      ...{ secrets, vars, inputs: dispatch, env: this.#env, matrix: this.#matrix },
      github: { run_id: '1658821493' },
      ...{ steps: Object.fromEntries(steps), needs: Object.fromEntries(needs) },
    };
    return { contexts, succeeded: this.#succeeded };
  }
}

function known(object: object, keys: string[], place: string): void {
  const unknown = Object.keys(object).filter(key => !keys.includes(key));
  if (unknown.length > 0)
    throw new Error(`${place}: ${unknown.join(', ')} is not known to the tests' workflow reader.`);
}
