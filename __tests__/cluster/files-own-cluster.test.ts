import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localImages } from '../../dev/cluster/cluster.ts';
import { type Cluster, down, start, stop, up } from '../../dev/cluster/index.ts';
import { asRunner } from '../support/account.ts';
import { type RunningStep, startStep } from '../support/step-runner.ts';
import { folderWith, told } from './files/tree.ts';

/** A cluster of its own, whose API server is killed. */
const NAME = 'test-files';
let cluster: Cluster;
let kubeconfig: string;
beforeAll(async () => {
  cluster = await up({ name: NAME, provider: 'one-node' }, () => {});
  kubeconfig = await asRunner(cluster, 'default');
}, 120_000);
afterAll(() => down(NAME, () => {}), 60_000);

/** Once each in `npm test`; `npm run soak` asks for more. `SEED=n FILES_KILLS=1` repeats run n. */
const RUNS = Number(process.env['FILES_KILLS'] ?? 1);
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const SEEDS = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);

const CONTENT = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => (at * 7919 + (at >> 9)) & 255));
const TREE = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`d${at % 7}/f${at}`, CONTENT.subarray(at)]));

test.each(SEEDS.flatMap(seed => [['in', seed] as const, ['back', seed] as const]))(
  'the API server is killed on the way %s, which is begun anew when it is there: SEED=%d',
  async (way, seed) => {
    const [[afterMs, downMs] = [0, 0]] = fc.sample(
      fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 2000 })),
      { seed, numRuns: 1 },
    );
    const [before, workspace] = [folderWith(TREE), folderWith(TREE)];
    const step: RunningStep = startStep({
      inputs: {
        ...{ config_file: kubeconfig, namespace: 'default', image: localImages.shell, helper_image: localImages.shell },
        ...{
          workspace: 'upload',
          run: 'echo in; mkdir back; mv d* back',
          download: 'back!',
          queue_timeout_seconds: '60',
        },
      },
      workspace,
      // The scheduler may need most of a minute to find a server that was away.
      timeoutMs: 150_000,
    });
    try {
      await step.line(way === 'in' ? /^Created: / : /\bin$/, 60_000);
      await sleep(afterMs);
      await stop(NAME, 'kube-apiserver');
      await sleep(downMs);
      await start(NAME, 'kube-apiserver');
      const result = await step.done;
      expect(result.annotations.filter(({ level }) => level === 'error')).toEqual([]);
      expect(result.outputs).toMatchObject({ state: 'succeeded' });
      expect(told(join(workspace, 'back'))).toEqual(told(before));
    } finally {
      await step.dispose();
      for (const folder of [before, workspace]) rmSync(folder, { recursive: true, force: true });
    }
  },
  180_000,
);
