import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Namespace, script } from '../support/cluster.ts';
import type { RunningStep, StepResult } from '../support/step-runner.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const attempt = (number: number) => ({ env: { GITHUB_RUN_ATTEMPT: String(number) } });
const printed = (step: StepResult) => step.lines.filter(({ raw }) => /^line \d+$/.test(raw)).map(({ raw }) => raw);
const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

async function with_<T>(step: RunningStep, act: (step: RunningStep) => Promise<T>): Promise<T> {
  try {
    return await act(step);
  } finally {
    await step.dispose();
  }
}

/** Runs until `line 5` in a first attempt whose runner is lost then: no post step runs. */
async function lost(inputs: Record<string, string>): Promise<string> {
  return with_(namespace.start(inputs, attempt(1)), async step => {
    await step.line(/^line 5$/, 30_000);
    const { outputs } = await step.kill();
    return outputs['pod_name'] ?? '';
  });
}

const counting = (count: number, end = '') =>
  script(`i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; sleep 0.01; done; ${end} sleep 0.5`);

describe('a re-run', () => {
  test('goes on with the pod that a lost runner has left running: its whole log, once, and its result', async () => {
    const inputs = { ...counting(300, 'echo \'{"rows": 300}\' > /airflow/xcom/return.json;'), name: 'running' };
    const pod = await lost(inputs);
    const step = await namespace.run(inputs, attempt(2));
    expect(step.outputs).toMatchObject({ state: 'succeeded', pod_name: pod, result: '{"rows": 300}' });
    expect(printed(step)).toEqual(lines(300));
    expect(step.text).toContain(`/${pod} of attempt 1 still runs: this attempt takes it over.`);
    expect(step.post?.text).toBe('');
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);

  test('takes what a pod has done that has ended unread', async () => {
    const inputs = { ...counting(20), name: 'ended', secret_env: 'TOKEN=correct horse' };
    const pod = await lost(inputs);
    await namespace.kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, '--timeout=30s']);
    const step = await namespace.run(inputs, attempt(2));
    expect(step.outputs).toMatchObject({ state: 'succeeded', pod_name: pod });
    expect(printed(step)).toEqual(lines(20));
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);

  test('does the work of a failed pod anew', async () => {
    const inputs = { ...counting(20, 'false || exit 3;'), name: 'failed' };
    const pod = await lost(inputs);
    await namespace.kubectl(['wait', '--for=jsonpath={.status.phase}=Failed', `pod/${pod}`, '--timeout=30s']);
    const step = await namespace.run(inputs, attempt(2));
    expect(step.outputs).toMatchObject({ state: 'failed', exit_code: '3' });
    expect(step.outputs['pod_name']).not.toBe(pod);
    await namespace.kubectl(['delete', 'pod', pod]);
  }, 60_000);

  test('with reattach_on_restart: false stops the pod that runs before it makes another', async () => {
    const inputs = { ...counting(3000), name: 'again', termination_grace_period: '1' };
    const pod = await lost(inputs);
    const again = { ...inputs, reattach_on_restart: 'false' };
    await with_(namespace.start(again, attempt(2)), async step => {
      await step.line(/^line 5$/, 30_000);
      const names = (await namespace.pods()).map(({ metadata }) => metadata?.name);
      expect(names).toHaveLength(1);
      expect(names).not.toContain(pod);
      await step.cancel();
    });
  }, 60_000);
});

describe('a pod that is left to run', () => {
  const deferred = async (inputs: Record<string, string>): Promise<{ attach: string; pod_uid: string }> => {
    const { outputs, post } = await namespace.run({ deferrable: 'true', ...inputs });
    expect(outputs['state']).toBe('deferred');
    expect(post?.text).toBe('');
    return { attach: outputs['pod_name'] ?? '', pod_uid: outputs['pod_uid'] ?? '' };
  };
  const attach = (inputs: Record<string, string>, run = '2') =>
    namespace.attach(inputs, { env: { GITHUB_RUN_ID: run } });

  test('is followed from another run, from its first line to its end', async () => {
    const pod = await deferred(counting(200, 'echo \'{"rows": 200}\' > /airflow/xcom/return.json;'));
    const step = await attach(pod);
    expect(step.outputs).toMatchObject({ state: 'succeeded', exit_code: '0', result: '{"rows": 200}' });
    expect(printed(step)).toEqual(lines(200));
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);

  test('is read when it has ended, and then no more', async () => {
    const pod = await deferred(counting(20, 'false || exit 7;'));
    await namespace.kubectl(['wait', '--for=jsonpath={.status.phase}=Failed', `pod/${pod.attach}`, '--timeout=30s']);
    const step = await attach(pod);
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '7' });
    expect(printed(step)).toEqual(lines(20));
    await namespace.kubectl(['wait', '--for=delete', `pod/${pod.attach}`, '--timeout=30s']);
    expect((await attach(pod, '3')).outputs).toMatchObject({ state: 'failed', reason: 'PodNotFound' });
  }, 60_000);

  test('is looked after by a schedule until it ends', async () => {
    const pod = await deferred({ ...counting(250), deferrable: 'started' });
    const states: (string | undefined)[] = [];
    let last: StepResult | undefined;
    while (states.at(-1) === 'deferred' || states.length === 0) {
      last = await attach({ ...pod, attach_timeout_seconds: '1' }, String(states.length + 2));
      states.push(last.outputs['state']);
    }
    expect(states.slice(0, 1)).toEqual(['deferred']);
    expect(states.at(-1)).toBe('succeeded');
    expect(last && printed(last)).toEqual(lines(250));
  }, 60_000);

  test('is not deleted by who does not prove that it is the one that is meant', async () => {
    const { attach: name, pod_uid } = await deferred(counting(20));
    expect((await attach({ attach: name })).outputs['state']).toBe('succeeded');
    expect((await namespace.pods()).map(({ metadata }) => metadata?.uid)).toEqual([pod_uid]);
    expect((await attach({ attach: name, pod_uid })).outputs['state']).toBe('succeeded');
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);
});
