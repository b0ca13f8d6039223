import { afterEach, describe, expect, test } from '@jest/globals';
import { RESULT_SIDECAR } from '../../src/pod/result.ts';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';
import { type RunningStep, type StepResult, startStep } from '../support/step-runner.ts';
import { fileLines, frame } from './result/frames.ts';
import { expectClean, linesLike } from './step.ts';

let server: FakeApiServer;
const steps: RunningStep[] = [];
afterEach(async () => {
  for (const step of steps.splice(0)) await step.dispose();
  await server.close();
});

function start(inputs: Record<string, string>, env: Record<string, string> = {}): RunningStep {
  const step = startStep({ inputs: { kubeconfig: server.kubeconfig, ...inputs }, env });
  steps.push(step);
  return step;
}

async function ended(step: RunningStep): Promise<StepResult> {
  const result = await step.done;
  expectClean(result);
  return result;
}

/** A pod that a step has made and left to run. */
async function deferred(inputs: Record<string, string> = {}, env: Record<string, string> = {}): Promise<FakePod> {
  server = await startFakeApiServer();
  await ended(start({ image: 'busybox', deferrable: 'true', ...inputs }, env));
  const pod = await server.pod();
  return pod.run().write('first line');
}
const attachTo = (pod: FakePod, inputs: Record<string, string> = {}) =>
  start({ attach: pod.name, pod_uid: pod.object.metadata.uid, ...inputs });
const deletes = () => server.matching({ verb: 'delete' });
const untouched = (pod: FakePod) => {
  expect([pod.removed, pod.object.metadata.deletionTimestamp]).toEqual([false, undefined]);
  expect(server.matching({ verb: 'patch' })).toEqual([]);
};

describe('deferrable: true', () => {
  test('ends as soon as the cluster has the pod, and leaves it, by its post step too', async () => {
    server = await startFakeApiServer();
    const step = start({ image: 'busybox', deferrable: 'True', secret_env: 'TOKEN=correct horse' });
    const result = await ended(step);
    const pod = await server.pod();
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.outputs).toEqual({
      pod_name: pod.name,
      pod_namespace: 'default',
      pod_uid: pod.object.metadata.uid,
      state: 'deferred',
    });
    expect(result.text).toContain(`Pod default/${pod.name} is left for another step (deferrable: true).`);
    expect(result.text).toContain(
      `attach: ${pod.name}, with pod_uid: ${pod.object.metadata.uid} and namespace: default`,
    );
    expect(pod.object.metadata.labels?.['kubernetes-pod-step/lifetime']).toBe('detached');
    expect(server.requests.filter(({ path }) => path.endsWith('/secrets'))).toHaveLength(1);
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
    expect(deletes()).toEqual([]);
    expect(new RenderedMarkdown(result.summary).texts('h3')).toEqual([`⏳ ${pod.name} is left for another step`]);
  });

  test('says which inputs are for the step that attaches', async () => {
    server = await startFakeApiServer();
    const inputs = {
      log_file: 'a.log',
      result_file: 'r.json',
      multiple_outputs: 'true',
      skip_on_exit_code: '99',
      on_finish_action: 'keep_pod',
    };
    const result = await ended(start({ image: 'busybox', deferrable: 'true', ...inputs }));
    expect(result.annotations).toMatchObject([
      {
        level: 'warning',
        message:
          'log_file, result_file, multiple_outputs, skip_on_exit_code, on_finish_action: with deferrable this step does not see the pod’s end. Give them to the step that attaches to it.'.replace(
            '’',
            "'",
          ),
      },
    ]);
    expect(result.outputs['log_file']).toBeUndefined();
  });

  test('gives the pod five days, though GitHub hosts the runner', async () => {
    const pod = await deferred({}, { RUNNER_ENVIRONMENT: 'github-hosted' });
    expect(pod.object.spec['activeDeadlineSeconds']).toBe(432_600);
  });

  test('of a step that is cancelled before the cluster has answered deletes the pod', async () => {
    server = await startFakeApiServer();
    server.fault({ match: { verb: 'create' }, action: { kind: 'delay', ms: 300 } });
    const step = start({ image: 'busybox', deferrable: 'true' });
    await server.request({ verb: 'create' });
    expect((await step.cancel()).outputs).toMatchObject({ state: 'cancelled' });
    expect((await server.pod()).removed).toBe(true);
  });

  test('adopts in a re-run what an earlier attempt has left to run', async () => {
    const pod = await deferred();
    const step = start({ image: 'busybox', deferrable: 'true' }, { GITHUB_RUN_ATTEMPT: '2' });
    const result = await ended(step);
    expect(result.text).toContain('takes it over');
    expect(result.outputs).toMatchObject({ state: 'deferred', pod_name: pod.name });
    expect(server.pods).toHaveLength(1);
  });
});

