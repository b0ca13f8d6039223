import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Namespace } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';
import { ENVIRONMENTS, type Environment } from './results/environments.ts';
import { FILES, type File } from './results/files.ts';
import { type Expected, expectEnding, MODES, type Mode, type Played, play, sha256 } from './results/play.ts';

/** Steps at a time: they mostly wait. */
const AT_A_TIME = 3;
// Whichever is asked for first waits for what is played before it.
jest.setTimeout(1_200_000);

/** As root every file, elsewhere one; `npm run soak` has every file everywhere. */
const EVERYWHERE = process.env['RESULT_ENVIRONMENTS'] === 'all';
const ONE = FILES.filter(({ name }) => name === 'a bare text');

/** What is written there. */
function filesIn(environment: Environment, mode: Mode): File[] {
  if (environment !== ENVIRONMENTS[0] && !EVERYWHERE) return ONE;
  return FILES.filter(file => expectedOf(file, mode) && !(file.ownUser && environment.ownUser));
}

const expectedOf = (file: File, mode: Mode) => (mode === 'auto' ? file.auto : file.required);

const played = new Map<string, Promise<Played>>();
const key = (environment: Environment, file: File, mode: Mode) => `${mode}, ${environment.name}: ${file.name}`;

const namespaces: Namespace[] = [];
async function namespaceFor({ labels = [] }: Environment): Promise<Namespace> {
  const namespace = await Namespace.create();
  namespaces.push(namespace);
  await namespace.kubectl(['label', 'namespace', namespace.name, 'tests=results', ...labels]);
  return namespace;
}

beforeAll(async () => {
  const pool = new Pool(AT_A_TIME);
  for (const environment of ENVIRONMENTS) {
    const namespace = await namespaceFor(environment);
    for (const mode of MODES)
      for (const file of filesIn(environment, mode)) {
        const inputs = { ...environment.inputs, ...file.inputs, do_xcom_push: mode };
        const ended = pool.run(() => play(namespace, file.script, inputs));
        ended.catch(() => {}); // whoever asks for it is told
        played.set(key(environment, file, mode), ended);
      }
  }
}, 120_000);
afterAll(async () => {
  await Promise.allSettled(played.values());
  for (const namespace of namespaces) await namespace[Symbol.asyncDispose]();
}, 120_000);

describe.each(ENVIRONMENTS)('what a container leaves $name:', environment => {
  describe.each(MODES)('with do_xcom_push: %s', mode => {
    test.each(filesIn(environment, mode).map(file => [file.name, file] as const))('%s', async (_, file) => {
      const ending = (await played.get(key(environment, file, mode))) as Played;
      expectEnding(ending, expectedOf(file, mode) as Expected);
      const { step, file: filed } = ending;
      if (file.hidden !== undefined) expect(step.text + step.summary).not.toContain(file.hidden);
      const wanted = file.filed && mode === 'true' ? /^checksum ([0-9a-f]{64})/m.exec(step.text)?.[1] : undefined;
      expect(filed && sha256(filed)).toBe(wanted);
    });
  });
});

test('no pod is left', async () => {
  await Promise.all(played.values());
  for (const namespace of namespaces) expect(await namespace.pods()).toEqual([]);
});
