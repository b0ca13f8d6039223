import { afterEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';
import { type RunningStep, runStep } from '../support/step-runner.ts';
import { run, start } from './step.ts';

let server: FakeApiServer;
let step: RunningStep | undefined;
afterEach(async () => {
  await step?.dispose();
  step = undefined;
  await server.close();
});

const serve = async (autoplay?: (pod: FakePod) => void) => {
  server = await startFakeApiServer(autoplay ? { autoplay } : {});
};
const named = { name: 'p', random_name_suffix: 'false' };
const summaryOf = async (inputs: Record<string, string> = {}) => {
  const result = await run(server, { ...named, ...inputs });
  expect(result.post.summary).toBe('');
  return new RenderedMarkdown(result.summary);
};

describe('the step’s summary', () => {
  test('of a success has the pod, the result and no secret, and asks for nothing more', async () => {
    await serve(pod => void pod.run().finish({ message: '{"token": "say \\"s3cret\\"", "rows": 1}' }));
    const summary = await summaryOf({ secret_env: `TOKEN=say "s3cret"` });
    expect(summary.texts('h3')).toEqual(['✅ p succeeded after 0 s']);
    expect(summary.rows).toEqual(
      expect.arrayContaining([
        ['Pod', 'p'],
        ['Namespace', 'default'],
        ['Node', 'node-1'],
        ['Image', `busybox\nsha256:${'0'.repeat(64)}`],
        ['Exit code', '0'],
      ]),
    );
    expect(summary.fences).toEqual([{ language: 'json', text: '{"token": "***", "rows": 1}' }]);
    expect(server.matching({ path: /\/events$/ })).toEqual([]);
  });

  test('of a failure has its sentence, and how to see to a pod that is kept', async () => {
    await serve(pod => void pod.run().finish({ exitCode: 3, message: 'no | space' }));
    const summary = await summaryOf({ on_finish_action: 'delete_succeeded_pod' });
    expect(summary.texts('h3')).toEqual(['❌ p: Exit code 3']);
    expect(summary.texts('p')[0]).toBe('Container base of pod default/p exited with code 3.');
    expect(summary.fences).toEqual([
      { language: '', text: 'no | space' },
      { language: 'sh', text: 'kubectl -n default logs p -c base\nkubectl -n default delete pod p' },
    ]);
  });

  test('of a pod that cannot start has why, and the way out', async () => {
    await serve(pod => void pod.schedule().waiting('ErrImagePull', 'x: not found'));
    const summary = await summaryOf();
    expect(summary.texts('h3')).toEqual(['❌ p: Image cannot be pulled']);
    expect(summary.texts('p').slice(0, 2)).toEqual([
      'Image busybox cannot be pulled: not found',
      expect.stringMatching(/^Check image; /),
    ]);
    expect(summary.rows).toContainEqual(['Node', 'node-1']);
  });

  test('of bad inputs names them', async () => {
    await serve();
    const summary = await summaryOf({ ports: 'x', volumes: '7' });
    expect(summary.texts('h3')).toEqual(['❌ 2 invalid inputs']);
    expect(summary.text).toMatch(/- ports: expected a list.*\n- volumes: expected a list/);
  });

  test('of a job of a matrix is one line', async () => {
    await serve(pod => void pod.run().finish());
    const summary = await summaryOf({ matrix: '{"os": "linux", "python": "3.12"}' });
    expect(summary.texts('summary')).toEqual(['✅ os: linux, python: 3.12 · p · node-1 · 0 s · exit code 0']);
    expect(summary.skeleton()).toMatch(/^details\(summary\(.*\) table\(.*\)\)$/);
  });

  test('of a dry run has the manifest', async () => {
    await serve();
    const summary = await summaryOf({ dry_run: 'true' });
    expect(summary.texts('h3')).toEqual(['📝 Dry run of p']);
    expect(summary.texts('p')[0]).toMatch(/would take it \(dryRun=All\)\. Nothing was created\.$/);
    expect(summary.fences).toEqual([{ language: 'yaml', text: expect.stringContaining('image: busybox') }]);
  });

  test('is there when the step is cancelled, though the pod cannot be deleted', async () => {
    await serve();
    step = start(server, named);
    const pod = await server.pod();
    pod.onDelete = () => {};
    pod.run().write('hello');
    await step.line('hello');
    server.fault({ match: { verb: 'delete' }, action: { kind: 'reset' } });
    const { summary, conclusion } = await step.cancel();
    expect(conclusion).toBe('cancelled');
    const rendered = new RenderedMarkdown(summary);
    expect(rendered.texts('h3')).toEqual(['🚫 p was cancelled']);
    expect(rendered.fences.filter(({ language }) => language === 'sh')).toEqual([]);
  });
});

test.each<[string, string, number]>([
  ['cannot be written', '/nowhere/summary', 1],
  ['is not there', '', 0],
])('where the file of the summary %s, the step goes on as it would', async (_, path, lines) => {
  await serve(pod => void pod.run().finish());
  const result = await runStep({
    inputs: { kubeconfig: server.kubeconfig, image: 'busybox' },
    env: { GITHUB_STEP_SUMMARY: path },
  });
  expect(result).toMatchObject({ conclusion: 'success', annotations: [], outputs: { state: 'succeeded' } });
  expect(result.text.split('\n').filter(line => /summary/.test(line))).toHaveLength(lines);
});
