import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cluster, Namespace, script } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';
import { MOMENTS, type Moment } from './cancel/moments.ts';
import { type Ending, play, remains, type Stop, strayLines } from './cancel/play.ts';

/** Steps at a time: they mostly wait. */
const AT_A_TIME = 6;
// Whichever is asked for first waits for what is played before it.
jest.setTimeout(240_000);

/** kind's node has a loopback of its own. */
const table = MOMENTS.filter(({ pulls }) => !pulls || cluster.provider === 'one-node');
const rows = (kept: boolean) =>
  table.filter(moment => Boolean(moment.kept) === kept).map(moment => [moment.name, moment] as const);

type Played = Ending & { remains: string };
const played = new Map<string, Promise<Played>>();
async function endingOf(stop: Stop, { name }: Moment): Promise<Played> {
  const ending = await played.get(`${stop} ${name}`);
  if (ending === undefined) throw new Error(`"${name}" was not played.`);
  return ending;
}

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
  const pool = new Pool(AT_A_TIME);
  for (const moment of table)
    for (const stop of ['cancel', 'kill'] as const) {
      const ended = pool.run(() => play(namespace, moment, stop));
      const ending = ended.then(async end => ({
        ...end,
        remains: moment.kept ? '' : await remains(namespace, end.runId),
      }));
      ending.catch(() => {}); // whoever asks for it is told
      played.set(`${stop} ${moment.name}`, ending);
    }
}, 60_000);
afterAll(async () => {
  await Promise.allSettled(played.values());
  await namespace[Symbol.asyncDispose]();
}, 240_000);

describe('of a step that is cancelled nothing is left after the post step,', () => {
  test.each(rows(false))('%s', async (_, moment) => {
    const { main, post, remains } = await endingOf('cancel', moment);
    expect(remains).toBe('');
    expect(post).toMatchObject({ exitCode: 0, conclusion: 'success', annotations: [] });
    expect([strayLines(main), strayLines(post)]).toEqual([[], []]);
    expect(main.conclusion).toBe('cancelled');
    // Until it listens, Node lets the signal end it.
    if ('state' in moment && moment.state === undefined) return;
    expect(main.signal).toBeNull();
    expect(main.outputs['state']).toMatch(moment.state ?? /^cancelled$/);
    if (main.outputs['state'] === 'cancelled') expect(main.outputs['reason']).toBe('Cancelled');
  });
});

describe('of a step that is killed nothing is left after the post step,', () => {
  test.each(rows(false))('%s', async (_, moment) => {
    const { main, post, remains } = await endingOf('kill', moment);
    expect(main.signal).toBe('SIGKILL');
    expect(remains).toBe('');
    expect(post).toMatchObject({ exitCode: 0, conclusion: 'success', annotations: [] });
    expect([strayLines(main), strayLines(post)]).toEqual([[], []]);
  });
});

describe.each<Stop>(['cancel', 'kill'])('on_kill_action: keep_pod, and a %s:', stop => {
  test.each(rows(true))('the pod is there, and how to find it is said, %s', async (_, moment) => {
    const { main, post, runId } = await endingOf(stop, moment);
    const selector = ['-l', `kubernetes-pod-step/run-id=${runId}`];
    const pods = (
      await namespace.kubectl(['get', 'pods', ...selector, '-o', 'jsonpath={.items[*].metadata.name}'])
    ).split(' ');
    expect(pods).toEqual([main.outputs['pod_name']]);
    expect((await namespace.pods()).map(({ metadata }) => metadata?.name)).toEqual(expect.arrayContaining(pods));
    // A process that is killed cannot finish what it was about.
    if (stop === 'cancel')
      await namespace.kubectl(['wait', `pod/${pods[0]}`, '--for=condition=Ready', '--timeout=30s']);
    const said = stop === 'cancel' ? main : post;
    expect(said.text).toContain(`Pod ${namespace.name}/${pods[0]} is kept (on_kill_action: keep_pod).`);
    expect(said.text).toContain(`kubectl -n ${namespace.name} delete pod ${pods[0]}`);
    if (stop === 'cancel') expect(post.text).toBe('');
  });
});

test('the DELETE leaves soon after the signal', async () => {
  const { deleteMs } = await endingOf('cancel', table.find(({ name }) => name.endsWith('with a Secret')) as Moment);
  // `node dev/bench/cancel.ts` measures it; here others are at work.
  expect(deleteMs).toBeLessThan(1000);
});

test('where no post step runs either, a container is stopped at its deadline, and the pod is left for a sweep', async () => {
  const deadline = { active_deadline_seconds: '4', termination_grace_period: '1' };
  const step = namespace.start({ ...script('trap "" TERM; echo running; while :; do sleep 0.2; done'), ...deadline });
  try {
    await step.line(/^running$/, 40_000);
    const { outputs } = await step.kill();
    const name = outputs['pod_name'] ?? '';
    await namespace.kubectl(['wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Failed', '--timeout=60s']);
    const pod = (await namespace.pods()).find(({ metadata }) => metadata?.name === name);
    expect(pod?.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(pod?.status?.containerStatuses?.map(({ state }) => Object.keys(state ?? {}))).toEqual([['terminated']]);
    expect(pod?.metadata?.labels).toMatchObject({ 'kubernetes-pod-step/lifetime': 'owned' });
  } finally {
    await step.dispose();
  }
});
