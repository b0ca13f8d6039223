import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load } from 'js-yaml';
import {
  annotations,
  base,
  type ExampleOptions,
  type ExampleRun,
  Examples,
  examplePods,
  printed,
  runAsAdministrator,
  showPod,
} from '../support/airflow-examples.ts';
import { makeClaim, removeVolume } from '../support/claim.ts';
import { cluster, Namespace } from '../support/cluster.ts';
import { Pool } from '../support/pool.ts';
import { ROOT } from '../support/workflow.ts';

/** What the dry runs show; UPDATE_GOLDEN=1 npm run test:cluster -- airflow-examples writes them anew. */
const GOLDEN = join(import.meta.dirname, 'golden');
/** When the run of the tests' workflows began, says GitHub. */
const RUN_STARTED = '2026-03-04T23:59:30Z';

/** Every container that may leave a result has it. */
const RESULT_VARIABLE = { name: 'RESULT_PATH', value: '/airflow/xcom/return.json' };

let examples: Examples;
/** GitHub's API, which is asked for nothing but the start of the run. */
let github: HttpServer;
/** A registry that takes calls and never answers: what is pulled from it takes too long. */
let silent: Server;
const calls = new Set<Socket>();
const port = (server: Server | HttpServer) => (server.address() as AddressInfo).port;

/** All of them, which run side by side, for they mostly wait. */
const runs = new Map<string, Promise<ExampleRun>>();

// Whichever is asked for first waits for what runs before it.
jest.setTimeout(120_000);

beforeAll(async () => {
  github = createHttpServer((_, response) => response.end(JSON.stringify({ run_started_at: RUN_STARTED })));
  silent = createServer(socket => calls.add(socket));
  for (const server of [github, silent]) await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  examples = new Examples({ GITHUB_API_URL: `http://127.0.0.1:${port(github)}` });
  for (const [name, [file, options]] of Object.entries(wanted())) {
    const run = examples.run(file, options);
    run.catch(() => {});
    runs.set(name, run);
  }
}, 60_000);
afterAll(async () => {
  for (const socket of calls) socket.destroy();
  github.close();
  silent.close();
  const { namespace } = await run('claim-and-credential');
  await removeVolume(namespace, 'data-pvc');
  await examples[Symbol.asyncDispose]();
}, 60_000);

/** What waits longest comes first. */
function wanted(): Record<string, [file: string, options?: ExampleOptions]> {
  // The file's own image, bash, would be asked for at its registry.
  const instead = { file: { image: cluster.images.shell } };
  const templates = { instead, vars: { my_value: 'example_value' } };
  return {
    'a missing Secret': [
      'google-secrets',
      { prepare: async namespace => void (await namespace.kubectl(['delete', 'secret', 'service-account'])) },
    ],
    'startup-timeout': [
      'startup-timeout',
      {
        instead: { slow: { image: `127.0.0.1:${port(silent)}/team/large:1`, startup_timeout_seconds: '5' } },
      },
    ],
    'quality-of-service': ['quality-of-service'],
    'template-variables': ['template-variables', templates],
    'a later attempt': ['template-variables', { ...templates, env: { GITHUB_RUN_ATTEMPT: '2' } }],
    'no variable': ['template-variables', { instead, vars: {} }],
    'claim-and-credential': [
      'claim-and-credential',
      { prepare: namespace => makeClaim(namespace, 'data-pvc', 'first row') },
    ],
    'cluster-of-its-own': [
      'cluster-of-its-own',
      {
        vars: { PROJECT: 'project', WORKLOAD_IDENTITY_PROVIDER: 'provider', SERVICE_ACCOUNT: 'account' },
        actions: ['google-github-actions/auth', 'google-github-actions/setup-gcloud'],
        programs: join(ROOT, '__tests__/support/programs'),
      },
    ],
    ...Object.fromEntries(
      [
        ...['conditions', 'flat-resources', 'xcom', 'shell-script', 'google-secrets', 'minimum', 'hello', 'secrets'],
        ...['secrets-and-config-maps', 'all-configs', 'old-names', 'kept-pod', 'dry-run'],
      ].map(file => [file, [file]] as const),
    ),
  };
}

