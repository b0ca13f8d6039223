/**
 * Measures `echo hello` from process start to exit against the same by kubectl, and with a result by sidecar against the same without, in turn in one run, so that what the machine does meanwhile hits all.
 *   node dev/bench/hello.ts [rounds, default 10] [--assert]
 * Needs GNU time for the peak memory. `--assert` fails above 0.5 of kubectl's time or 100 MB (10^6 bytes) at peak, and above 0.1 s for the sidecar.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { asRunner } from '../../__tests__/support/account.ts';
import { down, up } from '../cluster/index.ts';
import { type Measured, measured, measuredAction, textOf } from './measure.ts';
import { heading, median, row, say } from './table.ts';

const NAME = 'bench';
/** In seconds. */
const MOST_FOR_SIDECAR = 0.1;
const rounds = Number(process.argv.slice(2).find(argument => /^\d+$/.test(argument)) ?? 10);

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: NAME }, say);
const kubeconfig = await asRunner(cluster, 'default');
try {
  const ours: Measured[] = [];
  const kubectls: Measured[] = [];
  const results: Record<'auto' | 'true', Measured[]> = { auto: [], true: [] };
  // The first round warms the node up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await runStep(), await runKubectl(round)];
    if (round > 0) ours.push(a);
    if (round > 0) kubectls.push(b);
    // The kubelet looks once a second which containers have ended. Where in that second a run begins decides when its end is seen: the two of a round begin alike, and each round at another point.
    const phaseMs = 1000 * Math.random();
    for (const mode of ['auto', 'true'] as const) {
      await setTimeout(phaseMs);
      const run = await runStep(mode);
      if (round > 0) results[mode].push(run);
    }
  }
  const seconds = (runs: Measured[]): number[] => runs.map(run => run.seconds);
  const peakMb = (runs: Measured[]): number[] => runs.map(({ peakBytes }) => peakBytes / 1e6);
  const ratios = ours.map((run, index) => run.seconds / (kubectls[index]?.seconds ?? Number.NaN));
  say(heading(`echo hello, start of the process to its end, ${rounds} rounds`));
  say(row('this action, s', seconds(ours)));
  say(row('kubectl run --rm -i, s', seconds(kubectls)));
  say(row('ratio', ratios));
  say(row('this action, peak MB', peakMb(ours)));
  say(row('kubectl, peak MB', peakMb(kubectls)));
  const cpuSeconds = ours.map(run => run.cpuSeconds);
  say(row('this action, CPU s', cpuSeconds));
  const extra = seconds(results.true).map((time, index) => time - (seconds(results.auto)[index] ?? Number.NaN));
  say(heading('with a result'));
  say(row('do_xcom_push: auto, s', seconds(results.auto)));
  say(row('do_xcom_push: true, s', seconds(results.true)));
  say(row('for the sidecar, s', extra));
  say(`on average for the sidecar, s: ${(extra.reduce((sum, time) => sum + time, 0) / extra.length).toFixed(2)}`);
  const sidecarIsSlow = median(extra) > MOST_FOR_SIDECAR;
  if (process.argv.includes('--assert') && (sidecarIsSlow || median(ratios) > 0.5 || Math.max(...peakMb(ours)) > 100)) {
    say('too slow, or too large');
    process.exitCode = 1;
  }
} finally {
  if (cluster.started) await down(NAME, say);
  rmSync(folder, { recursive: true, force: true });
}

async function runStep(result?: 'auto' | 'true'): Promise<Measured> {
  const inputs = { config_file: kubeconfig, image: cluster.images.shell };
  const command =
    result === undefined
      ? { cmds: 'echo hello' }
      : { cmds: '[sh, -c]', arguments: '["echo hello; echo {} > $RESULT_PATH"]', do_xcom_push: result };
  return greeted(await measuredAction({ ...inputs, ...command }, folder));
}

async function runKubectl(round: number): Promise<Measured> {
  const image = ['--image', cluster.images.shell];
  const run = ['run', `hello-${round}`, '--rm', '-i', '--restart=Never', ...image, '--', 'echo', 'hello'];
  const command = [cluster.kubectl ?? 'kubectl', '--kubeconfig', cluster.kubeconfig, ...run];
  return greeted(await measured(command, folder, { env: { PATH: process.env['PATH'], HOME: folder } }));
}

function greeted(run: Measured): Measured {
  if (!textOf(run.stdout).includes('hello')) throw new Error(`There is no hello in: ${textOf(run.stdout)}`);
  return run;
}
