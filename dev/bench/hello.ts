/**
 * Measures `echo hello` from process start to exit against the same by kubectl, in turn in one run, so that what the machine does meanwhile hits both.
 *   node dev/bench/hello.ts [pairs, default 10] [--assert]
 * Needs GNU time for the peak memory. `--assert` fails above 0.5 of kubectl's time or 100 MB (10^6 bytes) at peak.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down, up } from '../cluster/index.ts';
import { type Measured, measured, measuredAction, textOf } from './measure.ts';
import { heading, median, row, say } from './table.ts';

const NAME = 'bench';
const pairs = Number(process.argv.slice(2).find(argument => /^\d+$/.test(argument)) ?? 10);

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: NAME }, say);
try {
  const ours: Measured[] = [];
  const kubectls: Measured[] = [];
  // The first pair warms the node up and is not counted.
  for (let pair = 0; pair <= pairs; pair++) {
    const [a, b] = [await runStep(), await runKubectl(pair)];
    if (pair > 0) ours.push(a);
    if (pair > 0) kubectls.push(b);
  }
  const seconds = (runs: Measured[]): number[] => runs.map(run => run.seconds);
  const peakMb = (runs: Measured[]): number[] => runs.map(({ peakBytes }) => peakBytes / 1e6);
  const ratios = ours.map((run, index) => run.seconds / (kubectls[index]?.seconds ?? Number.NaN));
  say(heading(`echo hello, start of the process to its end, ${pairs} pairs`));
  say(row('this action, s', seconds(ours)));
  say(row('kubectl run --rm -i, s', seconds(kubectls)));
  say(row('ratio', ratios));
  say(row('this action, peak MB', peakMb(ours)));
  say(row('kubectl, peak MB', peakMb(kubectls)));
  const cpuSeconds = ours.map(run => run.cpuSeconds);
  say(row('this action, CPU s', cpuSeconds));
  if (process.argv.includes('--assert') && (median(ratios) > 0.5 || Math.max(...peakMb(ours)) > 100)) {
    say('too slow, or too large');
    process.exitCode = 1;
  }
} finally {
  if (cluster.started) await down(NAME, say);
  rmSync(folder, { recursive: true, force: true });
}

async function runStep(): Promise<Measured> {
  const inputs = { config_file: cluster.kubeconfig, image: cluster.images.shell, cmds: 'echo hello' };
  return greeted(await measuredAction(inputs, folder));
}

async function runKubectl(pair: number): Promise<Measured> {
  const image = ['--image', cluster.images.shell];
  const run = ['run', `hello-${pair}`, '--rm', '-i', '--restart=Never', ...image, '--', 'echo', 'hello'];
  const command = [cluster.kubectl ?? 'kubectl', '--kubeconfig', cluster.kubeconfig, ...run];
  return greeted(await measured(command, folder, { env: { PATH: process.env['PATH'], HOME: folder } }));
}

function greeted(run: Measured): Measured {
  if (!textOf(run.stdout).includes('hello')) throw new Error(`There is no hello in: ${textOf(run.stdout)}`);
  return run;
}
