import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a plugin has printed, and how it ended. */
export interface PluginRun {
  stdout: string;
  stderr: string;
  /** `null` where a signal ended it. */
  exitCode: number | null;
}

/** What is kept of each stream, in bytes: a credential is a few thousand. */
const MOST_PRINTED = 1024 * 1024;

/** So long after the end of a plugin its streams are read, where something holds them open. */
const STREAMS_MS = 1000;

const running = new Set<ChildProcess>();

/**
 * Runs a credential plugin without a terminal, to its end, its time's or this process': whatever it has started itself ends with it. A process that is killed outright cannot see to that; the runner kills what it has started then.
 * @param limit when its time is over
 * @throws what keeps it from starting, or the reason of the limit
 */
export async function runPlugin(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'env'>,
  limit: AbortSignal,
): Promise<PluginRun> {
  limit.throwIfAborted();
  // A process group of its own can be killed as a whole; Windows has none.
  const child = spawn(command, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  if (running.size === 0) process.on('exit', killAll);
  running.add(child);
  child.once('close', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', killAll);
  });
  const stop = () => kill(child);
  limit.addEventListener('abort', stop, { once: true });
  const [stdout, stderr] = [child.stdout, child.stderr].map(collected);
  try {
    const exitCode = await ended(child);
    limit.throwIfAborted();
    return { stdout: stdout?.() ?? '', stderr: stderr?.() ?? '', exitCode };
  } finally {
    limit.removeEventListener('abort', stop);
  }
}

/** @returns a function that says what has come so far */
function collected(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < MOST_PRINTED) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** @returns its exit code, once all that it has printed has been read. What it has started itself may hold its streams open for ever. */
function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
    child.once('exit', code => setTimeout(() => resolve(code), STREAMS_MS).unref());
  });
}

function killAll(): void {
  for (const child of running) kill(child);
}

function kill(child: ChildProcess): void {
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has gone already.
  }
}
