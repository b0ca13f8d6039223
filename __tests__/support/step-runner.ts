import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ActionManifest, inputEnvironment, readActionManifest } from './action-manifest.ts';
import { jobEnvironment, StepFolders } from './step-folders.ts';
import { type PhaseOptions, type StepLine, StepPhase, type StepResult } from './step-phase.ts';

export type { Annotation, ExecutedCommand } from './command-processor.ts';
export type { StepLine, StepResult } from './step-phase.ts';

export interface StepOptions {
  /** The step's `with:`. */
  inputs?: Record<string, string>;
  /** The step's `env:`; wins over everything the runner sets. */
  env?: Record<string, string>;
  /** Values masked in the log from the start, as the job's secrets are. */
  secrets?: readonly string[];
  /** Values of expressions in the defaults of inputs, e.g. `{'github.token': 'ghs_x'}`. */
  contexts?: Record<string, string>;
  /** Script to run instead of the `main` and `post` of action.yml. */
  entry?: string;
  /** Folder of action.yml; default is the project's. */
  actionFolder?: string;
  /** GITHUB_WORKSPACE and the working directory; default is a temporary folder. */
  workspace?: string;
  /** RUNNER_DEBUG=1: `::debug::` is shown. */
  debug?: boolean;
  /** Do not throw when the process died of an uncaught exception or unhandled rejection. */
  allowCrash?: boolean;
  /** ACTIONS_ALLOW_UNSECURE_COMMANDS. */
  allowUnsecureCommands?: boolean;
  /** Kill the process and reject when main or post takes longer; default 60 s. */
  timeoutMs?: number;
}

/** A step whose main is running. */
export interface RunningStep {
  readonly pid: number;
  /** All lines so far. */
  readonly lines: readonly StepLine[];
  /**
   * The first line (past or to come) that matches, in what the log shows or in what the process wrote; `nth` asks for a later one.
   * Rejects with the log so far when main ends without it or the time (default 10 s) is over.
   */
  line(pattern: RegExp | string, timeoutMs?: number, nth?: number): Promise<StepLine>;
  /** As the runner cancels: SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL of the whole tree. Resolves with main's result. */
  cancel(): Promise<StepResult>;
  /** SIGKILL of the whole tree at once. Resolves with main's result. */
  kill(): Promise<StepResult>;
  /** Main's result. */
  readonly done: Promise<StepResult>;
  /** Whether there is a post to run. */
  readonly hasPost: boolean;
  /** Runs post, after main however it ended; rejects if action.yml has none and no `entry` is given. */
  runPost(): Promise<StepResult>;
  /** Kills what still runs and removes the temporary folders. */
  dispose(): Promise<void>;
}

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Main, then post, as a job does with a step. */
export async function runStep(options: StepOptions = {}): Promise<StepResult & { post?: StepResult }> {
  const step = startStep(options);
  try {
    // Post runs whatever became of main, a crash included; the crash is thrown after it.
    const [main] = await Promise.allSettled([step.done]);
    const [post] = await Promise.allSettled([step.hasPost ? step.runPost() : undefined]);
    if (main.status === 'rejected') throw main.reason;
    if (post.status === 'rejected') throw post.reason;
    return { ...main.value, ...(post.value && { post: post.value }) };
  } finally {
    await step.dispose();
  }
}

export function startStep(options: StepOptions = {}): RunningStep {
  const manifest = manifestOf(options);
  const folders = new StepFolders(options.workspace);
  const base: Record<string, string> = {
    ...jobEnvironment(folders),
    ...inputEnvironment(manifest, options.inputs ?? {}),
    ...(options.debug && { RUNNER_DEBUG: '1' }),
    ...options.env,
  };
  const start = (script: string, extra: Record<string, string>, secrets: readonly string[]): StepPhase =>
    new StepPhase({
      ...phaseOptions(options),
      secrets,
      entry: options.entry ?? join(options.actionFolder ?? projectFolder, script),
      env: { ...base, ...extra },
      folders,
    });

  const main = start(manifest.main, {}, options.secrets ?? []);
  let post: StepPhase | undefined;
  return {
    pid: main.pid,
    lines: main.lines,
    hasPost: manifest.post !== undefined || options.entry !== undefined,
    line: (pattern, timeoutMs, nth) => main.line(pattern, timeoutMs, nth),
    done: main.done,
    cancel: () => main.cancel(),
    kill: () => main.kill(),
    async runPost() {
      if (manifest.post === undefined && options.entry === undefined) throw new Error('action.yml has no runs.post.');
      await main.done.catch(() => {});
      post = start(manifest.post ?? manifest.main, afterMain(main, base['PATH']), [
        ...(options.secrets ?? []),
        ...main.masks,
      ]);
      return await post.done;
    },
    async dispose() {
      for (const phase of [main, post]) await phase?.kill().catch(() => {});
      folders.remove();
    },
  };
}

/** What post gets of main: its saved state, and what it set for the steps after it. */
function afterMain(main: StepPhase, path = ''): Record<string, string> {
  const { state, env, paths } = main.results();
  return {
    ...env,
    ...(paths.length > 0 && { PATH: [...[...paths].reverse(), path].join(':') }),
    ...Object.fromEntries(Object.entries(state).map(([key, value]) => [`STATE_${key}`, value])),
  };
}

function manifestOf(options: StepOptions): ActionManifest {
  return readActionManifest(options.actionFolder ?? projectFolder, options.contexts);
}

function phaseOptions(
  options: StepOptions,
): Pick<PhaseOptions, 'debug' | 'allowCrash' | 'allowUnsecureCommands' | 'timeoutMs'> {
  return {
    debug: options.debug ?? false,
    allowCrash: options.allowCrash ?? false,
    allowUnsecureCommands: options.allowUnsecureCommands ?? false,
    timeoutMs: options.timeoutMs ?? 60_000,
  };
}
