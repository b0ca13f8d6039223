import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, Namespace, script } from '../support/cluster.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

describe('a container that succeeds', () => {
  test('shows its lines and sets every output, and its pod is gone', async () => {
    const step = await namespace.run({ ...script('echo hello; echo to stderr >&2'), name: 'Hello_World' });
    expect(step.conclusion).toBe('success');
    // The node reads the two streams side by side: which comes first is not the container's to say.
    expect(step.text).toMatch(/\nhello\n/);
    expect(step.text).toMatch(/\nto stderr\n/);
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toEqual({
      pod_name: expect.stringMatching(/^hello-world-[a-z][a-z0-9]{7}$/),
      pod_namespace: namespace.name,
      pod_uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      node_name: expect.stringMatching(/./),
      image_id: expect.stringContaining('sha256:'),
      state: 'succeeded',
      exit_code: '0',
      started_at: expect.stringMatching(/^20\d\d-.*Z$/),
      finished_at: expect.stringMatching(/^20\d\d-.*Z$/),
      duration_seconds: expect.stringMatching(/^\d+$/),
    });
    expect(await namespace.pods()).toEqual([]);
    expect(step.post?.text).toBe('');
  });

  test('has a line in the log within a second, while it still runs', async () => {
    const step = namespace.start(script('echo early; read -t 30 < /dev/zero; sleep 30'));
    try {
      const { atMs } = await step.line(/^early$/, 30_000);
      const seen = Date.now();
      const [pod] = await namespace.pods();
      expect(pod?.status?.containerStatuses?.[0]?.state?.running ?? pod?.status?.phase).toBeTruthy();
      const printed = Date.parse(String(pod?.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? ''));
      // The API gives whole seconds, so this is a gross bound.
      if (!Number.isNaN(printed)) expect(seen - printed).toBeLessThan(3000);
      expect(atMs).toBeLessThan(15_000);
      await step.cancel();
    } finally {
      await step.dispose();
    }
  });

  test('prints 10,000 lines that arrive complete and in order', async () => {
    const step = await namespace.run(
      script('i=0; while [ $i -lt 10000 ]; do i=$((i+1)); echo "line $i"; done; sleep 0.5'),
    );
    const lines = step.lines.filter(line => line.raw.startsWith('line '));
    expect(lines.map(line => line.raw)).toEqual(Array.from({ length: 10_000 }, (_, index) => `line ${index + 1}`));
  });

  test('is skipped where its exit code says that there was nothing to do', async () => {
    const step = await namespace.run({ ...script('exit 99'), skip_on_exit_code: '[3, 99]' });
    expect(step).toMatchObject({ conclusion: 'success', outputs: { state: 'skipped', exit_code: '99' } });
    expect(step.outputs['reason']).toBeUndefined();
    expect(step.annotations).toMatchObject([{ level: 'notice', title: 'Skipped' }]);
  });

  test('needs neither shell nor root', async () => {
    const noShell = await namespace.run({
      image: cluster.images.noShell,
      arguments: 'print hello write /airflow/xcom/return.json [1,2]',
    });
    expect(noShell.outputs).toMatchObject({ state: 'succeeded', result: '[1,2]' });
    const nonRoot = await namespace.run({
      image: cluster.images.nonRoot,
      ...script('id -u; echo \'"ten"\' > /airflow/xcom/return.json'),
    });
    expect(nonRoot.text).toContain('\n10001\n');
    expect(nonRoot.outputs).toMatchObject({ state: 'succeeded', result: '"ten"' });
  });
});

test('the summary tells where the time went, by the cluster’s clock', async () => {
  const step = await namespace.run({
    ...script('sleep 3; echo "{\\"rows\\": 1}" > /airflow/xcom/return.json'),
    init_containers: `[{name: fetch, image: ${cluster.images.shell}, command: [sh, -c, sleep 4]}]`,
  });
  const summary = new RenderedMarkdown(step.summary);
  expect(summary.texts('h3')).toEqual([expect.stringMatching(/^✅ \S+ succeeded after [3-9] s$/)]);
  expect(summary.rows).toContainEqual(['Pod', step.outputs['pod_name']]);
  expect(summary.rows).toContainEqual(['fetch', expect.stringMatching(/^ended with exit code 0 after [4-9] s$/)]);
  const [gantt, result] = summary.fences;
  const bars = (gantt?.text.match(/^ {4}[A-Z].*(?= \d+ s :)/gm) ?? []).map(bar => bar.trim());
  expect(bars.filter(bar => !/^(Scheduling|Starting)$/.test(bar))).toEqual(['Init container fetch', 'Running']);
  expect(result).toEqual({ language: 'json', text: '{"rows": 1}' });
}, 60_000);

