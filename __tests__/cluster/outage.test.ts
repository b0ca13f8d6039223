import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from '../../dev/cluster/command.ts';
import { type Cluster, down, restart, start, stop, untilReady, up } from '../../dev/cluster/index.ts';
import { asRunner } from '../support/account.ts';
import { script } from '../support/cluster.ts';
import { startStep } from '../support/step-runner.ts';

/** A cluster of its own, whose parts are killed. */
const NAME = 'test-outage';
let cluster: Cluster;
/** Of somebody who has the Role of examples/cluster/runner.yaml and no other. */
let kubeconfig: string;
beforeAll(async () => {
  cluster = await up({ name: NAME, provider: 'one-node' }, () => {});
  kubeconfig = await asRunner(cluster, 'default');
}, 120_000);
afterAll(() => down(NAME, () => {}), 60_000);

/** Once in `npm test`; `npm run soak` asks for more. */
const RUNS = Array.from({ length: Number(process.env['OUTAGE_RUNS'] ?? 1) }, (_, index) => index + 1);

/** About 100 a second: 30 s in all. */
const LINES = 3000;

test.each(RUNS)(
  'API server and kubelet killed under a healthy pod: every line once, in order, and success (run %d)',
  async () => {
    const step = startStep({
      inputs: {
        config_file: kubeconfig,
        image: cluster.images.shell,
        ...script(`i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "line $i"; sleep 0.009; done`),
      },
      timeoutMs: 240_000,
    });
    try {
      // The scheduler may need a while to notice that the last run's API server is gone.
      await step.line(/^line 800$/, 120_000);
      await restart(NAME, 'kube-apiserver');
      await step.line(/^line 1800$/, 90_000);
      await restart(NAME, 'kubelet');
      const result = await step.done;
      const lines = result.lines.map(({ raw }) => raw).filter(line => line.startsWith('line '));
      expect(lines).toEqual(Array.from({ length: LINES }, (_, index) => `line ${index + 1}`));
      expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
    } finally {
      await step.dispose();
      await untilReady(NAME);
    }
  },
  300_000,
);

test('an API server that is down at first contact is waited for, and the log says so twice', async () => {
  await stop(NAME, 'kube-apiserver');
  const step = startStep({
    inputs: { config_file: kubeconfig, image: cluster.images.shell, cmds: 'echo made it' },
    timeoutMs: 240_000,
  });
  try {
    await step.line(/is away \(connection refused\); waiting for it for up to 60 s/, 30_000);
    await start(NAME, 'kube-apiserver');
    const result = await step.done;
    expect(result.conclusion).toBe('success');
    expect(result.text.match(/is away|is back/g)).toEqual(['is away', 'is back']);
    expect(result.text).toContain('\nmade it\n');
  } finally {
    await step.dispose();
    await start(NAME, 'kube-apiserver');
    await untilReady(NAME);
  }
}, 180_000);

/** From the start of the post step to that of the API server. */
const AWAY_SECONDS = 3;

test('an API server that is down at a cancel and when the post step begins is waited for, and the pod is deleted then', async () => {
  const step = startStep({
    inputs: {
      config_file: kubeconfig,
      image: cluster.images.shell,
      ...script('trap "exit 143" TERM; echo running; sleep 600 & wait'),
    },
  });
  try {
    await step.line(/^running$/, 60_000);
    await stop(NAME, 'kube-apiserver');
    const { outputs, annotations, signal } = await step.cancel();
    const name = outputs['pod_name'] ?? '';
    expect(signal).toBeNull();
    expect(outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(annotations.map(({ level, title }) => [level, title])).toEqual([
      ['warning', 'Pod not deleted'],
      ['error', 'Cancelled'],
    ]);
    expect(annotations[0]?.message).toContain(`Pod default/${name} could not be deleted: `);
    expect(annotations[0]?.message).toContain(`by hand: kubectl -n default delete pod ${name}`);

    const posted = step.runPost();
    await sleep(1000 * AWAY_SECONDS);
    await start(NAME, 'kube-apiserver');
    const post = await posted;
    expect(post).toMatchObject({ exitCode: 0, conclusion: 'success', annotations: [] });
    expect(post.text).toContain(`Deleted pod default/${name}, which the main step had left behind.`);
    // Its kubelet has been cut off too, and takes its time to come back.
    const args = ['--kubeconfig', cluster.kubeconfig, 'get', 'pod', name, '--ignore-not-found', '-o', 'json'];
    const pod = await run(cluster.kubectl ?? 'kubectl', args);
    if (pod !== '') expect(JSON.parse(pod)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
  } finally {
    await step.dispose();
    await start(NAME, 'kube-apiserver');
    await untilReady(NAME);
  }
}, 180_000);
