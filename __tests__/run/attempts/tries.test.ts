import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../../support/fake-api-server.ts';
import { RenderedMarkdown } from '../../support/rendered-markdown.ts';
import { type RunningStep, runStep } from '../../support/step-runner.ts';
import { expectClean, linesLike, run, start } from '../step.ts';

let server: FakeApiServer;
let step: RunningStep | undefined;
afterEach(async () => {
  await step?.dispose();
  step = undefined;
  await server.close();
});

/** What the pods do, one after the other; the last one's life is that of all to come. */
async function serve(...lives: ((pod: FakePod) => void)[]): Promise<void> {
  let count = 0;
  server = await startFakeApiServer({ autoplay: pod => lives[Math.min(count++, lives.length - 1)]?.(pod) });
}
const exits =
  (exitCode: number, line = `exit ${exitCode}`) =>
  (pod: FakePod) =>
    void pod.run().write(line).finish({ exitCode });
const rejected = (pod: FakePod) =>
  void pod.patch(({ status }) => {
    status.phase = 'Failed';
    Object.assign(status, { reason: 'OutOfcpu', message: 'Pod was rejected: Node didn’t have enough resource: cpu' });
  });
const again = { retries: '2', retry_delay_seconds: '0' };
const podNames = () => server.pods.map(({ name }) => name);

