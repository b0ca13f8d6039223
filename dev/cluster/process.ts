import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, told from a later one that got the same pid by the time it started (clock ticks since the boot). */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** When the process started, or undefined when there is none; a zombie is none: it holds nothing any more. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces: count from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isRunning(process: ProcessIdentity): boolean {
  return startTimeOf(process.pid) === process.startTime;
}

/**
 * Starts a process that outlives this one: its own session, nothing of ours held open, output appended to a file.
 * It is put into its cgroup by a shell that then becomes it, so there is no moment in which it, or a child of it, is elsewhere.
 */
export function startDetached(command: string[], cgroupProcs: string, logFile: string): ProcessIdentity {
  const output = openSync(logFile, 'a');
  try {
    const child = spawn('/bin/sh', ['-c', 'echo $$ >"$0" && exec "$@"', cgroupProcs, ...command], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: '/',
    });
    child.on('error', () => {}); // no /bin/sh: the missing pid below says so
    child.unref();
    const startTime = child.pid === undefined ? undefined : startTimeOf(child.pid);
    if (child.pid === undefined || startTime === undefined) throw new Error(`${command[0]} did not start.`);
    return { pid: child.pid, startTime };
  } finally {
    closeSync(output);
  }
}

/** Sends a signal to exactly this process and waits for its end. */
export async function end(identity: ProcessIdentity, signal: NodeJS.Signals, timeoutSeconds: number): Promise<boolean> {
  if (isRunning(identity)) signalPid(identity.pid, signal);
  return await until(() => !isRunning(identity), timeoutSeconds);
}

export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits for something to hold; false when it did not in time. */
export async function until(holds: () => boolean | Promise<boolean>, timeoutSeconds: number): Promise<boolean> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}
