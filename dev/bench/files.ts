/**
 * Measures how fast files go into a pod and come back, against `kubectl cp` of the same files, in turn on one cluster: 1 GiB in 20,000 files up, 200 MiB in 20 files down.
 *   node dev/bench/files.ts [pairs, default 3] [--megabytes N, default 1024] [--text] [--assert] [--name CLUSTER]
 * Both volumes are in memory, and what is to be written is written before each transfer: whenever ext4 makes a file, it goes over all that were deleted in the last minutes,
 * so that each turn would pay for the one before (4 to 17 s for the same `tar -x` [measured]).
 * `--text` takes source code alone; else half of each file cannot be compressed. Every transfer is checked byte by byte. `--assert` fails where the action takes longer than kubectl (median of the pairs), or more than 200 MB (10^6 bytes) at peak. Needs GNU time.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asRunner } from '../../__tests__/support/account.ts';
import { run } from '../cluster/command.ts';
import { down, up } from '../cluster/index.ts';
import { measuredAction, textOf } from './measure.ts';
import { heading, median, row, say } from './table.ts';

const MOST_BYTES = 200e6;
const FILES = 20_000;
const DOWN_MEGABYTES = 200;
const { values: options, positionals } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    text: { type: 'boolean', default: false },
    assert: { type: 'boolean', default: false },
    name: { type: 'string', default: 'bench' },
  },
  allowPositionals: true,
});
const pairs = Number(positionals[0] ?? 3);

/** Of all files, contents and modes. */
const sums = (but = '') =>
  `find . ${but} -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum; find . ${but} -type f -print0 | LC_ALL=C sort -z | xargs -0 stat -c '%n %a' | sha256sum`;
const SUMS = sums();
/** What comes back. */
const WRITES = `mkdir down && cd down && for i in $(seq 20); do head -c ${(DOWN_MEGABYTES * 2 ** 20) / 20} /dev/urandom > f$i; done; ${SUMS}; sleep 0.5`;

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-bench-'));
const cluster = await up({ name: options.name, provider: 'one-node' }, say);
const kubeconfig = await asRunner(cluster, 'default');
const VOLUME = { emptyDir: { medium: 'Memory' } };
const SPEC = {
  containers: [
    {
      name: 'box',
      image: cluster.images.shell,
      command: ['sleep', '3600'],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
    },
  ],
  volumes: [{ name: 'work', ...VOLUME }],
};

const kubectl = (args: string[]) => run(cluster.kubectl ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, ...args]);
try {
  const workspace = makeFiles(Number(options.megabytes) * 2 ** 20);
  const figures = { up: [] as number[], down: [] as number[], cpUp: [] as number[], cpDown: [] as number[] };
  const peaks: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const turns = [() => ours(workspace), () => kubectls(workspace)];
    for (const turn of pair % 2 === 0 ? turns : turns.toReversed()) {
      await run('sync', []);
      const { kind, up, down, peakBytes } = await turn();
      say(`${kind}: ${up.toFixed(1)} s up, ${down.toFixed(1)} s down`);
      figures[kind === 'ours' ? 'up' : 'cpUp'].push(up);
      figures[kind === 'ours' ? 'down' : 'cpDown'].push(down);
      if (peakBytes !== undefined) peaks.push(peakBytes / 1e6);
    }
  }
  say(heading(`${options.megabytes} MiB in ${FILES} files up, ${DOWN_MEGABYTES} MiB down, ${pairs} pairs, in turn`));
  say(row('this action, up, s', figures.up));
  say(row('kubectl cp, up, s', figures.cpUp));
  say(row('this action, down, s', figures.down));
  say(row('kubectl cp, down, s', figures.cpDown));
  say(row('this action, peak memory, MB', peaks, 0));
  const ratios = { up: median(figures.cpUp) / median(figures.up), down: median(figures.cpDown) / median(figures.down) };
  say(`against kubectl cp: ${ratios.up.toFixed(2)} times up, ${ratios.down.toFixed(2)} times down`);
  if (options.assert && (Math.min(ratios.up, ratios.down) < 1 || Math.max(...peaks) * 1e6 > MOST_BYTES))
    process.exitCode = 1;
} finally {
  if (cluster.started) await down(options.name, say);
  rmSync(folder, { recursive: true, force: true });
}

interface Transfer {
  kind: 'ours' | 'kubectl';
  /** Seconds. */
  up: number;
  down: number;
  peakBytes?: number;
}

/** What the step itself says that the transfers took: the pod's start is no part of them. */
async function ours(workspace: string): Promise<Transfer> {
  const inputs = {
    ...{ config_file: kubeconfig, image: cluster.images.shell, helper_image: cluster.images.shell },
    ...{ workspace: 'upload', workspace_volume: JSON.stringify(VOLUME), run: `${SUMS}\n${WRITES}`, download: 'down' },
  };
  const env = { GITHUB_WORKSPACE: workspace, RUNNER_TEMP: folder };
  const { stdout, peakBytes } = await measuredAction(inputs, folder, { env });
  const text = textOf(stdout);
  const seconds = (line: RegExp) => Number(line.exec(text)?.[1] ?? Number.NaN);
  const came = join(workspace, 'down');
  for (const sums of [await sumsOf(workspace, "-path './down' -prune -o"), await sumsOf(came)])
    if (!text.includes(sums)) throw new Error(`What arrived is not what was sent: ${sums} is not in the log.\n${text}`);
  rmSync(came, { recursive: true });
  return {
    kind: 'ours',
    up: seconds(/^Uploaded the workspace: .* in ([0-9.]+) s\.$/m),
    down: seconds(/^Fetched .* in ([0-9.]+) s\.$/m),
    peakBytes,
  };
}

async function kubectls(workspace: string): Promise<Transfer> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'box' }, spec: SPEC };
  writeFileSync(join(folder, 'box.json'), JSON.stringify(pod));
  await kubectl(['apply', '-f', join(folder, 'box.json')]);
  try {
    await kubectl(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
    const up = await timed(() => kubectl(['cp', workspace, 'box:/work/up']));
    await kubectl(['exec', 'box', '--', 'sh', '-c', `cd /work && ${WRITES}`]);
    await run('sync', []);
    const down = await timed(() => kubectl(['cp', 'box:/work/down', join(folder, 'down')]));
    rmSync(join(folder, 'down'), { recursive: true });
    return { kind: 'kubectl', up, down };
  } finally {
    await kubectl(['delete', 'pod', 'box', '--grace-period=0', '--force']);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function sumsOf(place: string, but = ''): Promise<string> {
  return await run('sh', ['-c', sums(but)], { cwd: place });
}

/** @returns the path of a folder with so many bytes in it: text, or half of it text and half random */
function makeFiles(bytes: number): string {
  const workspace = join(folder, 'workspace');
  const code = readFileSync(join(import.meta.dirname, '../../dist/index.js'));
  const size = Math.floor(bytes / FILES);
  for (let at = 0; at < FILES; at++) {
    const place = join(workspace, `d${at % 200}`, `s${at % 7}`);
    mkdirSync(place, { recursive: true });
    const from = (at * 7919) % (code.length - size);
    const text = code.subarray(from, from + (options.text ? size : Math.ceil(size / 2)));
    const content = options.text ? text : Buffer.concat([text, randomBytes(size - text.length)]);
    writeFileSync(join(place, `f${at}`), content, { mode: [0o644, 0o755, 0o600, 0o444][at % 4] ?? 0o644 });
  }
  return workspace;
}
