import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { cluster, kubectl, Namespace, script } from '../support/cluster.ts';
import { LiveObjects } from '../support/live-objects.ts';
import { Registry } from '../support/registry.ts';
import type { StepResult } from '../support/step-runner.ts';

let namespace: Namespace;
let pods: LiveObjects<V1Pod>;
let secrets: LiveObjects<V1Secret>;
let registry: Registry | undefined;
/** Of this run's, for what belongs to no namespace. */
let own: string;
const folder = mkdtempSync(join(tmpdir(), 'parameters-'));

/** The steps, which run side by side. */
const steps = new Map<string, Promise<StepResult>>();
/** What a registry on this machine is good for. */
const whereNodeIsHere = cluster.provider === 'one-node' ? test : test.skip;

const HOSTILE = 'it\'s "quoted"\n::error::$(HOME) $$ ünïcödé ';
const KEY = '-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

beforeAll(async () => {
  namespace = await Namespace.create();
  own = namespace.name;
  pods = new LiveObjects('pods');
  secrets = new LiveObjects('secrets');
  await namespace.kubectl(
    ['create', '-f', '-'],
    objects(own)
      .map(object => JSON.stringify(object))
      .join('\n---\n'),
  );
  registry =
    cluster.provider === 'one-node'
      ? await Registry.start({ passwords: { jenkins: 'p4ss:wörd', robot: 'other' } })
      : undefined;
  if (registry) {
    const account = ['--docker-username=robot', '--docker-password=other', `--docker-server=${registry.host}`];
    await namespace.kubectl(['create', 'secret', 'docker-registry', 'regcred', ...account]);
  }
  for (const [name, { env, ...inputs }] of Object.entries(wanted())) {
    const step = namespace.run(inputs, {
      ...(env && { env: JSON.parse(env) as Record<string, string> }),
      timeoutMs: 120_000,
    });
    step.catch(() => {});
    steps.set(name, step);
  }
}, 60_000);
afterAll(async () => {
  registry?.[Symbol.dispose]();
  await pods[Symbol.asyncDispose]();
  await secrets[Symbol.asyncDispose]();
  for (const kind of ['runtimeclass', 'priorityclass']) await kubectl(['delete', kind, own, '--wait=false']);
  await namespace[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function objects(name: string): object[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'worker' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData: { user: 'u', password: 'p w' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { ONE: 'first', 'app.ini': 'a=1\n' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'two' }, data: { TWO: 'second' } },
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: 'runc' },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 1000 },
  ];
}

