import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { placesOf } from '../../dev/cluster/places.ts';
import { cluster, kubectl, Namespace } from '../support/cluster.ts';
import { GitServer } from '../support/git-server.ts';
import { runWorkflow, type WorkflowOptions } from '../support/workflow.ts';
import { folderWith } from './files/tree.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

/** @returns the path of a new one, as a checkout leaves it */
function workspace(): string {
  const folder = folderWith({ '.git/config': '', 'requirements.txt': 'torch\n', 'src/main.py': '' });
  folders.push(folder);
  return folder;
}

const ACTIONS = ['actions/upload-artifact'];
const options = (
  inputs: (written: Record<string, string>) => Record<string, string> = written => written,
): WorkflowOptions => ({
  actions: ACTIONS,
  workspace: workspace(),
  secrets: { KUBECONFIG: readFileSync(namespace.kubeconfig).toString('base64') },
  inputs: written => ({
    ...inputs(written),
    ...{ namespace: namespace.name, image: cluster.images.shell, helper_image: cluster.images.shell },
  }),
});

test('tests-in-a-pod.yml', async () => {
  const jobs = await runWorkflow('examples/tests-in-a-pod.yml', options());
  const said = Object.values(jobs).flatMap(({ steps }) => Object.values(steps).flatMap(({ text }) => text.split('\n')));
  expect(said).toContain('Suite unit has ended with success, says <testsuite name="unit" tests="2" failures="0"/>');
  expect(said).toContain('Suite broken has ended with failure, says <testsuite name="broken" tests="2" failures="1"/>');
}, 60_000);

test('gpu-test.yml, on a node that says that it has a GPU', async () => {
  // What a device plugin would report.
  const [node] = (await kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n');
  const says = (gpus: string | null) =>
    kubectl([
      ...['patch', node ?? '', '--subresource=status', '-p'],
      JSON.stringify({ status: { capacity: { 'nvidia.com/gpu': gpus } } }),
    ]);
  await says('1');
  try {
    const run = 'mkdir reports; echo "<testsuite/>" > reports/gpu.xml';
    const small = '{limits: {nvidia.com/gpu: 1, memory: 64Mi}, requests: {cpu: 10m}}';
    const ours = options(written => {
      expect(written['container_resources']).toBe('{limits: {nvidia.com/gpu: 1, memory: 16Gi}, requests: {cpu: 4}}');
      return { ...written, container_resources: small, shell: 'sh', run, log_pod_spec_on_failure: 'false' };
    });
    const jobs = await runWorkflow('examples/gpu-test.yml', ours);
    expect(jobs).toMatchObject({ test: { result: 'success' } });
    expect(textOf(jobs)).toMatch(/^Fetched 1 file, /m);
  } finally {
    await says(null);
  }
}, 60_000);

test('python-report.yml', async () => {
  const run = 'mkdir report; printf "eu,3\\nus,4\\nasia,1\\n" > report/rows.csv; echo rows=8 >> "$GITHUB_OUTPUT"';
  const jobs = await runWorkflow(
    'examples/python-report.yml',
    options(written => ({ ...written, shell: 'sh', run })),
  );
  expect(jobs).toMatchObject({ report: { result: 'success' } });
  expect(textOf(jobs)).toContain('8 rows, in 3 regions\n');
}, 60_000);

test('build-matrix.yml', async () => {
  const shown = execFileSync('ip', ['-o', '-4', 'addr', 'show', 'dev', placesOf(cluster.name).bridge]).toString();
  const token = 'ghs_b2YgdGhlIG1hdHJpeA';
  const server = await GitServer.start(/inet ([0-9.]+)/.exec(shown)?.[1] ?? '', token);
  const place = `/var/tmp/kubernetes-pod-step-${namespace.name}`;
  try {
    const commit = server.commit('octo/repo', { files: { 'main.go': 'package main\n' } });
    const volume = { name: 'cache', hostPath: { path: place, type: 'DirectoryOrCreate' } };
    const run =
      'git log -1 --format="building %h: %s"; mkdir out; cat main.go > "out/app-$GOARCH"; date >> /cache/built';
    const ours = options(written => {
      expect(written['volumes']).toBe('[{name: cache, persistentVolumeClaim: {claimName: build-cache}}]');
      const git = { git_image: cluster.images.git, github_token: token };
      return { ...written, ...git, volumes: JSON.stringify([volume]), shell: 'sh', run };
    });
    const jobs = await runWorkflow('examples/build-matrix.yml', {
      ...ours,
      inputs: (written, step) => ({ ...ours.inputs?.(written, step), image: cluster.images.git }),
      env: { GITHUB_SERVER_URL: server.url, GITHUB_SHA: commit },
    });
    expect(Object.values(jobs).map(({ result }) => result)).toEqual(Object.values(jobs).map(() => 'success'));
    expect(textOf(jobs)).toMatch(new RegExp(`^building ${commit.slice(0, 7)}: `, 'm'));
    expect(readFileSync(`${place}/built`, 'utf8').trim().split('\n')).toHaveLength(2);
  } finally {
    server[Symbol.dispose]();
    rmSync(place, { recursive: true, force: true });
  }
}, 90_000);

function textOf(jobs: Awaited<ReturnType<typeof runWorkflow>>): string {
  return Object.values(jobs)
    .flatMap(({ steps }) => Object.values(steps).map(({ text }) => text))
    .join('\n');
}