function run(name: string): Promise<ExampleRun> {
  return runs.get(name) ?? Promise.reject(new Error(`${name} does not run.`));
}

test('hello.yml: the line, and exit code 0', async () => {
  const example = await run('hello');
  expect(printed(example, 'hello')).toEqual(['Hello from Kubernetes!']);
  expect(example.step('hello').outputs).toMatchObject({
    state: 'succeeded',
    exit_code: '0',
    pod_name: expect.stringMatching(/^hello-k8s-[a-z0-9]{8}$/),
  });
  expect(annotations(example, 'hello')).toEqual([]);
});

describe('flat-resources.yml', () => {
  test('the old form under the old name: Burstable, and a notice', async () => {
    const example = await run('flat-resources');
    expect(printed(example, 'requests-and-limits')).toEqual(['enough of everything']);
    expect(base(example, 'requests-and-limits')?.resources).toEqual({
      requests: { cpu: '500m', memory: '512Mi' },
      limits: { cpu: '1', memory: '1Gi' },
    });
    expect(example.live('requests-and-limits').status?.qosClass).toBe('Burstable');
    expect(annotations(example, 'requests-and-limits')).toEqual([
      'notice: resources is deprecated: it is called container_resources.',
    ]);
  });

  test('limits only, which Kubernetes takes for requests too', async () => {
    const example = await run('flat-resources');
    const limits = { cpu: '100m', memory: '250M' };
    expect(base(example, 'limits')?.resources).toEqual({ requests: limits, limits });
    expect(example.step('limits').text).toContain('QoS class Guaranteed (requests cpu 100m, memory 250M;');
  });
});

