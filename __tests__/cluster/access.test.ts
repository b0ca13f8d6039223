import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../dev/cluster/process.ts';
import { applyAll, changedKubeconfig } from '../support/account.ts';
import { cluster, kubectl, Namespace, script } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';

let namespace: Namespace;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'access-test-'));
  namespace = await Namespace.create();
}, 60_000);
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

/** A service account that may do nothing. */
const newcomer = () => namespace.account('newcomer');

/** @returns the lines that somebody would copy from the log */
function printedRole({ text }: StepResult): string {
  const [, role = ''] = /: kubectl apply -f role\.yaml\n((?:(?!::|##\[).*\n)*)/m.exec(text) ?? [];
  return role;
}

function written(role: string): string {
  const file = join(folder, 'role.yaml');
  writeFileSync(file, role);
  return file;
}

/** Returns when the server knows of the new right. */
async function untilAllowed(as: string[]): Promise<void> {
  const mayCreate = () => namespace.kubectl(['auth', 'can-i', 'create', 'pods', ...as]).catch(() => 'no');
  expect(await until(async () => (await mayCreate()).trim() === 'yes', 30)).toBe(true);
}

/** As the administrator. */
async function apply(role: string, user: string): Promise<void> {
  await namespace.kubectl(['apply', '-f', written(role)]);
  await untilAllowed(['--as', user]);
}

/** Signed by the cluster's own authority, which only the one-node cluster has here. */
function certificateFor(name: string): { key: Buffer; cert: Buffer } {
  const authority = (file: string) => join(dirname(cluster.kubeconfig), 'pki', file);
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const signed = ['-CA', authority('ca.crt'), '-CAkey', authority('ca.key'), '-addext', 'extendedKeyUsage=clientAuth'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert];
  const request = ['req', '-x509', '-config', authority('openssl.cnf'), '-days', '1', '-utf8', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...request, ...made, ...signed], { stdio: ['ignore', 'ignore', 'pipe'] });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

describe('a service account without rights', () => {
  const user = () => `system:serviceaccount:${namespace.name}:newcomer`;

  test('has all that its step needs once the Role is applied as it was printed', async () => {
    const file = await newcomer();
    const inputs = { config_file: file, ...script('echo "word: $PASSWORD"'), secret_env: 'PASSWORD=correct horse' };
    const refused = await namespace.run(inputs);
    expect(refused.annotations.map(({ message }) => message)).toEqual([
      `${user()} may not create pods in namespace ${namespace.name}. Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.`,
    ]);
    expect(refused.outputs).toMatchObject({ state: 'failed', reason: 'Forbidden' });
    await apply(printedRole(refused), user());

    const step = await namespace.run(inputs);
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.text).toContain('\nword: ***\n');
    expect(await namespace.pods()).toEqual([]);

    const unstartable = await namespace.run({ ...inputs, image: 'localhost/nowhere:1', image_pull_policy: 'Never' });
    expect(unstartable.text).toMatch(/^Warnings of the cluster:\n(?: {2}.*\n)* {2}(?:ErrImageNeverPull|Failed)/m);
    expect(unstartable.text).not.toContain('Its events are not shown');
  });

  test('with the Role of a simpler step is told what this one lacks, and loses nothing by it', async () => {
    const file = await newcomer();
    const simple = { config_file: file, cmds: 'true' };
    await apply(printedRole(await namespace.run(simple)), user());
    const withSecret = {
      ...simple,
      secret_env: 'PASSWORD=correct horse',
      get_logs: 'false',
      log_events_on_failure: 'false',
    };
    const refused = await namespace.run(withSecret);
    expect(refused.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/newcomer may not create secrets in namespace .*Have the Role that the log shows applied/),
    ]);
    expect(await namespace.pods()).toEqual([]);
    await apply(printedRole(refused), user());
    for (const inputs of [withSecret, simple]) {
      const step = await namespace.run(inputs);
      expect(step).toMatchObject({ conclusion: 'success', annotations: [] });
    }
  });

  test('may have a dry run with the Role of a dry run', async () => {
    const file = await newcomer();
    const inputs = { config_file: file, cmds: 'true', secret_env: 'PASSWORD=correct horse' };
    const refused = await namespace.run({ ...inputs, dry_run: 'true' });
    expect(refused.outputs).toMatchObject({ reason: 'Forbidden' });
    expect(printedRole(refused)).toContain('resources: [pods]\n    verbs: [create]\n---');
    await apply(printedRole(refused), user());
    expect((await namespace.run({ ...inputs, dry_run: 'true' })).text).toContain('would take it (dryRun=All)');
  });

  test('may only not read logs: the step goes on, and the warning says what it takes', async () => {
    const file = await newcomer();
    await namespace.kubectl(['create', 'role', 'mute', '--resource=pods', '--verb=create,get,watch,delete']);
    await namespace.kubectl([
      'create',
      'rolebinding',
      'mute',
      '--role=mute',
      `--serviceaccount=${namespace.name}:newcomer`,
    ]);
    const step = await namespace.run({ config_file: file, cmds: 'echo hello' });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.annotations.map(({ level, message }) => [level, message])).toEqual([
      [
        'warning',
        expect.stringMatching(
          /newcomer may not get pods\/log in namespace .*a Role that has the verb get on pods\/log/,
        ),
      ],
    ]);
    expect(printedRole(step)).toBe('');
  });
});

