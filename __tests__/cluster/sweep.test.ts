import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { until } from '../../dev/cluster/process.ts';
import { cluster, Namespace, script } from '../support/cluster.ts';
import { FakeGitHub, github } from '../support/fake-github.ts';
import { runWorkflow } from '../support/workflow.ts';
import { type Changes, metadataOf } from '../sweep/marked.ts';
import { runSweep } from '../sweep/step.ts';

/** The run that sweeps, and those whose pods there are. */
const RUNS = { own: '1658821493', ended: '7001', active: '7002', recent: '7003', gone: '7004' };
const minutesAgo = (minutes: number) => new Date(Date.now() - 60_000 * minutes).toISOString();

let namespace: Namespace;
let hub: FakeGitHub;
/** Of somebody who has the sweep's Role and no other. */
let kubeconfig: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  hub = await FakeGitHub.start(RUNS.own);
  hub.runs.set(RUNS.ended, github.run(RUNS.ended, 'completed', minutesAgo(90)));
  hub.runs.set(RUNS.recent, github.run(RUNS.recent, 'completed', minutesAgo(10)));
  hub.runs.set(RUNS.active, github.run(RUNS.active, 'in_progress', minutesAgo(90)));
  kubeconfig = await namespace.sweepKubeconfig();
  await Promise.all([realPods(), lookAlikes()]);
}, 120_000);
afterAll(async () => {
  // What is being deleted waits for this.
  await namespace.kubectl(['patch', 'pod', 'terminating', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await namespace[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
});

/** Steps whose runner was lost: no post step ran. */
async function realPods(): Promise<void> {
  const name = (pod: string) => ({ name: pod, random_name_suffix: 'false', termination_grace_period: '1' });
  const of = (runId: string) => ({ env: { GITHUB_RUN_ID: runId } });
  const lost = async (pod: string, runId: string, inputs: Record<string, string> = {}) => {
    const running = script('echo started; exec sleep 600');
    const step = namespace.start(
      { ...running, ...name(pod), secret_env: 'PASSWORD=correct horse', ...inputs },
      of(runId),
    );
    try {
      await step.line(inputs['node_selector'] ? /^Created: / : /^started$/, 60_000);
      if (inputs['node_selector']) await hasSecret(pod);
      await step.kill();
    } finally {
      await step.dispose();
    }
  };
  const kept = (pod: string, runId: string) =>
    namespace.run({ cmds: 'true', ...name(pod), on_finish_action: 'keep_pod' }, of(runId));
  await Promise.all([
    lost('lost', RUNS.ended),
    lost('lost-pending', RUNS.ended, { node_selector: 'nowhere: to-be-found' }),
    lost('lost-of-deleted-run', RUNS.gone),
    lost('running', RUNS.active),
    kept('kept', RUNS.ended),
    kept('kept-expired', RUNS.active),
  ]);
  const expired = `kubernetes-pod-step/expires-at=${minutesAgo(1)}`;
  await namespace.kubectl(['annotate', '--overwrite', 'pod/kept-expired', expired]);
}

async function hasSecret(pod: string): Promise<void> {
  const owned = async () => (await secrets()).some(({ metadata }) => metadata?.ownerReferences?.[0]?.name === pod);
  expect(await until(owned, 30)).toBe(true);
}

async function lookAlikes(): Promise<void> {
  const labels = (changes: Changes['labels']): Changes => ({ labels: changes ?? {} });
  const annotations = (changes: Changes['annotations']): Changes => ({ annotations: changes ?? {} });
  const foreign = Object.fromEntries(
    Object.keys(metadataOf('x', RUNS.ended).labels ?? {}).map(key => [
      key.replace('kubernetes-pod-step/', ''),
      undefined,
    ]),
  );
  const pods: [string, string, Changes][] = [
    ['own-run', RUNS.own, {}],
    ['too-recent', RUNS.recent, {}],
    ['terminating', RUNS.ended, { metadata: { finalizers: ['example.com/held'] } }],
    ['managed-by-alone', RUNS.ended, labels({ ...foreign, 'app.kubernetes.io/managed-by': 'kubernetes-pod-step' })],
    ['other-repository', RUNS.ended, labels({ 'repository-id': '1' })],
    ['longer-repository-id', RUNS.ended, labels({ 'repository-id': '12962690' })],
    [
      'other-prefix',
      RUNS.ended,
      labels({ 'repository-id': undefined, 'pod-step.example.com/repository-id': '1296269' }),
    ],
    ['no-nonce', RUNS.ended, annotations({ nonce: undefined })],
    ['nonce-of-words', RUNS.ended, annotations({ nonce: 'a nonce' })],
    ['run-id-of-letters', 'seven', {}],
    ['no-run-id', RUNS.ended, labels({ 'run-id': undefined })],
    ['two-runs', RUNS.ended, labels({ 'run-id': RUNS.gone })],
    ['no-repository', RUNS.ended, annotations({ repository: undefined })],
    ['no-lifetime', RUNS.ended, labels({ lifetime: undefined })],
    ['lifetime-of-its-own', RUNS.ended, labels({ lifetime: 'Owned' })],
    ['kept-for-ever', RUNS.ended, { ...labels({ lifetime: 'kept' }), ...annotations({ 'expires-at': 'never' }) }],
    [
      'detached',
      RUNS.ended,
      { ...labels({ lifetime: 'detached' }), ...annotations({ 'expires-at': '2100-01-01T00:00:00Z' }) },
    ],
    // Ours, made when the repository was called otherwise.
    [
      'renamed',
      RUNS.ended,
      annotations({
        repository: 'octo/former-name',
        'run-url': `https://github.com/octo/former-name/actions/runs/${RUNS.ended}`,
      }),
    ],
  ];
  const objects = pods.map(pod => JSON.stringify(gated(...pod)));
  await namespace.kubectl(['create', '-f', '-'], objects.join('\n---\n'));
  await namespace.kubectl(['delete', 'pod', 'terminating', '--wait=false']);
}

/** A pod that nothing runs in, for a gate holds it. */
function gated(name: string, runId: string, changes?: Changes): object {
  const { uid: _, creationTimestamp: __, ...metadata } = metadataOf(name, runId, changes);
  const containers = [{ name: 'base', image: cluster.images.shell, command: ['true'] }];
  const spec = { schedulingGates: [{ name: 'example.com/held' }], containers };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
}

const LEFT = [
  ...[
    'running',
    'lost-of-deleted-run',
    'kept',
    'own-run',
    'too-recent',
    'terminating',
    'managed-by-alone',
    'other-repository',
  ],
  ...[
    'longer-repository-id',
    'other-prefix',
    'no-nonce',
    'nonce-of-words',
    'run-id-of-letters',
    'no-run-id',
    'two-runs',
  ],
  ...['no-repository', 'no-lifetime', 'lifetime-of-its-own', 'kept-for-ever', 'detached'],
].sort();
const DELETED = ['kept-expired', 'lost', 'lost-pending', 'renamed'];

async function list<T>(kind: string): Promise<T[]> {
  return (JSON.parse(await namespace.kubectl(['get', kind, '-o', 'json'])) as { items: T[] }).items;
}
/** Those that are being deleted among them. */
const podNames = async () => (await list<V1Pod>('pods')).map(({ metadata }) => metadata?.name ?? '').sort();
const secrets = () => list<V1Secret>('secrets');
const ownersOfSecrets = async () =>
  (await secrets()).flatMap(({ metadata }) => metadata?.ownerReferences?.map(({ name }) => name) ?? []).sort();

const sweep = (inputs: Record<string, string> = {}) => runSweep(hub, { kubeconfig, ...inputs });
const sorted = (pods: string | undefined) => (JSON.parse(pods ?? '') as string[]).sort();

describe('in a namespace full of look-alikes, with nothing but its own Role, a sweep', () => {
  test('that is a dry run names what is to go, and deletes nothing', async () => {
    expect(await podNames()).toEqual([...LEFT, ...DELETED].sort());
    const dry = await sweep({ dry_run: 'true' });
    expect(dry).toMatchObject({ conclusion: 'success', annotations: [], outputs: { deleted: '0' } });
    expect(sorted(dry.outputs['pods'])).toEqual(DELETED);
    expect((await namespace.pods()).map(({ metadata }) => metadata?.name).sort()).toEqual(
      [...LEFT, ...DELETED].filter(name => name !== 'terminating').sort(),
    );
  });

  test('deletes exactly that, the pods’ Secrets with them', async () => {
    expect(await ownersOfSecrets()).toEqual(['lost', 'lost-of-deleted-run', 'lost-pending', 'running']);
    const result = await sweep();
    expect(result).toMatchObject({ conclusion: 'success', annotations: [], outputs: { deleted: '4' } });
    expect(sorted(result.outputs['pods'])).toEqual(DELETED);
    expect(result.text).toContain('Secrets are not looked at, for want of the right to list them');
    expect(await until(async () => (await podNames()).length === LEFT.length, 60)).toBe(true);
    expect(await podNames()).toEqual(LEFT);
    expect(await until(async () => (await ownersOfSecrets()).length === 2, 60)).toBe(true);
    expect(await ownersOfSecrets()).toEqual(['lost-of-deleted-run', 'running']);
  }, 150_000);

  test('finds nothing to do then, and says of each why it is left', async () => {
    const again = await sweep();
    expect(again.outputs).toEqual({ state: 'succeeded', deleted: '0', pods: '[]' });
    for (const line of [
      'Left pod running (run 7002): its run has not ended (in_progress).',
      'Left pod own-run (run 1658821493): its run is this one.',
      'Left pod too-recent (run 7003): its run ended 10 min ago, less than 1 h.',
      'Left pod lost-of-deleted-run (run 7004): its run is no longer on GitHub, and the pod was made ',
      'Left pod terminating (run 7001): it is being deleted already.',
      'Left pod no-nonce: it has no nonce.',
      'Left pod run-id-of-letters: its run-id is no number.',
    ])
      expect(again.text).toContain(line);
    expect(await podNames()).toEqual(LEFT);
  });

  test('looks at Secrets where it may, and leaves those of a pod that is there', async () => {
    await namespace.kubectl(['create', 'role', 'secrets', '--resource=secrets', '--verb=list,delete']);
    const account = `--serviceaccount=${namespace.name}:github-sweep`;
    await namespace.kubectl(['create', 'rolebinding', 'secrets', '--role=secrets', account]);
    const as = ['--as', `system:serviceaccount:${namespace.name}:github-sweep`];
    const may = () => namespace.kubectl(['auth', 'can-i', 'list', 'secrets', ...as]).catch(() => 'no');
    expect(await until(async () => (await may()).trim() === 'yes', 30)).toBe(true);
    const result = await sweep();
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.text).not.toContain('Secrets are not looked at');
    expect(await ownersOfSecrets()).toEqual(['lost-of-deleted-run', 'running']);
  });

  test('takes, with a shorter older_than, those that were too recent', async () => {
    const result = await sweep({ older_than: '1s' });
    expect(sorted(result.outputs['pods'])).toEqual(['lost-of-deleted-run', 'too-recent']);
    expect(await until(async () => (await podNames()).length === LEFT.length - 2, 60)).toBe(true);
    expect(await until(async () => (await ownersOfSecrets()).length === 1, 60)).toBe(true);
    expect(await ownersOfSecrets()).toEqual(['running']);
  }, 150_000);
});

test('whoever may not list pods is shown the Role, and with that may sweep', async () => {
  await using other = await Namespace.create();
  const newcomer = await other.sweepKubeconfig();
  await other.kubectl(['delete', 'rolebinding/github-sweep', 'role/github-sweep']);
  const as = ['--as', `system:serviceaccount:${other.name}:github-sweep`];
  const may = () => other.kubectl(['auth', 'can-i', 'delete', 'pods', ...as]).catch(() => 'no');
  expect(await until(async () => (await may()).trim() === 'no', 30)).toBe(true);
  const refused = await runSweep(hub, { kubeconfig: newcomer });
  expect(refused.outputs).toMatchObject({ state: 'failed', reason: 'Forbidden' });
  const [, role = ''] = /: kubectl apply -f role\.yaml\n((?:(?!::|##\[).*\n)*)/m.exec(refused.text) ?? [];
  await other.kubectl(['apply', '-f', '-'], role);
  expect(await until(async () => (await may()).trim() === 'yes', 30)).toBe(true);
  const swept = await runSweep(hub, { kubeconfig: newcomer });
  expect(swept).toMatchObject({ conclusion: 'success', outputs: { deleted: '0' } });
});

test('the example sweeps when its time has come, and is a dry run when it is started by hand', async () => {
  await using other = await Namespace.create();
  const options = {
    secrets: { KUBECONFIG_SWEEP: Buffer.from(await other.sweepKubeconfig()).toString('base64') },
    contexts: { 'github.token': 'ghs_thejobsowntoken' },
    env: { GITHUB_API_URL: hub.url },
    inputs: (written: Record<string, string>) => ({ ...written, namespace: other.name }),
  };
  await other.kubectl(['create', '-f', '-'], JSON.stringify(gated('lost', RUNS.ended)));
  const byHand = await runWorkflow('examples/sweep.yml', { ...options, dispatch: { dry_run: true } });
  expect(byHand['sweep']).toMatchObject({
    result: 'success',
    steps: { sweep: { outputs: { deleted: '0', pods: '["lost"]' } } },
  });
  expect(await other.pods()).toHaveLength(1);
  const scheduled = await runWorkflow('examples/sweep.yml', options);
  expect(scheduled['sweep']).toMatchObject({ result: 'success', steps: { sweep: { outputs: { deleted: '1' } } } });
  expect(scheduled['sweep']?.steps['__step_3']?.text).toBe('Deleted now, ["lost"] had been left behind.\n');
  expect(await other.pods()).toEqual([]);
});
