import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { REASONS } from '../../src/github/failure.ts';
import { cluster } from '../support/cluster.ts';
import { BESIDE } from './failures/beside.ts';
import { Theatre } from './failures/play.ts';
import { Plays } from './failures/plays.ts';
import type { Scenario } from './failures/scenario.ts';
import { failureTables } from './failures/table.ts';
import { RUNS } from './failures/times.ts';
import { OWN, SHARED } from './failures/topics.ts';
import { expectVerdict } from './failures/verdict.ts';

// Whichever is asked for first waits for what is played before it.
jest.setTimeout(RUNS * 300_000);

/** kind's node has a loopback of its own. */
const isPossible = ({ sameMachine }: Scenario) => !sameMachine || cluster.provider === 'one-node';
const topics = SHARED.map(topic => ({ ...topic, scenarios: topic.scenarios.filter(isPossible) }));

let theatre: Theatre;
let plays: Plays;
beforeAll(async () => {
  theatre = await Theatre.open();
  plays = new Plays(topics);
  // What takes longest begins first.
  const scenarios = topics.flatMap(topic => topic.scenarios).sort((one, other) => length(other) - length(one));
  for (let run = 0; run < RUNS; run++) for (const scenario of scenarios) plays.add(scenario, theatre.play(scenario));
  plays.complete();
}, 60_000);
afterAll(async () => {
  await plays.record();
  await theatre[Symbol.asyncDispose]();
}, RUNS * 300_000);

function length({ takes = 0, lasts = takes }: Scenario): number {
  return lasts;
}

describe.each(topics)('$heading:', ({ scenarios }) => {
  test.each(scenarios.map(scenario => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    expectVerdict(scenario, await plays.of(scenario));
  });
});

describe('the table', () => {
  const scenarios = [...SHARED, ...OWN].flatMap(topic => topic.scenarios);

  test('has at least 35 failures, each with a name and a sentence', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    expect(scenarios.filter(({ expected }) => expected.reason !== undefined).length).toBeGreaterThanOrEqual(35);
    expect(scenarios.filter(({ expected }) => expected.says === '')).toEqual([]);
  });

  test('names reasons of the documented list alone', () => {
    const named = scenarios.flatMap(({ expected }) => expected.reason ?? []);
    expect(named.filter(reason => !(reason in REASONS))).toEqual([]);
  });

  test('stands in the docs (npm run docs)', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');
    expect(docs).toContain(failureTables());
  });
});

describe('no failure of the step is', () => {
  test.each(BESIDE.map(one => [one.name, one] as const))('%s', async (_, { inputs }) => {
    const step = await theatre.namespace.run(inputs);
    expect(step.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
    expect(step.annotations).toEqual([]);
  });
});

test('no pod is left behind', async () => {
  await plays.over();
  expect(await theatre.namespace.pods()).toEqual([]);
});
