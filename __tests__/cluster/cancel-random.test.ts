import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Namespace, script } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';
import type { StepResult } from '../support/step-runner.ts';
import { remains, strayLines } from './cancel/play.ts';

/** In `npm test`; `npm run soak` asks for more. `SEED=n CANCEL_RUNS=1` repeats run n, as far as time allows. */
const RUNS = Number(process.env['CANCEL_RUNS'] ?? 20);
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const seeds = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);
/** Steps at a time: enough to keep a small machine busy, and so to shift what happens when. */
const AT_A_TIME = 4;

interface Fate {
  /** From the start of its process; it takes 1.5 to 3 s in all. */
  stopAfterMs: number;
  /** `both`: cancelled, and killed before the runner would have to. */
  stop: 'cancel' | 'kill' | 'both';
  killAfterMs: number;
  /** How long its container takes to end by itself, and when it is told to. */
  runsSeconds: number;
  endsSeconds: number;
}

function fateOf(seed: number): Fate {
  const fate = fc.record({
    stopAfterMs: fc.nat(3000),
    stop: fc.constantFrom('cancel' as const, 'kill' as const, 'both' as const),
    killAfterMs: fc.nat(800),
    runsSeconds: fc.constantFrom(0, 0.5, 1, 2),
    endsSeconds: fc.constantFrom(0, 0.5),
  });
  return fc.sample(fate, { seed, numRuns: 1, unbiased: true })[0] as Fate;
}

interface Ending {
  main: StepResult;
  post: StepResult;
  remains: string;
}

let namespace: Namespace;
const endings = new Map<number, Promise<Ending>>();
beforeAll(async () => {
  namespace = await Namespace.create();
  const pool = new Pool(AT_A_TIME);
  for (const seed of seeds) {
    const ending = pool.run(() => play(fateOf(seed)));
    ending.catch(() => {}); // whoever asks for it is told
    endings.set(seed, ending);
  }
}, 60_000);
afterAll(async () => {
  await Promise.allSettled(endings.values());
  await namespace[Symbol.asyncDispose]();
}, 240_000);

async function play({ stopAfterMs, stop, killAfterMs, runsSeconds, endsSeconds }: Fate): Promise<Ending> {
  const runId = String(randomInt(2 ** 40));
  const work = `echo '{"rows": 7}' > /airflow/xcom/return.json; echo running; sleep ${runsSeconds} & wait`;
  const step = namespace.start(
    { ...script(`trap "sleep ${endsSeconds}; exit 143" TERM; ${work}`), secret_env: 'PASSWORD=correct horse' },
    { env: { GITHUB_RUN_ID: runId } },
  );
  try {
    await sleep(stopAfterMs);
    const stopped = step[stop === 'both' ? 'cancel' : stop]();
    if (stop === 'both') await sleep(killAfterMs);
    if (stop === 'both') await step.kill();
    const main = await stopped;
    const post = await step.runPost();
    return { main, post, remains: await remains(namespace, runId) };
  } finally {
    await step.dispose();
  }
}

test.each(seeds)(
  'a step stopped at a random moment leaves neither pod nor Secret after its post step: SEED=%d',
  async seed => {
    const { main, post, remains } = (await endings.get(seed)) as Ending;
    const fate = JSON.stringify(fateOf(seed));
    expect([fate, remains]).toEqual([fate, '']);
    expect(post).toMatchObject({ exitCode: 0, conclusion: 'success', annotations: [] });
    expect([strayLines(main), strayLines(post)]).toEqual([[], []]);
    if (main.signal === null)
      expect([fate, main.outputs['state']]).toContainEqual(expect.stringMatching(/^(cancelled|succeeded)$/));
  },
  60_000 + RUNS * 5000,
);