describe('deferrable: started', () => {
  test('waits for the container to start', async () => {
    server = await startFakeApiServer();
    const step = start({ image: 'busybox', deferrable: 'started' });
    const pod = await server.pod();
    pod.unschedulable();
    await step.line('waiting for a node');
    pod.run().write('not shown');
    const result = await ended(step);
    expect(result.outputs).toMatchObject({ state: 'deferred', node_name: 'node-1' });
    expect(result.text).not.toContain('not shown');
    expect(deletes()).toEqual([]);
  });

  test.each<[string, (pod: FakePod) => void]>([
    ['a command that is not there', pod => void pod.schedule().finish({ exitCode: 128, reason: 'StartError' })],
    [
      'a pod that its node refuses',
      pod => void pod.patch(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'OutOfcpu' })),
    ],
  ])('fails for %s, and deletes the pod', async (_, life) => {
    server = await startFakeApiServer({ autoplay: life });
    const result = await ended(start({ image: 'busybox', deferrable: 'started' }));
    expect(result).toMatchObject({ conclusion: 'failure', outputs: { state: 'failed' } });
    expect(server.pods[0]?.removed).toBe(true);
  });

  test('leaves one that has started and failed to who attaches to it', async () => {
    server = await startFakeApiServer({ autoplay: pod => void pod.run().finish({ exitCode: 3 }) });
    const result = await ended(start({ image: 'busybox', deferrable: 'started' }));
    expect(result.outputs['state']).toBe('deferred');
  });

  test('fails where it cannot start, and deletes the pod', async () => {
    server = await startFakeApiServer({ autoplay: pod => void pod.schedule().waiting('ErrImagePull', 'x: not found') });
    const result = await ended(start({ image: 'busybox', deferrable: 'started' }));
    expect(result).toMatchObject({ conclusion: 'failure', outputs: { state: 'failed', reason: 'ImagePull' } });
    expect(server.pods[0]?.removed).toBe(true);
  });
});

