/**
 * The full counts of what `npm test` does in short, in about an hour: 1,000 runs under seeded random faults; of a real cluster 20 outages, long runs under random ones, a silence of 5 minutes, a pod that waits 3 minutes for a node and 2 for its image, and every failure 5 times, whose times to the verdict are written into docs/troubleshooting.md (by `npm run docs`, after it).
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
  PATIENCE_NODE_SECONDS: '180',
  PATIENCE_PULL_SECONDS: '120',
  FAILURE_RUNS: '5',
};
const env = { ...counts, ...process.env };
process.stdout.write(`seeds from ${env.SEED} on\n`);
const files = ['fault-mix', 'outage', 'log-chaos', 'patience', 'failures'];
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), ...files, '--testTimeout', '3600000'],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
