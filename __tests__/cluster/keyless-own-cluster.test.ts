import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { dump, load } from 'js-yaml';
import { localImages } from '../../dev/cluster/cluster.ts';
import { type Cluster, down, restart, untilReady, up } from '../../dev/cluster/index.ts';
import { applyAll, bundled } from '../support/account.ts';
import { script } from '../support/cluster.ts';
import { Issuer } from '../support/issuer.ts';
import { runStep, type StepOptions, type StepResult, startStep } from '../support/step-runner.ts';
import { ROOT, runWorkflow } from '../support/workflow.ts';

/** A cluster of its own, that trusts the jobs of one repository by what an issuer of the tests' own says of them. */
const NAME = 'test-keyless';
const AUDIENCE = 'https://cluster.example';
/** `npm run soak` asks for 180. */
const SECONDS = Number(process.env['KEYLESS_SECONDS'] ?? 24);

const folder = mkdtempSync(join(tmpdir(), 'keyless-test-'));
let issuer: Issuer;
let cluster: Cluster;
/** Where the API server is, and by which certificate it is known: all that a job has. */
let address: { cluster_url: string; cluster_ca: string };
beforeAll(async () => {
  issuer = await Issuer.start();
  const config = join(folder, 'authentication.yaml');
  writeFileSync(config, authentication(issuer));
  const apiServerFlags = [`--authentication-config=${config}`];
  cluster = await up({ name: NAME, provider: 'one-node', apiServerFlags }, () => {});
  const metadata = { name: 'github-octo-app', namespace: 'default' };
  expect(BINDING).toMatchObject({ metadata: { ...metadata, namespace: 'ci' } });
  await applyAll(cluster, [...bundled('runner.yaml', 'default'), { ...BINDING, metadata }]);
  const { clusters } = load(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  address = { cluster_url: server, cluster_ca: ca };
}, 180_000);
afterAll(async () => {
  await down(NAME, () => {});
  await issuer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const CLAIMS = {
  repository: 'octo/app',
  repository_id: '7654321',
  repository_owner_id: '1234567',
  ref: 'refs/heads/main',
  event_name: 'push',
};
beforeEach(() => {
  Object.assign(issuer, { claims: CLAIMS, life: 20, failing: undefined, given: 0 });
});

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: { name: string; user: Record<string, unknown> }[];
}

/** The manifests of docs/keyless.md, as they stand there. */
const [CONFIGURATION = {}, BINDING = {}] = [
  ...readFileSync(join(ROOT, 'docs/keyless.md'), 'utf8').matchAll(/^```yaml\n(apiVersion:.*?)^```/gms),
].map(([, text = '']) => load(text) as { [key: string]: unknown });

/** The AuthenticationConfiguration, with this issuer for GitHub. */
function authentication({ url, ca }: Issuer): string {
  const { jwt } = CONFIGURATION as { jwt: [{ issuer: { url: string; audiences: string[] } }] };
  expect(jwt[0].issuer).toEqual({ url: 'https://token.actions.githubusercontent.com', audiences: [AUDIENCE] });
  const issuer = { ...jwt[0].issuer, url, certificateAuthority: ca };
  return JSON.stringify({ ...CONFIGURATION, jwt: [{ ...jwt[0], issuer }] });
}

const counts = (seconds: number) =>
  script(`i=0; while [ $i -lt ${seconds} ]; do i=$((i+1)); echo "second $i"; sleep 1; done; echo 7 > "$RESULT_PATH"`);
const counted = (text: string) => text.split('\n').filter(line => /^second \d+$/.test(line));
const numbers = Array.from({ length: SECONDS }, (_, index) => `second ${index + 1}`);
const timeoutMs = 1000 * (SECONDS + 90);

/** Runs a step that counts the seconds, and starts the API server anew meanwhile: each is there once, and more than one token was needed. */
async function throughRestart(options: StepOptions): Promise<StepResult> {
  const step = startStep({ ...options, timeoutMs });
  try {
    await step.line(/^second 3$/, 60_000);
    await restart(NAME, 'kube-apiserver');
    const result = await step.done;
    expect(result.outputs).toMatchObject({ state: 'succeeded', result: '7' });
    expect(counted(result.text)).toEqual(numbers);
    expect(result.annotations).toEqual([]);
    expect(issuer.given).toBeGreaterThan(1);
    return result;
  } finally {
    await step.dispose();
    await untilReady(NAME);
  }
}

test(
  'a job without any secret runs its pod as itself, for longer than its token lasts, through a restart of the API server',
  async () => {
    const inputs = { ...counts(SECONDS), ...address, oidc_audience: AUDIENCE, image: localImages.shell };
    const result = await throughRestart({ inputs, env: issuer.env });
    expect(result.text).toContain('(cluster_url), the job itself, namespace default.');
    expect(result.masks.filter(mask => mask.startsWith('ey'))).toHaveLength(issuer.given);
  },
  timeoutMs + 60_000,
);

test('examples/keyless.yml says hello', async () => {
  const jobs = await runWorkflow('examples/keyless.yml', {
    vars: { CLUSTER_URL: address.cluster_url, CLUSTER_CA: address.cluster_ca, CLUSTER_AUDIENCE: AUDIENCE },
    env: issuer.env,
    inputs: written => ({ ...written, namespace: 'default', image: localImages.shell }),
  });
  const { text } = jobs['hello']?.steps['__step_2'] ?? {};
  expect(jobs).toMatchObject({ hello: { result: 'success' } });
  expect(text).toMatch(/^Cluster https:\S+ \(cluster_url\), the job itself, namespace default\.$/m);
  expect(text).toContain('\nHello, and no secret was stored for it\n');
}, 60_000);

describe('a job that the cluster does not trust is told so in one sentence:', () => {
  test.each<[what: string, claims: object, audience: string, told: RegExp]>([
    ['of another owner’s repository', { repository_owner_id: '9' }, AUDIENCE, /repository_owner_id "9"/],
    ['of a pull request', { event_name: 'pull_request' }, AUDIENCE, /event_name "pull_request"/],
    ['for another audience', {}, 'https://other.example', /aud "https:\/\/other\.example"/],
  ])('%s', async (_, claims, oidc_audience, told) => {
    issuer.claims = { ...CLAIMS, ...claims };
    const inputs = { ...counts(1), ...address, oidc_audience, image: localImages.shell };
    const { outputs, annotations } = await runStep({ inputs, env: issuer.env });
    expect(outputs).toMatchObject({ state: 'failed', reason: 'Unauthorized' });
    expect(annotations).toEqual([
      expect.objectContaining({
        level: 'error',
        title: 'The cluster does not trust this job',
        message: expect.stringMatching(told),
      }),
    ]);
  });

  test('whose identity GitHub does not vouch for at the moment', async () => {
    issuer.failing = 503;
    const inputs = { ...counts(1), ...address, oidc_audience: AUDIENCE, image: localImages.shell };
    const { outputs, annotations } = await runStep({ inputs, env: issuer.env });
    expect(outputs).toMatchObject({ state: 'failed', reason: 'InvalidKubeconfig' });
    expect(annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^There are no credentials for the cluster: GitHub’s ID token service at \S+ answers with HTTP 503\./,
      ),
    ]);
  });

  test('which may do nothing there', async () => {
    issuer.claims = { ...CLAIMS, repository_id: '3' };
    const inputs = { ...counts(1), ...address, oidc_audience: AUDIENCE, image: localImages.shell };
    const { outputs, annotations } = await runStep({ inputs, env: issuer.env });
    expect(outputs).toMatchObject({ state: 'failed', reason: 'Forbidden' });
    expect(annotations).toEqual([
      expect.objectContaining({ message: expect.stringContaining('github:repo:3:refs/heads/main') }),
    ]);
  });
});

