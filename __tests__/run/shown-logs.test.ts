import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { runStep } from '../support/step-runner.ts';
import { linesLike } from './step.ts';

/** Whole steps on the fake cluster: which containers' logs are shown, how, and where else they go. */
let server: FakeApiServer;
let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'shown-logs-'));
});
afterEach(async () => {
  rmSync(workspace, { recursive: true, force: true });
  await server.close();
});

const serve = async (autoplay: (pod: FakePod) => void | Promise<void>) => {
  server = await startFakeApiServer({ autoplay });
};
const run = (inputs: Record<string, string>) =>
  runStep({ workspace, inputs: { kubeconfig: server.kubeconfig, image: 'busybox', ...inputs } });
const created = () => server.requests.filter(({ verb, query }) => verb === 'create' && query['dryRun'] === undefined);
const file = (path: string) => readFileSync(join(workspace, path), 'latin1');

describe('several containers', () => {
  const inputs = {
    init_containers: '[{name: migrate, image: busybox}]',
    full_pod_spec: '{spec: {containers: [{name: base}, {name: helper, image: busybox}]}}',
  };
  const play = async (pod: FakePod, started?: () => Promise<unknown>) => {
    pod.schedule().run('migrate').write('migrating', { container: 'migrate' });
    pod.terminate({ container: 'migrate' });
    await started?.();
    pod.run();
    pod.write('helping', { container: 'helper' }).write('working').write('half', { newline: false });
    pod.finish();
  };

  test('are shown with their names, init containers by default', async () => {
    // A node takes its time from one container to the next.
    const tailRead = () => server.request({ verb: 'log', query: { container: 'migrate', follow: 'false' } });
    await serve(pod => play(pod, tailRead));
    const result = await run(inputs);
    expect(linesLike(result, /migrating|helping|working|half/)).toEqual([
      '[migrate] migrating',
      '[base] working',
      '[base] half',
    ]);
  });

  test('all of them, into a file too', async () => {
    await serve(pod => play(pod));
    const result = await run({ ...inputs, container_logs: 'true', log_file: 'logs/all.txt' });
    const lines = ['[base] half', '[base] working', '[helper] helping', '[migrate] migrating'];
    expect(linesLike(result, /migrating|helping|working|half/).sort()).toEqual(lines);
    expect(file('logs/all.txt').trimEnd().split('\n').sort()).toEqual(lines);
    expect(result.outputs).toMatchObject({ log_file: 'logs/all.txt', state: 'succeeded' });
  });

  test('without names, into a file too', async () => {
    await serve(pod => play(pod));
    const result = await run({
      ...inputs,
      container_logs: 'base, helper',
      container_name_log_prefix_enabled: 'false',
      log_file: 'all.txt',
    });
    expect(linesLike(result, /^(migrating|helping|working|half)$/)).toHaveLength(4);
    expect(file('all.txt').trimEnd().split('\n').sort()).toEqual(['half', 'helping', 'migrating', 'working']);
  });

  test('of which only the base is wanted has no name in front', async () => {
    await serve(pod => play(pod));
    const result = await run({ ...inputs, init_container_logs: 'false' });
    expect(linesLike(result, /migrating|helping|working|half/)).toEqual(['working', 'half']);
  });

  test('that the pod does not have are an error, all at once, before anything is created', async () => {
    await serve(pod => play(pod));
    const result = await run({ ...inputs, container_logs: 'bass', init_container_logs: '[migrated]' });
    expect(result.outputs).toMatchObject({ reason: 'InvalidInput' });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/container_logs: .*"bass".*Did you mean base\?.*init_container_logs: .*"migrated"/s),
    ]);
    expect(created()).toEqual([]);
  });

  test('one that runs on beside is shown up to the base container’s end, and says so', async () => {
    await serve(pod => {
      pod.run().write('helping', { container: 'helper' }).write('working').terminate();
    });
    const result = await run({ ...inputs, container_logs: 'true', init_container_logs: 'false' });
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(linesLike(result, /helping|working|helper/)).toEqual(
      expect.arrayContaining([
        '[helper] helping',
        '[base] working',
        'Container helper still runs; its log is shown up to here.',
      ]),
    );
  });
});

