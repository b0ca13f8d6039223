import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { OutputLines } from './output-lines.ts';

export interface StepProcessOptions {
  entry: string;
  cwd: string;
  env: Record<string, string>;
  onLine(stream: 'stdout' | 'stderr', raw: string): void;
}

export interface ProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** ProcessInvoker.cs: SIGINT, this long, SIGTERM, this long, then the whole tree is killed. */
const sigintMs = 7_500;
const sigtermMs = 2_500;
/** ProcessInvoker.cs ProcessExitedHandler: how long a child may hold the output open after the step's process is gone. */
const openOutputMs = 5_000;

const running = new Set<StepProcess>();
process.on('exit', () => {
  for (const step of running) step.kill();
});

/** A step's process, started and stopped as the runner does. Once {@link ended} resolves, nothing it started is alive. */
export class StepProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  cancelled = false;
  readonly #child: ChildProcess;
  /** Inherited by everything the step starts; the runner too finds a job's orphans by this variable (JobExtension.cs). */
  readonly #trackingId = `github_${randomUUID()}`;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: StepProcessOptions) {
    this.#child = spawn(process.execPath, [options.entry], {
      cwd: options.cwd,
      env: { ...options.env, RUNNER_TRACKING_ID: this.#trackingId },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // its own process group, so that it can be killed as a whole and Ctrl-C in a terminal is ours alone
    });
    this.pid = this.#child.pid ?? 0;
    running.add(this);
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end();
    for (const stream of ['stdout', 'stderr'] as const) {
      const lines = new OutputLines();
      this.#child[stream]?.on('data', (chunk: Buffer) => {
        for (const line of lines.push(chunk)) options.onLine(stream, line);
      });
      this.#child[stream]?.on('close', () => {
        for (const line of lines.end()) options.onLine(stream, line);
      });
    }
    this.ended = this.#untilEnded();
  }

  /** The signals go to the step's own process only, as the runner's do, not to its children. */
  async cancel(): Promise<void> {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#child.kill('SIGINT');
    this.#after(sigintMs, () => {
      this.#child.kill('SIGTERM');
      this.#after(sigtermMs, () => this.kill());
    });
    await this.ended.catch(() => {});
  }

  /** SIGKILL, at once, to everything the step started. */
  kill(): void {
    for (const pid of [-this.pid, ...tracked(this.#trackingId)]) {
      try {
        if (pid !== 0) process.kill(pid, 'SIGKILL');
      } catch {
        // gone already
      }
    }
  }

  /** A killed process is gone only once the kernel has got to it. */
  async #killTheRest(): Promise<void> {
    do {
      this.kill();
      await setImmediate();
    } while (tracked(this.#trackingId).length > 0);
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }

  async #untilEnded(): Promise<ProcessEnd> {
    try {
      return await new Promise<ProcessEnd>((resolve, reject) => {
        this.#child.once('error', reject);
        let end: ProcessEnd = { exitCode: null, signal: null };
        this.#child.once('exit', (exitCode, signal) => {
          end = { exitCode, signal };
          this.#after(openOutputMs, () => {
            this.#child.stdout?.destroy();
            this.#child.stderr?.destroy();
          });
        });
        this.#child.once('close', () => resolve(end));
      });
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers = [];
      await this.#killTheRest();
      running.delete(this);
    }
  }
}

/** Processes that left the step's process group (setsid) but still carry its environment. Linux only. */
function tracked(trackingId: string): number[] {
  const pids = process.platform === 'linux' ? readdirSync('/proc').filter(name => /^\d+$/.test(name)) : [];
  return pids.map(Number).filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`RUNNER_TRACKING_ID=${trackingId}`);
    } catch {
      return false; // gone, or not ours to read
    }
  });
}