/** The inputs of each step; `env` is that of the step, as JSON. */
function wanted(): Record<string, Record<string, string>> {
  const defaults = join(folder, 'defaults.yml');
  writeFileSync(
    defaults,
    'labels: {from: defaults, team: data}\nenv_vars: {A: of the defaults}\nimage: not/this:one\nrandom_name_suffix: false\n',
  );
  return {
    environment: {
      ...script(
        [
          'echo "plain=$PLAIN|$VERSION|$EMPTY|$DOUBLE"',
          'echo "mine=$(printf %s "$MINE" | sha256sum)"',
          'echo "config=$ONE|$TWO|$PRE_TWO"',
          'echo "secrets=$DB_PASSWORD|$user|$password"',
          'echo "token=$(printf %s "$TOKEN" | sha256sum)|$(printf %s "$PASSED" | sha256sum)"',
          'echo "runtime=$POD|$NODE"',
        ].join('\n'),
      ),
      env: JSON.stringify({ MINE: HOSTILE, PASSED: KEY }),
      env_vars: 'PLAIN=a b\nVERSION=1.10\nEMPTY=\nDOUBLE=$(PLAIN)!\nMINE',
      env_from: '[{prefix: PRE_, configMapRef: {name: two}}]',
      configmaps: 'one,two',
      secrets:
        '[{deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}, {deploy_type: env, secret: db}]',
      secret_env: `TOKEN=${'s3cr3t-t0ken'}\nPASSED`,
      pod_runtime_info_envs:
        '[{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: NODE, value_from: {field_ref: {field_path: spec.nodeName}}}]',
    },
    files: {
      ...script(
        [
          'echo "user=$(id -u):$(id -g) $(id -G)"',
          'echo "key=$(sha256sum < /etc/app/key.pem)|$(stat -L -c "%a %u:%g" /etc/app/key.pem)"',
          'echo "note=$(cat /etc/app/note.txt | sha256sum)|$(stat -L -c %a /etc/app/note.txt)"',
          'echo "secret=$(ls /etc/db)|$(cat /etc/db/name)|$(stat -L -c %a /etc/db/name)"',
          'echo "config=$(cat /etc/one/app.ini)|$(stat -L -c %a /etc/one/app.ini)"',
          'echo "scratch=$(stat -c %g /scratch)|$(touch /scratch/x && echo writable)|$(cat /scratch/from-init)"',
          'echo "root=$(touch /tmp/x 2>&1)"',
          'echo "caps=$(grep CapBnd /proc/self/status | tr -d "\\t")|$(grep NoNewPrivs /proc/self/status | tr -d "\\t")"',
          'echo "where=$(pwd)"',
          'echo "memory=$(cat /sys/fs/cgroup/memory.max 2> /dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes)"',
        ].join('\n'),
      ),
      env: JSON.stringify({ KEY_PEM: KEY }),
      secret_files: '{/etc/app/key.pem: {env: KEY_PEM, mode: 0400}, /etc/app/note.txt: a note of 1.10}',
      secrets:
        '[{deploy_type: volume, deploy_target: /etc/db, secret: db, items: [{key: user, path: name, mode: 0440}]}]',
      volumes: '[{name: scratch, emptyDir: {}}, {name: one, configMap: {name: one, defaultMode: 0440}}]',
      volume_mounts: '[{name: scratch, mountPath: /scratch}, {name: one, mount_path: /etc/one, read_only: true}]',
      init_containers: `[{name: prepare, image: "${cluster.images.shell}", command: [sh, -c, "echo prepared > /scratch/from-init"], volume_mounts: [{name: scratch, mount_path: /scratch}]}]`,
      working_dir: '/work',
      container_resources: '{limits: {memory: 64Mi}}',
      container_security_context:
        '{runAsUser: 1000, runAsGroup: 1001, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}',
      security_context: '{fsGroup: 2000, runAsUser: 5}',
    },
    network: {
      ...script(
        [
          'echo "host=$(hostname)"',
          'echo "alias=$(grep -c "10.1.2.3.*db.internal" /etc/hosts)|$(grep "here.there" /etc/hosts)"',
          'echo "dns=$(tr "\\n" ";" < /etc/resolv.conf)"',
          'echo "token=$(ls /var/run/secrets/kubernetes.io/serviceaccount 2> /dev/null)"',
        ].join('\n'),
      ),
      hostname: 'here',
      subdomain: 'there',
      host_aliases: '[{ip: 10.1.2.3, hostnames: [db, db.internal]}]',
      dnspolicy: 'None',
      dns_config: '{nameservers: [192.0.2.1], searches: [example.internal], options: [{name: ndots, value: "2"}]}',
      service_account_name: 'worker',
      automount_service_account_token: 'false',
      runtime_class_name: own,
      priority_class_name: own,
      schedulername: 'default-scheduler',
      node_selector: '{kubernetes.io/os: linux}',
      tolerations: '[{key: gpu, operator: Exists, effect: NoSchedule}]',
      ports: '[{container_port: 8080, name: http}]',
      termination_grace_period: '3',
      active_deadline_seconds: '77',
      image_pull_policy: 'IfNotPresent',
      labels: 'version: 1.10\nconfirmed: yes\nmode: 0400\nday: 2026-01-02\nbuild: 12345678901234567890',
      annotations:
        'example.com/version: 1.10\nexample.com/confirmed: yes\nexample.com/day: 2026-01-02\nexample.com/build: 12345678901234567890',
    },
    'host network': {
      image: cluster.images.nonRoot,
      ...script(
        [
          'echo "user=$(id -u)"',
          'echo "key=$(sha256sum < /etc/app/key.pem)"',
          'echo "token=$(ls /var/run/secrets/kubernetes.io/serviceaccount)"',
        ].join('\n'),
      ),
      hostnetwork: 'true',
      dnspolicy: 'ClusterFirstWithHostNet',
      env: JSON.stringify({ KEY_PEM: KEY }),
      secret_files: '{/etc/app/key.pem: {env: KEY_PEM}}',
    },
    'another scheduler': { cmds: 'true', schedulername: 'nobody', schedule_timeout_seconds: '3' },
    deadline: {
      ...script('trap "" TERM; while :; do sleep 0.2; done'),
      active_deadline_seconds: '5',
      termination_grace_period: '1',
    },
    'last words': { ...script('echo it is the disk; exit 4'), termination_message_policy: 'FallbackToLogsOnError' },
    layers: {
      defaults_file: defaults,
      name: 'layers',
      pod_template_dict: `
        metadata: {labels: {from: template, only: template}}
        spec:
          containers:
            - {name: main, image: "${cluster.images.shell}", env: [{name: A, value: of the template}, {name: B, value: of the template}]}
            - {name: beside, image: "${cluster.images.shell}", command: [sleep, "600"]}`,
      full_pod_spec:
        '{metadata: {annotations: {full: "1"}}, spec: {containers: [{name: main, env: [{name: B, value: of the whole}, {name: C, value: of the whole}]}]}}',
      pod_patch:
        '{metadata: {labels: {only: null, patched: "1"}}, spec: {containers: [{name: beside, $patch: delete}, {name: main, env: [{name: D, value: of the patch}]}]}}',
      image: cluster.images.shell,
      ...script('echo "layers=$A|$B|$C|$D"'),
    },
    'a newer field': {
      pod_template_dict: `{spec: {fromTheFuture: 1, containers: [{name: base, image: "${cluster.images.shell}", alsoNew: {x: 1}}]}}`,
      cmds: 'true',
    },
    ...(registry && {
      'own pull secret': {
        image: `${registry.host}/team/private:1`,
        image_pull_policy: 'Always',
        registry_username: 'jenkins',
        registry_password: 'p4ss:wörd',
        cmds: 'echo pulled',
      },
      'existing pull secret': {
        image: `${registry.host}/team/private:2`,
        image_pull_secrets: 'regcred',
        cmds: 'echo pulled',
      },
    }),
  };
}

