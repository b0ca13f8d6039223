import { parseKeyValueFile, parsePathFile } from './command-files.ts';
import { type Annotation, CommandProcessor, type ExecutedCommand } from './command-processor.ts';
import { credentialsOf, refuseLeaks } from './credentials.ts';
import type { CommandFiles, StepFolders } from './step-folders.ts';
import { type ProcessEnd, StepProcess } from './step-process.ts';

export interface StepLine {
  /** As the job log shows it, masked; '' for a command that shows nothing. */
  text: string;
  /** Whether the job log has it at all. */
  shown: boolean;
  /** As the process wrote it. */
  raw: string;
  stream: 'stdout' | 'stderr' | 'runner';
  /** Since the process was started. */
  atMs: number;
  command?: ExecutedCommand;
}

/** How main or post ended. */
export interface StepResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  conclusion: 'success' | 'failure' | 'cancelled';
  lines: StepLine[];
  /** The job log. */
  text: string;
  commands: ExecutedCommand[];
  annotations: Annotation[];
  /** Values of add-mask. */
  masks: string[];
  outputs: Record<string, string>;
  state: Record<string, string>;
  env: Record<string, string>;
  paths: string[];
  summary: string;
  /** When the process was started, by `performance.now()`: the lines' times count from then. */
  startedAtMs: number;
  durationMs: number;
}

export interface PhaseOptions {
  entry: string;
  env: Record<string, string>;
  folders: StepFolders;
  secrets: readonly string[];
  debug: boolean;
  allowCrash: boolean;
  allowUnsecureCommands: boolean;
  timeoutMs: number;
}

/** FileCommandManager.cs AttachmentSizeLimit. */
const largestSummaryBytes = 1024 * 1024;
/** What Node writes to stderr, and only there, when an exception or rejection ends the process. */
const crash = /UnhandledPromiseRejection|ERR_UNHANDLED_REJECTION|Uncaught|^Node\.js v\d+\.\d+\.\d+/m;

interface Waiter {
  check(): void;
  end(): void;
}

/** One process of a step (main or post) under the runner's rules. */
export class StepPhase {
  readonly done: Promise<StepResult>;
  readonly lines: StepLine[] = [];
  readonly #options: PhaseOptions;
  readonly #commands: CommandProcessor;
  readonly #files: CommandFiles;
  readonly #process: StepProcess;
  readonly #startedAt = performance.now();
  readonly #waiters = new Set<Waiter>();
  /** What the step had at its start, and may show nowhere. */
  readonly #credentials: string[];
  #summary = '';
  #over = false;

