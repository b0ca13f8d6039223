import { afterEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../../support/fake-api-server.ts';
import { type RunningStep, type StepResult, startStep } from '../../support/step-runner.ts';
import { expectClean, linesLike } from '../step.ts';

let server: FakeApiServer;
const steps: RunningStep[] = [];
afterEach(async () => {
  for (const step of steps.splice(0)) await step.dispose();
  await server.close();
});

/** The step in an attempt of the run. */
function attempt(number: number, inputs: Record<string, string> = {}, env: Record<string, string> = {}): RunningStep {
  const step = startStep({
    inputs: { kubeconfig: server.kubeconfig, image: 'busybox', ...inputs },
    env: { GITHUB_RUN_ATTEMPT: String(number), ...env },
  });
  steps.push(step);
  return step;
}

async function ended(step: RunningStep): Promise<StepResult> {
  const result = await step.done;
  expectClean(result);
  return result;
}

/** A first attempt whose runner was lost while its container ran: nothing ran after it. */
async function lost(inputs: Record<string, string> = {}, env: Record<string, string> = {}): Promise<FakePod> {
  const count = server.pods.length;
  const step = attempt(1, inputs, env);
  const pod = (await server.pod(count + 1)).run().write('first line');
  await step.line('first line');
  await step.kill();
  return pod;
}

const serve = async () => {
  server = await startFakeApiServer();
};
const creates = () => server.matching({ verb: 'create' }).filter(({ query }) => query['dryRun'] === undefined).length;

describe('a re-run', () => {
  test('goes on with the pod of an earlier attempt that still runs, shows its log from the start, and deletes it', async () => {
    await serve();
    const pod = await lost({ name: 'load' });
    const step = attempt(2, { name: 'load' });
    await step.line('first line');
    pod.write('second line').finish({ message: '{"rows": 7}' });
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.outputs).toMatchObject({ state: 'succeeded', pod_name: pod.name, result: '{"rows": 7}' });
    expect(linesLike(result, /line$|takes it over/)).toEqual([
      `Pod default/${pod.name} of attempt 1 still runs: this attempt takes it over. Its log is shown from the start.`,
      'first line',
      'second line',
    ]);
    expect([creates(), pod.removed]).toEqual([1, true]);
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
  });

  test('takes the log and the result of one that has succeeded unread', async () => {
    await serve();
    const pod = await lost();
    pod.finish({ message: '[1]' });
    const result = await ended(attempt(2));
    expect(result.outputs).toMatchObject({ state: 'succeeded', result: '[1]' });
    expect(result.text).toContain(
      `Pod default/${pod.name} of attempt 1 has succeeded, and is not marked as read: its log`,
    );
    expect(linesLike(result, /^first line$/)).toHaveLength(1);
    expect([creates(), pod.removed]).toEqual([1, true]);
  });

  test('does not take one that has succeeded and was read, though it is kept', async () => {
    await serve();
    const kept = { on_finish_action: 'keep_pod' };
    const first = attempt(1, kept);
    (await server.pod(1)).run().write('done').finish();
    await ended(first);
    const second = attempt(2, kept);
    (await server.pod(2)).run().write('again').finish();
    expect(linesLike(await ended(second), /^(done|again)$/)).toEqual(['again']);
    expect(creates()).toBe(2);
  });

  test('has a fresh pod where the earlier one has failed: a new attempt is a new try', async () => {
    await serve();
    const pod = await lost();
    pod.finish({ exitCode: 1 });
    const step = attempt(2);
    (await server.pod(2)).run().write('again').finish();
    expect((await ended(step)).outputs['state']).toBe('succeeded');
    expect([creates(), pod.removed]).toEqual([2, false]);
    expect(step.lines.map(({ raw }) => raw)).toContain(
      `Pod default/${pod.name} of attempt 1 has failed: this attempt tries anew.`,
    );
  });

  test.each<[string, Record<string, string>, number]>([
    ['failed', {}, 1],
    ['succeeded, and was read', { on_finish_action: 'keep_pod' }, 0],
  ])('of a fixed name has its pod make way that has %s', async (_, inputs, exitCode) => {
    await serve();
    const fixed = { name: 'p', random_name_suffix: 'false', ...inputs };
    if (exitCode === 0) {
      const first = attempt(1, fixed);
      (await server.pod(1)).run().finish();
      await ended(first);
    } else (await lost(fixed)).finish({ exitCode });
    const step = attempt(2, fixed);
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect(result.outputs['state']).toBe('succeeded');
    expect(result.text).toContain('Pod default/p of attempt 1 makes way for the next of that name.');
  });

  test('of a deferring step speaks of no log', async () => {
    await serve();
    const deferring = { deferrable: 'true' };
    await ended(attempt(1, deferring));
    const pod = (await server.pod(1)).run();
    const running = await ended(attempt(2, deferring));
    expect(running.text).toContain(`Pod default/${pod.name} of attempt 1 still runs: this attempt takes it over.\n`);
    pod.finish();
    const done = await ended(attempt(3, deferring));
    expect(done.text).toContain(
      `Pod default/${pod.name} of attempt 1 has succeeded, and is not marked as read: nothing is run again.`,
    );
    expect(done.outputs).toMatchObject({ state: 'deferred', pod_name: pod.name });
  });

  test('of a step that is cancelled deletes the pod that it has taken over', async () => {
    await serve();
    const pod = await lost();
    const step = attempt(2);
    await step.line('first line');
    await step.cancel();
    expect(pod.removed).toBe(true);
  });

  test('that is killed leaves the pod to its post step', async () => {
    await serve();
    const pod = await lost();
    const step = attempt(2);
    await step.line('first line');
    await step.kill();
    expect((await step.runPost()).text).toContain(`Deleted pod default/${pod.name}`);
  });

  test('of a re-run finds the pod that that had taken over', async () => {
    await serve();
    const pod = await lost();
    const second = attempt(2);
    await second.line('first line');
    await second.kill();
    const third = attempt(3);
    await third.line('first line');
    pod.finish();
    expect((await ended(third)).outputs).toMatchObject({ state: 'succeeded', pod_name: pod.name });
    expect(creates()).toBe(1);
  });

  test('makes the Secrets that the earlier attempt did not get to, and takes those that it did', async () => {
    await serve();
    const secret = { secret_env: 'TOKEN=correct horse' };
    const pod = await lost(secret);
    const step = attempt(2, secret);
    await step.line('first line');
    pod.finish();
    expect((await ended(step)).outputs['state']).toBe('succeeded');
    const names = server.requests
      .filter(({ path }) => path.endsWith('/secrets'))
      .map(({ body }) => (body as { metadata: { name: string } }).metadata.name);
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(1);
  });
});

