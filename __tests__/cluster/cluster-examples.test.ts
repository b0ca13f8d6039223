import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { changedKubeconfig, type Kubeconfig } from '../support/account.ts';
import { cluster, Namespace } from '../support/cluster.ts';
import { type JobOutcome, ROOT, runWorkflow, type WorkflowOptions } from '../support/workflow.ts';

/** The examples of each kind of cluster, with programs that stand in for those of the clouds: what they write into a kubeconfig, and how their plugins answer, is as theirs. */

const FOLDER = 'examples/clusters';
const PROGRAMS = join(import.meta.dirname, '../support/programs');

let namespace: Namespace;
let folder: string;
let config: Kubeconfig;
let tokenFile: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  folder = mkdtempSync(join(tmpdir(), 'cluster-examples-'));
  config = load(readFileSync(namespace.kubeconfig, 'utf8')) as Kubeconfig;
  tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token());
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

const token = () => String(config.users[0].user['token']);

/** @returns the path of a kubeconfig whose user is a plugin, as the cloud's program writes it */
const byPlugin = (command: string, args: string[]) =>
  changedKubeconfig(namespace.kubeconfig, ({ users: [entry] }) => {
    const apiVersion = 'client.authentication.k8s.io/v1beta1';
    entry.user = { exec: { apiVersion, command, args, installHint: `Install ${command}`, provideClusterInfo: true } };
  });

async function run(example: string, options: WorkflowOptions, env: Record<string, string> = {}): Promise<JobOutcome[]> {
  const jobs = await runWorkflow(`${FOLDER}/${example}.yml`, {
    ...options,
    programs: PROGRAMS,
    env: { PATH: [PROGRAMS, process.env['PATH']].join(delimiter), CLOUD_TOKEN_FILE: tokenFile, ...env },
    inputs: ({ in_cluster: ours, ...written }) => ({
      ...written,
      ...{ namespace: namespace.name, image: cluster.images.shell },
      ...(ours !== undefined && { config_file: namespace.kubeconfig }),
    }),
  });
  expect(Object.values(jobs).map(({ result, steps }) => [result, result === 'success' ? '' : steps])).toEqual(
    Object.values(jobs).map(() => ['success', '']),
  );
  return Object.values(jobs);
}

const printed = (jobs: JobOutcome[]) =>
  jobs.flatMap(({ steps }) => Object.values(steps).flatMap(({ text }) => text.split('\n')));

test('gke.yml', async () => {
  const actions = ['google-github-actions/auth', 'google-github-actions/setup-gcloud'];
  const vars = { CLUSTER: 'prod', LOCATION: 'europe-west1', PROJECT: 'acme' };
  const jobs = await run('gke', { actions, vars }, { GCLOUD_KUBECONFIG: byPlugin('gke-gcloud-auth-plugin', []) });
  expect(printed(jobs)).toEqual(
    expect.arrayContaining([
      'gcloud container clusters get-credentials prod --project acme --location europe-west1',
      'Hello from a pod on GKE',
    ]),
  );
});

test('eks.yml', async () => {
  const vars = { AWS_ROLE: 'arn:aws:iam::1:role/runner', AWS_REGION: 'eu-west-1', CLUSTER: 'prod' };
  const args = ['eks', 'get-token', '--cluster-name', 'prod', '--output', 'json'];
  const actions = ['aws-actions/configure-aws-credentials'];
  const jobs = await run('eks', { actions, vars }, { CLOUD_KUBECONFIG: byPlugin('aws', args) });
  expect(printed(jobs)).toEqual(expect.arrayContaining(['aws eks update-kubeconfig', 'Hello from a pod on EKS']));
});

test('aks.yml', async () => {
  const vars = { AZURE_CLIENT_ID: 'c', AZURE_TENANT_ID: 't', RESOURCE_GROUP: 'g', CLUSTER: 'prod' };
  const args = ['get-token', '--login', 'devicecode', '--server-id', '6dae42f8-4368-4678-94ff-3960e28e3630'];
  const actions = ['azure/login', 'azure/use-kubelogin'];
  const jobs = await run('aks', { actions, vars }, { CLOUD_KUBECONFIG: byPlugin('kubelogin', args) });
  expect(printed(jobs)).toEqual(
    expect.arrayContaining(['az aks get-credentials', 'kubelogin convert-kubeconfig', 'Hello from a pod on AKS']),
  );
});

test('openshift.yml', async () => {
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const vars = { OPENSHIFT_SERVER: String(server), OPENSHIFT_CA: String(ca) };
  const jobs = await run('openshift', { vars, secrets: { OPENSHIFT_TOKEN: token() } });
  expect(printed(jobs)).toContain('42 rows');
});

test('kind.yml', async () => {
  const HOME = join(folder, 'home');
  mkdirSync(join(HOME, '.kube'), { recursive: true });
  writeFileSync(join(HOME, '.kube', 'config'), readFileSync(namespace.kubeconfig));
  const jobs = await run('kind', { actions: ['helm/kind-action'] }, { HOME });
  expect(printed(jobs)).toEqual(
    expect.arrayContaining(['docker build -t app:ci -', 'kind load docker-image app:ci --name kind']),
  );
});

test('runner-in-the-cluster.yml', async () => {
  const jobs = await run('runner-in-the-cluster', {});
  expect(printed(jobs)).toEqual(expect.arrayContaining(['Hello from beside the runner', 'Hello from etl']));
});

test('cluster-for-the-work.yml', async () => {
  const actions = ['google-github-actions/auth', 'google-github-actions/setup-gcloud'];
  const jobs = await run(
    'cluster-for-the-work',
    { actions },
    { GCLOUD_KUBECONFIG: byPlugin('gke-gcloud-auth-plugin', []) },
  );
  const lines = printed(jobs);
  expect(lines).toContain('gcloud container clusters create work-1658821493 --num-nodes 1');
  for (const part of [1, 2, 3]) expect(lines).toContain(`working on part ${part}`);
  expect(lines).toContain('gcloud container clusters delete work-1658821493 --quiet');
}, 90_000);

test('there is no other', async () => {
  expect((await readdir(join(ROOT, FOLDER))).sort()).toEqual(
    ['aks', 'cluster-for-the-work', 'eks', 'gke', 'kind', 'openshift', 'runner-in-the-cluster'].map(
      name => `${name}.yml`,
    ),
  );
});
