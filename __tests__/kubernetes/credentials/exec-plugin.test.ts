import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ExecConfig, ExecPlugin } from '../../../src/kubernetes/credentials/exec-plugin.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'exec-plugin-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  jest.restoreAllMocks();
});

/** Makes a program. @returns its path */
function program(script: string, name = 'plugin'): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const credential = (status: object, version = V1) =>
  JSON.stringify({ apiVersion: version, kind: 'ExecCredential', status });
const prints = (text: string) => program(`cat <<'END'\n${text}\nEND`);
const plugin = (exec: ExecConfig, cluster = {}) =>
  new ExecPlugin({ apiVersion: V1, interactiveMode: 'Never', ...exec }, cluster, folder);
const obtain = (command: string, more: ExecConfig = {}) => plugin({ command, ...more }).obtain();

describe('what it prints is the credential:', () => {
  test.each<[what: string, status: object, expected: object]>([
    ['a token', { token: 't' }, { token: 't' }],
    [
      'a token that ends',
      { token: 't', expirationTimestamp: '2026-03-01T12:00:00Z' },
      { token: 't', expiresAt: Date.UTC(2026, 2, 1, 12) },
    ],
    ['a certificate and its key', { clientCertificateData: 'c', clientKeyData: 'k' }, { certificate: 'c', key: 'k' }],
    [
      'all of it',
      { token: 't', clientCertificateData: 'c', clientKeyData: 'k' },
      { token: 't', certificate: 'c', key: 'k' },
    ],
  ])('%s', async (_, status, expected) => {
    expect(await obtain(prints(credential(status)))).toEqual(expected);
  });

  test('of the older version too, where the kubeconfig names that', async () => {
    const command = prints(credential({ token: 't' }, V1BETA1));
    expect(await new ExecPlugin({ apiVersion: V1BETA1, command }, {}, folder).obtain()).toEqual({
      token: 't',
    });
  });
});

