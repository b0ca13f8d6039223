import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dump, load } from 'js-yaml';
import { bundled, changedKubeconfig, type Kubeconfig } from '../support/account.ts';
import { Namespace } from '../support/cluster.ts';

/** Wherever a cluster may come from (docs/clusters/README.md); the runner's own service account is in runner-pod.test.ts. */

let namespace: Namespace;
let folder: string;
let config: Kubeconfig;
/** A kubeconfig that leads nowhere: whoever takes it has looked in the wrong place. */
let decoy: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  folder = mkdtempSync(join(tmpdir(), 'sources-test-'));
  config = load(readFileSync(namespace.kubeconfig, 'utf8')) as Kubeconfig;
  decoy = changedKubeconfig(namespace.kubeconfig, ({ clusters: [{ cluster }] }) => {
    cluster['server'] = 'https://127.0.0.1:1';
  });
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

let files = 0;
function written(text: string): string {
  const file = join(folder, `config-${files++}`);
  writeFileSync(file, text);
  return file;
}

/** @returns a home with this as its ~/.kube/config */
function home(text: string): string {
  const path = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(path, '.kube'));
  writeFileSync(join(path, '.kube', 'config'), text);
  return path;
}

type Given = [inputs: Record<string, string>, env?: Record<string, string>];
const only = (part: keyof Kubeconfig | 'contexts') =>
  dump({ [part]: (config as unknown as Record<string, unknown>)[part] });
const server = () => String(config.clusters[0].cluster['server']);
const ca = () => String(config.clusters[0].cluster['certificate-authority-data']);
const token = () => String(config.users[0].user['token']);
const HERE = /^Cluster \S+ \(https:\S+\), context github-runner of /;
const ACCOUNT = /^Cluster https:\S+ \(cluster_url\), service account test-\w+\/github-runner, namespace test-/;

describe('a cluster is taken', () => {
  test.each<[string, () => Given, RegExp]>([
    ['from kubeconfig, as YAML', () => [{ kubeconfig: dump(config) }], HERE],
    ['from kubeconfig, as JSON', () => [{ kubeconfig: JSON.stringify(config) }], HERE],
    ['from kubeconfig, in base64', () => [{ kubeconfig: Buffer.from(dump(config)).toString('base64') }], HERE],
    ['from config_file', () => [{ config_file: written(dump(config)) }], HERE],
    [
      'from config_file, before KUBECONFIG',
      () => [{ config_file: written(dump(config)) }, { KUBECONFIG: decoy }],
      HERE,
    ],
    [
      'from cluster_url, its authority in base64',
      () => [{ cluster_url: server(), cluster_ca: ca(), cluster_token: token() }],
      ACCOUNT,
    ],
    [
      'from cluster_url, its authority as PEM, before KUBECONFIG',
      () => [
        { cluster_url: server(), cluster_ca: Buffer.from(ca(), 'base64').toString(), cluster_token: token() },
        { KUBECONFIG: decoy },
      ],
      ACCOUNT,
    ],
    ['from KUBECONFIG', () => [{}, { KUBECONFIG: written(dump(config)) }], HERE],
    [
      'from KUBECONFIG, before ~/.kube/config',
      () => [{}, { KUBECONFIG: written(dump(config)), HOME: home(readFileSync(decoy, 'utf8')) }],
      HERE,
    ],
    [
      'from several files of KUBECONFIG, none of which has all, one of which is not there',
      () => {
        const contexts = `${only('contexts')}\ncurrent-context: github-runner\n`;
        const parts = [written(only('users')), join(folder, 'none'), written(contexts), written(only('clusters'))];
        return [{}, { KUBECONFIG: parts.join(delimiter) }];
      },
      HERE,
    ],
    [
      'from the first file of KUBECONFIG that has it',
      () => [{}, { KUBECONFIG: [written(dump(config)), decoy].join(delimiter) }],
      HERE,
    ],
    ['from ~/.kube/config', () => [{}, { HOME: home(dump(config)) }], HERE],
    [
      'from the context that cluster_context names',
      () => {
        const text = dump({ ...config, 'current-context': 'another' });
        return [{ kubeconfig: text, cluster_context: 'github-runner' }];
      },
      HERE,
    ],
  ])('%s', async (_, given, says) => {
    const [inputs, env = {}] = given();
    const step = await namespace.run({ config_file: '', cmds: 'echo hello', ...inputs }, { env });
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.text.split('\n').filter(line => line.startsWith('Cluster '))).toEqual([expect.stringMatching(says)]);
  });

  test('from nowhere: the sentence names all places', async () => {
    const step = await namespace.run({ config_file: '' });
    expect(step.annotations.map(({ message }) => message)).toEqual([
      'kubeconfig: there is no cluster to run on: no input names one, and the runner has no KUBECONFIG, no service account and no ~/.kube/config. Give `kubeconfig` the content of a kubeconfig, from a secret: kubeconfig: ${{ secrets.KUBECONFIG }}. A secret that is not set, or not for this event or environment, is empty text.',
    ]);
  });

  test.each<[string, () => Record<string, string>]>([
    ['kubeconfig and config_file', () => ({ kubeconfig: dump(config), config_file: decoy })],
    ['config_file and cluster_url', () => ({ config_file: decoy, cluster_url: server(), cluster_token: token() })],
    ['kubeconfig and in_cluster', () => ({ config_file: '', kubeconfig: dump(config), in_cluster: 'true' })],
  ])('not from two at once: %s', async (_, inputs) => {
    const step = await namespace.run(inputs());
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'InvalidInput' });
    expect(step.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/ is given too\. Keep the one that is meant\.$/),
    ]);
  });
});

test('what a whole cluster needs is in examples/cluster: one command, and a step runs', async () => {
  const { kubectl } = await import('../support/cluster.ts');
  const own = mkdtempSync(join(folder, 'bundle-'));
  const name = `${namespace.name}-bundle`;
  const bundle = join(import.meta.dirname, '../../examples/cluster');
  for (const file of ['namespace.yaml', 'runner.yaml', 'sweep.yaml', 'kustomization.yaml'])
    writeFileSync(
      join(own, file),
      readFileSync(join(bundle, file), 'utf8').replace(/^namespace: etl$/m, `namespace: ${name}`),
    );
  try {
    await kubectl(['apply', '-k', own]);
    const made = JSON.parse(await kubectl(['-n', name, 'get', 'serviceaccount,role,rolebinding', '-o', 'json']));
    const kinds = made.items.map(
      ({ kind, metadata }: { kind: string; metadata: { name: string } }) => `${kind} ${metadata.name}`,
    );
    expect(kinds).toEqual(
      expect.arrayContaining(['ServiceAccount github-runner', 'Role github-runner', 'RoleBinding github-runner']),
    );
    expect(bundled('runner.yaml', name)).toHaveLength(3);
    await kubectl(['-n', name, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s']);
    const token = (await kubectl(['-n', name, 'create', 'token', 'github-runner'])).trim();
    const inputs = { config_file: '', cluster_url: server(), cluster_ca: ca(), cluster_token: token, namespace: name };
    const step = await namespace.run({ ...inputs, cmds: 'echo hello' });
    expect(step).toMatchObject({ conclusion: 'success', annotations: [] });
    const privileged = await namespace.run({ ...inputs, container_security_context: '{privileged: true}' });
    expect(privileged.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^Namespace \S+ enforces the Pod Security standard baseline:latest, which this pod violates: privileged/,
      ),
    ]);
  } finally {
    await kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found']);
  }
});