describe('attach', () => {
  test('follows the pod from the first line to its end, as if the step had made it', async () => {
    const pod = await deferred();
    const step = attachTo(pod);
    await step.line('first line');
    pod.write('last line').finish({ message: '{"rows": 7}' });
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.outputs).toMatchObject({
      pod_name: pod.name,
      pod_uid: pod.object.metadata.uid,
      state: 'succeeded',
      exit_code: '0',
      node_name: 'node-1',
      result: '{"rows": 7}',
    });
    expect(linesLike(result, /line$/)).toEqual(['first line', 'last line']);
    expect(result.text).toMatch(
      new RegExp(
        `^Attached to pod default/${pod.name}, which has not ended yet; made by https://github\\.com/octo/repo/actions/runs/\\d+/attempts/1\\. `,
        'm',
      ),
    );
    expect(pod.removed).toBe(true);
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
    expect(new RenderedMarkdown(result.summary).rows).toContainEqual(['Made by', 'another step']);
  });

  test.each<[how: string, given: Record<string, string>]>([
    ['whatever it says of one', {}],
    ['as it says itself', { do_xcom_push: 'true' }],
  ])('takes the result of the sidecar that the pod was made with, %s', async (_, given) => {
    const pod = await deferred({ do_xcom_push: 'true' });
    const step = attachTo(pod, given);
    await step.line('first line');
    pod.terminate();
    const sent = frame(fileLines(Buffer.from('{"rows": 7}')));
    for (const line of sent.trimEnd().split('\n')) pod.write(line, { container: RESULT_SIDECAR });
    pod.stopSidecars();
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', outputs: { state: 'succeeded', result: '{"rows": 7}' } });
    expect(result.text).not.toContain('frame 1');
  });

  test('reads what a pod that has ended left behind', async () => {
    const pod = await deferred();
    pod.finish({ exitCode: 3 });
    const result = await ended(attachTo(pod));
    expect(result).toMatchObject({
      conclusion: 'failure',
      outputs: { state: 'failed', reason: 'ExitCode', exit_code: '3' },
    });
    expect(linesLike(result, /^first line$|which has ended/)).toHaveLength(2);
    expect(pod.removed).toBe(true);
  });

  test('follows the container that the step which made the pod has named', async () => {
    const pod = await deferred({ base_container_name: 'work' });
    pod.finish({ exitCode: 4 });
    const result = await ended(attachTo(pod));
    expect(result.annotations[0]?.message).toMatch(/^Container work of pod /);
  });

  test('leaves the pod for another time when its own is over', async () => {
    const pod = await deferred();
    const step = attachTo(pod, { attach_timeout_seconds: '1' });
    const result = await ended(step);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [], outputs: { state: 'deferred' } });
    expect(linesLike(result, /^first line$/)).toHaveLength(1);
    expect(result.text).toContain(`Pod default/${pod.name} is left for another step (attach_timeout_seconds: 1).`);
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
    untouched(pod);
    pod.finish();
    expect((await ended(attachTo(pod))).outputs['state']).toBe('succeeded');
  });

  test('skips by its own exit codes', async () => {
    const pod = await deferred();
    pod.finish({ exitCode: 99 });
    const result = await ended(attachTo(pod, { skip_on_exit_code: '99' }));
    expect(result).toMatchObject({ conclusion: 'success', outputs: { state: 'skipped', exit_code: '99' } });
    expect(result.annotations).toMatchObject([{ level: 'notice', title: 'Skipped' }]);
  });

  test('of two at once both have the log and the outcome', async () => {
    const pod = await deferred();
    const both = [attachTo(pod), attachTo(pod)];
    for (const step of both) await step.line('first line');
    pod.finish({ message: '[1]' });
    for (const step of both) expect((await ended(step)).outputs).toMatchObject({ state: 'succeeded', result: '[1]' });
  });

  test('cancelled deletes the pod, and with on_kill_action: keep_pod does not', async () => {
    const pod = await deferred();
    const keeping = attachTo(pod, { on_kill_action: 'keep_pod' });
    await keeping.line('first line');
    expect((await keeping.cancel()).text).toContain('is kept (on_kill_action: keep_pod).');
    untouched(pod);
    const deleting = attachTo(pod);
    await deleting.line('first line');
    expect((await deleting.cancel()).outputs).toMatchObject({ state: 'cancelled' });
    expect(pod.removed).toBe(true);
  });

  test('marks a pod that it keeps as read', async () => {
    const pod = await deferred();
    pod.finish();
    await ended(attachTo(pod, { on_finish_action: 'keep_pod' }));
    expect(pod.object.metadata.annotations).toMatchObject({ 'kubernetes-pod-step/read-by-attempt': '1' });
    expect(pod.removed).toBe(false);
  });

  test('knows the repository by its name where the runner does not tell its id', async () => {
    const nameless = { GITHUB_REPOSITORY_ID: '' };
    const pod = await deferred({}, nameless);
    pod.finish();
    await ended(start({ attach: pod.name, pod_uid: pod.object.metadata.uid }, nameless));
    expect(pod.removed).toBe(true);
  });

  test('does not show what a pod’s variables hold when it has failed', async () => {
    const pod = await deferred({ env_vars: 'PLAIN=of-no-interest' });
    pod.finish({ exitCode: 1 });
    expect((await ended(attachTo(pod))).text).not.toContain('of-no-interest');
  });
});

