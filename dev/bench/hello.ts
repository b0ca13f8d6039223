/**
 * Measures `echo hello` from process start to exit against the same by kubectl, in turn in one run, so that what the machine does meanwhile hits both.
 *   node dev/bench/hello.ts [pairs, default 10] [--assert]
 * Needs GNU time for the peak memory. `--assert` fails above 0.5 of kubectl's time or 100 MB (10^6 bytes) at peak.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down, up } from '../cluster/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NAME = 'bench';
const pairs = Number(process.argv.slice(2).find(argument => /^\d+$/.test(argument)) ?? 10);
const say = (line: string) => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: NAME }, say);
try {
  const ours: Figures[] = [];
  const kubectls: Figures[] = [];
  // The first pair warms the node up and is not counted.
  for (let pair = 0; pair <= pairs; pair++) {
    const [a, b] = [runStep(), runKubectl(pair)];
    if (pair > 0) ours.push(a);
    if (pair > 0) kubectls.push(b);
  }
  const ratios = ours.map(({ seconds }, index) => seconds / (kubectls[index]?.seconds ?? Number.NaN));
  say(`echo hello, start of the process to its end, ${pairs} pairs            min   median   max`);
  say(
    row(
      'this action, s',
      ours.map(({ seconds }) => seconds),
    ),
  );
  say(
    row(
      'kubectl run --rm -i, s',
      kubectls.map(({ seconds }) => seconds),
    ),
  );
  say(row('ratio', ratios));
  say(
    row(
      'this action, peak MB',
      ours.map(({ peakBytes }) => peakBytes / 1e6),
    ),
  );
  say(
    row(
      'kubectl, peak MB',
      kubectls.map(({ peakBytes }) => peakBytes / 1e6),
    ),
  );
  say(
    row(
      'this action, CPU s',
      ours.map(({ cpuSeconds }) => cpuSeconds),
    ),
  );
  if (
    process.argv.includes('--assert') &&
    (median(ratios) > 0.5 || Math.max(...ours.map(({ peakBytes }) => peakBytes)) > 100e6)
  ) {
    say('too slow, or too large');
    process.exitCode = 1;
  }
} finally {
  if (cluster.started) await down(NAME, say);
  rmSync(folder, { recursive: true, force: true });
}

interface Figures {
  seconds: number;
  cpuSeconds: number;
  peakBytes: number;
}

function runStep(): Figures {
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STATE: join(folder, 'state') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    ...files,
    INPUT_CONFIG_FILE: cluster.kubeconfig,
    INPUT_IMAGE: cluster.images.shell,
    INPUT_CMDS: 'echo hello',
  };
  return measured([process.execPath, join(ROOT, 'dist', 'index.js')], env);
}

function runKubectl(pair: number): Figures {
  const args = [
    '--kubeconfig',
    cluster.kubeconfig,
    'run',
    `hello-${pair}`,
    '--rm',
    '-i',
    '--restart=Never',
    '--image',
    cluster.images.shell,
    '--',
    'echo',
    'hello',
  ];
  return measured([cluster.kubectl ?? 'kubectl', ...args], { PATH: process.env['PATH'], HOME: folder });
}

/** Wall clock from here, the rest by GNU time: the operating system's own account of the finished process. */
function measured(command: string[], env: NodeJS.ProcessEnv): Figures {
  const report = join(folder, 'time');
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync('/usr/bin/time', ['-o', report, '-f', '%M %U %S', ...command], {
    env,
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0 || !stdout.includes('hello')) throw new Error(`${command.join(' ')} failed: ${stdout}${stderr}`);
  const [kibibytes = 0, user = 0, system = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

function row(name: string, values: number[]): string {
  const figures = [Math.min(...values), median(values), Math.max(...values)].map(value => value.toFixed(2).padStart(8));
  return `${name.padEnd(60)}${figures.join('')}`;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
