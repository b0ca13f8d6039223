import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { down, start, stop, untilReady, up } from '../../dev/cluster/index.ts';
import type { ExampleRun, Examples } from '../support/airflow-examples.ts';
import type { Namespace } from '../support/cluster.ts';

/** A cluster of its own, for its API server is stopped and its only node tainted. */
const NAME = 'test-airflow';
let support: Support;
let examples: Examples;

// Whichever is asked for first waits for what runs before it.
jest.setTimeout(120_000);

beforeAll(async () => {
  support = await loadSupport(await up({ name: NAME, provider: 'one-node' }, () => {}));
}, 120_000);
afterAll(() => down(NAME, () => {}), 60_000);

/** The support as it is on this cluster: what it takes for that of all tests is read when it is loaded. */
async function loadSupport(cluster: object) {
  process.env['POD_STEP_TEST_CLUSTER'] = JSON.stringify(cluster);
  const [airflow, { kubectl }, claims] = await Promise.all([
    import('../support/airflow-examples.ts'),
    import('../support/cluster.ts'),
    import('../support/claim.ts'),
  ]);
  return { ...airflow, ...claims, kubectl };
}
type Support = Awaited<ReturnType<typeof loadSupport>>;

test('hello.yml: an API server that is down before the first call is waited for', async () => {
  examples = new support.Examples();
  const { step } = await examples.run('hello', {
    prepare: async () => {
      await stop(NAME, 'kube-apiserver');
      setTimeout(() => void start(NAME, 'kube-apiserver'), 4000);
    },
  });
  const { text, outputs } = step('hello');
  expect(text.match(/is away|is back/g)).toEqual(['is away', 'is back']);
  expect(text).toContain('\nHello from Kubernetes!\n');
  expect(outputs).toMatchObject({ state: 'succeeded' });
  await untilReady(NAME);
  await examples[Symbol.asyncDispose]();
}, 120_000);

describe('affinity-and-tolerations.yml, on a node with its taint and its labels', () => {
  const FILE = 'affinity-and-tolerations';
  const OLD_ZONE = 'failure-domain.beta.kubernetes.io/zone';
  const runs = new Map<string, Promise<ExampleRun>>();
  const run = (name: string) => runs.get(name) ?? Promise.reject(new Error(`${name} does not run.`));

  beforeAll(async () => {
    const labels = ['disktype=ssd', 'topology.kubernetes.io/zone=z1', `${OLD_ZONE}=z1`];
    await support.kubectl(['label', 'node', '--all', '--overwrite', ...labels]);
    await support.kubectl(['taint', 'node', '--all', '--overwrite', 'key=value:NoSchedule']);
    examples = new support.Examples();
    const prepare = (namespace: Namespace) => support.makeClaim(namespace, 'test-volume', 'a row');
    const { affinity = '' } = support.examplePods().find(({ name }) => name === `${FILE}.task`)?.inputs ?? {};
    const oldZone = { affinity: affinity.replace('topology.kubernetes.io/zone', OLD_ZONE) };
    const options = {
      'with the S1 pod': {
        prepare: async (namespace: Namespace) => void (await Promise.all([prepare(namespace), makeS1(namespace)])),
      },
      'without the S1 pod': { prepare, instead: { task: { schedule_timeout_seconds: '5' } } },
      'without a toleration': {
        prepare,
        instead: { task: { tolerations: '[]', affinity: '', schedule_timeout_seconds: '5' } },
      },
      'the old zone': { instead: { task: { ...oldZone, dry_run: 'true' } } },
    };
    for (const [name, option] of Object.entries(options)) {
      const running = examples.run(FILE, option);
      running.catch(() => {});
      runs.set(name, running);
    }
  }, 120_000);
  afterAll(async () => {
    for (const name of runs.keys()) {
      const { namespace } = await run(name);
      if (name !== 'the old zone') await support.removeVolume(namespace, 'test-volume');
    }
    await examples[Symbol.asyncDispose]();
  });

  /** Which may be on the node, as whoever has it there has seen to. */
  async function makeS1(namespace: Namespace): Promise<void> {
    const image = 'localhost/pod-step/shell:1';
    const pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 's1', labels: { security: 'S1' } } },
      spec: {
        containers: [{ name: 's1', image, command: ['sleep', '600'] }],
        ...{ tolerations: [{ operator: 'Exists' }], terminationGracePeriodSeconds: 0 },
      },
    };
    await namespace.kubectl(['create', '-f', '-'], JSON.stringify(pod));
    await namespace.kubectl(['wait', 'pod/s1', '--for=condition=Ready', '--timeout=60s']);
  }

  test('as published it is refused: expected a list, and where', async () => {
    const example = await run('with the S1 pod');
    expect(support.annotations(example, 'published')).toEqual([
      expect.stringMatching(
        /^error: affinity\.nodeAffinity\.preferredDuringSchedulingIgnoredDuringExecution\[0\]\.preference\.matchExpressions: expected a list/,
      ),
    ]);
    expect(example.step('published').outputs).toEqual({ state: 'failed', reason: 'InvalidInput' });
  });

  test('corrected it runs, prints an empty line, and a hint says why', async () => {
    const example = await run('with the S1 pod');
    expect(support.printed(example, 'task').sort()).toEqual(['', '+ echo']);
    expect(example.step('task').text).toMatch(/^Hint: bash -cx runs one word, echo: 10 only becomes \$0\./m);
    expect(support.annotations(example, 'task')).toEqual([]);
    const pod = example.live('task');
    expect(pod.metadata?.labels).toMatchObject({ foo: 'bar' });
    expect(pod.spec).toMatchObject({
      tolerations: expect.arrayContaining([{ key: 'key', operator: 'Equal', value: 'value' }]),
      affinity: {
        nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] },
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'topology.kubernetes.io/zone' }],
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }],
        },
      },
    });
    expect(support.base(example, 'task')).toMatchObject({
      envFrom: [
        { configMapRef: { name: 'test-configmap-1' } },
        { configMapRef: { name: 'test-configmap-2' } },
        { secretRef: { name: 'airflow-secrets-2' } },
      ],
      volumeMounts: expect.arrayContaining([
        { name: 'test-volume', mountPath: '/root/mount_file', readOnly: true },
        expect.objectContaining({ mountPath: '/etc/sql_conn' }),
      ]),
    });
  });

  test('without the S1 pod the sentence names the affinity', async () => {
    const example = await run('without the S1 pod');
    expect(example.step('task').outputs).toMatchObject({ state: 'failed', reason: 'Unschedulable' });
    expect(support.annotations(example, 'task')).toEqual([
      expect.stringMatching(/^error: No node took pod \S+ within 5 s: .*didn't match pod affinity rules/),
    ]);
  });

  test('without the toleration the sentence names the taint', async () => {
    const example = await run('without a toleration');
    expect(support.annotations(example, 'task')).toEqual([
      expect.stringMatching(/^error: No node took pod \S+ within 5 s: .*untolerated taint/),
    ]);
  });

  test('the old label of the zone is a warning', async () => {
    const example = await run('the old zone');
    expect(support.annotations(example, 'task')).toEqual([
      expect.stringMatching(/^warning: .*topology\.kubernetes\.io\/zone/),
    ]);
  });

  test('no pod is left behind', async () => {
    for (const name of runs.keys()) {
      const { namespace } = await run(name);
      const left = (await namespace.pods()).map(({ metadata }) => metadata?.name).filter(name => name !== 's1');
      expect([name, left]).toEqual([name, []]);
    }
  });
});