async function ran(name: string): Promise<StepResult> {
  const step = await steps.get(name);
  if (step === undefined) throw new Error(`${name} does not run.`);
  return step;
}

/** @returns what the container saw: the lines `name=value` that it printed */
async function seen(name: string): Promise<Record<string, string>> {
  const step = await ran(name);
  expect(step.annotations).toEqual([]);
  expect(step.outputs).toMatchObject({ state: 'succeeded' });
  return Object.fromEntries(
    [...step.text.matchAll(/^(?:\[base\] )?(\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]),
  );
}

async function live(name: string): Promise<V1Pod> {
  const { outputs } = await ran(name);
  return pods.of(outputs['pod_uid']);
}

test('variables from every side', async () => {
  const podName = (await ran('environment')).outputs['pod_name'];
  expect(await seen('environment')).toEqual({
    plain: 'a b|1.10||a b!',
    mine: `${sha256(HOSTILE)}  -`,
    config: 'first|second|second',
    secrets: 'p w|u|p w',
    token: `${sha256('s3cr3t-t0ken')}  -|${sha256(KEY)}  -`,
    runtime: expect.stringMatching(new RegExp(`^${podName}\\|.`)),
  });
});

test('files, with their modes, for a user who is not root; limits, user, groups and folder', async () => {
  expect(await seen('files')).toEqual({
    user: expect.stringMatching(/^1000:1001 1001 2000$/),
    // A group that owns the volume may read.
    key: `${sha256(KEY)}  -|440 0:2000`,
    note: expect.stringMatching(new RegExp(`^${sha256('a note of 1.10')} {2}-\\|\\d+$`)),
    secret: 'name|u|440',
    config: 'a=1|440',
    scratch: '2000|writable|prepared',
    root: expect.stringContaining('Read-only file system'),
    caps: 'CapBnd:0000000000000000|NoNewPrivs:1',
    where: '/work',
    memory: String(64 * 1024 * 1024),
  });
  const pod = await live('files');
  expect(pod.spec?.volumes?.find(({ name }) => name === 'one')?.configMap?.defaultMode).toBe(0o440);
  expect(pod.spec?.containers[0]?.securityContext?.capabilities).toEqual({ drop: ['ALL'] });
});

test('names, addresses, and no token', async () => {
  expect(await seen('network')).toEqual({
    host: 'here',
    alias: expect.stringMatching(/^1\|.*\there\.there\.\S+\.svc\.cluster\.local\there$/),
    dns: 'search example.internal;nameserver 192.0.2.1;options ndots:2;',
    token: '',
  });
});

test('what shows on the live pod alone', async () => {
  const pod = await live('network');
  expect(pod.spec).toMatchObject({
    serviceAccountName: 'worker',
    automountServiceAccountToken: false,
    runtimeClassName: own,
    priorityClassName: own,
    priority: 1000,
    schedulerName: 'default-scheduler',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: expect.arrayContaining([{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }]),
    terminationGracePeriodSeconds: 3,
    activeDeadlineSeconds: 77,
    subdomain: 'there',
    containers: [{ imagePullPolicy: 'IfNotPresent', ports: [{ containerPort: 8080, name: 'http', protocol: 'TCP' }] }],
  });
});

test('labels and annotations: each value as it is written, and whose the pod is', async () => {
  const { labels, annotations } = (await live('network')).metadata ?? {};
  expect(labels).toEqual({
    version: '1.10',
    confirmed: 'yes',
    mode: '0400',
    day: '2026-01-02',
    build: '12345678901234567890',
    'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
    'kubernetes-pod-step/repository': expect.stringMatching(/^octo-repo-/),
    'kubernetes-pod-step/repository-id': '1296269',
    'kubernetes-pod-step/workflow': 'test',
    'kubernetes-pod-step/run-id': '1658821493',
    'kubernetes-pod-step/run-attempt': '1',
    'kubernetes-pod-step/job': 'test',
    'kubernetes-pod-step/lifetime': 'owned',
    'kubernetes-pod-step/step': expect.stringMatching(/^octo_action-/),
  });
  expect(annotations).toEqual({
    'example.com/version': '1.10',
    'example.com/confirmed': 'yes',
    'example.com/day': '2026-01-02',
    'example.com/build': '12345678901234567890',
    'kubernetes-pod-step/repository': 'octo/repo',
    'kubernetes-pod-step/workflow': 'test',
    'kubernetes-pod-step/run-url': 'https://github.com/octo/repo/actions/runs/1658821493/attempts/1',
    'kubernetes-pod-step/commit': 'ffac537e6cbbf934b08745a378932722df287a53',
    'kubernetes-pod-step/base-container': expect.stringMatching(/./),
    'kubernetes-pod-step/expires-at': expect.stringMatching(/^20\d\d-.*Z$/),
    'kubernetes-pod-step/nonce': expect.stringMatching(/./),
    'kubernetes-pod-step/plan': expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('the network of the node; a secret file for an image whose user is not root; the token that is there by default', async () => {
  expect(await seen('host network')).toEqual({
    user: '10001',
    key: `${sha256(KEY)}  -`,
    token: expect.stringMatching(/./),
  });
  const { spec, status } = await live('host network');
  expect(spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
  expect(status?.podIP).toBe(status?.hostIP);
});

test('a scheduler that there is not leaves the pod without a node', async () => {
  const step = await ran('another scheduler');
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Unschedulable' });
  expect((await live('another scheduler')).spec?.schedulerName).toBe('nobody');
});

test('the deadline ends the pod, and the grace period is over when it says', async () => {
  const step = await ran('deadline');
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'DeadlineExceeded', exit_code: '137' });
  const seconds = Number(step.outputs['duration_seconds']);
  expect(seconds).toBeGreaterThanOrEqual(2);
  expect(seconds).toBeLessThan(10);
});

test('the log is the termination message of a container that fails', async () => {
  const step = await ran('last words');
  expect(step.outputs).toMatchObject({ state: 'failed', exit_code: '4', reason: 'ExitCode' });
  expect(step.text).toContain('The container’s termination message:\nit is the disk\n');
  expect(step.outputs['result']).toBeUndefined();
});

test('template, whole pod, defaults, inputs and patch, one over the other', async () => {
  expect(await seen('layers')).toEqual({ layers: 'of the defaults|of the whole|of the whole|of the patch' });
  const { metadata, spec } = await live('layers');
  expect(metadata?.name).toBe('layers');
  expect(metadata?.labels).toMatchObject({ from: 'defaults', team: 'data', patched: '1' });
  expect(metadata?.labels?.['only']).toBeUndefined();
  expect(metadata?.annotations).toMatchObject({ full: '1' });
  expect(spec?.containers.map(({ name }) => name)).toEqual(['main']);
});

test('a field that is newer than the server is its to judge', async () => {
  const step = await ran('a newer field');
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'InvalidPod' });
  const [annotation] = step.annotations;
  expect(annotation?.message).toMatch(/pod_template_dict.*spec\.fromTheFuture/);
  expect(annotation?.message).toMatch(/pod_template_dict.*alsoNew/);
  expect(step.outputs['pod_uid']).toBeUndefined();
});

describe('the Secrets that the step’s own secrets become', () => {
  test.each([
    ['environment', 'Opaque', ['PASSED', 'TOKEN']],
    ['files', 'Opaque', 2],
    ['own pull secret', 'kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ])('%s: of type %s, immutable, owned by the pod, gone with it', async (name, type, keys) => {
    if (name === 'own pull secret' && registry === undefined) return;
    const { outputs, text } = await ran(name);
    const [secret, ...more] = secrets.ownedBy(outputs['pod_uid']);
    expect(more).toEqual([]);
    expect(secret).toMatchObject({
      type,
      immutable: true,
      metadata: {
        namespace: namespace.name,
        labels: { 'kubernetes-pod-step/run-id': '1658821493' },
        ownerReferences: [{ kind: 'Pod', name: outputs['pod_name'], uid: outputs['pod_uid'] }],
      },
    });
    const names = Object.keys(secret?.data ?? {}).sort();
    if (Array.isArray(keys)) expect(names).toEqual(keys);
    else expect(names).toHaveLength(keys);
    // The garbage collector takes it away in its own time, mostly at once.
    await kubectl(['-n', own, 'wait', '--for=delete', `secret/${secret?.metadata?.name}`, '--timeout=30s']);
    for (const value of ['s3cr3t-t0ken', 'MIIB', 'p4ss']) expect(text).not.toContain(value);
    expect(JSON.stringify(await live(name))).not.toMatch(/s3cr3t-t0ken|MIIB|p4ss/);
  });

  whereNodeIsHere('pull the image, every time with image_pull_policy: Always', async () => {
    expect((await ran('own pull secret')).text).toContain('\npulled\n');
    expect(registry?.askedBy).toContain('jenkins');
    expect((await live('own pull secret')).spec?.containers[0]?.imagePullPolicy).toBe('Always');
  });
});

whereNodeIsHere('an existing pull secret pulls the image', async () => {
  expect((await ran('existing pull secret')).text).toContain('\npulled\n');
  expect(registry?.askedBy).toContain('robot');
});

test('no pod is left behind', async () => {
  await Promise.allSettled(steps.values());
  expect((await namespace.pods()).map(({ metadata }) => metadata?.name)).toEqual([]);
});