test(
  'a credential plugin whose tokens last 15 s serves a pod for longer, through a restart of the API server',
  async () => {
    issuer.life = 15;
    const plugin = join(folder, 'plugin');
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '' } = issuer.env;
    // As a real one: a program that asks an issuer, and says when its token ends.
    writeFileSync(
      plugin,
      `#!${process.execPath}
const answer = await fetch('${url}&audience=${AUDIENCE}', { headers: { authorization: 'Bearer of-the-job' } });
const { value: token } = await answer.json();
const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
if (spec.cluster.server !== '${address.cluster_url}' || process.env.INPUT_IMAGE) process.exit(9);
const status = { token, expirationTimestamp: new Date(1000 * exp).toISOString() };
console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status }));
`,
    );
    chmodSync(plugin, 0o755);
    const kubeconfig = load(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
    const apiVersion = 'client.authentication.k8s.io/v1';
    const exec = { apiVersion, command: './plugin', interactiveMode: 'Never', provideClusterInfo: true };
    for (const entry of kubeconfig.users) entry.user = { exec };
    const config_file = join(folder, 'kubeconfig');
    writeFileSync(config_file, dump(kubeconfig));
    await throughRestart({ inputs: { ...counts(SECONDS), config_file, image: localImages.shell } });
  },
  timeoutMs + 60_000,
);