describe('a pod that is not known to be this repository’s is followed, and not touched:', () => {
  test('without its UID', async () => {
    const pod = await deferred();
    pod.finish({ message: '[1]' });
    const result = await ended(start({ attach: pod.name }));
    expect(result.outputs).toMatchObject({ state: 'succeeded', result: '[1]' });
    expect(result.text).toMatch(/^It is followed, and not deleted: pod_uid is not given, which proves/m);
    untouched(pod);
  });

  test.each<[string, Record<string, string>]>([
    ['of another repository', { GITHUB_REPOSITORY_ID: '99' }],
    ['of nobody', { GITHUB_REPOSITORY_ID: '', GITHUB_REPOSITORY: '' }],
  ])('%s', async (_, env) => {
    const pod = await deferred({}, env);
    const step = attachTo(pod);
    await step.line('first line');
    await step.cancel();
    expect(step.lines.some(({ raw }) => /^It is followed, and not deleted: it has not been made by/.test(raw))).toBe(
      true,
    );
    expect(await step.runPost()).toMatchObject({ text: '', lines: [] });
    untouched(pod);
  });

  test('one that no action has made', async () => {
    server = await startFakeApiServer();
    const pod = server
      .addPod({
        metadata: { name: 'by-hand' },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main' }, { name: 'side' }] },
      })
      .run()
      .write('hello', { container: 'main' })
      .finish({ container: 'main', exitCode: 5 });
    const result = await ended(attachTo(pod));
    expect(result.outputs).toMatchObject({ state: 'failed', exit_code: '5' });
    expect(linesLike(result, /^hello$/)).toHaveLength(1);
    untouched(pod);
  });
});

describe('refused is', () => {
  test('a container whose log is asked for and that the pod has not', async () => {
    const pod = await deferred();
    const result = await ended(attachTo(pod, { container_logs: 'nope' }));
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'InvalidInput' });
    expect(result.annotations[0]?.message).toMatch(/^container_logs: the pod has no container "nope"/);
    untouched(pod);
  });

  test('a pod that is not there', async () => {
    server = await startFakeApiServer();
    const result = await ended(start({ attach: 'gone', pod_uid: 'a-uid' }));
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodNotFound' });
    expect(result.annotations[0]?.message).toMatch(
      /^There is no pod default\/gone to attach to\. It may have been deleted/,
    );
  });

  test('another pod of that name', async () => {
    const pod = await deferred();
    const result = await ended(attachTo(pod, { pod_uid: 'another' }));
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodNotFound' });
    expect(result.annotations[0]?.message).toMatch(/is another one: its UID is \S+, and pod_uid says another\./);
    untouched(pod);
  });

  test('a container that the pod has not', async () => {
    const pod = await deferred();
    const result = await ended(attachTo(pod, { base_container_name: 'other' }));
    expect(result.annotations[0]?.message).toMatch(/has no container "other"; it has base\.$/);
    untouched(pod);
  });

  test('what says how to make a pod, all of it at once, before the cluster is asked', async () => {
    server = await startFakeApiServer();
    const result = await ended(
      start({
        attach: 'Not A Pod',
        pod_uid: '$(x)',
        image: 'busybox',
        env_vars: 'A=1',
        deferrable: 'true',
        retries: '1',
      }),
    );
    expect(result.outputs).toMatchObject({ reason: 'InvalidInput' });
    expect(result.annotations[0]?.message.split('\n')).toEqual([
      '- pod_uid: "$(x)" cannot be the UID of a pod. It is the output `pod_uid` of the step that made it.',
      '- attach: "Not A Pod" cannot be the name of a pod. It is the output `pod_name` of the step that made it.',
      ...['image', 'env_vars', 'retries', 'deferrable'].map(
        name => `- ${name}: this is for a step that makes a pod, and attach follows one that is there. Leave it out.`,
      ),
    ]);
    expect(server.requests).toEqual([]);
  });

  test('an output that is empty', async () => {
    server = await startFakeApiServer();
    const result = await ended(start({ attach: '', pod_uid: 'a-uid' }));
    expect(result.annotations[0]?.message).toContain(
      'attach: pod_uid is given, so this is needed too. An output of a step or a job that has not run is empty text.',
    );
  });

  test.each<[input: string, given: Record<string, string>]>([
    ['do_xcom_push: true', { do_xcom_push: 'true', result_file: 'r.json' }],
    ['result_file', { result_file: 'r.json', multiple_outputs: 'true' }],
    ['multiple_outputs', { multiple_outputs: 'true' }],
  ])('a result that the pod has no place for, by %s', async (input, given) => {
    const pod = await deferred({ do_xcom_push: 'false' });
    // As the API server has it by default.
    Object.assign(pod.object.spec.containers[0] ?? {}, { terminationMessagePath: '/dev/termination-log' });
    const result = await ended(attachTo(pod, given));
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'InvalidInput' });
    expect(result.annotations[0]?.message).toContain(
      `${input} has nothing to read /airflow/xcom/return.json from: container base of pod default/${pod.name} has its termination message at /dev/termination-log, and the pod has no sidecar for a result.`,
    );
    untouched(pod);
  });
});
