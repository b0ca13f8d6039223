import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/** One command, measured from its start to its end. */
export interface Measured {
  seconds: number;
  cpuSeconds: number;
  peakBytes: number;
  /** When it was started, on `performance.now()`'s clock as all times here. */
  startedAt: number;
  stdout: Chunk[];
  memory: MemorySample[];
}

export interface Chunk {
  at: number;
  bytes: Buffer;
}

export interface MemorySample {
  /** What had been read of stdout by then. */
  readBytes: number;
  residentBytes: number;
}

export interface Measuring {
  env: NodeJS.ProcessEnv;
  stdin?: string;
  /** Sees stdout as it comes. */
  onChunk?: (chunk: Buffer) => void;
  /** Reads stdout no faster than this, as a runner on a busy machine; default is as fast as it comes. */
  bytesPerSecond?: number | undefined;
  /** How often to look at the memory; default is never. */
  sampleMs?: number | undefined;
}

/**
 * Runs a command with its stdout in a pipe (Node's own `'pipe'` is a socket, which holds three times as much). Peak memory and CPU are by GNU time: the operating system's account of the finished process.
 * @param folder for the files that this takes
 * @throws when it fails, with what it said
 */
export async function measured(command: string[], folder: string, how: Measuring): Promise<Measured> {
  const [pipe, report] = [join(folder, `stdout-${randomUUID()}`), join(folder, `time-${randomUUID()}`)];
  if (spawnSync('mkfifo', [pipe]).status !== 0) throw new Error(`mkfifo ${pipe} failed.`);
  const readable = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writable = openSync(pipe, constants.O_WRONLY);
  const startedAt = performance.now();
  const child = spawn('/usr/bin/time', ['-o', report, '-f', '%M %U %S', ...command], {
    env: how.env,
    stdio: ['pipe', writable, 'pipe'],
  });
  closeSync(writable);
  const closed = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  child.stdin?.end(how.stdin ?? '');
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });

  const stdout: Chunk[] = [];
  const memory: MemorySample[] = [];
  let readBytes = 0;
  const sampling = setInterval(
    () => {
      const residentBytes = residentBytesOf(child);
      if (residentBytes !== undefined) memory.push({ readBytes, residentBytes });
    },
    how.sampleMs ?? 2 ** 30,
  );
  try {
    const socket = new Socket({ fd: readable, readable: true, writable: false });
    socket.on('data', (bytes: Buffer) => {
      stdout.push({ at: performance.now(), bytes });
      readBytes += bytes.length;
      how.onChunk?.(bytes);
      if (how.bytesPerSecond === undefined) return;
      socket.pause();
      setTimeout(() => socket.resume(), (1000 * bytes.length) / how.bytesPerSecond);
    });
    const [code] = await Promise.all([closed, once(socket, 'end')]);
    const seconds = (performance.now() - startedAt) / 1000;
    if (code !== 0) throw new Error(`${command.join(' ')} failed (${code}): ${textOf(stdout).slice(-4000)}${stderr}`);
    const [kibibytes = 0, user = 0, system = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024, startedAt, stdout, memory };
  } finally {
    clearInterval(sampling);
    for (const file of [pipe, report]) rmSync(file, { force: true });
  }
}

export function textOf(stdout: Chunk[]): string {
  return Buffer.concat(stdout.map(({ bytes }) => bytes)).toString();
}

/** Of the command itself, which is GNU time's child. */
function residentBytesOf({ pid }: ChildProcess): number | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${command}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : 1024 * Number(kibibytes);
  } catch {
    return undefined; // not there yet, or not any more
  }
}

/** Measures the action's main on a cluster. */
export function measuredAction(
  inputs: Record<string, string>,
  folder: string,
  how: Omit<Measuring, 'env'> & { nodeFlags?: string[]; env?: Record<string, string> } = {},
): Promise<Measured> {
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STATE: join(folder, 'state') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const env = { PATH: process.env['PATH'], HOME: folder, ...files, ...how.env, ...Object.fromEntries(given) };
  const script = join(import.meta.dirname, '..', '..', 'dist', 'index.js');
  return measured([process.execPath, ...(how.nodeFlags ?? []), script], folder, { ...how, env });
}
