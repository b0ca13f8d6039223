/**
 * Measures how fast a pod's lines arrive, against `kubectl logs -f --timestamps` of the same pod, in turn in one run: the node's rotation off, lines of 100 bytes, a writer that is faster than both.
 *   node dev/bench/logs.ts [pairs, default 5] [--lines N, default 200000] [--only-ours] [--slow-reader MB/s] [--profile] [--assert] [--name CLUSTER]
 * `--only-ours` shows the memory as the lines go by (for `--lines 1000000`), `--slow-reader` reads our stdout no faster than that, `--profile` says where our CPU time went.
 * `--assert` fails below 1.0 of kubectl's lines per second (median of the pairs), or above 130 MB (10^6 bytes) at peak, with 1,000,000 lines more of ours alone.
 * Lost, doubled or disordered lines of ours always fail; kubectl has lost the last of them now and then. Needs GNU time.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { down, up } from '../cluster/index.ts';
import { type Measured, type Measuring, measured, measuredAction, textOf } from './measure.ts';
import { type Printed, printedLines, printerPod } from './printed-lines.ts';
import { type CpuProfile, selfTimes } from './profile.ts';
import { heading, median, row, say } from './table.ts';

const LEAST_RATIO = 1;
const MOST_BYTES = 130e6;
const { values: options, positionals } = parseArgs({
  options: {
    lines: { type: 'string', default: '200000' },
    'only-ours': { type: 'boolean', default: false },
    'slow-reader': { type: 'string' },
    profile: { type: 'boolean', default: false },
    assert: { type: 'boolean', default: false },
    name: { type: 'string', default: 'bench-logs' },
  },
  allowPositionals: true,
});
const pairs = Number(positionals[0] ?? 5);
const bytesPerSecond = options['slow-reader'] === undefined ? undefined : 1e6 * Number(options['slow-reader']);

type Run = Measured & Printed;

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: options.name, provider: 'one-node', logMaxSize: '1Ti' }, say);
let pods = 0;
try {
  const failures: string[] = [];
  const lines = Number(options.lines);
  if (options.profile) showProfile(await runStep(lines, ['--cpu-prof', `--cpu-prof-dir=${folder}`]));
  else if (options['only-ours']) failures.push(...showMemory(await runStep(lines), lines));
  else {
    failures.push(...(await compare(lines)));
    if (options.assert) failures.push(...showMemory(await runStep(1_000_000), 1_000_000));
  }
  if (options.assert && failures.length > 0) {
    say(failures.join('\n'));
    process.exitCode = 1;
  }
} finally {
  if (cluster.started) await down(options.name, say);
  rmSync(folder, { recursive: true, force: true });
}

/** @returns what is worse than it should be */
async function compare(lines: number): Promise<string[]> {
  const ours: Run[] = [];
  const kubectls: Run[] = [];
  // The first pair warms the node up and is not counted. Who goes first changes, for a run can leave work behind for the next.
  for (let pair = 0; pair <= pairs; pair++) {
    const first = pair % 2 === 0 ? await runStep(lines) : undefined;
    const b = await runKubectl(lines);
    const a = first ?? (await runStep(lines));
    if (pair === 0) continue;
    ours.push(a);
    kubectls.push(b);
  }
  const ratioOf = (figure: (run: Run) => number): number[] =>
    ours.map((run, index) => figure(run) / figure(kubectls[index] ?? run));
  const ratios = ratioOf(({ linesPerSecond }) => linesPerSecond);
  say(heading(`${lines} lines of 100 bytes, ${pairs} pairs`));
  for (const [name, runs] of Object.entries({ 'this action': ours, 'kubectl logs -f --timestamps': kubectls })) {
    const figures = (figure: (run: Run) => number): number[] => runs.map(figure);
    say(
      row(
        `${name}, lines/s, first line to last`,
        figures(({ linesPerSecond }) => linesPerSecond),
        0,
      ),
    );
    say(
      row(
        `${name}, first line to last, s`,
        figures(({ printingSeconds }) => printingSeconds),
      ),
    );
    say(
      row(
        `${name}, whole, s`,
        figures(({ seconds }) => seconds),
      ),
    );
    say(
      row(
        `${name}, peak MB`,
        figures(({ peakBytes }) => peakBytes / 1e6),
        1,
      ),
    );
    say(
      row(
        `${name}, CPU s`,
        figures(({ cpuSeconds }) => cpuSeconds),
      ),
    );
  }
  say(`kubectl logs -f --timestamps lost lines: ${kubectls.map(({ lost }) => lost).join(', ')}`);
  say(row('ratio of lines/s', ratios));
  say(
    row(
      'ratio of whole times',
      ratioOf(({ seconds }) => seconds),
    ),
  );
  return [
    ...(median(ratios) < LEAST_RATIO ? [`slower than kubectl: ${median(ratios).toFixed(3)} of its lines/s`] : []),
    ...ours.flatMap(tooLarge),
  ];
}

