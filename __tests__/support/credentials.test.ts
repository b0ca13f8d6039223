import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runStep } from './step-runner.ts';
import { makeCertificate } from './test-certificate.ts';

/** The step runner finds each of these: were one not found, the tests would not notice that the action shows it. */

const folder = mkdtempSync(join(tmpdir(), 'leaks-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const kubeconfig = (user: object, cluster: object = {}) =>
  JSON.stringify({ users: [{ name: 'u', user }], clusters: [{ name: 'c', cluster }] });
const { key, cert } = makeCertificate();
const body = key.split('\n')[1] ?? '';
const jwt = ['{"alg":"RS256"}', '{"sub":"somebody"}', 'signature of it']
  .map(part => Buffer.from(part).toString('base64url'))
  .join('.');

/** Runs a step that does with SECRET what the script says. */
const leaking = (
  how: string,
  secret: string,
  given: { inputs?: Record<string, string>; env?: Record<string, string> },
) =>
  runStep({
    ...given,
    env: { ...given.env, SECRET: secret },
    entry: file(
      'leak.mjs',
      `import { appendFileSync } from 'node:fs'; const { env } = process; const secret = env.SECRET;\n${how}`,
    ),
  });

describe('a credential that a step shows fails the test:', () => {
  test.each<[string, string, () => { inputs?: Record<string, string>; env?: Record<string, string> }]>([
    ['a token', 'token-of-the-user', () => ({ inputs: { kubeconfig: kubeconfig({ token: 'token-of-the-user' }) } })],
    [
      'in base64',
      'token-of-the-user',
      () => ({ inputs: { kubeconfig: base64(kubeconfig({ token: 'token-of-the-user' })) } }),
    ],
    [
      'of a file',
      'token-of-the-user',
      () => ({ inputs: { config_file: file('k1', kubeconfig({ token: 'token-of-the-user' })) } }),
    ],
    [
      'of KUBECONFIG',
      'token-of-the-user',
      () => ({ env: { KUBECONFIG: `/none:${file('k2', kubeconfig({ token: 'token-of-the-user' }))}` } }),
    ],
    [
      'a password',
      'pass word of the user',
      () => ({ inputs: { kubeconfig: kubeconfig({ username: 'u', password: 'pass word of the user' }) } }),
    ],
    [
      'a tokenFile',
      'token-of-the-file',
      () => {
        file('token', 'token-of-the-file\n');
        return { inputs: { config_file: file('k3', kubeconfig({ tokenFile: 'token' })) } };
      },
    ],
    ['a key', body, () => ({ inputs: { kubeconfig: kubeconfig({ 'client-key-data': base64(key) }) } })],
    ['a key’s file', body, () => ({ inputs: { kubeconfig: kubeconfig({ 'client-key': file('key', key) }) } })],
    ['cluster_token', 'token-of-the-input', () => ({ inputs: { cluster_token: 'token-of-the-input' } })],
    ['a SOCKS proxy’s password', 'pass-w0rd', () => ({ env: { ALL_PROXY: 'socks5://u:pass-w0rd@proxy:1080' } })],
    [
      'what a proxy is asked with',
      Buffer.from('u:pass-w0rd').toString('base64'),
      () => ({ env: { HTTPS_PROXY: 'http://u:pass-w0rd@proxy:3128' } }),
    ],
    [
      'a variable of a credential plugin',
      'secret-of-the-plugin',
      () => ({
        inputs: { kubeconfig: kubeconfig({ exec: { env: [{ name: 'APP_SECRET', value: 'secret-of-the-plugin' }] } }) },
      }),
    ],
    ['a proxy’s password', 'pass-w0rd', () => ({ env: { HTTPS_PROXY: 'http://u:pass-w0rd@proxy:3128' } })],
    [
      'a proxy-url’s password',
      'pass word',
      () => ({ inputs: { kubeconfig: kubeconfig({}, { 'proxy-url': 'http://u:pass%20word@proxy' }) } }),
    ],
    [
      'what GitHub is asked with',
      'token-of-the-job',
      () => ({ env: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'token-of-the-job' } }),
    ],
    ['a token that nobody gave it', jwt, () => ({})],
    ['a key that nobody gave it', key, () => ({})],
  ])('%s', async (_, secret, given) => {
    await expect(leaking('console.log("the secret is", secret)', secret, given())).rejects.toThrow(
      /A credential is in the step's stdout/,
    );
  });

  const given = { inputs: { cluster_token: 'token-of-the-input' } };
  test.each([
    ['stdout', 'console.log(secret)'],
    ['stdout', 'console.log("::debug::" + secret)'],
    ['stdout', 'console.log("::add-mask::" + secret); console.log(secret)'],
    ['stdout', 'console.log(Buffer.from(secret).toString("base64"))'],
    ['stderr', 'console.error(secret)'],
    ['output', 'appendFileSync(env.GITHUB_OUTPUT, `a=${secret}\\n`)'],
    ['state', 'appendFileSync(env.GITHUB_STATE, `a=${secret}\\n`)'],
    ['env', 'appendFileSync(env.GITHUB_ENV, `a=${secret}\\n`)'],
    ['summary', 'appendFileSync(env.GITHUB_STEP_SUMMARY, `## ${secret}`)'],
  ])('in %s by %s', async (place, how) => {
    await expect(leaking(how, 'token-of-the-input', given)).rejects.toThrow(`A credential is in the step's ${place}`);
  });
});

test('a credential that is masked, and not shown, is none of that', async () => {
  const inputs = { kubeconfig: kubeconfig({ token: 'token-of-the-user', 'client-certificate-data': base64(cert) }) };
  const step = await leaking('console.log("::add-mask::" + secret)', 'token-of-the-user', { inputs });
  expect(step).toMatchObject({ conclusion: 'success', masks: ['token-of-the-user'] });
});

describe('a step is no administrator:', () => {
  let administrators: string;
  beforeAll(() => {
    administrators = makeCertificate({ name: 'admin/O=system:masters' }).cert;
  });
  test.each<[string, () => object]>([
    ['by data', () => ({ 'client-certificate-data': base64(administrators) })],
    ['by a file', () => ({ 'client-certificate': file('admin.crt', administrators) })],
  ])('%s', async (_, user) => {
    await expect(async () => leaking('', '', { inputs: { kubeconfig: kubeconfig(user()) } })).rejects.toThrow(
      /would be an administrator/,
    );
  });
});