describe('a step that may try again', () => {
  test('has a fresh pod for each try, its log in a group of its own, and the outcome of the last', async () => {
    await serve(rejected, exits(75), exits(0, 'done'));
    const result = await run(server, { ...again, name: 'load', retry_on: '75' });
    expect(result).toMatchObject({ conclusion: 'success', outputs: { state: 'succeeded', exit_code: '0' } });
    expect(result.outputs['reason']).toBeUndefined();
    expect(new Set(podNames()).size).toBe(3);
    expect(result.outputs['pod_name']).toBe(podNames()[2]);
    expect(server.pods.map(pod => pod.removed)).toEqual([true, true, true]);
    expect(linesLike(result, /^(##\[(end)?group\].*|exit 75|done)$/)).toEqual([
      '##[group]Try 1 of 3',
      '##[endgroup]',
      expect.stringMatching(/^##\[group\]The pod as the cluster has it/),
      '##[endgroup]',
      '##[group]Try 2 of 3',
      'exit 75',
      '##[endgroup]',
      expect.stringMatching(/^##\[group\]The pod as the cluster has it/),
      '##[endgroup]',
      '##[group]Try 3 of 3',
      'done',
      '##[endgroup]',
    ]);
    expect(result.annotations).toMatchObject([
      { level: 'warning', message: expect.stringMatching(/ The next try begins in 0 s\.$/) },
      {
        level: 'warning',
        title: 'Try 2 of 3: Exit code 75',
        message: `Container base of pod default/${podNames()[1]} exited with code 75. The next try begins in 0 s.`,
      },
    ]);
    expect(result.post.text).toBe('');
  });

  test('lists all of them in its summary', async () => {
    await serve(exits(1), exits(2));
    const { summary, outputs } = await run(server, { ...again, retries: '1', retry_on: 'any' });
    expect(outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '2' });
    const rendered = new RenderedMarkdown(summary);
    expect(rendered.texts('h3')).toEqual([`❌ ${podNames()[1]}: Exit code 2`]);
    expect(rendered.rows.slice(-2)).toEqual([
      ['1', podNames()[0], expect.stringMatching(/^❌ Exit code 1\n?Container base .* exited with code 1/)],
      ['2', podNames()[1], expect.stringMatching(/^❌ Exit code 2/)],
    ]);
  });

  test('does not where the container has run, and nobody said that it may run twice', async () => {
    await serve(exits(75));
    const result = await run(server, again);
    expect(result.outputs).toMatchObject({ state: 'failed', exit_code: '75' });
    expect(server.pods).toHaveLength(1);
    expect(result.annotations.map(({ level }) => level)).toEqual(['error']);
  });

  test('ends with the last failure when all tries are used up', async () => {
    await serve(exits(75));
    const result = await run(server, { ...again, retry_on: '75' });
    expect(result).toMatchObject({ conclusion: 'failure', outputs: { state: 'failed', exit_code: '75' } });
    expect(server.pods).toHaveLength(3);
    expect(result.annotations.map(({ level }) => level)).toEqual(['warning', 'warning', 'error']);
  });

  test('tries again when the quota had no room', async () => {
    await serve(exits(0));
    server.fault({ match: { verb: 'create' }, action: { kind: 'answer', reply: replies.quota('p') } });
    const result = await run(server, again);
    expect(result.outputs['state']).toBe('succeeded');
    expect(result.annotations).toMatchObject([{ level: 'warning', title: expect.stringMatching(/^Try 1 of 3: /) }]);
  });

  test('of a fixed name makes way for the next, though failed pods are kept', async () => {
    await serve(exits(75), exits(0));
    const inputs = { name: 'p', random_name_suffix: 'false', on_finish_action: 'delete_succeeded_pod' };
    const result = await run(server, { ...again, ...inputs, retry_on: '75' });
    expect(result.outputs['state']).toBe('succeeded');
    expect(result.text).toContain('Pod default/p makes way for the next of that name.');
    expect(server.pods.map(pod => pod.removed)).toEqual([true, true]);
  });

  test('keeps the failed pods of its tries where that is asked for', async () => {
    await serve(exits(75), exits(0));
    const result = await run(server, { ...again, on_finish_action: 'delete_succeeded_pod', retry_on: '75' });
    expect(result.outputs['state']).toBe('succeeded');
    expect(server.pods.map(pod => pod.removed)).toEqual([false, true]);
    expect(result.post.text).toBe('');
  });

  test('writes the log of all tries to log_file', async () => {
    await serve(exits(75, 'first'), exits(0, 'second'));
    const workspace = mkdtempSync(join(tmpdir(), 'tries-test-'));
    try {
      const inputs = { ...again, kubeconfig: server.kubeconfig, image: 'busybox', retry_on: '75', log_file: 'all.log' };
      const result = await runStep({ workspace, inputs });
      expect(result.outputs).toMatchObject({ state: 'succeeded', log_file: 'all.log' });
      expect(readFileSync(join(workspace, 'all.log'), 'utf8')).toMatch(/^\S+ first\n\S+ second\n$|^first\nsecond\n$/);
    } finally {
      rmSync(workspace, { recursive: true });
    }
  });

  const leaves = (message: string) => (pod: FakePod) => void pod.run().finish({ exitCode: 75, message });

  test.each<[what: string, before: () => void]>([
    ['has none', () => {}],
    [
      'could not be created',
      () =>
        server.fault({
          match: { verb: 'create' },
          after: 1,
          action: { kind: 'answer', reply: replies.forbidden('create') },
        }),
    ],
  ])('has no result_file of an earlier try where the next one %s', async (_, before) => {
    await serve(leaves('[1]'), exits(0));
    before();
    const workspace = mkdtempSync(join(tmpdir(), 'tries-test-'));
    writeFileSync(join(workspace, 'r.json'), 'of an earlier run');
    try {
      const inputs = { ...again, kubeconfig: server.kubeconfig, image: 'busybox', retry_on: '75' };
      const { outputs } = await runStep({ workspace, inputs: { ...inputs, result_file: 'r.json' } });
      expect(outputs).not.toHaveProperty('result_file');
      expect(outputs).not.toHaveProperty('result');
      expect(readdirSync(workspace)).not.toContain('r.json');
    } finally {
      rmSync(workspace, { recursive: true });
    }
  });

  test('says nothing of an earlier try’s pod where the last one had none', async () => {
    await serve(exits(75));
    server.fault({
      match: { verb: 'create' },
      after: 1,
      times: 99,
      action: { kind: 'answer', reply: replies.forbidden('create') },
    });
    const { outputs } = await run(server, { ...again, retry_on: '75' });
    expect(outputs).toMatchObject({ state: 'failed', reason: 'Forbidden', pod_name: '', pod_uid: '', node_name: '' });
  });

  test('that is cancelled between two tries makes no other', async () => {
    await serve(exits(75));
    step = start(server, { ...again, retry_delay_seconds: '600', retry_on: '75' });
    await step.line(/The next try begins in/);
    const result = await step.cancel();
    expectClean(result);
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(server.pods.map(pod => pod.removed)).toEqual([true]);
    expect(new RenderedMarkdown(result.summary).texts('h3')).toEqual([expect.stringMatching(/was cancelled$/)]);
  });
});
