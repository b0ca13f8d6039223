import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { run } from '../../dev/cluster/command.ts';
import { type Cluster, down, type Part, restart, start, stop, untilReady, up } from '../../dev/cluster/index.ts';
import { placesOf } from '../../dev/cluster/places.ts';
import { until } from '../../dev/cluster/process.ts';
import { asRunner } from '../support/account.ts';
import { script } from '../support/cluster.ts';
import { type RunningStep, type StepResult, startStep } from '../support/step-runner.ts';

/** A cluster of its own, whose parts are ended, and whose kubelet rotates logs early: at 1 MiB, as soon as it may look. */
const NAME = 'test-chaos';
let cluster: Cluster;
/** Of somebody who has the Role of examples/cluster/runner.yaml and no other. */
let kubeconfig: string;
beforeAll(async () => {
  const rotation = { logMaxSize: '1Mi', logMaxFiles: 20, logMonitorSeconds: 3 };
  cluster = await up({ name: NAME, provider: 'one-node', ...rotation }, () => {});
  kubeconfig = await asRunner(cluster, 'default');
}, 120_000);
afterAll(() => down(NAME, () => {}), 60_000);

/** One short run of each in `npm test`; `npm run soak` asks for more. `SEED=n CHAOS_RUNS=1` repeats run n, as far as time allows. */
const RUNS = Number(process.env['CHAOS_RUNS'] ?? 1);
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 8);
const SILENCE_SECONDS = Number(process.env['CHAOS_SILENCE_SECONDS'] ?? 0);
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const seeds = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);
/** The longest that a run may take beyond what its pod does. */
const SLACK_SECONDS = 180;

interface Disruption {
  part: Part;
  signal: NodeJS.Signals;
}
const SUDDEN: Disruption[] = [
  { part: 'kube-apiserver', signal: 'SIGKILL' },
  { part: 'kubelet', signal: 'SIGKILL' },
  { part: 'kubelet', signal: 'SIGTERM' },
];
/** It takes kube-apiserver a minute to end in peace. */
const PEACEFUL: Disruption[] = SECONDS < 60 ? [] : [{ part: 'kube-apiserver', signal: 'SIGTERM' }];

test('rotation under a writer of 5,000 lines a second doubles nothing and loses only what the kubelet skips', async () => {
  const [bursts, each] = [60, 500];
  const burst = `awk -v b=$b 'BEGIN { for (i = b * ${each}; i < (b + 1) * ${each}; i++) print sprintf("line %d %090d", i, i) }'`;
  const writer = script(`b=0; while [ $b -lt ${bursts} ]; do ${burst}; b=$((b+1)); sleep 0.05; done`);
  await withStep({ ...writer, on_finish_action: 'keep_pod' }, async (step, pod) => {
    const result = await step.done;
    expect(rotatedFiles(pod).length).toBeGreaterThan(0);
    const shown = new Set(printed(result, 'line '));
    const expected = Array.from({ length: bursts * each }, (_, i) => `line ${i} ${String(i).padStart(90, '0')}`);
    expect(brief(printed(result, 'line '))).toEqual(brief(expected.filter(line => shown.has(line))));
    // When the runtime opens the next file, the kubelet turns to it at once: what still went into the old one no reader gets.
    const lastSkipped = expected.filter((line, i) => !shown.has(line) && shown.has(expected[i + 1] ?? ''));
    const begins = firstLines(pod);
    expect(brief(lastSkipped.filter(line => !begins.has(expected[expected.indexOf(line) + 1] ?? '')))).toEqual([]);
    expect(shown.size).toBeGreaterThan(0.95 * expected.length);
    expect(shown).toContain(expected.at(-1));
    expect(result.annotations).toEqual([]);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
  });
}, 240_000);

describe('a pod that is taken away while it prints shows all it has printed, once, and fails the step', () => {
  test.each([
    ['deleted by kubectl', 'PodDeleted', (pod: string) => kubectl(['delete', 'pod', pod, '--wait=false'])],
    ['evicted by the API', 'Evicted', evict],
    ['preempted by a pod of higher priority', 'Preempted', preempt],
  ])(
    '%s',
    async (_, reason, takeAway) => {
      const count = 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.01; done';
      const inputs = {
        ...script(`trap "echo bye \\$i; exit 143" TERM; ${count}`),
        container_resources: JSON.stringify({ requests: { cpu: await mostOfTheCpu() } }),
      };
      await withStep(inputs, async (step, pod) => {
        await step.line(/^line 50$/, 60_000);
        await takeAway(pod);
        const result = await step.done;
        const lines = printed(result, 'line ');
        expect(lines).toEqual(numbered('line', lines.length));
        expect(printed(result, 'bye ')).toEqual([`bye ${lines.length}`]);
        expect(result.conclusion).toBe('failure');
        expect(result.outputs).toMatchObject({ state: 'failed', reason });
        expect(result.annotations).toEqual([expect.objectContaining({ level: 'error' })]);
      });
    },
    240_000,
  );
});