describe('the Role of the runner scale sets’ Kubernetes mode, without watch and events', () => {
  /** actions-runner-controller, charts/gha-runner-scale-set/templates/kube_mode_role.yaml. */
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'create', 'delete'] },
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'create', 'delete'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'delete'] },
  ];
  const ASKS =
    'The credentials may not watch pods, so the pod is asked for every 2 s: its start and its end are seen that much later.';
  let inputs: { config_file: string; termination_grace_period: string };
  beforeEach(async () => {
    const [name, apiGroup] = ['kube-mode', 'rbac.authorization.k8s.io'];
    const config_file = await namespace.account(name);
    const metadata = { name, namespace: namespace.name };
    await applyAll(cluster, [
      { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata, rules },
      {
        ...{ apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata },
        ...{ roleRef: { apiGroup, kind: 'Role', name }, subjects: [{ kind: 'ServiceAccount', name }] },
      },
    ]);
    await untilAllowed(['--as', `system:serviceaccount:${namespace.name}:${name}`]);
    inputs = { config_file, termination_grace_period: '1' };
  });

  test('will do: the pod is asked for, which the log says once, every line and the result are there', async () => {
    const print = 'for i in 1 2 3 4 5 6; do echo "line $i"; sleep 1; done; echo "word: $PASSWORD"';
    const step = await namespace.run({
      ...inputs,
      ...script(`${print}; echo '{"rows": 6}' > "$RESULT_PATH"`),
      ...{ do_xcom_push: 'true', secret_env: 'PASSWORD=correct horse' },
    });
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded', exit_code: '0', result: '{"rows": 6}' });
    expect(step.text.match(/^line \d$/gm)).toEqual([1, 2, 3, 4, 5, 6].map(number => `line ${number}`));
    expect(step.text).toContain('\nword: ***\n');
    expect(step.text.split('\n').filter(line => line.includes('may not'))).toEqual([ASKS]);
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);

  test('tells why a pod does not start by what stands in the pod', async () => {
    const step = await namespace.run({ ...inputs, image: 'localhost/nowhere:1', image_pull_policy: 'Never' });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ImagePull' });
    expect(step.annotations).toHaveLength(1);
    expect(step.text.match(/^.*may not .*/gm)).toEqual([
      expect.stringMatching(/events are not shown: the credentials may not read them\.$/),
    ]);
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);

  test('has the pod go with a cancel', async () => {
    const step = namespace.start({ ...inputs, ...script('echo running; exec sleep 600') });
    try {
      await step.line(/^running$/, 30_000);
      expect((await step.cancel()).outputs).toMatchObject({ state: 'cancelled' });
      await step.runPost();
    } finally {
      await step.dispose();
    }
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);
});

describe('a user', () => {
  /** Somebody who may act for others, and nothing else. */
  const delegate = async () => {
    const [account, role] = ['delegate', `delegate-${namespace.name}`];
    const file = await namespace.account(account);
    await kubectl(['create', 'clusterrole', role, '--verb=impersonate', '--resource=users']);
    const subject = `--serviceaccount=${namespace.name}:${account}`;
    await kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, subject]);
    return file;
  };
  afterEach(() =>
    kubectl(['delete', 'clusterrole,clusterrolebinding', `delegate-${namespace.name}`, '--ignore-not-found']),
  );
  /** Names come from identity providers, which may let people choose them. HTTP takes no line breaks in what impersonation sends; a certificate does. */
  const byImpersonation = async (name: string) =>
    changedKubeconfig(await delegate(), ({ users: [{ user }] }) => {
      user['as'] = name;
    });
  const byCertificate = async (name: string) => {
    const { key, cert } = certificateFor(name);
    return changedKubeconfig(namespace.kubeconfig, ({ users: [entry] }) => {
      entry.user = {
        'client-certificate-data': cert.toString('base64'),
        'client-key-data': key.toString('base64'),
      };
    });
  };
  const hasAuthority = cluster.provider === 'one-node';
  test.each([
    ['oidc:repo:acme/app:ref:refs/heads/main', byImpersonation],
    [`a"b': <c>&amp; \\d {x} #y`, byImpersonation],
    ['x", namespace: kube-system}, {kind: Group, name: "system:masters', byImpersonation],
    ['system:serviceaccount:kube-system:Default', byImpersonation],
    ['::error::##[error]x', byImpersonation],
    ...(hasAuthority ? ([['a"b\nroleRef: {kind: ClusterRole}\n---', byCertificate]] as const) : []),
  ])('%j has the Role that was printed, and nobody else', async (name, credentials) => {
    const inputs = { config_file: await credentials(name), cmds: 'echo hello' };
    const refused = await namespace.run(inputs);
    expect(refused.outputs).toMatchObject({ reason: 'Forbidden' });
    expect(refused.annotations).toHaveLength(1);
    await namespace.kubectl(['apply', '-f', written(printedRole(refused))]);
    const { items } = JSON.parse(await namespace.kubectl(['get', 'rolebindings', '-o', 'json']));
    expect(items.map(({ subjects }: { subjects: unknown }) => subjects)).toEqual(
      expect.arrayContaining([
        [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
        // As every namespace of these tests has it.
        [{ kind: 'ServiceAccount', name: 'github-runner' }],
      ]),
    );
    expect(items).toHaveLength(2);
    await untilAllowed(['--kubeconfig', inputs.config_file]);
    const step = await namespace.run(inputs);
    expect(step).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(step.text).toContain('\nhello\n');
  });
});