/** @returns what is worse than it should be */
function showMemory(run: Run, lines: number): string[] {
  say(
    `${lines} lines of 100 bytes, this action alone: ${run.linesPerSecond.toFixed(0)} lines/s, ${run.seconds.toFixed(2)} s whole`,
  );
  const total = run.stdout.reduce((sum, { bytes }) => sum + bytes.length, 0);
  for (let percent = 10; percent <= 100; percent += 10) {
    const until = run.memory.filter(({ readBytes }) => readBytes <= (total * percent) / 100);
    const now = until.at(-1)?.residentBytes ?? 0;
    const most = Math.max(...until.map(({ residentBytes }) => residentBytes));
    say(`  ${`${percent}`.padStart(3)} % of the lines read: ${mb(now)} MB, at most ${mb(most)} MB until then`);
  }
  say(`peak ${mb(run.peakBytes)} MB, CPU ${run.cpuSeconds.toFixed(2)} s`);
  return tooLarge(run);
}

function tooLarge({ peakBytes }: Run): string[] {
  return peakBytes > MOST_BYTES ? [`too large: ${mb(peakBytes)} MB`] : [];
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function showProfile(run: Run): void {
  const file = readdirSync(folder).find(name => name.endsWith('.cpuprofile')) ?? '';
  const times = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
  say(`${run.linesPerSecond.toFixed(0)} lines/s, CPU ${run.cpuSeconds.toFixed(2)} s; self time, ms:`);
  for (const { name, ms } of times.slice(0, 30)) say(`${ms.toFixed(0).padStart(8)}  ${name}`);
}

async function runStep(lines: number, nodeFlags: string[] = []): Promise<Run> {
  const { pod, measuring } = printer(lines);
  const inputs = { config_file: cluster.kubeconfig, full_pod_spec: JSON.stringify(pod) };
  const run = await measuredAction(inputs, folder, { ...measuring, nodeFlags, bytesPerSecond, sampleMs: 50 });
  const printed = printedLines(run.stdout, lines);
  if (printed.fault !== undefined) {
    const said = textOf(run.stdout).replace(/^\d{7} \d{91}\n/gm, '');
    throw new Error(`${printed.lost} of ${lines} lines are lost; ${printed.fault}. What else was said:\n${said}`);
  }
  return { ...run, ...printed };
}

/** As somebody would in a script: create the pod, wait until it runs, follow its log. */
async function runKubectl(lines: number): Promise<Run> {
  const { name, pod, measuring } = printer(lines);
  const env = { PATH: process.env['PATH'], HOME: folder };
  const kubectl = (args: string[], how: Partial<Measuring> = {}): Promise<Measured> =>
    measured([cluster.kubectl ?? 'kubectl', '--kubeconfig', cluster.kubeconfig, ...args], folder, { env, ...how });
  const created = await kubectl(['create', '-f', '-'], { stdin: JSON.stringify(pod) });
  const waited = await kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
  const followed = await kubectl(['logs', '-f', '--timestamps', name], measuring);
  await kubectl(['delete', 'pod', name]);
  const all = [created, waited, followed];
  return {
    ...followed,
    ...printedLines(followed.stdout, lines),
    seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}

/** A pod, and what opens its gate once its first words have come. */
function printer(lines: number): { name: string; pod: object; measuring: { onChunk: (chunk: Buffer) => void } } {
  const name = `printer-${++pods}`;
  const gate = join(folder, name);
  mkdirSync(gate);
  let opened = false;
  const onChunk = (chunk: Buffer): void => {
    if (opened || !/^(?:\S{30} )?ready$/m.test(chunk.toString())) return;
    opened = true;
    writeFileSync(join(gate, 'open'), '');
  };
  return { name, pod: printerPod(name, cluster.images.shell, lines, gate), measuring: { onChunk } };
}
