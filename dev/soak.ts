/**
 * The full counts of what `npm test` does in short, in about an hour: 1,000 runs under seeded random faults; of a real cluster 200 steps cancelled or killed at random moments, a matrix of 64 entries, 20 outages, long runs under random ones, a silence of 5 minutes, a pod that waits 3 minutes for a node and 2 for its image, 20 results of 5 MiB in whose transfer the API server is killed, every odd result in every kind of container, 20 runs whose connections are cut while files go in and come back, and 20 in which the API server is killed then, pods of 3 minutes under tokens of 15 and 20 s, and every failure 5 times, whose times to the verdict are written into docs/troubleshooting.md (by `npm run docs`, after it).
 * A failing run names its seed: `SEED=n FAULT_RUNS=1 npm run test:unit -- fault-mix` repeats it, `SEED=n CANCEL_RUNS=1 npm run test:cluster -- cancel-random`, `SEED=n CHAOS_RUNS=1 CHAOS_SECONDS=90 npm run test:cluster -- log-chaos`, `SEED=n RESULT_KILLS=1 npm run test:cluster -- results-own-cluster`, or `SEED=n FILES_CUTS=1 npm run test:cluster -- files-cut`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const seed = String(Math.floor(Math.random() * 1e9));
const counts = {
  SEED: seed,
  FAULT_RUNS: '1000',
  CANCEL_RUNS: '200',
  MATRIX_ENTRIES: '64',
  OUTAGE_RUNS: '20',
  CHAOS_RUNS: '5',
  CHAOS_SECONDS: '90',
  CHAOS_SILENCE_SECONDS: '300',
  PATIENCE_NODE_SECONDS: '180',
  PATIENCE_PULL_SECONDS: '120',
  RESULT_KILLS: '20',
  RESULT_ENVIRONMENTS: 'all',
  FILES_CUTS: '20',
  FILES_KILLS: '10',
  KEYLESS_SECONDS: '180',
  FAILURE_RUNS: '5',
};
const env = { ...counts, ...process.env };
process.stdout.write(`seeds from ${env.SEED} on\n`);
const files = [
  'fault-mix',
  'cancel-random',
  'equal-steps',
  'outage',
  'log-chaos',
  'patience',
  'results',
  'keyless',
  'files',
  'failures',
];
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), ...files, '--testTimeout', '3600000'],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
