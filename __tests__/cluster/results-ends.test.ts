import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Namespace } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';
import { ENDS, type End } from './results/ends.ts';
import { type Expected, expectEnding, MODES, type Mode, type Played, play } from './results/play.ts';

/** Steps at a time: they mostly wait. */
const AT_A_TIME = 3;
// Whichever is asked for first waits for what is played before it.
jest.setTimeout(240_000);

const played = new Map<string, Promise<Played>>();
const expectedOf = (end: End, mode: Mode) => (mode === 'auto' ? end.auto : end.required);
const endsWith = (mode: Mode) => ENDS.filter(end => expectedOf(end, mode));
const key = (end: End, mode: Mode) => `${mode}: ${end.name}`;

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
  const pool = new Pool(AT_A_TIME);
  for (const mode of MODES)
    for (const end of endsWith(mode)) {
      const { script, inputs, meanwhile } = end;
      const ended = pool.run(() =>
        play(namespace, script, { ...inputs, do_xcom_push: mode }, step => meanwhile?.(step, namespace)),
      );
      ended.catch(() => {}); // whoever asks for it is told
      played.set(key(end, mode), ended);
    }
}, 60_000);
afterAll(async () => {
  await Promise.allSettled(played.values());
  await namespace[Symbol.asyncDispose]();
}, 120_000);

describe.each(MODES)('with do_xcom_push: %s, the result of a container that ends', mode => {
  test.each(endsWith(mode).map(end => [end.name, end] as const))('%s', async (_, end) => {
    const ending = (await played.get(key(end, mode))) as Played;
    expectEnding(ending, expectedOf(end, mode) as Expected);
  });
});

test('what a failed container wrote instead of JSON is shown as its last words', async () => {
  const end = ENDS.find(({ name }) => name.endsWith('not JSON')) as End;
  const { step } = (await played.get(key(end, 'auto'))) as Played;
  expect(step.text).toContain('\nThe container’s termination message:\nbecause\n');
});
