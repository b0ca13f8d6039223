import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, Namespace } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';
import { runWorkflow } from '../support/workflow.ts';
import { ENVIRONMENTS } from './results/environments.ts';

let namespace: Namespace;
let folder: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  folder = mkdtempSync(join(tmpdir(), 'run-script-'));
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

/** The sidecar is the result's, and so is its image. */
const SIDECAR = { xcom_sidecar_container_image: cluster.images.shell };
const run = (text: string, inputs: Record<string, string> = {}, options: Parameters<Namespace['run']>[1] = {}) =>
  namespace.run({ ...SIDECAR, run: text, ...inputs }, options);
const messages = ({ annotations }: StepResult) => annotations.map(({ level, message }) => `${level}: ${message}`);
const OURS = ['pod_name', 'state', 'exit_code', 'reason'];

describe('a script', () => {
  const SAYS = `
    echo "quotes ' \\" and $(echo expanded) and \\\`backticks\\\`"
    echo "rows=3" >> "$GITHUB_OUTPUT"
    { echo 'lines<<END'; echo one; echo; echo three; echo END; } >> "$GITHUB_OUTPUT"
    echo '## Rows: **3**' >> "$GITHUB_STEP_SUMMARY"`;

  test.each(ENVIRONMENTS)(
    '$name sets outputs and adds to the summary',
    async ({ inputs, labels = [] }) => {
      await using own = await Namespace.create();
      if (labels.length > 0) await own.kubectl(['label', 'namespace', own.name, ...labels]);
      const step = await own.run({ ...SIDECAR, run: SAYS, ...inputs });
      expect(step.annotations).toEqual([]);
      expect(step.outputs).toMatchObject({ state: 'succeeded', rows: '3', lines: 'one\n\nthree' });
      expect(step.outputs).not.toHaveProperty('result');
      expect(step.text).toContain('\nquotes \' " and expanded and `backticks`\n');
      expect(step.summary).toMatch(/<h3>.*\n\n## Rows: \*\*3\*\*\n\n$/s);
      expect(await own.pods()).toEqual([]);
      // The script's goes with its pod.
      await own.kubectl(['wait', '--for=delete', 'secrets', '--all', '--timeout=30s']);
    },
    60_000,
  );

  test('ends at the first command that fails, and what it has set until then is set', async () => {
    const step = await run('echo a=1 >> "$GITHUB_OUTPUT"\nfalse\necho a=2 >> "$GITHUB_OUTPUT"');
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '1', a: '1' });
  });

  test('has a result, too', async () => {
    const step = await run('echo \'{"rows": 3}\' > "$RESULT_PATH"; echo a=1 >> "$GITHUB_OUTPUT"', {
      multiple_outputs: 'true',
    });
    expect(step.outputs).toMatchObject({ result: '{"rows": 3}', rows: '3', a: '1' });
  });

  test('of a file, of more than an input can have, by a program of one’s own', async () => {
    const text = `# ${'x'.repeat(600_000)}\nBEGIN { print "said awk"; print "a=1" >> ENVIRON["GITHUB_OUTPUT"] }\n`;
    writeFileSync(join(folder, 'script.awk'), text);
    const inputs = { ...SIDECAR, run_file: 'script.awk', shell: 'awk -f {0}' };
    const step = await namespace.run(inputs, { workspace: folder });
    expect(step.text).toContain('\nsaid awk\n');
    expect(step.outputs).toMatchObject({ state: 'succeeded', a: '1' });
  });

  test('knows its job, and no token of it', async () => {
    const env = {
      GITHUB_HEAD_REF: 'a$(HOSTNAME)b$$c',
      GITHUB_TOKEN: 'ghs_0123456789',
      ACTIONS_RUNTIME_TOKEN: 'runtime-token',
    };
    const step = await run('env | sort | grep -E "^(CI|GITHUB_|RUNNER_|ACTIONS_)"', {}, { env });
    const said = new Map(step.text.split('\n').map(line => line.split(/=(.*)/s) as [string, string]));
    expect(Object.fromEntries(said)).toMatchObject({
      ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'octo/repo', GITHUB_REF: 'refs/heads/main' },
      ...{ GITHUB_HEAD_REF: 'a$(HOSTNAME)b$$c', RUNNER_OS: 'Linux', RUNNER_TEMP: '/tmp' },
    });
    for (const name of ['GITHUB_TOKEN', 'ACTIONS_RUNTIME_TOKEN', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STATE'])
      expect([...said.keys()]).not.toContain(name);
  });

  test('is gone on with by a re-run, whoever starts that, and wherever it runs', async () => {
    const inputs = {
      ...SIDECAR,
      name: 'again',
      run: 'echo started; until [ -e /tmp/go ]; do sleep 0.1; done; echo a=1 >> "$GITHUB_OUTPUT"',
    };
    const first = namespace.start(inputs);
    let pod = '';
    try {
      await first.line(/^started$/, 30_000);
      pod = (await first.kill()).outputs['pod_name'] ?? '';
    } finally {
      await first.dispose();
    }
    await namespace.kubectl(['exec', pod, '-c', 'base', '--', 'touch', '/tmp/go']);
    const env = { GITHUB_RUN_ATTEMPT: '2', RUNNER_NAME: 'another', GITHUB_TRIGGERING_ACTOR: 'somebody' };
    const second = await namespace.run(inputs, { env });
    expect(second.outputs).toMatchObject({ state: 'succeeded', pod_name: pod, a: '1' });
  }, 60_000);

  test('of a pod that was left to run is read by whoever attaches to it', async () => {
    const left = await run('echo a=1 >> "$GITHUB_OUTPUT"; echo "## Later" >> "$GITHUB_STEP_SUMMARY"', {
      deferrable: 'true',
    });
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    const step = await namespace.attach({ attach, pod_uid });
    expect(step.outputs).toMatchObject({ state: 'succeeded', a: '1' });
    expect(step.summary).toContain('## Later');
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);
});

test('examples/run.yml', async () => {
  const jobs = await runWorkflow('examples/run.yml', {
    secrets: { KUBECONFIG: readFileSync(namespace.kubeconfig).toString('base64') },
    inputs: written => ({ ...written, ...SIDECAR, namespace: namespace.name, image: cluster.images.shell }),
  });
  expect(jobs).toMatchObject({
    count: { result: 'success', outputs: { primes: '25' } },
    report: { result: 'success' },
  });
  expect(jobs['report']?.steps['__step_1']?.text).toBe('There are 25 primes.\n');
  expect(jobs['count']?.steps['count']?.text).toMatch(/^octo\/repo, run \d+: 25 primes up to 100$/m);
}, 60_000);

test('a shell that the image has not is told as that', async () => {
  const step = await run('print(1)', { shell: 'python' });
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'StartError' });
  expect(messages(step)).toEqual([
    expect.stringMatching(/"python": .*not found.*Check `shell` against what the image/),
  ]);
});

