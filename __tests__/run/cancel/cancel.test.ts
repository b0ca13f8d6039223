import { afterEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../../support/fake-api-server.ts';
import type { RunningStep, StepResult } from '../../support/step-runner.ts';
import { expectClean, linesLike, start } from '../step.ts';

let server: FakeApiServer;
let step: RunningStep;
afterEach(async () => {
  await step.dispose();
  await server.close();
});

const serve = async (autoplay?: (pod: FakePod) => void) => {
  server = await startFakeApiServer(autoplay && { autoplay });
};
const hello = (pod: FakePod) => void pod.run().write('hello').finish();
const deletes = () => server.matching({ verb: 'delete' });
const tidy = { text: '', lines: [], exitCode: 0 };

/** A step whose container runs. */
async function running(inputs: Record<string, string> = {}): Promise<FakePod> {
  await serve();
  step = start(server, inputs);
  const pod = (await server.pod()).run().write('hello');
  await step.line('hello');
  return pod;
}

async function cancel(): Promise<StepResult> {
  const result = await step.cancel();
  expectClean(result);
  return result;
}

describe('cancelled', () => {
  const cancelled = { conclusion: 'cancelled', outputs: { state: 'cancelled', reason: 'Cancelled' } };
  /** The pod takes its grace period. */
  const slowToGo = (pod: FakePod) => {
    pod.onDelete = () => {};
    return pod;
  };

  test.each<[string, (pod: FakePod) => Promise<unknown>]>([
    [
      'while the container runs',
      async pod => {
        slowToGo(pod).run().write('hello');
        await step.line('hello');
      },
    ],
    [
      'while the pod waits for a node',
      async pod => {
        slowToGo(pod).unschedulable();
        await step.line('waiting for a node');
      },
    ],
  ])('%s, it deletes its pod at once', async (_, situation) => {
    await serve();
    step = start(server);
    const pod = await server.pod();
    await situation(pod);
    const result = await step.cancel();
    expectClean(result);
    expect(result).toMatchObject(cancelled);
    expect(result.text).not.toContain('##[group]');
    expect(deletes().map(({ body }) => body)).toEqual([
      expect.objectContaining({ preconditions: { uid: pod.object.metadata.uid } }),
    ]);
    const asked = linesLike(result, /^Cancelled: deleting pod default\/\S+\.$/);
    expect(asked).toHaveLength(1);
    expect(await step.runPost()).toMatchObject(tidy);
  });

  test('before the answer to the create, it deletes what that has made', async () => {
    await serve();
    server.fault({ match: { verb: 'create' }, action: { kind: 'quiet', afterBytes: 0 } });
    step = start(server);
    const pod = await server.pod();
    const result = await step.cancel();
    expectClean(result);
    expect(result).toMatchObject(cancelled);
    expect(pod.removed).toBe(true);
  });

  test('while the API server is away at first contact, it says cancelled', async () => {
    await serve();
    await server.refuse();
    step = start(server);
    await step.line('is away');
    const result = await step.cancel();
    expectClean(result);
    expect(result).toMatchObject(cancelled);
    expect(result.annotations.map(({ title }) => title)).toEqual(['Cancelled']);
    expect(await step.runPost()).toMatchObject(tidy);
  });

  test('while the log’s end cannot be read, it says cancelled', async () => {
    await serve(hello);
    server.fault({
      match: { verb: 'log' },
      times: 99,
      action: { kind: 'answer', reply: replies.kubeletDown('default', 'p', 'base') },
    });
    step = start(server);
    await server.request({ verb: 'log', query: { follow: 'false' } }, 3);
    const result = await step.cancel();
    expectClean(result);
    expect(result).toMatchObject(cancelled);
    expect(server.pods[0]?.removed).toBe(true);
  });
});

describe('a cancelled step', () => {
  test('sends its DELETE before anything else, within 100 ms', async () => {
    const pod = await running();
    pod.onDelete = () => {};
    const before = server.requests.length;
    const start = performance.now();
    const cancelled = cancel();
    await server.request({ verb: 'delete' });
    const milliseconds = performance.now() - start;
    expect(server.requests[before]?.verb).toBe('delete');
    // Measured: 3 to 10 ms; the machine may be busy.
    expect(milliseconds).toBeLessThan(100);
    pod.terminate({ exitCode: 143 }).remove();
    await cancelled;
  });

  test('shows what its container says until it has ended, and how', async () => {
    const pod = await running();
    pod.onDelete = () => {};
    const cancelled = cancel();
    await server.request({ verb: 'delete' });
    pod.write('saving');
    await step.line('saving');
    pod.write('saved').terminate({ exitCode: 7 });
    const result = await cancelled;
    expect(linesLike(result, /^(hello|saving|saved)$/)).toEqual(['hello', 'saving', 'saved']);
    expect(result.text).toContain('Container base exited with code 7.');
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled', exit_code: '7' });
    expect(result.annotations).toMatchObject([{ level: 'error', title: 'Cancelled' }]);
    expect(await step.runPost()).toMatchObject(tidy);
  });

  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ termination_grace_period: '5' }, 5],
    [{ termination_grace_period: '0' }, 0],
    [{ pod_template_dict: '{spec: {terminationGracePeriodSeconds: 7}}' }, 7],
  ])('whose inputs are %j gives its containers %j seconds', async (inputs, seconds) => {
    await running(inputs);
    await cancel();
    expect(deletes().map(({ body }) => (body as { gracePeriodSeconds?: number }).gracePeriodSeconds)).toEqual([
      seconds,
    ]);
  });

  test('with on_kill_action: keep_pod leaves the pod, says how to find it, and so does post', async () => {
    const pod = await running({ on_kill_action: 'keep_pod' });
    const result = await cancel();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(linesLike(result, /kept|runs on|kubectl/)).toEqual([
      `Pod default/${pod.name} is kept (on_kill_action: keep_pod).`,
      '  Container base runs on, until it ends or the pod’s deadline stops it.',
      `  its log:   kubectl -n default logs -f ${pod.name} -c base`,
      `  delete it: kubectl -n default delete pod ${pod.name}`,
    ]);
    expect(await step.runPost()).toMatchObject(tidy);
    expect(deletes()).toEqual([]);
  });

  test('with on_kill_action: keep_pod makes the Secrets that the pod needs to run on', async () => {
    await serve();
    server.fault({ match: { method: 'POST', path: /\/secrets$/ }, action: { kind: 'delay', ms: 300 } });
    step = start(server, { on_kill_action: 'keep_pod', secret_env: 'PASSWORD=correct horse' });
    const secret = await server.request({ method: 'POST', path: /\/secrets$/ });
    const result = await cancel();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(linesLike(result, /is kept/)).toHaveLength(1);
    expect([secret.code, deletes()]).toEqual([201, []]);
  });

  test('whose API server goes away while it makes its Secrets says cancelled, in the runner’s time', async () => {
    await serve();
    server.fault({ match: { method: 'POST', path: /\/secrets$/ }, action: { kind: 'hang' } });
    step = start(server, { secret_env: 'PASSWORD=correct horse' });
    await server.request({ method: 'POST', path: /\/secrets$/ });
    await server.refuse();
    const result = await cancel();
    expect(result.signal).toBeNull();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(result.annotations.map(({ title }) => title)).toEqual(['Pod not deleted', 'Cancelled']);
    await server.accept();
    await step.runPost();
    expect(server.pods.map(pod => pod.removed)).toEqual([true]);
  }, 30_000);

  test('whose last try still stands in the way of the next is through with it at once', async () => {
    await serve(pod => void pod.run().finish({ exitCode: 3 }));
    server.fault({ match: { verb: 'delete' }, action: { kind: 'hang' } });
    const again = { retries: '1', retry_on: 'any', retry_delay_seconds: '0' };
    step = start(server, { ...again, name: 'fixed', random_name_suffix: 'false', on_finish_action: 'keep_pod' });
    await server.request({ verb: 'delete' });
    const result = await cancel();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(result.durationMs).toBeLessThan(8000);
  }, 30_000);

  test('that has made no pod yet makes none', async () => {
    await serve();
    server.fault({
      match: { verb: 'create' },
      times: 9,
      action: { kind: 'answer', reply: replies.tooManyRequests(30) },
    });
    step = start(server);
    await server.request({ verb: 'create' });
    expect(await cancel()).toMatchObject({ outputs: { state: 'cancelled', reason: 'Cancelled' } });
    expect([server.pods, deletes()]).toEqual([[], []]);
    expect(await step.runPost()).toMatchObject(tidy);
  });

  test('waits for the answer to its create, and deletes what that has made', async () => {
    await serve();
    server.fault({ match: { verb: 'create' }, action: { kind: 'delay', ms: 300 } });
    step = start(server);
    await server.request({ verb: 'create' });
    expect(await cancel()).toMatchObject({ outputs: { state: 'cancelled', reason: 'Cancelled' } });
    expect(deletes()).toHaveLength(1);
    expect(server.pods.map(pod => pod.removed)).toEqual([true]);
    expect(await step.runPost()).toMatchObject(tidy);
  });

  test('whose DELETE stumbles sends it again', async () => {
    await running();
    server.fault({ match: { verb: 'delete' }, action: { kind: 'reset' } });
    server.fault({ match: { verb: 'delete' }, action: { kind: 'answer', reply: replies.unavailable() } });
    const result = await cancel();
    expect(result.annotations.map(({ title }) => title)).toEqual(['Cancelled']);
    expect(server.pods.map(pod => pod.removed)).toEqual([true]);
  });

  test('whose API server is away says which pod may be there, and how to delete it; post deletes it when it is back', async () => {
    const pod = await running();
    await server.refuse();
    const result = await cancel();
    expect(result.signal).toBeNull();
    expect(result.outputs).toMatchObject({ state: 'cancelled' });
    expect(result.annotations.map(({ level, title }) => [level, title])).toEqual([
      ['warning', 'Pod not deleted'],
      ['error', 'Cancelled'],
    ]);
    expect(result.annotations[0]?.message).toBe(
      `Pod default/${pod.name} could not be deleted: the API server at ${server.url} has not answered in the time that the runner gives a cancelled step. The post step tries again; by hand: kubectl -n default delete pod ${pod.name}`,
    );
    await server.accept();
    expect((await step.runPost()).text).toContain(`Deleted pod default/${pod.name}`);
    expect(pod.removed).toBe(true);
  }, 30_000);

  test('is told twice: it waits for nothing more', async () => {
    const pod = await running();
    pod.onDelete = () => {};
    const cancelled = cancel();
    await server.request({ verb: 'delete' });
    process.kill(step.pid, 'SIGINT');
    const result = await cancelled;
    expect(result.signal).toBeNull();
    expect(result.text).toContain('Container base has not ended yet; its log is shown up to here.');
  });
});