test('a pod of an earlier attempt that is being deleted, and still runs, is waited for', async () => {
  await serve();
  const pod = await lost();
  pod.onDelete = () => {};
  pod.delete();
  const step = attempt(2);
  await step.line(`Waiting for pod default/${pod.name} of an earlier attempt to end, which is being deleted.`);
  expect(creates()).toBe(1);
  pod.terminate({ exitCode: 143 });
  (await server.pod(2)).run().finish();
  expect((await ended(step)).outputs['state']).toBe('succeeded');
});

test('a pod of an earlier attempt that has not started yet is taken over as well', async () => {
  await serve();
  const first = attempt(1);
  const pod = (await server.pod(1)).unschedulable();
  await first.line('waiting for a node');
  await first.kill();
  const step = attempt(2);
  await step.line(`Pod default/${pod.name} of attempt 1 has not started yet: this attempt takes it over.`);
  pod.run().finish();
  expect((await ended(step)).outputs).toMatchObject({ state: 'succeeded', pod_name: pod.name });
});

describe('a re-run that is cancelled while it takes a pod over', () => {
  test('waits for the answer, and deletes the pod', async () => {
    await serve();
    const pod = await lost();
    server.fault({ match: { verb: 'patch' }, action: { kind: 'delay', ms: 300 } });
    const step = attempt(2);
    await server.request({ verb: 'patch' });
    const result = await step.cancel();
    expectClean(result);
    expect(result.outputs).toMatchObject({ state: 'cancelled', pod_name: pod.name });
    expect([creates(), pod.removed]).toEqual([1, true]);
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
  });

  test('and gets none says so in the runner’s time', async () => {
    await serve();
    const pod = await lost();
    server.fault({ match: { verb: 'patch' }, action: { kind: 'hang' } });
    const step = attempt(2);
    await server.request({ verb: 'patch' });
    const result = await step.cancel();
    expectClean(result);
    expect(result.signal).toBeNull();
    expect(result.outputs).toEqual({ state: 'cancelled', reason: 'Cancelled' });
    // Nobody knows whether it has been taken over: it is as it was.
    expect((await step.runPost()).text).toBe('');
    expect(pod.removed).toBe(false);
  }, 30_000);

  test('and is killed then leaves the pod to its post step, which knows it by the mark', async () => {
    await serve();
    const pod = await lost();
    server.fault({ match: { verb: 'patch' }, action: { kind: 'quiet', afterBytes: 0 } });
    const step = attempt(2);
    await server.request({ verb: 'patch' });
    await step.kill();
    expect((await step.runPost()).text).toContain(`Deleted pod default/${pod.name}`);
    expect(pod.removed).toBe(true);
  });
});

