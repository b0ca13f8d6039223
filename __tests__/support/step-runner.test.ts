import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runStep, startStep } from './step-runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'step-runner-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let scripts = 0;
function script(source: string): string {
  const path = join(folder, `${scripts++}.mjs`);
  writeFileSync(path, source);
  return path;
}

function action(yaml: string, files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(folder, 'action-'));
  for (const [name, text] of Object.entries({ 'action.yml': yaml, ...files })) writeFileSync(join(path, name), text);
  return path;
}

/** Dead is also what nobody has reaped yet. */
const alive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
const minimal = action('runs: {using: node24, main: main.mjs, post: main.mjs}');

test('a step gets its inputs as the runner gives them, and nothing of our environment', async () => {
  process.env['LEAKED'] = 'yes';
  const actionFolder = action(
    `inputs:
  token: {default: '\${{ github.token }}'}
  other: {default: 'x\${{ job.id }}y'}
  with-dash: {default: 1}
  two words: {default: false}
  absent: {description: nothing}
runs: {using: node24, main: main.mjs}`,
    {
      'main.mjs':
        'console.log(JSON.stringify(process.env)); console.log(process.cwd() === process.env.GITHUB_WORKSPACE); process.stdin.on("end", () => console.log("stdin ended")).resume();',
    },
  );
  const step = await runStep({
    actionFolder,
    contexts: { 'github.token': 'T' },
    inputs: { 'Two Words': 'given', unknown: 'u' },
    env: { MORE: '1' },
  });
  const env = JSON.parse(step.lines[0]?.raw ?? '');
  expect(env).toMatchObject({
    INPUT_TOKEN: 'T',
    INPUT_OTHER: 'xy',
    'INPUT_WITH-DASH': '1',
    INPUT_TWO_WORDS: 'given',
    INPUT_ABSENT: '',
    INPUT_UNKNOWN: 'u',
    MORE: '1',
    GITHUB_ACTIONS: 'true',
    CI: 'true',
    RUNNER_ENVIRONMENT: 'self-hosted',
    GITHUB_REPOSITORY: 'octo/repo',
    GITHUB_RUN_ATTEMPT: '1',
  });
  expect(env).not.toHaveProperty('LEAKED');
  expect(step.text).toMatch(/\ntrue\nstdin ended$/);
  expect(step).toMatchObject({ exitCode: 0, signal: null, conclusion: 'success' });
  expect(step).not.toHaveProperty('post');
});

test('post gets the state, environment and masks of main, and files of its own', async () => {
  const entry = script(`
    import { appendFileSync } from 'node:fs';
    const { GITHUB_STATE, GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STEP_SUMMARY, STATE_id, STATE_other, FROM_MAIN, PATH } = process.env;
    if (STATE_id) console.log('post', STATE_id, STATE_other, FROM_MAIN, PATH.split(':')[0], 's3cret');
    else {
      appendFileSync(GITHUB_STATE, 'id=42\\n');
      appendFileSync(GITHUB_OUTPUT, 'a<<E\\n1\\n2\\nE\\n');
      appendFileSync(GITHUB_ENV, 'FROM_MAIN=yes\\n');
      appendFileSync(GITHUB_PATH, '/opt/tool\\n');
      appendFileSync(GITHUB_STEP_SUMMARY, '# s3cret');
      console.log('::save-state name=other::7');
      console.log('::add-mask::s3cret');
      console.log('::set-output name=b::3');
      console.error('##[warning title=W]careful with s3cret');
      process.exit(3);
    }`);
  const step = await runStep({ actionFolder: minimal, entry });
  expect(step).toMatchObject({
    exitCode: 3,
    conclusion: 'failure',
    outputs: { a: '1\n2', b: '3' },
    state: { id: '42', other: '7' },
    env: { FROM_MAIN: 'yes' },
    paths: ['/opt/tool'],
    summary: '# ***',
    masks: ['s3cret'],
    post: { conclusion: 'success', text: 'post 42 7 yes /opt/tool ***', outputs: {}, summary: '' },
  });
  expect(step.annotations[0]).toMatchObject({ level: 'warning', title: 'W' });
});

