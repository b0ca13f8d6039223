import { afterEach, beforeEach, test } from '@jest/globals';
import { deleted } from './fault-mix/deleted.ts';
import { passFaster } from './fault-mix/faster.ts';
import type { Kind } from './fault-mix/life.ts';
import { restarted } from './fault-mix/restarted.ts';
import { rotated } from './fault-mix/rotated.ts';
import { sideBySide } from './fault-mix/side-by-side.ts';
import { single } from './fault-mix/single.ts';

/** `SEED=n FAULT_RUNS=1` repeats run n, as far as time allows; FAULT_RUNS alone makes more or fewer. */
const RUNS = Number(process.env['FAULT_RUNS'] ?? 100);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const AT_ONCE = 8;
/** Of so many seeds in a row. */
const KINDS: readonly [string, Kind, number][] = [
  ['one container', single, 7],
  ['several side by side', sideBySide, 5],
  ['one that is started again', restarted, 3],
  ['a pod that is deleted', deleted, 3],
  ['a log that is rotated', rotated, 2],
];
const IN_TURN = KINDS.flatMap(([, kind, share]) => Array<Kind>(share).fill(kind));
const SEEDS = Array.from({ length: RUNS }, (_, run) => FIRST_SEED + run);
const kindOf = (seed: number) => IN_TURN[seed % IN_TURN.length];

const faster = passFaster(50);
const { runOne } = await import('./fault-mix/run-one.ts');

beforeEach(() => faster.begin());
afterEach(() => faster.end());

test.each(KINDS)(
  `with faults of all kinds, %s: the outcome is right, and the log what was written (${RUNS} runs from SEED=${FIRST_SEED} on, all in all)`,
  async (_, kind) => {
    const seeds = SEEDS.filter(seed => kindOf(seed) === kind);
    const failed: { seed: number; error: unknown }[] = [];
    const worker = async () => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const of = seed;
        await runOne(kind, seed).catch(error => failed.push({ seed: of, error }));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const [first] = failed;
    if (first === undefined) return;
    const all = failed.map(({ seed }) => `SEED=${seed}`).join(', ');
    throw new Error(`${failed.length} runs failed: ${all}. The first: ${first.error}`);
  },
  30_000 + 2000 * RUNS,
);
