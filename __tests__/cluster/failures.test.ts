import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { CONFIG } from './failures/config.ts';
import { ENDED, INIT } from './failures/ended.ts';
import { IMAGES } from './failures/images.ts';
import { type Played, Theatre, verdictOf } from './failures/play.ts';
import { record } from './failures/record.ts';
import type { Scenario } from './failures/scenario.ts';
import { SCHEDULING } from './failures/scheduling.ts';

jest.setTimeout(240_000);

const TOPICS: Record<string, Scenario[]> = {
  config: CONFIG,
  ended: ENDED,
  init: INIT,
  images: IMAGES,
  scheduling: SCHEDULING,
};
const isPossible = ({ sameMachine }: Scenario) => !sameMachine || cluster.provider === 'one-node';

let theatre: Theatre;
const plays = new Map<Scenario, Promise<Played>>();
beforeAll(async () => {
  theatre = await Theatre.open();
  for (const scenario of Object.values(TOPICS).flat()) {
    const playing = theatre.play(scenario);
    playing.catch(() => {});
    plays.set(scenario, playing);
  }
}, 60_000);
afterAll(async () => {
  for (const [topic, scenarios] of Object.entries(TOPICS)) {
    const played = await Promise.all(
      scenarios.map(async one => [one.name, await plays.get(one)?.catch(() => undefined)] as const),
    );
    record(
      topic,
      played.filter((one): one is [string, Played] => one[1] !== undefined),
    );
  }
  await theatre[Symbol.asyncDispose]();
}, 60_000);

for (const [topic, scenarios] of Object.entries(TOPICS)) {
  describe(topic, () => {
    test.each(scenarios.filter(isPossible).map(one => [one.name, one] as const))('%s', async (_, scenario) => {
      const { result, says, tookMs } = (await plays.get(scenario)) as Played;
      expect({
        title: verdictOf(result)?.title,
        says,
        tookMs,
        reason: result.outputs['reason'],
        exitCode: result.outputs['exit_code'],
        all: result.annotations.length,
      }).toEqual(scenario.expected);
    });
  });
}