(cluster.provider === 'one-node' ? test : test.skip)(
  'a client certificate that is written anew while the pod runs is picked up',
  async () => {
    const [cert, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
    const become = (name: string) => {
      const made = certificateFor(name);
      writeFileSync(key, made.key);
      writeFileSync(cert, made.cert);
    };
    for (const name of ['first', 'second'])
      await namespace.kubectl(['create', 'rolebinding', name, '--role=github-runner', `--user=${name}`]);
    await untilAllowed(['--as', 'first']);
    become('first');
    const config_file = changedKubeconfig(namespace.kubeconfig, ({ users: [entry] }) => {
      entry.user = { 'client-certificate': cert, 'client-key': key };
    });
    const step = namespace.start({
      config_file,
      ...script(
        'echo ready; until [ -e /tmp/go ]; do sleep 0.1; done; for i in 1 2 3; do echo "line $i"; sleep 1; done',
      ),
      ...{ name: 'rotated', random_name_suffix: 'false', do_xcom_push: 'false' },
    });
    try {
      await step.line(/^ready$/, 30_000);
      become('second');
      await namespace.kubectl(['delete', 'rolebinding', 'first']);
      const mayGet = () => namespace.kubectl(['auth', 'can-i', 'get', 'pods', '--as', 'first']).catch(() => 'no');
      expect(await until(async () => (await mayGet()).trim() === 'no', 30)).toBe(true);
      await namespace.kubectl(['exec', 'rotated', '--', 'touch', '/tmp/go']);
      const result = await step.done;
      expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
      expect(result.text.match(/^line \d$/gm)).toEqual(['line 1', 'line 2', 'line 3']);
      // To read the end of the log, and to delete the pod, took the second.
      expect(await namespace.pods()).toEqual([]);
    } finally {
      await step.dispose();
    }
  },
  90_000,
);

test('what no Role can change prints none', async () => {
  await namespace.kubectl(['create', 'quota', 'none', '--hard=pods=0']);
  await namespace.kubectl(['wait', '--for=jsonpath={.status.used.pods}=0', 'quota/none', '--timeout=30s']);
  const step = await namespace.run({ cmds: 'true' });
  expect(step.outputs).toMatchObject({ reason: 'QuotaExceeded' });
  expect(step.text).not.toContain('kind: Role');
});