describe('its program is found', () => {
  beforeEach(() => void program(`echo '${credential({ token: 't' })}'`, 'bin/plugin'));

  test.each(['bin/plugin', './bin/plugin'])('beside the kubeconfig: %s', async command => {
    expect(await obtain(command)).toEqual({ token: 't' });
  });

  test('in PATH, by its name alone', async () => {
    jest.replaceProperty(process, 'env', { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` });
    expect(await obtain('plugin')).toEqual({ token: 't' });
  });
});

describe('it is given', () => {
  const asJson = (text: string) => `printf '%s' "${text}" > ${folder}/seen; echo '${credential({ token: 't' })}'`;
  const seen = () => readFileSync(join(folder, 'seen'), 'utf8');

  test('its arguments, as they are', async () => {
    await obtain(program(asJson('$#:$1:$2')), { args: ['a b', '$(date)'] });
    expect(seen()).toBe('2:a b:$(date)');
  });

  test('the variables of the kubeconfig, over the runner’s', async () => {
    jest.replaceProperty(process, 'env', { ...process.env, OF_RUNNER: 'r', OF_BOTH: 'r' });
    await obtain(program(asJson('$OF_RUNNER $OF_BOTH')), { env: [{ name: 'OF_BOTH', value: 'k' }] });
    expect(seen()).toBe('r k');
  });

  test('nothing of what is this step’s own', async () => {
    const own = { INPUT_TOKEN: 's', STATE_pod: 's', ACTIONS_RUNTIME_TOKEN: 's', ACTIONS_CACHE_URL: 's' };
    jest.replaceProperty(process, 'env', { ...process.env, ...own, ACTIONS_ID_TOKEN_REQUEST_URL: 'u' });
    await obtain(program(`env > ${folder}/seen; echo '${credential({ token: 't' })}'`));
    expect(seen()).not.toMatch(/^(INPUT_|STATE_|ACTIONS_RUNTIME|ACTIONS_CACHE)/m);
    expect(seen()).toMatch(/^ACTIONS_ID_TOKEN_REQUEST_URL=u$/m);
  });

  test('no stdin', async () => {
    await obtain(program(`cat > ${folder}/seen; echo '${credential({ token: 't' })}'`));
    expect(seen()).toBe('');
  });

  test.each([
    [undefined, undefined],
    [false, undefined],
    [true, { server: 'https://s:6443', config: { audience: 'a' } }],
  ])('the cluster where it asks for it: provideClusterInfo %p', async (provideClusterInfo, cluster) => {
    const command = program(asJson('$KUBERNETES_EXEC_INFO').replace('"$', '"$'));
    await plugin({ command, provideClusterInfo }, { server: 'https://s:6443', config: { audience: 'a' } }).obtain();
    expect(JSON.parse(seen())).toEqual({
      kind: 'ExecCredential',
      apiVersion: V1,
      spec: { interactive: false, ...(cluster && { cluster }) },
    });
  });
});

describe('without a credential it says why:', () => {
  const name = () => `the credential plugin ${folder}/plugin`;

  test.each<[what: string, script: string, why: string]>([
    ['it failed', 'echo "no session" >&2; exit 3', 'failed with exit code 3: no session'],
    ['it failed and said nothing', 'exit 1', 'failed with exit code 1 without a word'],
    ['it was killed', 'kill -9 $$', 'was ended by a signal without a word'],
    ['it printed no JSON', 'echo tok-12345678', 'printed no ExecCredential'],
    ['it printed nothing', 'true', 'printed no ExecCredential'],
    ['it printed null', 'echo null', 'printed no ExecCredential'],
    ['it printed other JSON', 'echo \'{"kind": "Pod"}\'', 'printed no ExecCredential'],
    [
      'it speaks another version',
      `echo '${credential({ token: 't' }, V1BETA1)}'`,
      `speaks another version than ${V1}, which the kubeconfig names`,
    ],
    [
      'it has no status',
      `echo '{"kind": "ExecCredential", "apiVersion": "${V1}"}'`,
      'printed neither a token nor a certificate',
    ],
    ['its status is empty', `echo '${credential({ token: '' })}'`, 'printed neither a token nor a certificate'],
    [
      'it has no key',
      `echo '${credential({ clientCertificateData: 'c' })}'`,
      'printed a certificate or a key without the other',
    ],
    [
      'its time is none',
      `echo '${credential({ token: 't', expirationTimestamp: 'soon' })}'`,
      'printed an expirationTimestamp that is no time',
    ],
  ])('%s', async (_, script, why) => {
    await expect(obtain(program(script))).rejects.toThrow(new Error(`${name()} ${why}`));
  });

  test('it is not there, with what the kubeconfig says of how to get it', async () => {
    await expect(obtain('no-such-plugin', { installHint: 'Install it\n' })).rejects.toThrow(
      'the credential plugin no-such-plugin is not on the runner: Install it',
    );
  });

  test('it may not be run', async () => {
    writeFileSync(join(folder, 'plugin'), '');
    await expect(obtain('./plugin')).rejects.toThrow(/cannot be started: .*EACCES/);
  });

  test.each<[what: string, says: string, shown: string]>([
    ['its own variable', 'refused: $APP_SECRET', 'refused: ***'],
    ['its own option', 'refused: opt10n-secret', 'refused: ***'],
    ['a value with such a name', 'password=hunter2 and api_key: abc', 'password=*** and api_key: ***'],
    ['a short JSON Web Token', 'got eyJhbGci.eyJzdWIi.abc', 'got ***'],
    ['an AWS key', 'got wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'got ***'],
    ['an Azure secret', 'got abC8Q~x.yZ01_abcdEFGHijklMNOPqrst', 'got ***'],
    ['the password of a proxy', 'via http://u:pr0xy-pass@p:1', 'via http://u:***@p:1'],
  ])('%s is not shown', async (_, says, shown) => {
    process.env['HTTPS_PROXY'] = 'http://u:pr0xy-pass@p:1';
    try {
      const command = program(`echo "${says}" >&2; exit 1`);
      const env = [{ name: 'APP_SECRET', value: 'v4riable-secret' }];
      const exec = { command, env, args: ['--client-secret', 'opt10n-secret', '--cluster', 'prod'] };
      await expect(plugin(exec).obtain()).rejects.toThrow(new Error(`${name()} failed with exit code 1: ${shown}`));
    } finally {
      delete process.env['HTTPS_PROXY'];
    }
  });

  test('what helps is shown: paths, addresses, names', async () => {
    const says =
      '/home/runner/work/_temp/gha-creds-1a2b3c.json: cannot reach https://sts.eu-west-1.amazonaws.com/v1 of cluster prod';
    await expect(obtain(program(`echo "${says}" >&2; exit 1`))).rejects.toThrow(says);
  });

  test('nothing like a token is shown, nor more than the end of what it says', async () => {
    const token = `${'k8s-aws-v1'}${'aB3-'.repeat(20)}`;
    const script = `i=0; while [ $i -lt 300 ]; do echo "line $i" >&2; i=$((i+1)); done; echo "got ${token}" >&2; exit 1`;
    const error: Error = await obtain(program(script)).then(
      () => new Error('none'),
      error => error,
    );
    expect(error.message).toMatch(/: ….*line 299\ngot \*\*\*$/s);
    expect(error.message.length).toBeLessThan(700);
  });
});

test('whoever waits for it does not wait for what it has started', async () => {
  const pid = join(folder, 'pid');
  const command = program(`sleep 1000 & echo $! > ${pid}; echo '${credential({ token: 't' })}'`);
  expect(await obtain(command)).toEqual({ token: 't' });
  process.kill(Number(readFileSync(pid, 'utf8')));
});

describe('what kubectl refuses is refused:', () => {
  test.each<[exec: ExecConfig, why: string]>([
    [{}, 'its exec has no command'],
    [{ command: 'c', apiVersion: undefined }, 'the apiVersion of its exec is not one of '],
    [
      { command: 'c', apiVersion: 'client.authentication.k8s.io/v1alpha1' },
      'the apiVersion of its exec is not one of ',
    ],
    [{ command: 'c', interactiveMode: 'Always' }, 'its exec wants a terminal (interactiveMode: Always)'],
    [{ command: 'c', interactiveMode: undefined }, 'its exec needs an interactiveMode with '],
    [{ command: 'c', env: [{ value: 'x' }] }, 'a variable of its exec has no name'],
  ])('%j', (exec, why) => {
    expect(() => plugin(exec)).toThrow(why);
  });
});
