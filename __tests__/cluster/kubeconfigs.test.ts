import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { runStep } from '../support/step-runner.ts';
import { makeCertificate } from '../support/test-certificate.ts';

/** kubectl and the action take the same kubeconfigs, and read the same out of them: a server of the tests' own writes down what each asks for, and as whom. */

let server: Server;
let folder: string;
let asked: IncomingMessage[];
beforeAll(async () => {
  // Without TLS kubectl sends nothing of whom it is.
  server = createServer(TLS, (request, response) => {
    asked.push(request);
    const answer = ANSWERS[new URL(request.url ?? '', 'http://x').pathname.replace(/^\/prefix/, '')] ?? {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'Forbidden',
      message: 'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "n"',
      code: 403,
    };
    const code = 'code' in answer ? 403 : 200;
    request.resume();
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  folder = mkdtempSync(join(tmpdir(), 'kubeconfigs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TLS = makeCertificate();
const CA = Buffer.from(TLS.cert).toString('base64');

const PODS = { name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['list', 'create'] };
const ANSWERS: Record<string, object> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [PODS] },
};

type Tree = Record<string, unknown>;
interface Written {
  clusters?: Tree[];
  users?: Tree[];
  contexts?: Tree[];
  [field: string]: unknown;
}

const address = () => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
const user = (fields: Tree): Partial<Written> => ({ users: [{ name: 'u', user: fields }] });
const at = (fields: Tree): Partial<Written> => ({
  clusters: [{ name: 'c', cluster: { server: address(), 'certificate-authority-data': CA, ...fields } }],
});
const context = (fields: Tree): Partial<Written> => ({ contexts: [{ name: 'x', context: fields }] });

function written(change: Partial<Written> = {}): string {
  const usual: Written = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    ...at({}),
    ...user({ token: 'a-token' }),
    ...context({ cluster: 'c', user: 'u', namespace: 'n' }),
  };
  return JSON.stringify({ ...usual, ...change }, undefined, 1);
}

const plugin = (fields: Tree = {}, status: Tree = { token: 'of-plugin' }) => {
  const version = String(fields['apiVersion'] ?? 'client.authentication.k8s.io/v1beta1');
  const credential = JSON.stringify({ kind: 'ExecCredential', apiVersion: version, status });
  return { exec: { apiVersion: version, command: 'echo', args: [credential], ...fields } };
};

/** What of a request says as whom it was sent, and for which namespace. */
interface Seen {
  path: string | undefined;
  headers: Record<string, unknown>;
}

function seen(): Seen | undefined {
  const request = asked.find(({ url }) => url?.includes('/namespaces/') === true && url.includes('/pods'));
  if (request === undefined) return undefined;
  const headers = Object.entries(request.headersDistinct).filter(([name]) =>
    /^(authorization|impersonate-)/.test(name),
  );
  return {
    path: /^\S*?\/namespaces\/[^/?]+/.exec(request.url ?? '')?.[0],
    headers: Object.fromEntries(headers.sort()),
  };
}

async function byKubectl(env: Record<string, string>): Promise<Seen | undefined> {
  const args = ['get', 'pods', '--request-timeout=5s', '--cache-dir', join(folder, 'cache')];
  // Without a stdin, for it asks for a user name where the kubeconfig has none.
  const stdio = 'ignore';
  const child = spawn(cluster.kubectl ?? 'kubectl', args, { env: { ...process.env, HOME: folder, ...env }, stdio });
  await once(child, 'exit');
  return seen();
}

async function byAction(env: Record<string, string>): Promise<Seen | undefined> {
  asked = [];
  const { outputs } = await runStep({
    inputs: { image: 'busybox', reattach_on_restart: 'false' },
    env: { HOME: folder, ...env },
  });
  const found = seen();
  expect(outputs).toMatchObject({ state: 'failed', reason: found === undefined ? 'InvalidKubeconfig' : 'Forbidden' });
  return found;
}

/** @property files of KUBECONFIG, in order; one that is undefined is not there */
type Case = [what: string, taken: boolean, files: () => (string | undefined)[]];
const one = (what: string, taken: boolean, change: () => Partial<Written>): Case => [
  what,
  taken,
  () => [written(change())],
];

test.each<Case>([
  one('a token', true, () => ({})),
  one('the word not to look at the certificate', true, () =>
    at({ 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined }),
  ),
  one('a user name and a password', true, () => user({ username: 'me', password: 'secret' })),
  one('a context without a user', false, () => context({ cluster: 'c', namespace: 'n' })),
  one('a context without a namespace', true, () => context({ cluster: 'c', user: 'u' })),
  one('a server with a path', true, () => at({ server: `${address()}/prefix` })),
  one('a server with a slash at its end', true, () => at({ server: `${address()}/` })),
  one('fields that nobody knows', true, () => ({
    ...user({ token: 'a-token', colour: 'red' }),
    preferences: { a: 1 },
  })),
  one('another context beside, which names nothing', true, () => ({
    contexts: [
      { name: 'y', context: { cluster: 'z', user: 'z' } },
      { name: 'x', context: { cluster: 'c', user: 'u', namespace: 'n' } },
    ],
  })),
  one('one who acts as another', true, () => user({ token: 'a-token', as: 'other' })),
  one('one who acts as another, with all there is', true, () =>
    user({ token: 't', as: 'o', 'as-uid': '7', 'as-groups': ['g', 'h'], 'as-user-extra': { 'a/b c': ['x', 'y'] } }),
  ),
  one('groups to act for, and nobody to act as', false, () => user({ token: 't', 'as-groups': ['g'] })),
  one('a plugin', true, () => user(plugin())),
  one('a plugin of v1', true, () =>
    user(plugin({ apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'IfAvailable' })),
  ),
  one('a plugin of v1 without an interactiveMode', false, () =>
    user(plugin({ apiVersion: 'client.authentication.k8s.io/v1' })),
  ),
  one('a plugin of a version that is gone', false, () =>
    user(plugin({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })),
  ),
  one('a plugin without a command', false, () => user(plugin({ command: '' }))),
  one('a plugin that is not there', false, () => user(plugin({ command: 'no-such-plugin' }))),
  one('a plugin that prints nothing of use', false, () => user(plugin({ args: ['hello'] }))),
  one('a plugin that prints another version', false, () =>
    user(
      plugin({
        args: [
          JSON.stringify({
            kind: 'ExecCredential',
            apiVersion: 'client.authentication.k8s.io/v1',
            status: { token: 't' },
          }),
        ],
      }),
    ),
  ),
  one('a plugin that prints half a certificate', false, () => user(plugin({}, { clientCertificateData: 'c' }))),
  one('a plugin and an auth-provider', false, () => user({ ...plugin(), 'auth-provider': { name: 'oidc' } })),
  one('an auth-provider that is gone', false, () => user({ 'auth-provider': { name: 'gcp' } })),
  one('a token and a password', false, () => user({ token: 't', username: 'me', password: 'secret' })),
  one('a certificate without its key', false, () => user({ 'client-certificate-data': 'Y2VydA==' })),
  one('a context that it does not have', false, () => ({ 'current-context': 'nothing' })),
  one('a cluster that it does not have', false, () => context({ cluster: 'z', user: 'u' })),
  one('a user that it does not have', false, () => context({ cluster: 'c', user: 'z' })),
  one('a cluster without a server', false, () => at({ server: '' })),
  one('an authority, and the word not to ask it', false, () => at({ 'insecure-skip-tls-verify': true })),
  one('the same user twice', false, () => ({
    users: [
      { name: 'u', user: { token: 'first' } },
      { name: 'u', user: { token: 'second' } },
    ],
  })),
  ['no YAML', false, () => ['a: [']],
  [
    'two files, of which the first wins',
    true,
    () => [
      written({ ...user({ token: 'first' }) }),
      written({ ...user({ token: 'second' }), 'current-context': 'other' }),
    ],
  ],
  [
    'two files that are one together',
    true,
    () => [written({ users: [], contexts: [] }), written({ clusters: [], 'current-context': 'other' })],
  ],
  ['a file that is there behind one that is not', true, () => [undefined, written()]],
])('%s', async (_, taken, files) => {
  mkdirSync(join(folder, 'cache'));
  const paths = files().map((text, index) => {
    const path = join(folder, `config-${index}`);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  });
  const env = { KUBECONFIG: paths.join(delimiter) };
  const kubectls = await byKubectl(env);
  expect(kubectls !== undefined).toBe(taken);
  expect(await byAction(env)).toEqual(kubectls);
});

test('files that are named by relative paths are beside their kubeconfig', async () => {
  mkdirSync(join(folder, 'cache'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'token'), 'of-the-file\n');
  writeFileSync(join(folder, 'sub', 'config'), written(user({ tokenFile: 'token' })));
  const env = { KUBECONFIG: join(folder, 'sub', 'config') };
  const kubectls = await byKubectl(env);
  expect(kubectls?.headers).toEqual({ authorization: ['Bearer of-the-file'] });
  expect(await byAction(env)).toEqual(kubectls);
});