test('secrets.yml: a variable and one from a Secret', async () => {
  const example = await run('secrets');
  // The Secret's value is the word PASSWORD of the command that made it.
  expect(printed(example, 'load')).toEqual(['prod 8']);
  expect(base(example, 'load')?.env).toEqual([
    { name: 'ENV', value: 'prod' },
    { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db-secret', key: 'password' } } },
    RESULT_VARIABLE,
  ]);
});

test('claim-and-credential.yml: both, with a name of job and step, in the namespace of the context', async () => {
  const example = await run('claim-and-credential');
  expect(printed(example, 'process')).toEqual(['first row', 'TOKEN']);
  expect(example.step('process').outputs).toMatchObject({
    pod_name: expect.stringMatching(/^nightly-process-[a-z0-9]{8}$/),
    pod_namespace: example.namespace.name,
  });
  expect(example.live('process').spec?.volumes?.[0]).toEqual({
    name: 'data-volume',
    persistentVolumeClaim: { claimName: 'data-pvc' },
  });
  expect(base(example, 'process')?.volumeMounts?.[0]).toEqual({ name: 'data-volume', mountPath: '/data' });
});

describe('minimum.yml', () => {
  test('exactly one empty line, and a notice for the connection', async () => {
    const example = await run('minimum');
    expect(printed(example, 'minimum')).toEqual(['']);
    const empty = example.step('minimum').result?.lines.filter(({ stream, raw }) => stream === 'stdout' && raw === '');
    expect(empty).toHaveLength(1);
    expect(annotations(example, 'minimum')).toEqual([expect.stringMatching(/^notice: kubernetes_conn_id: /)]);
    expect(example.step('minimum').outputs).toMatchObject({ state: 'succeeded' });
  });

  test('config_file alone is enough', async () => {
    const example = await run('minimum');
    expect(printed(example, 'config-file')).toEqual(['config_file is enough']);
    expect(example.step('config-file').outputs['pod_namespace']).toBe(example.namespace.name);
    expect(annotations(example, 'config-file')).toEqual([]);
  });
});

test('all-configs.yml: every field arrives, the empty ones change nothing', async () => {
  const example = await run('all-configs');
  expect(printed(example, 'pi')).toEqual([String(2n ** 6640n)]);
  const quantities = { cpu: '1', 'ephemeral-storage': '10G', memory: '10G' };
  const pod = example.live('pi');
  expect(pod).toMatchObject({
    metadata: { labels: { 'pod-label': 'label-name' }, annotations: { key1: 'value1' } },
    spec: {
      containers: [
        {
          env: [{ name: 'EXAMPLE_VAR', value: '/example/value' }],
          resources: { requests: quantities, limits: quantities },
        },
      ],
    },
    status: { qosClass: 'Guaranteed' },
  });
  expect(pod.spec?.affinity).toBeUndefined();
  // Nothing but what every pod gets for its service account.
  expect(pod.spec?.volumes).toEqual([expect.objectContaining({ name: expect.stringMatching(/^kube-api-access-/) })]);
  // do_xcom_push: False
  expect(base(example, 'pi')?.terminationMessagePath).toBe('/dev/termination-log');
  expect(annotations(example, 'pi')).toEqual([]);
});

describe('template-variables.yml', () => {
  test('as a file: the day of the run, and the variable of the repository', async () => {
    const example = await run('template-variables');
    expect(printed(example, 'file')).toEqual(['2026-03-04 example_value']);
    expect(example.step('file').outputs['pod_name']).toMatch(/^ex-kube-templates-/);
    expect(annotations(example, 'file')).toEqual([]);
  });

  test('the same day on a later attempt', async () => {
    const example = await run('a later attempt');
    expect(printed(example, 'file')).toEqual(['2026-03-04 example_value']);
    expect(example.live('file').metadata?.labels?.['kubernetes-pod-step/run-attempt']).toBe('2');
  });

  test('without the variable an error names file, line and variable, and nothing is created', async () => {
    const example = await run('no variable');
    expect(annotations(example, 'file')).toEqual([
      expect.stringMatching(
        /^error: .*examples\/airflow\/template-variables\.pod\.yaml.*line 14\).*var\.value\.my_value/,
      ),
    ]);
    expect(example.step('file').outputs).toMatchObject({ reason: 'InvalidInput' });
    expect(example.step('file').outputs['pod_uid']).toBeUndefined();
    expect(example.step('expressions').outcome).toBe('skipped');
  });

  test('as expressions of the workflow', async () => {
    const example = await run('template-variables');
    expect(printed(example, 'expressions')).toEqual(['example_value']);
    expect(annotations(example, 'expressions')).toEqual([]);
  });

  test('pasted into inputs: passed on as text, with a warning that names the way', async () => {
    const example = await run('template-variables');
    expect(printed(example, 'pasted')).toEqual(['{{ ds }}']);
    expect(base(example, 'pasted')?.env).toEqual([
      { name: 'MY_VALUE', value: '{{ var.value.my_value }}' },
      RESULT_VARIABLE,
    ]);
    expect(annotations(example, 'pasted')).toEqual([
      expect.stringMatching(/^warning: arguments .*\{\{ ds \}\}.*pod_template_file/),
      expect.stringMatching(/^warning: env_vars .*\$\{\{ vars\.my_value \}\}.*pod_template_file/),
    ]);
  });
});

test('secrets-and-config-maps.yml: byte by byte, as variables and as files', async () => {
  const example = await run('secrets-and-config-maps');
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const connection = sha256('postgresql+psycopg2://root:example@127.0.0.1:3306/airflow-db -n\n');
  expect(printed(example, 'config')).toEqual([
    `variable ${connection}  -`,
    `file ${connection}  -`,
    `key ${sha256('{"type": "service_account", "project_id": "example"}\n')}  -`,
    'example_key is example_value, in the file example_value',
  ]);
});

describe('google-secrets.yml', () => {
  test('env and file, and no other file', async () => {
    const example = await run('google-secrets');
    expect(printed(example, 'echo')).toEqual(['']);
    expect(base(example, 'echo')?.env).toEqual([
      { name: 'EXAMPLE_VAR', value: '/example/value' },
      { name: 'GOOGLE_APPLICATION_CREDENTIALS', value: '/var/secrets/google/service-account.json' },
      { name: 'SQL_CONN', valueFrom: { secretKeyRef: { name: 'airflow-secrets', key: 'sql_alchemy_conn' } } },
      RESULT_VARIABLE,
    ]);
    expect(printed(example, 'read')).toEqual([
      'SQL_CONN has 10 characters',
      'the files: service-account.json',
      'the key has 28 bytes',
    ]);
  });

  test('a missing Secret ends with the command that makes it', async () => {
    const example = await run('a missing Secret');
    expect(annotations(example, 'echo')).toEqual([
      `error: Secret "service-account" does not exist in namespace ${example.namespace.name}; secrets[1] asks for it. Create it: kubectl -n ${example.namespace.name} create secret generic service-account --from-file=service-account.json=PATH`,
    ]);
  });
});