describe('a container that fails', () => {
  test('fails the step with one annotation that names pod, container and exit code, and its pod is gone', async () => {
    const step = await namespace.run({ ...script('echo before; exit 3'), name: 'fails' });
    expect(step.conclusion).toBe('failure');
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ state: 'failed', exit_code: '3', reason: 'ExitCode' });
    expect(step.text).toContain('\nbefore\n');
    expect(step.annotations).toEqual([
      expect.objectContaining({
        level: 'error',
        title: 'Exit code 3',
        message: expect.stringMatching(
          new RegExp(
            `^Container base of pod ${namespace.name}/${step.outputs['pod_name']} exited with code 3( after \\d+ s)?\\.$`,
          ),
        ),
      }),
    ]);
    expect(await namespace.pods()).toEqual([]);
  });

  test.each([
    [
      'a command that the image does not have',
      { cmds: '/nope' },
      { reason: 'StartError', exit_code: '128' },
      /could not be started .*\/nope.* no such file or directory.*Check `cmds`/,
    ],
    [
      'a deadline',
      { ...script('trap "exit 9" TERM; while :; do sleep 0.2; done'), active_deadline_seconds: '5' },
      { reason: 'DeadlineExceeded' },
      /ran into its active_deadline_seconds of 5 s/,
    ],
    [
      'a deadline, to which the container answers with exit code 0',
      { ...script('trap "exit 0" TERM; while :; do sleep 0.2; done'), active_deadline_seconds: '5' },
      { reason: 'DeadlineExceeded', exit_code: '0' },
      /was stopped after \d s \(exit code 0\): the pod ran into its active_deadline_seconds of 5 s/,
    ],
    [
      'too little memory',
      { ...script('x=a; while :; do x=$x$x; done'), container_resources: '{limits: {memory: 32Mi}}' },
      { reason: 'OOMKilled', exit_code: '137' },
      /exceeding its memory limit of 32Mi.*Raise `container_resources\.limits\.memory`/,
    ],
    [
      'a signal',
      script('sh -c "kill -SEGV \\$\\$"; exit $?'),
      { reason: 'ExitCode', exit_code: '139' },
      /exited with code 139 \(SIGSEGV\)/,
    ],
  ])(
    'is told apart: %s',
    async (_, inputs, outputs, sentence) => {
      const step = await namespace.run(inputs);
      expect(step.outputs).toMatchObject({ state: 'failed', ...outputs });
      expect(step.annotations.map(({ message }) => message)).toEqual([expect.stringMatching(sentence)]);
    },
    90_000,
  );

  test('shows its termination message', async () => {
    const step = await namespace.run(script('echo disk is full > /airflow/xcom/return.json; exit 4'));
    expect(step.text).toContain('termination message:\ndisk is full\n');
    expect(step.outputs['result']).toBeUndefined();
    expect(step.outputs).toMatchObject({ exit_code: '4', reason: 'ExitCode' });
  });
});

describe('the result', () => {
  test('is what the container wrote to return.json, after a failure too', async () => {
    const good = await namespace.run(script('echo \'{"rows": 42}\' > /airflow/xcom/return.json'));
    expect(JSON.parse(good.outputs['result'] ?? '')).toEqual({ rows: 42 });
    const bad = await namespace.run(script('echo \'{"rows": 7}\' > /airflow/xcom/return.json; exit 1'));
    expect(bad.outputs).toMatchObject({ state: 'failed', result: '{"rows": 7}' });
  });

  test('fails the step when it is not JSON, or longer than the node keeps', async () => {
    const text = await namespace.run(script('echo forty-two > /airflow/xcom/return.json'));
    expect(text.outputs).toMatchObject({ state: 'failed', exit_code: '0', reason: 'InvalidResult' });
    const long = await namespace.run(script('yes 1234567 | head -c 5000 > /airflow/xcom/return.json'));
    expect(long.annotations[0]?.message).toMatch(/longer than the 4096 bytes/);
  });

  test('is not looked for when do_xcom_push is false', async () => {
    const step = await namespace.run({ ...script('ls /airflow'), do_xcom_push: 'false' });
    expect(step.outputs).toMatchObject({ state: 'failed', exit_code: '1' });
  });
});
