/**
 * The full counts of what `npm test` does in short: 1,000 runs under seeded random faults, 20 outages of a real cluster.
 * A failing run names its seed: SEED=n FAULT_RUNS=1 npm run test:unit -- fault-mix repeats it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const seed = process.env['SEED'] ?? String(Math.floor(Math.random() * 1e9));
const env = {
  ...process.env,
  FAULT_RUNS: process.env['FAULT_RUNS'] ?? '1000',
  OUTAGE_RUNS: process.env['OUTAGE_RUNS'] ?? '20',
  SEED: seed,
};
process.stdout.write(`faults from seed ${seed} on\n`);
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), 'fault-mix', 'outage', '--testTimeout', '3600000'],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
