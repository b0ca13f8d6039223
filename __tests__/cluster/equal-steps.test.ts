import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { ApiRelay } from '../support/api-relay.ts';
import { Namespace, script } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';

/** In `npm test`; `npm run soak` has as many as there may be. */
const ENTRIES = Number(process.env['MATRIX_ENTRIES'] ?? 8);
/** Each process takes up to 80 MB. */
const AT_A_TIME = 20;

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

interface Did {
  uid: string | undefined;
  name: string | undefined;
  said: string[];
  result: string | undefined;
  deleted: boolean;
}

/** Runs steps that say their own names, all together or nearly. */
async function runAll(words: string[], inputs: (word: string) => Record<string, string>): Promise<Did[]> {
  const pool = new Pool(AT_A_TIME);
  return await Promise.all(
    words.map(word =>
      pool.run(async () => {
        const work = `echo "I am ${word}"; echo '{"word": "${word}"}' > /airflow/xcom/return.json; sleep 0.3; echo "${word} is done"`;
        const { outputs, text, conclusion, post } = await namespace.run({ ...script(work), ...inputs(word) });
        expect([conclusion, outputs['state'], post?.text]).toEqual(['success', 'succeeded', '']);
        return {
          uid: outputs['pod_uid'],
          name: outputs['pod_name'],
          said: text.split('\n').filter(line => /^I am | is done$/.test(line)),
          result: outputs['result'],
        };
      }),
    ),
  ).then(async done => {
    const there = (await namespace.pods()).map(({ metadata }) => metadata?.uid);
    return done.map(one => ({ ...one, deleted: !there.includes(one.uid) }));
  });
}

function expectEachItsOwn(words: string[], done: Did[]): void {
  expect(done.map(({ said, result, deleted }) => ({ said, result, deleted }))).toEqual(
    words.map(word => ({ said: [`I am ${word}`, `${word} is done`], result: `{"word": "${word}"}`, deleted: true })),
  );
  for (const key of ['uid', 'name'] as const) expect(new Set(done.map(one => one[key])).size).toBe(words.length);
}

test('20 steps with equal job, step and run, as of a workflow that is called 20 times, have 20 pods, each with its own log and result', async () => {
  const words = Array.from({ length: 20 }, (_, index) => `caller-${index + 1}`);
  expectEachItsOwn(words, await runAll(words, () => ({})));
}, 120_000);

test(`${ENTRIES} entries of a matrix have ${ENTRIES} pods, each with its own log and result`, async () => {
  const words = Array.from({ length: ENTRIES }, (_, index) => `entry-${index + 1}`);
  expectEachItsOwn(words, await runAll(words, word => ({ matrix: JSON.stringify({ word }) })));
}, 180_000);

test('a create whose answer is lost makes one pod', async () => {
  await using relay = await ApiRelay.start(namespace.kubeconfig);
  relay.fault({ match: { verb: 'create' }, action: { kind: 'loseAnswer' } });
  const inputs = { ...script('echo once'), on_finish_action: 'keep_pod', labels: 'lost: answer' };
  const { outputs, text } = await namespace.run({ ...inputs, config_file: relay.kubeconfigFile });
  expect([outputs['state'], text.match(/^once$/gm)]).toEqual(['succeeded', ['once']]);
  const { items } = JSON.parse(await namespace.kubectl(['get', 'pods', '-l', 'lost=answer', '-o', 'json'])) as {
    items: V1Pod[];
  };
  expect(items.map(({ metadata }) => metadata?.uid)).toEqual([outputs['pod_uid']]);
  expect(relay.matching({ verb: 'create' })).toHaveLength(1);
});
