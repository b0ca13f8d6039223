/**
 * The full counts of what `npm test` does in short, in about half an hour: 1,000 runs under seeded random faults; of a real cluster 20 outages, long runs under random ones, and a silence of 5 minutes.
 * A failing run names its seed: `SEED=n FAULT_RUNS=1 npm run test:unit -- fault-mix` repeats it, or `SEED=n CHAOS_RUNS=1 CHAOS_SECONDS=90 npm run test:cluster -- log-chaos`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const seed = String(Math.floor(Math.random() * 1e9));
const counts = {
  SEED: seed,
  FAULT_RUNS: '1000',
  OUTAGE_RUNS: '20',
  CHAOS_RUNS: '5',
  CHAOS_SECONDS: '90',
  CHAOS_SILENCE_SECONDS: '300',
};
const env = { ...counts, ...process.env };
process.stdout.write(`seeds from ${env.SEED} on\n`);
const files = ['fault-mix', 'outage', 'log-chaos'];
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), ...files, '--testTimeout', '3600000'],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