describe('log_file', () => {
  const hello = (pod: FakePod) => void pod.run().write('a\r').write('\u001b[1mb').write('::error::c').finish();

  test('has the bytes as the container wrote them', async () => {
    await serve(hello);
    const result = await run({ log_file: 'run.log' });
    expect(file('run.log')).toBe('a\r\n\u001b[1mb\n::error::c\n');
    expect(result.outputs).toMatchObject({ log_file: 'run.log' });
  });

  test('has what is not shown', async () => {
    await serve(hello);
    const result = await run({ log_file: 'run.log', get_logs: 'false' });
    expect(file('run.log')).toContain('::error::c\n');
    expect(linesLike(result, /::error::c/)).toEqual([]);
    expect(linesLike(result, /not shown/)).toEqual([
      expect.stringMatching(/get_logs: false\), but written to run\.log\. To read it: kubectl/),
    ]);
  });

  test('is there for a container that failed', async () => {
    await serve(pod => void pod.run().write('oh').finish({ exitCode: 3 }));
    const result = await run({ log_file: 'run.log' });
    expect(result.outputs).toMatchObject({ state: 'failed', log_file: 'run.log' });
    expect(file('run.log')).toBe('oh\n');
  });

  test('is never written through a link, and nothing is created then', async () => {
    await serve(hello);
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    writeFileSync(join(elsewhere, 'run.log'), 'precious');
    symlinkSync(elsewhere, join(workspace, 'logs'));
    mkdirSync(join(workspace, 'other'));
    symlinkSync(join(elsewhere, 'run.log'), join(workspace, 'other/run.log'));
    for (const path of ['logs/run.log', 'other/run.log']) {
      const result = await run({ log_file: path });
      expect(result.outputs).toMatchObject({ reason: 'InvalidInput' });
      expect(result.annotations[0]?.message).toMatch(/^log_file: .*symbolic link/);
    }
    expect(readFileSync(join(elsewhere, 'run.log'), 'utf8')).toBe('precious');
    expect(created()).toEqual([]);
    rmSync(elsewhere, { recursive: true });
  });
});

describe('a reader of the step’s output', () => {
  const line = `${'x'.repeat(99)}\n`;
  const many = (pod: FakePod) => {
    pod.run();
    for (let lines = 0; lines < 40_000; lines++) pod.write(line.slice(0, -1));
    pod.finish();
  };
  const spawned = () => {
    const inputs = { INPUT_KUBECONFIG: server.kubeconfig, INPUT_IMAGE: 'busybox' };
    const env = { PATH: process.env['PATH'], HOME: workspace, RUNNER_TEMP: workspace, ...inputs };
    return spawn(process.execPath, ['dist/index.js'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  };

  test('that is late gets everything, to the last line', async () => {
    await serve(many);
    const step = spawned();
    const ended = new Promise(resolve => step.once('exit', resolve));
    await server.request({ verb: 'log', query: { follow: 'false' } });
    let text = '';
    for await (const chunk of step.stdout) text += chunk;
    expect(await ended).toBe(0);
    expect(text.split(line).length).toBe(40_001);
  });

  test('that goes away ends the step, and the pod with it', async () => {
    await serve(pod => {
      pod.run();
      const writing = setInterval(() => pod.write('x'), 5);
      pod.onDelete = deleted => {
        clearInterval(writing);
        deleted.stop();
      };
    });
    const step = spawned();
    let stderr = '';
    step.stderr.on('data', chunk => {
      stderr += chunk;
    });
    const ended = new Promise(resolve => step.once('exit', resolve));
    await new Promise(resolve => step.stdout.once('data', resolve));
    await server.request({ verb: 'log' });
    step.stdout.destroy();
    expect(await ended).toBe(1);
    expect(server.pods[0]?.removed).toBe(true);
    expect(stderr).toBe('');
  });
});