test.each(seeds.flatMap(() => ['SIGKILL', 'SIGTERM'] as const).slice(0, SECONDS < 60 ? 1 : undefined))(
  'the container runtime ended by %s while a pod prints: every line that the node has, and success',
  async signal => {
    const lines = 300;
    const writer = script(`i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; sleep 0.01; done`);
    await withStep({ ...writer, on_finish_action: 'keep_pod' }, async (step, pod) => {
      await step.line(/^line 100$/, 60_000);
      await restart(NAME, 'containerd', { signal });
      const result = await step.done;
      // What containerd had read and not yet written when it was killed is lost to everybody.
      const onNode = linesOnNode(pod);
      expect(printed(result, 'line ')).toEqual(onNode);
      expect(onNode.length).toBeGreaterThan(lines - 10);
      expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
    });
  },
  240_000,
);

test.each(seeds)(
  'two containers print while API server and kubelet are ended at random moments: SEED=%d',
  async seed => {
    const perSecond = 40;
    const lines = SECONDS * perSecond;
    // Twenty lines are so long that the node keeps them in pieces; all of it is less than it rotates.
    const longEvery = lines / 20;
    const print = `n=$((i % ${longEvery} == 0 ? 20000 : 1)); printf "$0 %d %0\${n}d\\n" $i $i`;
    const loop = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); ${print}; sleep ${1 / perSecond - 0.002}; done`;
    const [image, names] = [cluster.images.shell, ['base', 'other']];
    const containers = names.map(name => ({ name, image, command: ['sh', '-c', loop, name] }));
    const inputs = { full_pod_spec: JSON.stringify({ spec: { containers } }), container_logs: 'true', image: '' };
    await withStep(inputs, async step => {
      await step.line('[base] base 1 ', 60_000);
      await disrupt(seed, step);
      const result = await step.done;
      for (const name of names) {
        const expected = Array.from({ length: lines }, (_, index) => {
          const number = String(index + 1);
          return `[${name}] ${name} ${number} ${number.padStart((index + 1) % longEvery === 0 ? 20_000 : 1, '0')}`;
        });
        expect(brief(printed(result, `[${name}] ${name} `))).toEqual(brief(expected));
      }
      expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
    });
  },
  1000 * (SECONDS + SLACK_SECONDS + 60),
);

test('rotation while the API server is away is told, with the times, and all else is there once', async () => {
  const gate = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-gate-'));
  const open = (name: string): void => writeFileSync(join(gate, name), '');
  const some = (name: string): string => `awk 'BEGIN { for (i = 1; i <= 300; i++) print "${name} " i }'`;
  const flood = `awk -v i=$i 'BEGIN { for (j = 0; j < 1000; j++) print sprintf("flood %d %090d", 1000 * i + j, 0) }'`;
  const inputs = {
    ...script(`${some('before')}; until [ -e /gate/go ]; do sleep 0.05; done;
      i=0; until [ -e /gate/stop ]; do i=$((i+1)); ${flood}; sleep 0.1; done; ${some('after')}`),
    volumes: JSON.stringify([{ name: 'gate', hostPath: { path: gate } }]),
    volume_mounts: JSON.stringify([{ name: 'gate', mountPath: '/gate' }]),
  };
  try {
    await withStep(inputs, async (step, pod) => {
      await step.line(/^before 300$/, 60_000);
      await stop(NAME, 'kube-apiserver');
      open('go');
      expect(await until(() => rotatedFiles(pod).length > 1, 60)).toBe(true);
      await start(NAME, 'kube-apiserver');
      await step.line(/^flood /, 60_000);
      open('stop');
      const result = await step.done;
      expect(printed(result, 'before ')).toEqual(numbered('before', 300));
      expect(printed(result, 'after ')).toEqual(numbered('after', 300));
      const floods = printed(result, 'flood ').map(line => Number(line.split(' ')[1]));
      expect(floods).toEqual([...new Set(floods)].sort((a, b) => a - b));
      expect(floods[0]).toBeGreaterThan(1000);
      const lost = result.annotations.filter(({ title }) => title === 'Log lines lost');
      // The flood goes on while the log catches up, and the node may rotate it away again: each hole is told. A file that was rotated away when its last line had just been read
      // looks like one, as nothing that is left was seen before.
      const holes = floods.filter((number, index) => number !== (floods[index - 1] ?? 999) + 1);
      expect(lost.length).toBeGreaterThanOrEqual(holes.length);
      expect(lost.map(({ level }) => level)).toEqual(lost.map(() => 'warning'));
      const [from = '', to = ''] = lost[0]?.message.match(/20\d\d-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g) ?? [];
      expect(Date.parse(from)).toBeLessThan(Date.parse(to));
      expect(result.outputs).toMatchObject({ state: 'succeeded' });
    });
  } finally {
    rmSync(gate, { recursive: true, force: true });
  }
}, 300_000);

// It takes its time, so `npm test` does not have it.
if (SILENCE_SECONDS > 0)
  test(
    `a container that says nothing for ${SILENCE_SECONDS} s and then a line`,
    async () => {
      const inputs = script(`echo first; sleep ${SILENCE_SECONDS}; echo last`);
      await withStep(inputs, async step => {
        const result = await step.done;
        expect(result.text).toMatch(/\nfirst\nlast\n/);
        expect(result.annotations).toEqual([]);
        expect(result.outputs).toMatchObject({ state: 'succeeded' });
      });
    },
    1000 * (SILENCE_SECONDS + SLACK_SECONDS + 60),
  );

let pods = 0;

/** Runs a step here, with a pod of this name; afterwards its pod goes, and the cluster is whole again. */
async function withStep(
  inputs: Record<string, string>,
  look: (step: RunningStep, pod: string) => Promise<void>,
): Promise<void> {
  const name = `printer-${++pods}`;
  const ours = { config_file: kubeconfig, image: cluster.images.shell, name, random_name_suffix: 'false' };
  const timeoutMs = 1000 * (Math.max(SECONDS, SILENCE_SECONDS) + SLACK_SECONDS);
  const step = startStep({ inputs: { ...ours, ...inputs }, timeoutMs });
  try {
    await look(step, name);
  } finally {
    await step.dispose();
    await start(NAME, 'kube-apiserver');
    await untilReady(NAME);
    await kubectl(['delete', 'pod', '--all', '--grace-period=0', '--force']);
  }
}

/** Ends parts of the cluster, each in each way at least once, while the pod prints; one may still be coming back when the next one goes. */
async function disrupt(seed: number, step: RunningStep): Promise<void> {
  const each = [...SUDDEN, ...PEACEFUL];
  const count = Math.max(each.length, Math.floor(SECONDS / 6));
  const disruption = fc.record({
    any: fc.constantFrom(...SUDDEN),
    atMs: fc.nat(SECONDS * 800),
    downSeconds: fc.double({ min: 0, max: 2, noNaN: true }),
  });
  const disruptions = fc
    .sample(disruption, { seed, numRuns: count, unbiased: true })
    .map(({ any, ...when }, index) => ({ ...(each[index] ?? any), ...when }))
    .sort((a, b) => a.atMs - b.atMs);
  const startedAt = performance.now();
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  step.done.then(end, end);
  for (const { part, signal, atMs, downSeconds } of disruptions) {
    await sleep(Math.max(0, startedAt + atMs - performance.now()));
    if (!ended) await restart(NAME, part, { signal, downSeconds });
  }
}

async function evict(pod: string): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod } };
  const path = `/api/v1/namespaces/default/pods/${pod}/eviction`;
  await kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
}

async function preempt(): Promise<void> {
  const name = 'urgent';
  const kind = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 1000 };
  const resources = { requests: { cpu: await mostOfTheCpu() } };
  const containers = [{ name, image: cluster.images.shell, command: ['true'], resources }];
  const spec = { priorityClassName: name, restartPolicy: 'Never', containers };
  for (const object of [kind, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }])
    await kubectl(['create', '-f', '-'], JSON.stringify(object));
}

/** So much that no two pods can have it. */
async function mostOfTheCpu(): Promise<string> {
  const cores = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.allocatable.cpu}']);
  return `${Math.ceil(Number(cores) * 600)}m`;
}

async function kubectl(args: string[], stdin = ''): Promise<string> {
  return await run(cluster.kubectl ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, ...args], { stdin });
}

function printed(result: StepResult, start: string): string[] {
  return result.lines.map(({ raw }) => raw).filter(line => line.startsWith(start));
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);
}

/** Lines for a comparison whose failure can be read: each with what it begins with and its length. */
function brief(lines: string[]): string[] {
  return lines.map(line => `${line.slice(0, 30)} (${line.length})`);
}

/** Where the node keeps the log of a pod's container. */
function logFolder(pod: string): string {
  const { podLogs } = placesOf(NAME);
  const folder = readdirSync(podLogs).find(entry => entry.startsWith(`default_${pod}_`)) ?? '';
  return join(podLogs, folder, 'base');
}

function rotatedFiles(pod: string): string[] {
  return readdirSync(logFolder(pod)).filter(file => file.startsWith('0.log.'));
}

/** Of each of its files. */
function firstLines(pod: string): Set<string> {
  const folder = logFolder(pod);
  const texts = readdirSync(folder).map(name => {
    const bytes = readFileSync(join(folder, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  });
  return new Set(texts.map(text => text.slice(0, text.indexOf('\n')).split(' ').slice(3).join(' ')));
}

/** As the container runtime has written them, without time, stream and tag. */
function linesOnNode(pod: string): string[] {
  const lines = readFileSync(join(logFolder(pod), '0.log'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map(line => line.split(' ').slice(3).join(' '));
}
