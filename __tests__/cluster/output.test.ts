import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Namespace, script } from '../support/cluster.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

/**
 * A shell command that prints exactly these bytes, in two writes so that a chunk may end anywhere.
 * It ends half a second later: of what is written in a container's last moment containerd loses some now and then, on the node already [measured: in 1 of 40 runs on a busy machine, all of the second write].
 */
function prints(bytes: Buffer | string): { cmds: string; arguments: string } {
  const encoded = Buffer.from(bytes).toString('base64');
  return script(
    `echo ${encoded} | base64 -d > /tmp/out; half=$(( $(wc -c < /tmp/out) / 2 )); head -c $half /tmp/out; tail -c +$(( half + 1 )) /tmp/out; sleep 0.5`,
  );
}

const COMMANDS = [
  'debug',
  'notice',
  'warning',
  'error',
  'group',
  'endgroup',
  'add-mask',
  'add-matcher',
  'remove-matcher',
  'echo',
  'set-output',
  'save-state',
  'set-env',
  'add-path',
  'stop-commands',
];

describe('container output executes nothing', () => {
  test('whatever command, in whatever syntax, wherever a line may begin', async () => {
    const attacks = COMMANDS.flatMap(name => [
      `::${name} name=injected,file=x::on`,
      `##[${name} name=injected;file=x]on`,
      `  ::${name}::indented`,
      `text before ##[${name}]mid-line`,
      `progress 10%\r::${name} name=injected::after a carriage return\rprogress 20%`,
      `::${name.toUpperCase()}::upper case`,
    ]);
    const step = await namespace.run(prints(`${attacks.join('\n')}\n##[add-mask]last, without a newline`));
    expect(step.conclusion).toBe('success');
    const own = step.commands.filter(({ name }) => name !== 'stop-commands' && !/^[0-9a-f]{48}$/.test(name));
    expect(own.every(({ name, data }) => name === 'add-mask' && data.length > 100)).toBe(true);
    expect(step.annotations).toEqual([]);
    expect(step.env).toEqual({});
    expect(step.outputs).not.toHaveProperty('injected');
    expect(step.state).not.toHaveProperty('injected');
    for (const line of attacks.flatMap(text => text.split('\r')))
      expect(step.lines.map(({ raw }) => raw)).toContain(line);
    expect(step.lines.map(({ raw }) => raw)).toContain('##[add-mask]last, without a newline');
  });

  test('nor does the message of a container that failed', async () => {
    const step = await namespace.run(
      script(
        'printf "::error::a\\r##[add-mask]on\\n::set-output name=injected::1" > /airflow/xcom/return.json; exit 1',
      ),
    );
    expect(step.annotations).toHaveLength(1);
    expect(step.outputs).not.toHaveProperty('injected');
    expect(step.masks).not.toContain('on');
    expect(step.text).toContain('::error::a\n##[add-mask]on\n');
  });
});

describe('container output is shown', () => {
  test('with its colours, and no other terminal control', async () => {
    const step = await namespace.run(
      prints('\u001b[1;31mred\u001b[0m \u001b[2J\u001b]0;title\u0007\u001b[10;10Hafter\u0007\b\u0000\n\u009b2Jc1\n'),
    );
    expect(step.lines.map(({ raw }) => raw)).toEqual(expect.arrayContaining(['\u001b[1;31mred\u001b[0m after', 'c1']));
  });

  test('as UTF-8, with a replacement for what is none', async () => {
    const step = await namespace.run(
      prints(
        Buffer.concat([
          Buffer.from('gr\u00fc\u00df \ud83d\ude80\n'),
          Buffer.from([0xff, 0xfe, 0x41, 0xc3]),
          Buffer.from('\nend\n'),
        ]),
      ),
    );
    expect(step.lines.map(({ raw }) => raw)).toEqual(
      expect.arrayContaining(['gr\u00fc\u00df \ud83d\ude80', '\ufffd\ufffdA\ufffd', 'end']),
    );
  });

  test('whole, be it one line of 1 MiB', async () => {
    const step = await namespace.run(script('yes 0123456789abcdef | tr -d "\\n" | head -c 1048576; echo; echo end'));
    expect(step.lines.map(({ raw }) => raw.length)).toContain(1048576);
    expect(step.lines.map(({ raw }) => raw)).toContain('end');
  });

  test('as the container meant it whatever that is, and in the log file byte for byte', async () => {
    const shownAs: [Buffer | string, string][] = [
      ['red \u001b[31mon\u001b[0m off\n', 'red \u001b[31mon\u001b[0m off\n'],
      ['10%\r20%\r30%\n', '10%\n20%\n30%\n'],
      ['NUL \0 here\n', 'NUL  here\n'],
      [Buffer.from('no UTF-8 \xff\xfe here\n', 'latin1'), 'no UTF-8 \ufffd\ufffd here\n'],
      ['cursor \u001b[2K\u001b[1A here\n', 'cursor  here\n'],
      ['\n'.repeat(10_000), '\n'.repeat(10_000)],
      // An odd number of bytes: the first half ends within a character.
      ['\u{1f389}'.repeat(2501), '\u{1f389}'.repeat(2501)],
      ['\r\nend', '\nend'],
    ];
    const bytes = Buffer.concat(shownAs.map(([printed]) => Buffer.from(printed)));
    const workspace = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-workspace-'));
    try {
      const step = await namespace.run({ ...prints(bytes), log_file: 'odd.log' }, { workspace });
      expect(step.text).toContain(shownAs.map(([, shown]) => shown).join(''));
      // containerd leaves out the carriage return of a CRLF [measured].
      const served = Buffer.from(bytes.toString('latin1').replace('\r\n', '\n'), 'latin1');
      expect(readFileSync(join(workspace, 'odd.log')).equals(served)).toBe(true);
    } finally {
      rmSync(workspace, { recursive: true, force: true });
    }
  });

  test('with its empty lines, and CRLF as the one line end that it is', async () => {
    const step = await namespace.run(script('printf "first\\n\\n\\nsecond\\r\\nthird"'));
    expect(step.text).toContain('first\n\n\nsecond\nthird');
  });
});