describe('reattach_on_restart: false', () => {
  test('stops a pod of an earlier attempt that still runs before it makes another', async () => {
    await serve();
    const pod = await lost();
    pod.onDelete = () => {};
    const step = attempt(2, { reattach_on_restart: 'false' });
    await server.request({ verb: 'delete' });
    expect(creates()).toBe(1);
    pod.terminate({ exitCode: 143 }).remove();
    (await server.pod(2)).run().write('fresh').finish();
    const result = await ended(step);
    expect(linesLike(result, /line$|^fresh$|^Stopping/)).toEqual([
      `Stopping pod default/${pod.name} of an earlier attempt, which still runs (reattach_on_restart: false).`,
      'fresh',
    ]);
  });
});

describe('of several pods of earlier attempts', () => {
  test('that still run none is taken, and the step fails', async () => {
    await serve();
    const pods = [await lost(), await lost()];
    const result = await ended(attempt(2));
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'AmbiguousPod' });
    for (const pod of pods)
      expect(result.annotations[0]?.message).toContain(`default/${pod.name} (attempt 1, running)`);
    expect(result.annotations[0]?.message).toMatch(/a distinct `name` each/);
    expect([creates(), server.matching({ verb: 'delete' }).length]).toEqual([2, 0]);
  });

  test('each step takes its own where they have names', async () => {
    await serve();
    const [load, train] = [await lost({ name: 'load' }), await lost({ name: 'train' })];
    const step = attempt(2, { name: 'train' });
    await step.line('first line');
    train.finish();
    const result = await ended(step);
    expect(result.outputs['pod_name']).toBe(train.name);
    expect(result.text).toContain(
      `Pod default/${load.name} of an earlier attempt still runs, and by its labels it is this step’s; but it is another than this step asks for now (metadata.name)`,
    );
    expect(load.removed).toBe(false);
  });

  test('that have all succeeded none is taken, and the work is done again', async () => {
    await serve();
    for (const pod of [await lost(), await lost()]) pod.finish();
    const step = attempt(2);
    (await server.pod(3)).run().write('again').finish();
    const result = await ended(step);
    expect(result.outputs['state']).toBe('succeeded');
    expect(result.text).toMatch(
      /^2 pods of earlier attempts have succeeded and could each be this step’s, so none is taken/m,
    );
  });

  test('one is taken by one step only, though two of this attempt look for it', async () => {
    await serve();
    const pod = await lost();
    const first = attempt(2);
    await first.line('first line');
    const second = attempt(2);
    const fresh = (await server.pod(2)).run().write('fresh');
    pod.finish();
    fresh.finish();
    const names = await Promise.all([first, second].map(async step => (await ended(step)).outputs['pod_name']));
    expect(names).toEqual([pod.name, fresh.name]);
  });
});

