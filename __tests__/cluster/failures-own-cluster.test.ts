import { afterAll, beforeAll, describe, jest, test } from '@jest/globals';
import { down, up } from '../../dev/cluster/index.ts';
import { FakeLogind } from '../support/fake-logind.ts';
import { EVICTED, EVICTED_ALONE } from './failures/evicted.ts';
import { NODE_ALONE, REFUSED_BY_NODE, shutdown, WITHOUT_THE_NODE } from './failures/node.ts';
import type { Theatre } from './failures/play.ts';
import { Plays } from './failures/plays.ts';
import { OWN_CLUSTER, type Scenario } from './failures/scenario.ts';
import { RUNS } from './failures/times.ts';
import { OWN } from './failures/topics.ts';
import { expectVerdict } from './failures/verdict.ts';

// Whichever is asked for first waits for what is played before it.
jest.setTimeout(RUNS * 300_000);

let theatre: Theatre;
const plays = new Plays(OWN);
beforeAll(async () => {
  // A node is given up after 12 s without news, so that the tests need not wait for 50.
  const controllerManagerFlags = ['--node-monitor-grace-period=12s'];
  // What volumes hold is looked at every 2 s, not every minute, and pressure that is over is over.
  const soon = { volumeStatsAggPeriod: '2s', evictionPressureTransitionPeriod: '0s' };
  const kubeletSettings = { ...soon, shutdownGracePeriod: '5s', shutdownGracePeriodCriticalPods: '1s' };
  shutdown.logind = await FakeLogind.start();
  const options = { controllerManagerFlags, kubeletSettings, systemBus: shutdown.logind.address };
  const cluster = await up({ name: OWN_CLUSTER, provider: 'one-node', ...options }, () => {});
  // The support reads it when it is loaded.
  process.env['POD_STEP_TEST_CLUSTER'] = JSON.stringify(cluster);
  const { Theatre } = await import('./failures/play.ts');
  const { NeighbourNode } = await import('../support/neighbour-node.ts');
  theatre = await Theatre.open();
  const begin = (scenario: Scenario) => plays.add(scenario, theatre.play(scenario));
  void (async () => {
    for (let run = 0; run < RUNS; run++) {
      await Promise.all([...REFUSED_BY_NODE, ...EVICTED].map(begin));
      for (const scenario of [...EVICTED_ALONE, ...NODE_ALONE]) await begin(scenario);
      await using _ = await NeighbourNode.make();
      await Promise.all(WITHOUT_THE_NODE.map(begin));
    }
  })().then(
    () => plays.complete(),
    error => plays.complete(error),
  );
}, 120_000);
afterAll(async () => {
  await plays.record();
  await theatre?.[Symbol.asyncDispose]();
  await down(OWN_CLUSTER, () => {});
  shutdown.logind?.[Symbol.dispose]();
}, RUNS * 300_000);

describe.each(OWN)('$heading:', ({ scenarios }) => {
  test.each(scenarios.map(scenario => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    expectVerdict(scenario, await plays.of(scenario));
  });
});
