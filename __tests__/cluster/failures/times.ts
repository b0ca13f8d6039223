import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Played } from './play.ts';

/** How often each is played: once in `npm test`; with more the times are recorded. */
export const RUNS = Number(process.env['FAILURE_RUNS'] ?? 1);

const FILE = join(import.meta.dirname, 'times.json');

/** @returns the times to the verdict as they were recorded last, in seconds by the scenario's name. */
export function recordedTimes(): Record<string, number> {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, number>) : {};
}

/** Records the median of each, where there is more than one. */
export function recordTimes(played: [name: string, Played[]][]): void {
  if (RUNS === 1) return;
  const medians = played.flatMap(([name, runs]) => {
    const seconds = medianSeconds(runs);
    return seconds === undefined ? [] : [[name, Number(seconds.toFixed(2))] as const];
  });
  const all = { ...recordedTimes(), ...Object.fromEntries(medians) };
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
}

/** @returns the median time to the verdict. */
export function medianSeconds(runs: Played[]): number | undefined {
  const times = runs.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs / 1000])).sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}
