import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RESULT_SIDECAR } from '../../../src/pod/result.ts';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../../support/fake-api-server.ts';
import { runStep, type StepResult } from '../../support/step-runner.ts';
import { expectClean } from '../step.ts';
import { fileLines, frame } from './frames.ts';

let server: FakeApiServer;
let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
});
afterEach(async () => {
  rmSync(workspace, { recursive: true });
  await server.close();
});

/** A whole step, whose pod says this of its files when its container has ended. */
async function run(
  inputs: Record<string, string>,
  said: string,
  live: (pod: FakePod) => void = pod => void pod.terminate(),
): Promise<StepResult> {
  server = await startFakeApiServer({
    autoplay: pod => {
      live(pod.run().write('hello'));
      for (const line of said.split('\n').slice(0, -1)) pod.write(line, { container: RESULT_SIDECAR });
      pod.stopSidecars();
    },
  });
  const result = await runStep({
    inputs: { kubeconfig: server.kubeconfig, image: 'busybox', do_xcom_push: 'true', ...inputs },
    workspace,
  });
  expectClean(result);
  return result;
}

const sent = (text: string) => frame(fileLines(Buffer.from(text)));

describe('what the sidecar sends', () => {
  test('is an output, and none of it is shown', async () => {
    const result = await run({ container_logs: 'true', init_container_logs: 'true' }, sent('{"rows": 7}\n'));
    expect(result).toMatchObject({
      exitCode: 0,
      annotations: [],
      outputs: { state: 'succeeded', result: '{"rows": 7}' },
    });
    expect(result.text).toContain('hello');
    expect(result.text).not.toMatch(/frame|return\.json|eyJyb3dz/);
    expect(server.matching({ verb: 'patch' })).toEqual([]);
  });

  test('is an output for each key, and a file', async () => {
    const text = '{"path": "s3://b/k", "n": 12345678901234567890}\n';
    const result = await run({ multiple_outputs: 'true', result_file: 'out/r.json' }, sent(text));
    expect(result.outputs).toMatchObject({
      result: text.trim(),
      path: 's3://b/k',
      n: '12345678901234567890',
      result_file: 'out/r.json',
    });
    expect(readFileSync(join(workspace, 'out/r.json'), 'utf8')).toBe(text);
    expect(result.text).toContain('Result: 48 bytes, in out/r.json\n');
  });

  test('is in its file alone where it is large', async () => {
    const text = JSON.stringify(['x'.repeat(700_000)]);
    const result = await run({ result_file: 'r.json' }, sent(text));
    expect(result).toMatchObject({ exitCode: 0, annotations: [] });
    expect(result.outputs).not.toHaveProperty('result');
    expect(readFileSync(join(workspace, 'r.json'), 'utf8')).toBe(text);
  });

  test('is a warning where it is an output that few can take', async () => {
    const result = await run({}, sent(JSON.stringify('x'.repeat(200_000))));
    expect(result.exitCode).toBe(0);
    expect(result.outputs['result']).toHaveLength(200_002);
    expect(result.annotations).toEqual([
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('has 200,002 bytes') }),
    ]);
  });

  test.each<[what: string, said: string, message: string]>([
    ['is no JSON', sent('oops'), 'What the container wrote to /airflow/xcom/return.json is not JSON'],
    ['is a folder', frame('folder return.json\n'), 'return.json is a folder.'],
    ['is nothing', frame('none return.json\n'), 'The container succeeded, but wrote nothing'],
    ['is no frame', 'sh: base64: not found\n', 'has sent no result. It said: sh: base64: not found'],
  ])('fails a success where it %s', async (_, said, message) => {
    const result = await run({}, said);
    expect(result).toMatchObject({
      exitCode: 1,
      outputs: { state: 'failed', reason: 'InvalidResult', exit_code: '0' },
    });
    expect(result.annotations).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringContaining(message) }),
    ]);
  });
});

describe('of a container that failed', () => {
  const fails = (pod: FakePod) => void pod.terminate({ exitCode: 3 });

  test('the result is an output, and a file', async () => {
    const result = await run({ result_file: 'r.json' }, sent('[1]'), fails);
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', result: '[1]', result_file: 'r.json' });
    expect(readFileSync(join(workspace, 'r.json'), 'utf8')).toBe('[1]');
  });

  test('a result that cannot be used is a warning before its own failure', async () => {
    const result = await run({}, sent('oops'), fails);
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '3' });
    expect(result.annotations.map(({ level }) => level)).toEqual(['warning', 'error']);
  });

  test('a result that is missing is not missed', async () => {
    const result = await run({}, frame('none return.json\n'), fails);
    expect(result.annotations).toEqual([
      expect.objectContaining({ level: 'error', message: expect.not.stringContaining('return.json') }),
    ]);
  });
});

test('a step that could not start its container waits for no result', async () => {
  const result = await run({}, '', pod => {
    pod.terminate({ exitCode: 128, reason: 'StartError', message: 'exec: "x": not found' });
  });
  expect(result.outputs).toMatchObject({ state: 'failed', reason: 'StartError' });
  expect(result.annotations).toHaveLength(1);
});

test('beside a container that runs on the sidecar is asked, and the outcome does not wait for that one', async () => {
  server = await startFakeApiServer({
    autoplay: async pod => {
      pod.object.spec.containers.push({ name: 'mesh' });
      pod.run().terminate();
      await server.request({ verb: 'patch' });
      for (const line of sent('[1]').split('\n').slice(0, -1)) pod.write(line, { container: RESULT_SIDECAR });
    },
  });
  const result = await runStep({
    inputs: { kubeconfig: server.kubeconfig, image: 'busybox', do_xcom_push: 'true' },
    workspace,
  });
  expect(result).toMatchObject({ exitCode: 0, outputs: { result: '[1]' } });
});