test('shell-script.yml: without set -e the last command decides, with it the one that failed', async () => {
  const example = await run('shell-script');
  // The node reads stdout and stderr side by side, so the order of the two is not claimed.
  expect(printed(example, 'carries-on').sort()).toEqual(['begin', expect.stringMatching(/^cat: /), 'end']);
  expect(example.step('carries-on').outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
  expect(printed(example, 'stops').sort()).toEqual(['begin', expect.stringMatching(/^cat: /)]);
  expect(example.step('stops').outputs).toMatchObject({ state: 'failed', exit_code: '1', reason: 'ExitCode' });
  expect(example.step('__step_4').text).toBe('Without set -e: success\nWith set -e: failure, exit code 1\n');
});

test('startup-timeout.yml: the sentence, and no pod left', async () => {
  const example = await run('startup-timeout');
  expect(annotations(example, 'slow')).toEqual([
    expect.stringMatching(
      /^error: The container of pod \S+\/slow-[a-z0-9]{8} did not start within 5 s: .*127\.0\.0\.1:\d+\/team\/large:1.*startup_timeout_seconds/,
    ),
  ]);
  expect(example.step('slow').outputs).toMatchObject({ state: 'failed', reason: 'StartTimeout' });
  expect(example.step('__step_3').text).toBe('It did not start in time.\n');
});

test('old-names.yml: underscores become dashes, said in one line; old names, each with a notice', async () => {
  const example = await run('old-names');
  const { text, outputs } = example.step('script');
  expect(printed(example, 'script')).toEqual(['Hello, World!']);
  expect(outputs['pod_name']).toMatch(/^run-python-script-[a-z0-9]{8}$/);
  expect(text.match(/.*run_python_script.*/g)).toEqual([
    expect.stringMatching(/^"run_python_script" cannot be the name of a pod.* became run-python-script-/),
  ]);
  expect(annotations(example, 'script')).toEqual([
    'notice: is_delete_operator_pod is deprecated: write on_finish_action: delete_pod.',
    'notice: resources is deprecated: it is called container_resources.',
  ]);
  expect(base(example, 'script')?.resources).toEqual({
    limits: { cpu: '1', memory: '1Gi' },
    requests: { cpu: '500m', memory: '500Mi' },
  });
});

test.each([
  ['best-effort', 'BestEffort', 'QoS class BestEffort;'],
  ['burstable', 'Burstable', 'QoS class Burstable (requests cpu 50m, memory 32Mi; limits cpu 100m, memory 64Mi);'],
  ['guaranteed', 'Guaranteed', 'QoS class Guaranteed (requests cpu 100m, memory 64Mi; limits cpu 100m, memory 64Mi);'],
])('quality-of-service.yml: %s is %s, and the log says so', async (id, qosClass, line) => {
  const example = await run('quality-of-service');
  expect(example.live(id).status?.qosClass).toBe(qosClass);
  expect(example.step(id).text).toContain(line);
});

describe('xcom.yml', () => {
  test('as published it fails, and says that a redirect needs a shell', async () => {
    const example = await run('xcom');
    expect(printed(example, 'published')).toEqual(['Hello, World!']);
    expect(example.step('published').outputs).toMatchObject({
      state: 'failed',
      exit_code: '0',
      reason: 'InvalidResult',
    });
    expect(annotations(example, 'published')).toContainEqual(
      expect.stringMatching(
        /^error: The container succeeded, but wrote nothing to \/airflow\/xcom\/return\.json.*'>> \/airflow\/xcom\/return\.json' is passed to awk as it is: redirects, pipes and && need a shell/,
      ),
    );
  });

  test('corrected, a later step prints the result', async () => {
    const example = await run('xcom');
    expect(example.step('run_python_script').outputs).toMatchObject({ state: 'succeeded', result: '"Hello, World!"' });
    expect(example.step('print_result').text).toBe('The result is Hello, World!\n');
  });
});

test('kept-pod.yml: the commands that the action printed work as they are', async () => {
  const { step, namespace } = await run('kept-pod');
  const { text } = step('look-into');
  const [log, remove] = ['its log:', 'delete it:'].map(
    what => new RegExp(`${what} +(kubectl .*)`).exec(text)?.[1] ?? '',
  );
  expect(await runAsAdministrator(log ?? '')).toBe('still here\n');
  expect(await runAsAdministrator(remove ?? '')).toMatch(/^pod "look-into-[a-z0-9]{8}" deleted/);
  expect(await namespace.pods()).toEqual([]);
});

test('cluster-of-its-own.yml: the pod runs between the create and the delete, and its post step does not miss the cluster', async () => {
  const { jobs, step } = await run('cluster-of-its-own');
  expect(Object.values(jobs['work']?.steps ?? {}).map(({ outcome }) => outcome)).toEqual(Array(6).fill('success'));
  expect(step('work').text).toContain('\nworking\n');
  expect(step('__step_6').text).toBe('gcloud container clusters delete etl --quiet\n');
  expect(step('work').post).toMatchObject({ conclusion: 'success', annotations: [], text: '' });
});

test('conditions.yml: branches on what a pod found, and on how one ended', async () => {
  const example = await run('conditions');
  const results = Object.entries(example.jobs).map(([name, { result }]) => [name, result]);
  expect(Object.fromEntries(results)).toEqual({
    check: 'success',
    load: 'success',
    'nothing-to-do': 'skipped',
    alert: 'success',
  });
  expect(printed(example, 'load')).toEqual(['loading 3 rows']);
  expect(printed(example, 'alert')).toEqual(['the load failed with ExitCode']);
});

test('dry-run.yml: the manifest for a later step, and nothing is created', async () => {
  const { step } = await run('dry-run');
  expect(step('hello').text).toMatch(/would take it \(dryRun=All\)\. Nothing was created\.$/m);
  expect(step('hello').outputs['pod_uid']).toBeUndefined();
  expect(step('__step_3').text).toMatch(/^ +image: \S+ {2}# image\n$/);
});

describe('the dry run of each is checked by the server, and says what it said before:', () => {
  const steps = examplePods();
  const shown = new Map<string, ReturnType<typeof showPod>>();
  let namespace: Namespace;
  beforeAll(async () => {
    namespace = await Namespace.create();
    const pool = new Pool(4);
    const env = { GITHUB_API_URL: `http://127.0.0.1:${port(github)}` };
    for (const step of steps) {
      const showing = pool.run(() => showPod(step, namespace, env));
      showing.catch(() => {});
      shown.set(step.name, showing);
    }
  }, 60_000);
  afterAll(() => namespace[Symbol.asyncDispose]());

  test.each(steps.map(({ name }) => name))('%s', async name => {
    const result = await shown.get(name);
    if (name === 'affinity-and-tolerations.published') return expect(result?.manifest).toBeUndefined();
    expect(result?.text).toMatch(/^The API server at \S+ would take it \(dryRun=All\)\. Nothing was created\.$/m);
    const manifest = result?.manifest ?? '';
    const golden = join(GOLDEN, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, manifest);
    expect(manifest).toBe(readFileSync(golden, 'utf8'));
    expect(load(manifest)).toMatchObject({ kind: 'Pod', spec: { containers: [{ name: 'base' }] } });
    // What the user did not write: nothing that is empty is there for having a default.
    expect(manifest).not.toMatch(/: (\{\}|\[\]|null|''|"")/);
  });

  test('no golden file is left over', () => {
    const expected = steps
      .map(({ name }) => `${name}.yaml`)
      .filter(file => !file.endsWith('tolerations.published.yaml'));
    expect(readdirSync(GOLDEN).sort()).toEqual(expected.sort());
  });
});

test('no pod is left behind', async () => {
  for (const name of runs.keys()) {
    if (name === 'kept-pod') continue;
    const { namespace } = await run(name);
    const names = (await namespace.pods()).map(({ metadata }) => metadata?.name);
    expect([name, names]).toEqual([name, []]);
  }
});
