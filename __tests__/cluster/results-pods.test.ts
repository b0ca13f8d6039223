import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { cluster, Namespace, script } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';
import { StubRegistry } from '../support/stub-registry.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const WRITES = 'echo \'{"rows": 1}\' > "$RESULT_PATH"';
const RESULT = '{"rows": 1}';
const SIDECAR = { do_xcom_push: 'true' };
const messages = ({ annotations }: StepResult) => annotations.map(({ level, message }) => `${level}: ${message}`);

describe('beside a container that never ends', () => {
  const other = { name: 'other', image: cluster.images.shell, command: ['sleep', '1000'] };
  const inputs = {
    ...script(WRITES),
    ...SIDECAR,
    full_pod_spec: JSON.stringify({ spec: { containers: [{ name: 'base' }, other] } }),
    termination_grace_period: '1',
  };

  test('the result comes soon after the base container’s end, for the sidecar is asked by an annotation', async () => {
    const step = await namespace.run({ ...inputs, name: 'asked', on_finish_action: 'keep_pod' });
    expect(step.outputs).toMatchObject({ state: 'succeeded', result: RESULT });
    const [pod] = (await namespace.pods()).filter(({ metadata }) => metadata?.name === step.outputs['pod_name']);
    expect(pod?.metadata?.annotations).toMatchObject({ 'kubernetes-pod-step/result-asked': 'true' });
    expect(runningIn(pod)).toEqual(expect.arrayContaining(['other', 'pod-step-result']));
    // Both by the machine's clock; the cluster's is cut to seconds.
    const tookMs =
      step.startedAtMs + step.durationMs + performance.timeOrigin - Date.parse(step.outputs['finished_at'] ?? '');
    expect(tookMs).toBeLessThan(15_000);
  });

  test('a sidecar that does not end when it is told to holds nothing up, wherever it stands', async () => {
    const stubborn = { name: 'stubborn', image: cluster.images.shell, restartPolicy: 'Always' };
    const command = ['sh', '-c', 'trap : TERM; while :; do sleep 1; done'];
    const initContainers = [
      { ...stubborn, name: 'before', command },
      { name: 'pod-step-result', resources: {} },
      { ...stubborn, name: 'behind', command },
    ];
    const full_pod_spec = JSON.stringify({ spec: { initContainers, containers: [{ name: 'base' }] } });
    const step = await namespace.run({
      ...script(WRITES),
      ...SIDECAR,
      full_pod_spec,
      termination_grace_period: '60',
      on_finish_action: 'keep_pod',
    });
    expect(step.outputs).toMatchObject({ state: 'succeeded', result: RESULT });
    expect(step.durationMs).toBeLessThan(30_000);
  });

  test('in a pod that is deleted the result comes when the others have been ended', async () => {
    const command = ['sh', '-c', 'trap : TERM; while :; do sleep 1; done'];
    const stubborn = { name: 'stubborn', image: cluster.images.shell, command };
    const step = namespace.start({
      ...script(`trap '${WRITES.replaceAll("'", `'\\''`)}; exit 4' TERM; echo ready; while :; do sleep 0.1; done`),
      ...SIDECAR,
      full_pod_spec: JSON.stringify({ spec: { containers: [{ name: 'base' }, stubborn] } }),
      termination_grace_period: '8',
    });
    try {
      await step.line(/^ready$/, 60_000);
      await namespace.kubectl(['delete', 'pod', '--all', '--wait=false']);
      const { outputs } = await step.done;
      expect(outputs).toMatchObject({ state: 'failed', result: RESULT });
    } finally {
      await step.dispose();
    }
  });

  test('credentials that may not patch pods have an error that says so', async () => {
    const config_file = await namespace.account('reader');
    const rules = ['--resource=pods,pods/log', '--verb=create,get,list,watch,delete'];
    await namespace.kubectl(['create', 'role', 'reader', ...rules]);
    const subject = `--serviceaccount=${namespace.name}:reader`;
    await namespace.kubectl(['create', 'rolebinding', 'reader', '--role=reader', subject]);
    const step = await namespace.run({ ...inputs, config_file, log_events_on_failure: 'false' });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'InvalidResult', exit_code: '0' });
    expect(messages(step)).toEqual([
      'error: The result’s sidecar waits for container other, which still runs, and the credentials may not tell it not to. Add patch on pods to the Role, or have those containers end with the base container.',
    ]);
    const alone = await namespace.run({ ...script(WRITES), ...SIDECAR, config_file });
    expect(alone.outputs).toMatchObject({ state: 'succeeded', result: RESULT });
  });
});

test('a result of a run that failed is none of the run after it, which succeeds without (restartPolicy: OnFailure)', async () => {
  // The seconds of the node's clock have to tell the two apart.
  const text = `[ -e /kept/failed ] && exit 0; touch /kept/failed; ${WRITES}; sleep 1.1; exit 1`;
  const step = await namespace.run({
    ...script(text),
    ...SIDECAR,
    full_pod_spec: '{spec: {restartPolicy: OnFailure}}',
    volumes: '[{name: kept, emptyDir: {}}]',
    volume_mounts: '[{name: kept, mountPath: /kept}]',
  });
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'InvalidResult', exit_code: '0' });
  expect(step.outputs).not.toHaveProperty('result');
  expect(messages(step)).toEqual([
    expect.stringMatching(/^error: The container succeeded, but wrote nothing to \/airflow\/xcom\/return\.json, /),
  ]);
});

describe('whoever has not made the pod has its result too:', () => {
  test('a step that attaches to it', async () => {
    const { outputs } = await namespace.run({ ...script(`sleep 2; ${WRITES}`), ...SIDECAR, deferrable: 'true' });
    const { pod_name: attach = '', pod_uid = '' } = outputs;
    const step = await namespace.attach({ attach, pod_uid, ...SIDECAR }, { env: { GITHUB_RUN_ID: '2' } });
    expect(step.outputs).toMatchObject({ state: 'succeeded', pod_name: attach, result: RESULT });
  });

  const attempt = (number: number) => ({ env: { GITHUB_RUN_ATTEMPT: String(number) } });
  async function lost(inputs: Record<string, string>): Promise<string> {
    const step = namespace.start(inputs, attempt(1));
    try {
      await step.line(/^at work$/, 30_000);
      return (await step.kill()).outputs['pod_name'] ?? '';
    } finally {
      await step.dispose();
    }
  }

  test('a re-run that takes it over while it runs', async () => {
    const inputs = { ...script(`echo at work; sleep 5; ${WRITES}`), ...SIDECAR, name: 'running' };
    const pod = await lost(inputs);
    const step = await namespace.run(inputs, attempt(2));
    expect(step.text).toContain(`/${pod} of attempt 1 still runs: this attempt takes it over.`);
    expect(step.outputs).toMatchObject({ state: 'succeeded', pod_name: pod, result: RESULT });
  });

  test('a re-run that finds it ended', async () => {
    const inputs = { ...script(`echo at work; sleep 1; ${WRITES}`), ...SIDECAR, name: 'ended' };
    const pod = await lost(inputs);
    await namespace.kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, '--timeout=30s']);
    const step = await namespace.run(inputs, attempt(2));
    expect(step.outputs).toMatchObject({ state: 'succeeded', pod_name: pod, result: RESULT });
  });
});

test('RESULT_PATH is what the user says it is', async () => {
  const step = await namespace.run({ ...script('echo "at $RESULT_PATH"'), env_vars: 'RESULT_PATH: /of/mine' });
  expect(step.text).toContain('\nat /of/mine\n');
});

test('nothing that the sidecar prints is shown, though all containers’ logs are', async () => {
  const step = await namespace.run({
    ...script(`echo of the container; head -c 9000 /dev/zero | base64 -w 0 | sed 's/.*/"&"/' > "$RESULT_PATH"`),
    ...SIDECAR,
    container_logs: 'true',
    init_container_logs: 'true',
  });
  expect(step.outputs).toMatchObject({ state: 'succeeded', result: `"${'A'.repeat(12_000)}"` });
  const shown = step.lines.filter(({ stream }) => stream === 'stdout').map(({ raw }) => raw);
  expect(shown).toContain('of the container');
  expect(shown.filter(line => /^(\[.*\] )?(frame|file|sum|end)\b|QUFBQUFB/.test(line))).toEqual([]);
});

test('a sidecar whose image is not to be had fails the step, which names the input', async () => {
  using registry = await StubRegistry.start();
  const image = `${registry.host}/404/busybox:1`;
  const step = await namespace.run({ ...script(WRITES), ...SIDECAR, xcom_sidecar_container_image: image });
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ImagePull' });
  expect(messages(step)).toEqual([expect.stringContaining('xcom_sidecar_container_image')]);
  expect(messages(step)).toEqual([expect.stringContaining(image)]);
});

describe('in a namespace that demands more of each container than the sidecar asks for', () => {
  const inputs = { ...script(WRITES), ...SIDECAR };
  let strict: Namespace;
  beforeAll(async () => {
    strict = await Namespace.create();
    const limits = [{ type: 'Container', min: { cpu: '50m' }, default: { cpu: '500m', memory: '64Mi' } }];
    const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'least' }, spec: { limits } };
    await strict.kubectl(['create', '-f', '-'], JSON.stringify(range));
  }, 60_000);
  afterAll(() => strict[Symbol.asyncDispose]());

  test('the pod is refused, in the server’s words, with the way out', async () => {
    const step = await strict.run(inputs);
    expect(step.outputs).toMatchObject({ state: 'failed' });
    expect(messages(step)).toEqual([expect.stringContaining('minimum cpu usage per Container is 50m')]);
    expect(messages(step)).toEqual([
      expect.stringContaining(
        'The result’s sidecar counts too, with requests of 1m CPU and 8Mi, limits of 500m CPU and 32Mi; `pod_patch: {spec: {initContainers: [{name: pod-step-result,',
      ),
    ]);
  });

  test('pod_patch gives the sidecar what is wanted', async () => {
    const resources = { requests: { cpu: '50m', memory: '8Mi' }, limits: { cpu: '200m', memory: '32Mi' } };
    const patch = { spec: { initContainers: [{ name: 'pod-step-result', resources }] } };
    const step = await strict.run({ ...inputs, pod_patch: JSON.stringify(patch) });
    expect(messages(step)).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded', result: RESULT });
  });
});

function runningIn(pod: V1Pod | undefined): string[] {
  const { containerStatuses = [], initContainerStatuses = [] } = pod?.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].flatMap(({ name, state }) => (state?.running ? [name] : []));
}
