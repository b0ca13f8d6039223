import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localImages } from '../../dev/cluster/cluster.ts';
import { run } from '../../dev/cluster/command.ts';
import { type Cluster, down, start, stop, untilReady, up } from '../../dev/cluster/index.ts';
import { placesOf } from '../../dev/cluster/places.ts';
import { asRunner } from '../support/account.ts';
import { ApiRelay } from '../support/api-relay.ts';
import { script } from '../support/cluster.ts';
import { type RunningStep, type StepResult, startStep } from '../support/step-runner.ts';
import { RESULT_FILE, sha256 } from './results/play.ts';

/** A cluster of its own, whose API server is killed, and writes down every request for pods. */
const NAME = 'test-results';
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    resources: [{group: "", resources: [pods, pods/*]}]
  - level: None
`;
let cluster: Cluster;
/** Of somebody who has the Role of examples/cluster/runner.yaml and no other. */
let kubeconfig: string;
beforeAll(async () => {
  cluster = await up({ name: NAME, provider: 'one-node', auditPolicy: AUDIT_POLICY }, () => {});
  kubeconfig = await asRunner(cluster, 'default');
}, 120_000);
afterAll(() => down(NAME, () => {}), 60_000);

/** Twice in `npm test`; `npm run soak` asks for more. `SEED=n RESULT_KILLS=1` repeats run n. */
const RUNS = Number(process.env['RESULT_KILLS'] ?? 2);
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const SEEDS = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);

const SIZE = 5 * 2 ** 20;
/** What the sidecar prints of it, with the time stamps that the kubelet puts before each of its lines. */
const SENT = Math.ceil((SIZE * 4) / 3);
const WRITES = `{ printf '"'; head -c ${SIZE} /dev/urandom | base64 -w 0 | head -c ${SIZE - 2}; printf '"'; } > "$RESULT_PATH"`;
const SIDECARS_LOG = { verb: 'log', query: { container: 'pod-step-result' } } as const;

/** All pods that steps have made here, and what for. */
const pods: { name: string; hasSidecar: boolean }[] = [];

test.each(SEEDS)(
  'the API server is killed in the middle of the transfer of 5 MiB, which arrive intact: SEED=%d',
  async seed => {
    const [kill] = fc.sample(fc.record({ afterBytes: fc.integer({ min: 1, max: SENT - 1 }), downMs: fc.nat(2000) }), {
      seed,
      numRuns: 1,
      unbiased: true,
    }) as [{ afterBytes: number; downMs: number }];
    await using relay = await ApiRelay.start(kubeconfig);
    relay.fault({ match: SIDECARS_LOG, action: { kind: 'quiet', afterBytes: kill.afterBytes } });
    const inputs = {
      ...script(`${WRITES}; echo "checksum $(sha256sum < "$RESULT_PATH")"`),
      do_xcom_push: 'true',
      result_file: RESULT_FILE,
      config_file: relay.kubeconfigFile,
    };
    await withStep(inputs, async (step, workspace) => {
      const first = await relay.request(SIDECARS_LOG, { bytes: kill.afterBytes, timeoutMs: 180_000 });
      await stop(NAME, 'kube-apiserver');
      relay.cut();
      await sleep(kill.downMs);
      await start(NAME, 'kube-apiserver');
      const result = await step.done;
      expect(result.annotations).toEqual([]);
      expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0', result_file: RESULT_FILE });
      expect(result.outputs).not.toHaveProperty('result');
      const file = readFileSync(join(workspace, RESULT_FILE));
      expect(file.length).toBe(SIZE);
      expect(sha256(file)).toBe(/^checksum ([0-9a-f]{64})/m.exec(result.text)?.[1]);
      // The first stream broke off in the middle of it, and it took another to have the rest.
      expect(first).toMatchObject({ bytes: kill.afterBytes, ended: true });
      expect(relay.matching(SIDECARS_LOG).length).toBeGreaterThan(1);
      expect(
        relay
          .matching(SIDECARS_LOG)
          .slice(1)
          .some(({ bytes = 0 }) => bytes > SENT - kill.afterBytes),
      ).toBe(true);
    });
  },
  300_000,
);

const OTHER = { name: 'other', image: localImages.shell, command: ['sleep', '600'] };

test.each([
  ['with a result in the termination message', { do_xcom_push: 'auto' }],
  ['with a sidecar', { do_xcom_push: 'true' }],
  [
    'with a sidecar that has to be asked, as another container goes on',
    {
      do_xcom_push: 'true',
      full_pod_spec: JSON.stringify({ spec: { containers: [{ name: 'base' }, OTHER] } }),
      termination_grace_period: '1',
    },
  ],
])(
  'a run %s',
  async (_, inputs: Record<string, string>) => {
    const ours = { ...script('echo 1 > "$RESULT_PATH"'), config_file: kubeconfig, ...inputs };
    await withStep(ours, async step => {
      expect((await step.done).outputs).toMatchObject({ state: 'succeeded', result: '1' });
    });
  },
  120_000,
);

test('none of these runs asked for exec, attach or a forwarded port, as the API server’s audit log has it', async () => {
  expect(pods.length).toBeGreaterThan(3);
  for (const { name, hasSidecar } of pods) {
    const asked = audited().filter(({ objectRef }) => objectRef?.name === name);
    expect(asked.map(({ verb }) => verb)).toEqual(expect.arrayContaining(['create', 'delete']));
    const logs = asked.filter(({ objectRef }) => objectRef?.subresource === 'log').map(({ requestURI }) => requestURI);
    expect(logs.some(uri => uri.includes('container=base'))).toBe(true);
    expect(logs.some(uri => uri.includes('container=pod-step-result'))).toBe(hasSidecar);
  }
  expect(barred()).toEqual([]);
  // Were there one, it would be seen.
  const raw = ['create', '--raw', '/api/v1/namespaces/default/pods/none/exec?command=id', '-f', '/dev/null'];
  const asking = run(cluster.kubectl ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, ...raw]);
  await expect(asking).rejects.toThrow(/not ?found/i);
  expect([...new Set(barred())]).toEqual(['exec']);
}, 60_000);

interface AuditEvent {
  verb: string;
  requestURI: string;
  objectRef?: { name?: string; subresource?: string };
}

function audited(): AuditEvent[] {
  const lines = readFileSync(join(placesOf(NAME).log, 'audit.log'), 'utf8').split('\n');
  return lines.filter(line => line !== '').map(line => JSON.parse(line));
}

/** What a container can be entered by, so far as somebody has asked for it. */
function barred(): string[] {
  const subresources = audited().flatMap(({ objectRef }) => objectRef?.subresource ?? []);
  return subresources.filter(name => ['exec', 'attach', 'portforward'].includes(name));
}

/** Runs a step here; afterwards the cluster is whole again. */
async function withStep(
  inputs: Record<string, string>,
  look: (step: RunningStep, workspace: string) => Promise<void>,
): Promise<void> {
  const workspace = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-workspace-'));
  const ours = { image: cluster.images.shell, ...inputs };
  const step = startStep({ inputs: ours, workspace, timeoutMs: 240_000 });
  try {
    await look(step, workspace);
    await step.runPost();
    const { outputs }: StepResult = await step.done;
    pods.push({ name: outputs['pod_name'] ?? '', hasSidecar: inputs['do_xcom_push'] === 'true' });
  } finally {
    await step.dispose();
    rmSync(workspace, { recursive: true, force: true });
    await start(NAME, 'kube-apiserver');
    await untilReady(NAME);
  }
}
