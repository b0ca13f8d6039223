import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { down, up } from '../../dev/cluster/index.ts';
import { NAME, Neighbour, ONE_BY_ONE, TOGETHER, WITHOUT_THE_NODE } from './failures/node.ts';
import type { Played, Theatre } from './failures/play.ts';
import { record } from './failures/record.ts';
import type { Scenario } from './failures/scenario.ts';

jest.setTimeout(240_000);

let theatre: Theatre;
const plays = new Map<string, Promise<Played>>();
beforeAll(async () => {
  // A node is given up after 12 s without news, so that the tests need not wait for 50.
  const controllerManagerFlags = ['--node-monitor-grace-period=12s'];
  // What volumes hold is looked at every 2 s, not every minute, and pressure that is over is over.
  const kubeletSettings = { volumeStatsAggPeriod: '2s', evictionPressureTransitionPeriod: '0s' };
  const options = { controllerManagerFlags, kubeletSettings };
  const cluster = await up({ name: NAME, provider: 'one-node', ...options }, () => {});
  process.env['POD_STEP_TEST_CLUSTER'] = JSON.stringify(cluster);
  const { Theatre } = await import('./failures/play.ts');
  theatre = await Theatre.open();
  const together = Promise.allSettled(TOGETHER.map(play));
  void (async () => {
    await together;
    for (const scenario of ONE_BY_ONE) await play(scenario).catch(() => {});
    const { kubectl } = await import('../support/cluster.ts');
    await using _ = await Neighbour.make({ kubectl });
    await Promise.allSettled(WITHOUT_THE_NODE.map(play));
  })();
}, 120_000);
afterAll(async () => {
  const all = await Promise.all(
    [...plays].map(async ([name, one]) => [name, await one.catch(() => undefined)] as const),
  );
  record(
    'node',
    all.filter((one): one is [string, Played] => one[1] !== undefined),
  );
  await theatre?.[Symbol.asyncDispose]();
  await down(NAME, () => {});
}, 60_000);

function play(scenario: Scenario): Promise<Played> {
  const playing = theatre.play(scenario);
  playing.catch(() => {});
  plays.set(scenario.name, playing);
  return playing;
}

describe('x', () => {
  test.each([...TOGETHER, ...ONE_BY_ONE, ...WITHOUT_THE_NODE].map(one => [one.name, one] as const))(
    '%s',
    async (name, { expected }) => {
      let playing: Promise<Played> | undefined;
      while (playing === undefined) {
        playing = plays.get(name);
        await new Promise(r => setTimeout(r, 500));
      }
      const { result, says, tookMs } = await playing;
      expect({ title: result.annotations[0]?.title, says, tookMs, ...result.outputs }).toEqual(expected);
    },
  );
});
