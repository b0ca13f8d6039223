import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end; never throws for a command that fails, only `run` does. */
export async function attempt(command: string, args: string[], options: RunOptions = {}): Promise<Ended> {
  return await new Promise(resolve => {
    const env = { ...process.env, ...options.env };
    const settings = { env, cwd: options.cwd, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
    });
    child.stdin?.on('error', () => {}); // it may end without reading it
    child.stdin?.end(options.stdin);
  });
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string;
}

/** Runs a command to its end and returns what it printed; one that fails is an error with the end of what it said. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const ended = await attempt(command, args, options);
  if (ended.code !== 0) {
    const said = (ended.stderr + ended.stdout).trim().split('\n').slice(-20).join('\n');
    throw new Error(`${[command, ...args].join(' ').slice(0, 300)} failed (exit code ${ended.code}): ${said}`);
  }
  return ended.stdout;
}

/** The path of a program, or undefined. Looks into the system's folders too: they are missing from many a PATH. */
export function findProgram(name: string, more: string[] = []): string | undefined {
  const system = process.platform === 'win32' ? [] : ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), ...more, ...system]) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

export function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is missing; it is not on PATH.`);
  return path;
}
