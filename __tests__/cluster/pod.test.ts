import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Namespace, script } from '../support/cluster.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
  await namespace.kubectl([
    'create',
    'secret',
    'generic',
    'db',
    '--from-literal=password=s3cret',
    '--from-literal=user=app',
  ]);
  await namespace.kubectl(['create', 'serviceaccount', 'runner']);
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

describe('the container sees', () => {
  test.each([
    ['a mapping', 'MODE: fast\nRATIO: 1.10\nON: yes\nMASK: 0400\nEMPTY: ""'],
    [
      'a list',
      '- {name: MODE, value: fast}\n- {name: RATIO, value: 1.10}\n- {name: ON, value: yes}\n- {name: MASK, value: 0400}\n- {name: EMPTY}',
    ],
    ['lines', '# settings\nMODE=fast\nRATIO=1.10\nON=yes\nMASK=0400\nEMPTY='],
  ])('env_vars as %s, each value the text that was written', async (_, variables) => {
    const step = await namespace.run({
      ...script('echo "[$MODE|$RATIO|$ON|$MASK|${EMPTY-unset}]"'),
      env_vars: variables,
    });
    expect(step.text).toContain('[fast|1.10|yes|0400|]');
  });

  test('the step’s own variable for a bare name, whatever is in it', async () => {
    const hostile = 'a: [b\n::error::x\n"quoted" $(MODE) $$(MODE) $$ $(KUBERNETES_SERVICE_HOST)';
    const step = await namespace.run(
      { ...script('printf "%s" "$TITLE" | md5sum'), env_vars: 'MODE=fast\nTITLE' },
      { env: { TITLE: hostile } },
    );
    const { createHash } = await import('node:crypto');
    expect(step.text).toContain(createHash('md5').update(hostile).digest('hex'));
  });

  test('fields of the pod through valueFrom', async () => {
    const step = await namespace.run({
      ...script('echo "I am $POD"'),
      env_vars: '[{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]',
    });
    expect(step.text).toContain(`I am ${step.outputs['pod_name']}`);
  });

  test('Secrets as variables and as files', async () => {
    const secrets = `
      - {deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}
      - {deploy_type: env, secret: db}
      - {deploy_type: volume, deploy_target: /all, secret: db}
      - {deploy_type: volume, deploy_target: /one, secret: db, key: user}
      - {deploy_type: volume, deploy_target: /some, secret: db, items: [{key: user, path: name.txt, mode: 0400}]}`;
    const step = await namespace.run({
      ...script(
        'echo "$DB_PASSWORD $password $user"; cat /all/password; echo; ls /one; cat /some/name.txt; echo; stat -L -c %a /some/name.txt',
      ),
      secrets,
    });
    expect(step.text).toContain('s3cret s3cret app\ns3cret\nuser\napp\n400\n');
  });
});

describe('the live pod has', () => {
  test('labels, annotations, resources, service account, deadline, and the marks of its run', async () => {
    const step = await namespace.run({
      ...script('true'),
      name: 'exact',
      random_name_suffix: 'false',
      labels: '{team: data, version: 1.10}',
      annotations: 'example.com/owner: "yes: me"',
      container_resources: '{requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}',
      service_account_name: 'runner',
      active_deadline_seconds: '77',
      image_pull_policy: 'IfNotPresent',
      on_finish_action: 'keep_pod',
    });
    expect(step.conclusion).toBe('success');
    const [pod] = await namespace.pods();
    expect(pod).toMatchObject({
      metadata: {
        name: 'exact',
        labels: {
          team: 'data',
          version: '1.10',
          'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
          'kubernetes-pod-step/run-id': expect.stringMatching(/./),
        },
        annotations: {
          'example.com/owner': 'yes: me',
          'kubernetes-pod-step/run-url': expect.stringMatching(/^https:\/\/.*\/actions\/runs\/\d+\/attempts\/1$/),
        },
      },
      spec: {
        restartPolicy: 'Never',
        activeDeadlineSeconds: 77,
        serviceAccountName: 'runner',
        containers: [
          {
            name: 'base',
            imagePullPolicy: 'IfNotPresent',
            resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } },
          },
        ],
      },
    });
    const again = await namespace.run({ ...script('true'), name: 'exact', random_name_suffix: 'false' });
    expect(again.outputs).toMatchObject({ state: 'failed', reason: 'NameTaken' });
    expect(again.annotations[0]?.message).toMatch(
      new RegExp(`Pod ${namespace.name}/exact exists already.*actions/runs/`),
    );
    expect(await namespace.pods()).toHaveLength(1);
    await namespace.kubectl(['delete', 'pod', 'exact']);
  });

  test('a name made fit for Kubernetes, and the log says so', async () => {
    const step = await namespace.run({ ...script('hostname'), name: 'run_python_script' });
    expect(step.outputs['pod_name']).toMatch(/^run-python-script-/);
    expect(step.text).toMatch(/"run_python_script" cannot be the name of a pod.* became run-python-script-/);
  });
});

describe('on_finish_action', () => {
  test.each([
    ['delete_pod', 0, 0],
    ['delete_pod', 0, 1],
    ['delete_succeeded_pod', 0, 0],
    ['delete_succeeded_pod', 1, 1],
    ['delete_active_pod', 1, 0],
    ['keep_pod', 1, 0],
  ])('%s leaves %d pods after exit code %d', async (action, left, exitCode) => {
    const step = await namespace.run({ ...script(`exit ${exitCode}`), on_finish_action: action });
    const pods = await namespace.pods();
    expect(pods).toHaveLength(left);
    if (left === 0) return;
    expect(step.text).toContain(`kubectl -n ${namespace.name} logs ${step.outputs['pod_name']} -c base`);
    await namespace.kubectl(['delete', 'pod', step.outputs['pod_name'] ?? '']);
  });
});

test('get_logs: false waits without the log and says how to read it', async () => {
  const step = await namespace.run({ ...script('echo quiet please; exit 2'), get_logs: 'false' });
  expect(step.text.split('\n')).not.toContain('quiet please');
  expect(step.text).toMatch(/kubectl -n \S+ logs -f \S+ -c base/);
  expect(step.outputs).toMatchObject({ exit_code: '2' });
});