  constructor(options: PhaseOptions) {
    this.#options = options;
    this.#commands = new CommandProcessor(options);
    this.#files = options.folders.commandFiles();
    this.#credentials = credentialsOf(options.env, options.folders.workspace);
    this.#process = new StepProcess({
      entry: options.entry,
      cwd: options.folders.workspace,
      env: { ...this.#files.variables, ...options.env },
      onLine: (stream, raw) => this.#take(stream, raw),
    });
    this.done = this.#untilDone();
    this.done.catch(() => {}); // whoever needs it awaits it; nobody else shall die of it
  }

  get pid(): number {
    return this.#process.pid;
  }

  get masks(): string[] {
    return this.#commands.masks;
  }

  results(): Pick<CommandProcessor, 'outputs' | 'state' | 'env' | 'paths'> {
    return this.#commands;
  }

  async cancel(): Promise<StepResult> {
    if (!this.#over) await this.#process.cancel();
    return await this.done;
  }

  async kill(): Promise<StepResult> {
    if (!this.#over) this.#process.kill();
    return await this.done;
  }

  line(pattern: RegExp | string, timeoutMs = 10_000, nth = 1): Promise<StepLine> {
    const matches = (text: string): boolean =>
      typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0;
    return new Promise((resolve, reject) => {
      let seen = 0;
      let looked = 0;
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        act();
      };
      const giveUp = (why: string): void =>
        settle(() => reject(new Error(`No line matched ${String(pattern)}: ${why}. The log so far:\n${this.#text()}`)));
      const timer = setTimeout(() => giveUp(`${timeoutMs} ms are over`), timeoutMs);
      const waiter: Waiter = {
        check: () => {
          for (; looked < this.lines.length; looked++) {
            const line = this.lines[looked];
            if (line && (matches(line.text) || matches(line.raw)) && ++seen === nth) return settle(() => resolve(line));
          }
        },
        end: () => giveUp('the process ended'),
      };
      this.#waiters.add(waiter);
      waiter.check();
      if (this.#over && this.#waiters.has(waiter)) waiter.end();
    });
  }

  #take(stream: StepLine['stream'], raw: string): void {
    const { shown, command } = this.#commands.line(raw);
    this.#add({
      text: shown.join('\n'),
      shown: shown.length > 0,
      raw,
      stream,
      atMs: this.#elapsed(),
      ...(command && { command }),
    });
  }

  #add(line: StepLine): void {
    this.lines.push(line);
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  #text(): string {
    return this.lines
      .filter(line => line.shown)
      .map(line => line.text)
      .join('\n');
  }

  async #untilDone(): Promise<StepResult> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#process.kill();
    }, this.#options.timeoutMs);
    try {
      const end = await this.#process.ended;
      this.#readFiles();
      const result = this.#result(end);
      if (timedOut)
        throw new Error(
          `The step had not ended after ${this.#options.timeoutMs} ms and was killed. Its log:\n${result.text}`,
        );
      this.#refuseCrash(result);
      this.#refuseLeaks();
      return result;
    } finally {
      clearTimeout(timer);
      this.#over = true;
      for (const waiter of [...this.#waiters]) waiter.end();
    }
  }

  /** The runner reads the files however the process ended, killed included (ActionRunner.cs, `finally`). */
  #readFiles(): void {
    this.#readFile('GITHUB_OUTPUT', () =>
      Object.assign(this.#commands.outputs, parseKeyValueFile(this.#files.read('output'))),
    );
    this.#readFile('GITHUB_STATE', () =>
      Object.assign(this.#commands.state, parseKeyValueFile(this.#files.read('state'))),
    );
    this.#readFile('GITHUB_ENV', () => {
      const env = parseKeyValueFile(this.#files.read('env'));
      if (env['NODE_OPTIONS'] !== undefined)
        throw new Error("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
      Object.assign(this.#commands.env, env);
    });
    this.#readFile('GITHUB_PATH', () => this.#commands.paths.push(...parsePathFile(this.#files.read('path'))));
    this.#readSummary();
  }

  #readFile(variable: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      const name = variable.replace('GITHUB_', '').toLowerCase();
      this.#fail(
        `Unable to process file command '${name}' successfully.`,
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  /** Too large a summary is not uploaded and raises an error annotation, but the step's conclusion stays. */
  #readSummary(): void {
    const summary = this.#files.read('summary');
    const bytes = Buffer.byteLength(summary);
    if (bytes <= largestSummaryBytes) {
      this.#summary = this.#commands.masker.mask(summary);
      return;
    }
    const failed = this.#commands.failed;
    this.#fail(
      `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.floor(bytes / 1024)}k.`,
    );
    this.#commands.failed = failed;
  }

  #fail(...messages: string[]): void {
    for (const text of this.#commands.fail(...messages)) {
      this.#add({
        text: this.#commands.masker.mask(text),
        shown: true,
        raw: '',
        stream: 'runner',
        atMs: this.#elapsed(),
      });
    }
  }

  #result({ exitCode, signal }: ProcessEnd): StepResult {
    const { commands, annotations, masks, outputs, state, env, paths, failed } = this.#commands;
    const conclusion = this.#process.cancelled ? 'cancelled' : exitCode === 0 && !failed ? 'success' : 'failure';
    return {
      exitCode,
      signal,
      conclusion,
      lines: this.lines,
      text: this.#text(),
      commands,
      annotations,
      masks,
      outputs,
      state,
      env,
      paths,
      summary: this.#summary,
      startedAtMs: this.#startedAt,
      durationMs: this.#elapsed(),
    };
  }

  #refuseLeaks(): void {
    const written = (['output', 'state', 'env', 'path', 'summary'] as const).map(
      file => [file, this.#files.read(file)] as const,
    );
    // What was there at the end counts too: credentials are renewed.
    const { env, folders } = this.#options;
    const known = [...this.#credentials, ...credentialsOf(env, folders.workspace)];
    refuseLeaks(known, this.lines, Object.fromEntries(written));
  }

  #refuseCrash(result: StepResult): void {
    if (this.#options.allowCrash) return;
    const stderr = result.lines
      .filter(line => line.stream === 'stderr')
      .map(line => line.raw)
      .join('\n');
    if (!crash.test(stderr)) return;
    throw new Error(
      `The step's process crashed (exit code ${result.exitCode}). Its stderr:\n${stderr}\nIts log:\n${result.text}`,
    );
  }
}
