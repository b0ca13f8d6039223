/**
 * Measures how fast a pod's lines arrive, against `kubectl logs -f --timestamps` of the same pod at the same time: the node's rotation off, lines of 100 bytes.
 *   node dev/bench/logs.ts [pairs, default 5] [--lines N, default 200000] [--in-turn] [--only-ours] [--slow-reader MB/s] [--profile] [--assert] [--name CLUSTER]
 * `--in-turn` gives each a pod of its own, one after the other, which is only as good as the machine is quiet. `--only-ours` shows the memory as the lines go by (for `--lines 1000000`), `--slow-reader` reads our stdout no faster than that, `--profile` says where our CPU time went.
 * `--assert` fails below 1.0 of kubectl's lines per second (median of the pairs), or above 130 MB (10^6 bytes) at peak, with 1,000,000 lines more of ours alone.
 * Lost, doubled or disordered lines of ours always fail; kubectl has lost the last of them now and then. Needs GNU time.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asRunner } from '../../__tests__/support/account.ts';
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
    'in-turn': { type: 'boolean', default: false },
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
type MeasuringStep = NonNullable<Parameters<typeof measuredAction>[2]>;

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: options.name, provider: 'one-node', logMaxSize: '1Ti' }, say);
const kubeconfig = await asRunner(cluster, 'default');
let pods = 0;
try {
  const failures: string[] = [];
  const lines = Number(options.lines);
  if (options.profile) showProfile(await oursAlone(lines, { nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${folder}`] }));
  else if (options['only-ours']) failures.push(...showMemory(await oursAlone(lines, { sampleMs: 50 }), lines));
  else {
    failures.push(...(await compare(lines)));
    if (options.assert) failures.push(...showMemory(await oursAlone(1_000_000, { sampleMs: 50 }), 1_000_000));
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
  // The first pair warms the node up and is not counted. In turn, who goes first changes, for a run can leave work behind for the next.
  for (let pair = 0; pair <= pairs; pair++) {
    const [a, b] = options['in-turn'] ? await inTurn(lines, pair % 2 === 0) : await sideBySide(lines);
    if (pair === 0) continue;
    ours.push(a);
    kubectls.push(b);
  }
  const ratioOf = (figure: (run: Run) => number): number[] =>
    ours.map((run, index) => figure(run) / figure(kubectls[index] ?? run));
  const ratios = ratioOf(({ linesPerSecond }) => linesPerSecond);
  say(heading(`${lines} lines of 100 bytes, ${pairs} pairs, ${options['in-turn'] ? 'in turn' : 'side by side'}`));
  for (const [name, runs] of Object.entries({ 'this action': ours, 'kubectl logs -f --timestamps': kubectls })) {
    const show = (what: string, figure: (run: Run) => number, digits?: number): void =>
      say(row(`${name}, ${what}`, runs.map(figure), digits));
    show('lines/s, first line to last', ({ linesPerSecond }) => linesPerSecond, 0);
    show('first line to last, s', ({ printingSeconds }) => printingSeconds);
    show('whole, s', ({ seconds }) => seconds);
    show('peak MB', ({ peakBytes }) => peakBytes / 1e6, 1);
    show('CPU s', ({ cpuSeconds }) => cpuSeconds);
  }
  say(`kubectl logs -f --timestamps lost lines: ${kubectls.map(({ lost }) => lost).join(', ')}`);
  say(row('ratio of lines/s', ratios));
  return [
    ...(median(ratios) < LEAST_RATIO ? [`slower than kubectl: ${median(ratios).toFixed(3)} of its lines/s`] : []),
    ...ours.flatMap(tooLarge),
  ];
}

/** Both follow the same pod at the same time: what slows the machine down slows both. */
async function sideBySide(lines: number): Promise<[Run, Run]> {
  const { name, pod, open } = printer(lines);
  let kubectl: Promise<Measured> | undefined;
  const follow = (): void => {
    kubectl = runKubectl(['logs', '-f', '--timestamps', name], { onChunk: onReady(open) });
    kubectl.catch(() => {});
  };
  const ours = await runStep(name, pod, lines, { onChunk: onReady(follow) });
  if (kubectl === undefined) throw new Error('The pod never said that it is ready.');
  const its = await kubectl;
  await runKubectl(['delete', 'pod', name]);
  return [ours, { ...its, ...printedLines(its.stdout, lines) }];
}

async function inTurn(lines: number, oursFirst: boolean): Promise<[Run, Run]> {
  const first = oursFirst ? await oursAlone(lines) : undefined;
  const its = await kubectlAlone(lines);
  return [first ?? (await oursAlone(lines)), its];
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

async function oursAlone(lines: number, how: MeasuringStep = {}): Promise<Run> {
  const { name, pod, open } = printer(lines);
  const run = await runStep(name, pod, lines, { onChunk: onReady(open), ...how });
  await runKubectl(['delete', 'pod', name]);
  return run;
}

/** The pod is kept. */
async function runStep(name: string, pod: object, lines: number, how: MeasuringStep): Promise<Run> {
  const ours = { random_name_suffix: 'false', on_finish_action: 'keep_pod' };
  const inputs = { config_file: kubeconfig, full_pod_spec: JSON.stringify(pod), ...ours };
  const run = await measuredAction(inputs, folder, { ...how, bytesPerSecond });
  const printed = printedLines(run.stdout, lines);
  // Now and then the container runtime itself loses the last lines of a container that prints faster than it writes.
  const onNode =
    printed.fault === undefined ? undefined : printedLines((await runKubectl(['logs', name])).stdout, lines);
  if (onNode !== undefined && onNode.lost > 0 && onNode.lost === printed.lost)
    say(`The node has lost ${onNode.lost} lines.`);
  else if (printed.fault !== undefined) {
    const said = textOf(run.stdout).replace(/^\d{7} \d{91}\n/gm, '');
    throw new Error(`${printed.lost} of ${lines} lines are lost; ${printed.fault}. What else was said:\n${said}`);
  }
  return { ...run, ...printed };
}

/** As somebody would in a script: create the pod, wait until it runs, follow its log. */
async function kubectlAlone(lines: number): Promise<Run> {
  const { name, pod, open } = printer(lines);
  const created = await runKubectl(['create', '-f', '-'], { stdin: JSON.stringify(pod) });
  const waited = await runKubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
  const followed = await runKubectl(['logs', '-f', '--timestamps', name], { onChunk: onReady(open) });
  await runKubectl(['delete', 'pod', name]);
  const all = [created, waited, followed];
  return {
    ...followed,
    ...printedLines(followed.stdout, lines),
    seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}

function runKubectl(args: string[], how: Partial<Measuring> = {}): Promise<Measured> {
  const env = { PATH: process.env['PATH'], HOME: folder };
  return measured([cluster.kubectl ?? 'kubectl', '--kubeconfig', cluster.kubeconfig, ...args], folder, { env, ...how });
}

/** A pod that prints when it is let. */
function printer(lines: number): { name: string; pod: object; open: () => void } {
  const name = `printer-${++pods}`;
  const gate = join(folder, name);
  mkdirSync(gate);
  return {
    name,
    pod: printerPod(name, cluster.images.shell, lines, gate),
    open: () => writeFileSync(join(gate, 'open'), ''),
  };
}

/** Acts once the pod's first word has come. */
function onReady(act: () => void): (chunk: Buffer) => void {
  let acted = false;
  return chunk => {
    if (acted || !/^(?:\S{30} )?ready$/m.test(chunk.toString())) return;
    acted = true;
    act();
  };
}
