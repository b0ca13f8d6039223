import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cluster, Namespace } from '../support/cluster.ts';
import { CuttingRelay } from '../support/cutting-relay.ts';
import { folderWith, told } from './files/tree.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

/** Twice in `npm test`; `npm run soak` asks for more. `SEED=n FILES_CUTS=1` repeats run n. */
const RUNS = Number(process.env['FILES_CUTS'] ?? 2);
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const SEEDS = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);

const FILES = 12;
const SIZE = 700_000;
const ALL = FILES * SIZE;

test.each(SEEDS)(
  'a connection that is cut in the middle, on the way in and on the way back, is begun anew: SEED=%d',
  async seed => {
    // What else goes through a connection, such as a watch, is less.
    const moment = fc.integer({ min: 200_000, max: ALL - 1 });
    const [[up, again, down] = [0, 0, 0]] = fc.sample(fc.tuple(moment, moment, moment), {
      seed,
      numRuns: 1,
      unbiased: true,
    });
    const content = (at: number) =>
      Buffer.from(Array.from({ length: SIZE }, (_, n) => (n * (at + 3) * 7919 + (n >> 7)) & 255));
    const files = () =>
      folderWith(Object.fromEntries(Array.from({ length: FILES }, (_, at) => [`d${at % 3}/f${at}`, content(at)])));
    const [before, workspace] = [files(), files()];
    const { relay, kubeconfig } = await CuttingRelay.start(namespace.kubeconfig);
    try {
      relay.cutAfter('up', up);
      relay.cutAfter('up', again);
      relay.cutAfter('down', down);
      const step = await namespace.run(
        {
          ...{ config_file: kubeconfig, helper_image: cluster.images.shell, workspace: 'upload' },
          ...{ run: 'mkdir back; mv d* back', download: 'back!' },
        },
        { workspace },
      );
      expect(step.annotations).toEqual([]);
      expect(step.outputs).toMatchObject({ state: 'succeeded' });
      expect(relay.cuts).toBe(3);
      expect(step.text.match(/^Begun anew: /gm)).toHaveLength(3);
      expect(told(join(workspace, 'back'))).toEqual(told(before));
      expect(await namespace.pods()).toEqual([]);
    } finally {
      await relay[Symbol.asyncDispose]();
      for (const folder of [before, workspace]) rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
