import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { readIdentity, type StepIdentity } from '../../src/github/identity.ts';
import { type Inputs, readInputs } from '../../src/github/inputs/inputs.ts';
import { nameWanted, nonceOf, type Plan, planPod } from '../../src/pod/manifest.ts';

const inputs: Inputs = readInputs({ INPUT_IMAGE: 'busybox', INPUT_NAME: 'train', INPUT_RANDOM_NAME_SUFFIX: 'false' });
const identity: StepIdentity = {
  repository: 'octo/cat',
  repositoryId: '42',
  workflow: 'Nightly build',
  runId: '1234',
  runAttempt: '2',
  job: 'train',
  step: '__run_2',
  sha: '0a1b2c',
  runUrl: 'https://github.com/octo/cat/actions/runs/1234/attempts/2',
  hosted: true,
};
/** Outside a workflow: the pod says nothing about a run. */
const nobody = readIdentity({});

function plan(changed: Partial<Inputs> = {}, who = identity, nonce = 'n0nce'): Plan {
  return planPod({ ...inputs, ...changed }, who, 'etl', nonce);
}

function keptOrRefused(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('the least pod', () => {
  test('is this', () => {
    expect(plan({}, nobody).pod).toStrictEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'train',
        namespace: 'etl',
        labels: {
          'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
          'kubernetes-pod-step/run-attempt': '1',
        },
        annotations: { 'kubernetes-pod-step/nonce': 'n0nce' },
      },
      spec: {
        restartPolicy: 'Never',
        activeDeadlineSeconds: 432600,
        containers: [{ name: 'base', image: 'busybox', terminationMessagePath: '/airflow/xcom/return.json' }],
      },
    });
  });

  test('is planned with what the run needs to know of it', () => {
    expect(plan({}, nobody)).toMatchObject({
      namespace: 'etl',
      name: 'train',
      resultInMessage: true,
      deadlineSeconds: 432600,
    });
  });

  test('holds nothing that JSON drops', () => {
    const { pod } = plan();
    expect(JSON.parse(JSON.stringify(pod))).toStrictEqual(pod);
  });
});