describe('a step that was killed', () => {
  const killed = async (
    inputs: Record<string, string>,
    end?: (pod: FakePod) => void,
  ): Promise<[FakePod, StepResult]> => {
    const pod = await running(inputs);
    await step.kill();
    end?.(pod);
    const post = await step.runPost();
    expectClean(post);
    expect(post).toMatchObject({ exitCode: 0, conclusion: 'success' });
    return [pod, post];
  };
  const well = (pod: FakePod) => void pod.terminate();
  const badly = (pod: FakePod) => void pod.terminate({ exitCode: 1 });
  const withNothingToDo = (pod: FakePod) => void pod.terminate({ exitCode: 99 });

  test.each<[string, Record<string, string>, ((pod: FakePod) => void) | undefined]>([
    ['runs', {}, undefined],
    ['runs, though it is to be kept when it has ended', { on_finish_action: 'keep_pod' }, undefined],
    ['has ended well', {}, well],
    ['has ended badly', {}, badly],
    ['has ended well, as it is to be deleted then', { on_finish_action: 'delete_succeeded_pod' }, well],
    [
      'has ended with nothing to do',
      { on_finish_action: 'delete_succeeded_pod', skip_on_exit_code: '99' },
      withNothingToDo,
    ],
  ])('and whose pod %s: post deletes it', async (_, inputs, end) => {
    const [pod, post] = await killed(inputs, end);
    expect(post.text).toContain(`Deleted pod default/${pod.name}, which the main step had left behind.`);
    expect(pod.removed).toBe(true);
  });

  test.each<[string, Record<string, string>, ((pod: FakePod) => void) | undefined, string]>([
    ['runs, and on_kill_action keeps it', { on_kill_action: 'keep_pod' }, undefined, 'on_kill_action: keep_pod'],
    ['has ended, and is to be kept then', { on_finish_action: 'keep_pod' }, well, 'on_finish_action: keep_pod'],
    [
      'has ended badly, and is to be kept then',
      { on_finish_action: 'delete_succeeded_pod' },
      badly,
      'on_finish_action: delete_succeeded_pod',
    ],
  ])('and whose pod %s: post says how to find it', async (_, inputs, end, why) => {
    const [pod, post] = await killed(inputs, end);
    expect(post.text).toContain(`Pod default/${pod.name} is kept (${why}).`);
    expect(deletes()).toEqual([]);
  });

  test('and whose pod is being deleted already: post is quiet', async () => {
    const pod = await running();
    pod.onDelete = () => {};
    await step.kill();
    pod.delete();
    expect(await step.runPost()).toMatchObject({ exitCode: 0, text: '' });
    expect(deletes()).toEqual([]);
  });
});