test('a malformed output file fails the step', async () => {
  const entry = script(
    `import { appendFileSync } from 'node:fs'; appendFileSync(process.env.GITHUB_OUTPUT, 'nonsense');`,
  );
  const step = await runStep({ actionFolder: minimal, entry });
  expect(step).toMatchObject({ exitCode: 0, conclusion: 'failure' });
  expect(step.text).toContain(
    "##[error]Unable to process file command 'output' successfully.\n##[error]Invalid format 'nonsense'",
  );
});

test('SIGINT cancels a step that listens, whatever its exit code, and post still runs', async () => {
  const entry = script(`
    if (process.env.STATE_x) { console.log('cleaned up'); process.exit(0); }
    console.log('::save-state name=x::1');
    process.on('SIGINT', () => { console.log('stopping'); process.exit(0); });
    console.log('ready'); setInterval(() => {}, 1000);`);
  const step = startStep({ actionFolder: minimal, entry });
  await step.line('ready');
  const result = await step.cancel();
  expect(result).toMatchObject({ exitCode: 0, conclusion: 'cancelled' });
  expect(result.durationMs).toBeLessThan(7000);
  expect((await step.runPost()).text).toBe('cleaned up');
  await step.dispose();
});

test('a step that ignores its signals is killed with its children after 10 s', async () => {
  const entry = script(`
    import { spawn } from 'node:child_process';
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log('ignoring ' + signal));
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
    console.log('child ' + child.pid); setInterval(() => {}, 1000);`);
  const step = startStep({ actionFolder: minimal, entry });
  const child = Number((await step.line(/^child \d+$/)).text.slice('child '.length));
  const cancelled = step.cancel();
  const interrupted = await step.line('ignoring SIGINT');
  const terminated = await step.line('ignoring SIGTERM');
  // A gross bound, for a busy machine.
  const seconds = (terminated.atMs - interrupted.atMs) / 1000;
  expect([seconds > 7, seconds < 9.5]).toEqual([true, true]);
  const result = await cancelled;
  expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', conclusion: 'cancelled' });
  expect([alive(step.pid), alive(child)]).toEqual([false, false]);
  await step.dispose();
}, 20_000);

test('a killed step keeps the state it saved', async () => {
  const entry = script(`
    import { appendFileSync } from 'node:fs';
    if (process.env.STATE_pod) { console.log('deleting ' + process.env.STATE_pod); process.exit(0); }
    appendFileSync(process.env.GITHUB_STATE, 'pod=p1\\n');
    console.log('ready'); setInterval(() => {}, 1000);`);
  const step = startStep({ actionFolder: minimal, entry });
  await step.line('ready');
  expect(await step.kill()).toMatchObject({ signal: 'SIGKILL', conclusion: 'failure', state: { pod: 'p1' } });
  expect((await step.runPost()).text).toBe('deleting p1');
  await step.dispose();
});

test.each([
  ['an uncaught exception', `throw new Error('boom');`],
  ['an unhandled rejection', `Promise.reject(new Error('boom')); setTimeout(() => {}, 1000);`],
  ['a rejection with no error', `Promise.reject('boom'); setTimeout(() => {}, 1000);`],
])('%s is thrown at the test, after post', async (_, source) => {
  const entry = script(`if (!process.env.GITHUB_PHASE) { ${source} }`);
  await expect(runStep({ actionFolder: minimal, entry })).rejects.toThrow(/crashed \(exit code 1\).*boom/s);
  expect(await runStep({ actionFolder: minimal, entry, allowCrash: true })).toMatchObject({
    exitCode: 1,
    conclusion: 'failure',
  });
});

test('waiting for a line that never comes shows the log', async () => {
  const step = startStep({
    actionFolder: minimal,
    entry: script(`console.log('one');console.log('two');console.log('two');`),
  });
  await expect(step.line('three')).rejects.toThrow(/three: the process ended.*\none\ntwo/s);
  expect((await step.line('two', 0, 2)).raw).toBe('two');
  await step.done;
  await expect(step.line(/four/)).rejects.toThrow('the process ended');
  await step.dispose();
});

test('a step that does not end is killed and shown', async () => {
  const entry = script(`console.log('busy'); setInterval(() => {}, 1000);`);
  const step = startStep({ actionFolder: minimal, entry, timeoutMs: 500 });
  await expect(step.done).rejects.toThrow(/not ended after 500 ms.*busy/s);
  expect(alive(step.pid)).toBe(false);
  await step.dispose();
});