describe('an input adds its field to the container', () => {
  const { containers: [least] = [] } = plan().pod.spec ?? {};

  test.each<[what: string, changed: Partial<Inputs>, field: Partial<V1Container>]>([
    ['image', { image: 'python:3' }, { image: 'python:3' }],
    ['image_pull_policy', { imagePullPolicy: 'Never' }, { imagePullPolicy: 'Never' }],
    ['cmds', { cmds: ['sh', '-c'] }, { command: ['sh', '-c'] }],
    ['cmds that are explicitly empty', { cmds: [] }, { command: [] }],
    ['arguments', { arguments: ['a', ''] }, { args: ['a', ''] }],
    ['env_vars', { envVars: [{ name: 'A', value: 'x' }] }, { env: [{ name: 'A', value: 'x' }] }],
    ['container_resources', { resources: { limits: { memory: '1Gi' } } }, { resources: { limits: { memory: '1Gi' } } }],
    ['container_resources that are explicitly empty', { resources: {} }, { resources: {} }],
    [
      'secrets as a variable, behind env_vars',
      {
        envVars: [{ name: 'A', value: 'x' }],
        secrets: [{ kind: 'variable', secret: 'db', key: 'password', name: 'B' }],
      },
      {
        env: [
          { name: 'A', value: 'x' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
        ],
      },
    ],
    [
      'secrets as all variables',
      { secrets: [{ kind: 'all variables', secret: 'db' }] },
      { envFrom: [{ secretRef: { name: 'db' } }] },
    ],
  ])('%s', (_, changed, field) => {
    expect(plan(changed).pod.spec?.containers).toStrictEqual([{ ...least, ...field }]);
  });

  test('do_xcom_push: false leaves the termination message where Kubernetes has it', () => {
    const { terminationMessagePath, ...rest } = { ...least };
    expect(plan({ readResult: false })).toMatchObject({ resultInMessage: false });
    expect(plan({ readResult: false }).pod.spec?.containers).toStrictEqual([rest]);
    expect(terminationMessagePath).toBe('/airflow/xcom/return.json');
  });
});

describe('an input adds its field to the pod', () => {
  const least = plan().pod.spec;

  test.each<[what: string, changed: Partial<Inputs>, field: Partial<V1PodSpec>]>([
    ['service_account_name', { serviceAccountName: 'runner' }, { serviceAccountName: 'runner' }],
    ['active_deadline_seconds', { activeDeadlineSeconds: 60 }, { activeDeadlineSeconds: 60 }],
    ['get_logs adds none', { getLogs: false }, {}],
    ['on_finish_action adds none', { onFinishAction: 'keep_pod' }, {}],
    ['the cluster adds none', { cluster: { kubeconfig: 'token: hunter2', namespace: 'other' } }, {}],
  ])('%s', (_, changed, field) => expect(plan(changed).pod.spec).toStrictEqual({ ...least, ...field }));

  test('secrets as files: a volume, and its mount in the container', () => {
    const { spec } = plan({ secrets: [{ kind: 'files', secret: 'tls', mountPath: '/etc/tls' }] }).pod;
    const name = expect.stringMatching(/^secret-[a-z0-9]{8}$/);
    expect(spec?.volumes).toStrictEqual([{ name, secret: { secretName: 'tls' } }]);
    expect(spec?.containers[0]?.volumeMounts).toStrictEqual([
      { name: spec?.volumes?.[0]?.name, mountPath: '/etc/tls', readOnly: true },
    ]);
  });
});

describe('the pod says whose it is', () => {
  test('by labels to find it by', () => {
    expect(plan().pod.metadata?.labels).toStrictEqual({
      'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
      'kubernetes-pod-step/repository-id': '42',
      'kubernetes-pod-step/run-id': '1234',
      'kubernetes-pod-step/run-attempt': '2',
      'kubernetes-pod-step/job': 'train',
      'kubernetes-pod-step/step': expect.stringMatching(/^run_2-[a-z0-9]{8}$/),
    });
  });

  test('by annotations that lead to the run', () => {
    expect(plan().pod.metadata?.annotations).toStrictEqual({
      'kubernetes-pod-step/repository': 'octo/cat',
      'kubernetes-pod-step/workflow': 'Nightly build',
      'kubernetes-pod-step/run-url': 'https://github.com/octo/cat/actions/runs/1234/attempts/2',
      'kubernetes-pod-step/commit': '0a1b2c',
      'kubernetes-pod-step/nonce': 'n0nce',
    });
  });

  test("beside the user's own", () => {
    const { metadata } = plan({ labels: { team: 'data' }, annotations: { note: 'a b' } }).pod;
    expect(metadata).toMatchObject({
      labels: { team: 'data', 'kubernetes-pod-step/run-id': '1234' },
      annotations: { note: 'a b', 'kubernetes-pod-step/nonce': 'n0nce' },
    });
  });

  test("which is not to be forged by the user's own", () => {
    const forged = { 'kubernetes-pod-step/nonce': 'theirs', 'kubernetes-pod-step/run-id': '1' };
    const { metadata } = plan({ labels: forged, annotations: forged }).pod;
    expect(metadata?.annotations?.['kubernetes-pod-step/nonce']).toBe('n0nce');
    expect(metadata?.labels?.['kubernetes-pod-step/run-id']).toBe('1234');
  });

  test("and never replaces a label of the user's without a word", () => {
    const given = { INPUT_IMAGE: 'busybox', INPUT_LABELS: '{app.kubernetes.io/managed-by: helm}' };
    const labels = keptOrRefused(() => planPod(readInputs(given), identity, 'etl', 'n').pod.metadata?.labels);
    expect(labels).not.toMatchObject({ 'app.kubernetes.io/managed-by': 'kubernetes-pod-step' });
  });

  test.each([
    ['a pod of ours', plan().pod, 'n0nce'],
    ['a pod of somebody else', { metadata: { annotations: { a: 'b' } } }, ''],
    ['a pod without annotations', { metadata: {} }, ''],
    ['a pod without anything', {}, ''],
  ])('to the attempt that made it: %s', (_, pod, nonce) => expect(nonceOf(pod)).toBe(nonce));
});

describe("the pod's name", () => {
  const named = (changed: Partial<Inputs>, who = identity, nonce = 'n') => plan(changed, who, nonce).name;

  test.each([
    ['is used as it is', 'train', 'train'],
    ['is made fit', 'Train it!', 'train-it'],
  ])('%s where no suffix is wanted', (_, name, expected) => expect(named({ name })).toBe(expected));

  test('is that of the manifest', () => {
    const planned = plan({ randomNameSuffix: true });
    expect(planned.pod.metadata?.name).toBe(planned.name);
  });

  test('ends in what no other run, attempt or try shares', () => {
    const suffixed = { randomNameSuffix: true };
    const names = [
      named(suffixed),
      named(suffixed, { ...identity, runId: '1235' }),
      named(suffixed, { ...identity, runAttempt: '3' }),
      named(suffixed, { ...identity, repositoryId: '43' }),
      named(suffixed, identity, 'm'),
    ];
    expect(new Set(names).size).toBe(5);
    expect(names.filter(name => !/^train-[a-z0-9]{8}$/.test(name))).toEqual([]);
  });

  test.each([
    ['the job and the step', {}, 'train-run_2'],
    ['the job, where the step has no id', { step: '' }, 'train'],
    ['the step, where there is no job', { job: '' }, 'run_2'],
    ["the step's own id", { step: 'fit' }, 'train-fit'],
    ['the action, outside a workflow', { job: '', step: '' }, 'pod-step'],
    ['the action, where nothing is left of the step', { job: '', step: '__' }, 'pod-step'],
  ])('is made of %s where none is given', (_, changed, expected) =>
    expect(nameWanted({}, { ...identity, ...changed })).toBe(expected),
  );

  test('is the one given where one is', () => {
    expect(nameWanted({ name: 'mine' }, identity)).toBe('mine');
  });
});

describe('the deadline', () => {
  test.each([
    ['is 6 h 10 min on a runner of GitHub', {}, true, 22_200],
    ['is 5 days 10 min on a runner of our own', {}, false, 432_600],
    ['is the one given on a runner of GitHub', { activeDeadlineSeconds: 60 }, true, 60],
    ['is the one given on a runner of our own', { activeDeadlineSeconds: 1_000_000 }, false, 1_000_000],
  ])('%s', (_, changed, hosted, expected) => {
    const planned = plan(changed, { ...identity, hosted });
    expect([planned.deadlineSeconds, planned.pod.spec?.activeDeadlineSeconds]).toEqual([expected, expected]);
  });
});

describe('the result is read from the termination message', () => {
  const mountedAt = (mountPath: string) => plan({ secrets: [{ kind: 'files', secret: 's', mountPath }] });

  test.each([
    '/etc/db',
    '/airflow/xco',
    '/airflow/xcom2',
    '/airflow/xcom/return.json.bak',
    '/airflow/xcom/other',
    '/air',
  ])('where a Secret is mounted at %s', mountPath => {
    const { pod, resultInMessage } = mountedAt(mountPath);
    expect(pod.spec?.containers[0]?.terminationMessagePath).toBe('/airflow/xcom/return.json');
    expect(resultInMessage).toBe(true);
  });

  test.each([
    ...['/', '//', '/airflow', '/airflow/', '/airflow/xcom', '/airflow/xcom//', '/airflow/xcom/return.json'],
    ...['/airflow//xcom', '/./airflow', '/tmp/../airflow'],
  ])('but not where a Secret is mounted at %s, which covers it', mountPath => {
    const { pod, resultInMessage } = mountedAt(mountPath);
    expect(pod.spec?.containers[0]).not.toHaveProperty('terminationMessagePath');
    expect(resultInMessage).toBe(false);
  });
});
