import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Namespace, script } from '../support/cluster.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const tries = { retries: '2', retry_delay_seconds: '1' };
const uids = (text: string) => new Set(text.match(/as pod \S+/g) ?? []);

test('a pod that its node refuses is tried again, with a fresh one each time', async () => {
  const refused = { pod_patch: '{spec: {nodeName: localhost, nodeSelector: {no: such-node}}}' };
  const step = await namespace.run({ ...script('true'), ...tries, ...refused });
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Rejected' });
  expect(step.annotations.map(({ level, title }) => [level, title?.replace(/:.*/, '')])).toEqual([
    ['warning', 'Try 1 of 3'],
    ['warning', 'Try 2 of 3'],
    ['error', expect.anything()],
  ]);
  expect(uids(step.text).size).toBe(3);
  expect(await namespace.pods()).toEqual([]);
}, 60_000);

test('one that exits with a code of retry_on goes well the second time, and the summary tells of both', async () => {
  const folder = `/tmp/${namespace.name}`;
  const step = await namespace.run({
    ...script(
      'test -e /kept/before && echo well || { touch /kept/before; echo badly; sleep 0.5; exit 75; }; sleep 0.5',
    ),
    ...tries,
    retry_on: '75',
    volumes: `[{name: kept, hostPath: {path: ${folder}, type: DirectoryOrCreate}}]`,
    volume_mounts: '[{name: kept, mountPath: /kept}]',
  });
  expect(step.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
  expect(step.text.match(/^(well|badly|##\[group\]Try.*)$/gm)).toEqual([
    '##[group]Try 1 of 3',
    'badly',
    '##[group]Try 2 of 3',
    'well',
  ]);
  expect(
    new RenderedMarkdown(step.summary).rows.slice(-2).map(([count, , outcome]) => [count, outcome?.split('\n')[0]]),
  ).toEqual([
    ['1', expect.stringMatching(/^❌ Exit code 75/)],
    ['2', expect.stringMatching(/^✅/)],
  ]);
}, 60_000);

test.each([
  ['', 1],
  ['lost', 2],
])(
  'one that is evicted while it runs is, with retry_on "%s", one of %d',
  async (retryOn, count) => {
    const step = namespace.start({
      ...script('trap "exit 0" TERM; echo running; i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 0.1; done'),
      ...tries,
      ...(retryOn && { retry_on: retryOn }),
    });
    try {
      await step.line(/^running$/, 30_000);
      const [pod] = await namespace.pods();
      const name = pod?.metadata?.name ?? '';
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: namespace.name } };
      const path = `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`;
      await namespace.kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
      const { outputs, text } = await step.done;
      expect(outputs).toMatchObject(count === 1 ? { state: 'failed', reason: 'Evicted' } : { state: 'succeeded' });
      expect(uids(text).size).toBe(count);
    } finally {
      await step.dispose();
    }
  },
  60_000,
);