describe('what a script leaves that is no good', () => {
  test.each<[string, string, string, object]>([
    [
      'a line that is nothing',
      'echo a=1 >> "$GITHUB_OUTPUT"; echo rubbish >> "$GITHUB_OUTPUT"',
      '$GITHUB_OUTPUT cannot be read: line 2, "rubbish", is neither name=value nor name<<DELIMITER. Write name=value, or for several lines name<<DELIMITER, the lines, and the delimiter on a line of its own.',
      { reason: 'InvalidResult', exit_code: '0' },
    ],
    [
      'an output of the action’s own',
      'echo Pod_Name=mine >> "$GITHUB_OUTPUT"',
      'The script sets the output "Pod_Name", which is one of this action’s own. Give it another name in $GITHUB_OUTPUT.',
      { reason: 'InvalidResult' },
    ],
    [
      'a folder in place of the file',
      'rm "$GITHUB_OUTPUT"; mkdir "$GITHUB_OUTPUT"',
      '$GITHUB_OUTPUT is a folder. Have the container write a regular file.',
      { reason: 'InvalidResult' },
    ],
    [
      'a summary that GitHub would not show',
      'yes "0123456789" | head -c 1100000 >> "$GITHUB_STEP_SUMMARY"',
      'The script’s summary has 1,100,000 bytes, and GitHub shows none above 1,000,000. Write less to $GITHUB_STEP_SUMMARY.',
      { reason: 'InvalidResult' },
    ],
  ])(
    'fails the step: %s',
    async (_, text, sentence, outputs) => {
      const step = await run(text);
      expect(messages(step)).toEqual([`error: ${sentence}`]);
      expect(step.outputs).toMatchObject({ state: 'failed', ...outputs });
      expect(Object.keys(step.outputs)).toEqual(expect.arrayContaining(OURS));
      expect(await namespace.pods()).toEqual([]);
    },
    60_000,
  );

  test('is a warning where it has failed by itself', async () => {
    const step = await run('echo rubbish >> "$GITHUB_OUTPUT"; exit 3');
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '3' });
    expect(messages(step)).toEqual([
      expect.stringMatching(/^warning: \$GITHUB_OUTPUT cannot be read: line 1, "rubbish"/),
      expect.stringMatching(/^error: Container base .* exited with code 3( after \d+ s)?\.$/),
    ]);
  });

  test('is nothing where it has removed the file', async () => {
    const step = await run('rm "$GITHUB_OUTPUT" "$GITHUB_STEP_SUMMARY"');
    expect(step).toMatchObject({ conclusion: 'success', annotations: [] });
  });
});