describe('a pod that looks like this step’s is not taken where', () => {
  const forged = (pod: FakePod, change: (pod: FakePod) => void) => pod.patch(() => change(pod));

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['it runs another image', { image: 'evil' }, {}],
    ['it runs another command', { cmds: '[sh, -c, evil]' }, {}],
    ['it has a variable more', { env_vars: 'A=1' }, {}],
    ['it is of another job', {}, { GITHUB_JOB: 'another' }],
    ['it is of another step', {}, { GITHUB_ACTION: 'another' }],
    ['it is of another run', {}, { GITHUB_RUN_ID: '99' }],
    ['it is of another repository', {}, { GITHUB_REPOSITORY_ID: '99' }],
    ['it is of another entry of the matrix', { matrix: '{"os": "linux"}' }, {}],
  ])('%s', async (_, inputs, env) => {
    await serve();
    const pod = await lost(inputs, env);
    const step = attempt(2);
    (await server.pod(2)).run().finish();
    expect((await ended(step)).outputs['pod_name']).not.toBe(pod.name);
    expect([pod.removed, pod.object.metadata.deletionTimestamp]).toEqual([false, undefined]);
  });

  test.each<[string, (pod: FakePod) => void]>([
    [
      'its mark is no mark of ours',
      pod => void Object.assign(pod.object.metadata.annotations ?? {}, { 'kubernetes-pod-step/nonce': 'x' }),
    ],
    [
      'it says that it is of this attempt',
      pod => void Object.assign(pod.object.metadata.labels ?? {}, { 'kubernetes-pod-step/run-attempt': '2' }),
    ],
    [
      'its attempt is no number',
      pod => void Object.assign(pod.object.metadata.labels ?? {}, { 'kubernetes-pod-step/run-attempt': 'x' }),
    ],
    [
      'it has a variable more than the cluster gives such pods',
      pod => void Object.assign(pod.object.spec.containers[0] ?? {}, { env: [{ name: 'PATH', value: '/evil' }] }),
    ],
    [
      'it has a host more than the cluster gives such pods',
      pod => void Object.assign(pod.object.spec, { hostAliases: [{ ip: '192.0.2.9', hostnames: ['db'] }] }),
    ],
    [
      'it has the rights of another account',
      pod => void Object.assign(pod.object.spec, { hostNetwork: true, containers: [{ name: 'base', image: 'evil' }] }),
    ],
  ])('%s', async (_, change) => {
    await serve();
    const pod = forged(await lost(), change);
    pod.finish({ message: '{"forged": true}' });
    const step = attempt(2);
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect(result.outputs['pod_name']).not.toBe(pod.name);
    expect(result.outputs['result']).toBeUndefined();
    expect([pod.removed, pod.object.metadata.deletionTimestamp]).toEqual([false, undefined]);
  });
});

describe('where the credentials may not', () => {
  test.each(['list', 'patch'] as const)('%s pods, one line says what follows', async verb => {
    await serve();
    const pod = await lost();
    server.fault({ match: { verb }, times: 9, action: { kind: 'answer', reply: replies.forbidden(verb) } });
    const step = attempt(2);
    if (verb === 'list') (await server.pod(2)).run().finish();
    else {
      await step.line('first line');
      pod.finish();
    }
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(linesLike(result, new RegExp(`^The credentials may not ${verb} pods, so`))).toHaveLength(1);
  });

  test('patch pods, a kept one is not marked as read, and that is said', async () => {
    await serve();
    server.fault({ match: { verb: 'patch' }, times: 9, action: { kind: 'answer', reply: replies.forbidden('patch') } });
    const step = attempt(1, { on_finish_action: 'keep_pod' });
    (await server.pod()).run().finish();
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(
      linesLike(result, /^It could not be marked as read, so a re-run of this job would take its result/),
    ).toHaveLength(1);
  });
});

test('a first attempt looks for nothing', async () => {
  await serve();
  const step = attempt(1);
  (await server.pod()).run().finish();
  await ended(step);
  expect(server.matching({ verb: 'list' })).toEqual([]);
});
