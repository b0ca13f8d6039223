import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { ApiRelay } from '../support/api-relay.ts';
import { cluster, Namespace, script } from '../support/cluster.ts';
import type { RunningStep, StepOptions } from '../support/step-runner.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const fixed = (name: string) => ({ name, random_name_suffix: 'false' });
const runs = script('trap "exit 143" TERM; echo running; sleep 600 & wait');
const FORGERY = 'echo forged; echo \'{"forged": true}\' > /airflow/xcom/return.json';

async function getPod(name: string): Promise<V1Pod> {
  return JSON.parse(await namespace.kubectl(['get', 'pod', name, '-o', 'json'])) as V1Pod;
}

/** The pod as a neighbour would make it anew from what there is to be read of it. */
function copyOf({ metadata, spec }: V1Pod): V1Pod {
  const { name = '', labels = {}, annotations = {} } = metadata ?? {};
  const { nodeName: _, ...rest } = spec ?? { containers: [] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, annotations }, spec: rest };
}

/** The same with the neighbour's own doing in it, which ends well and has a result. */
function forgeryOf(pod: V1Pod): V1Pod {
  const copy = copyOf(pod);
  for (const container of copy.spec?.containers ?? []) container.command = ['sh', '-c', FORGERY];
  for (const container of copy.spec?.containers ?? []) delete container.args;
  return copy;
}

/** Has the neighbour make a pod, in the place of one of that name, and waits for its end. @returns its UID */
async function make(pod: V1Pod): Promise<string> {
  const name = pod.metadata?.name ?? '';
  await namespace.kubectl(['delete', 'pod', name, '--grace-period=0', '--force', '--ignore-not-found']);
  await namespace.kubectl(['create', '-f', '-'], JSON.stringify(pod));
  await namespace.kubectl(['wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
  return (await getPod(name)).metadata?.uid ?? '';
}

async function expectUntouched(name: string, uid: string): Promise<void> {
  const { metadata } = await getPod(name);
  expect([metadata?.uid, metadata?.deletionTimestamp]).toEqual([uid, undefined]);
}

async function withStep(
  inputs: Record<string, string>,
  look: (step: RunningStep) => Promise<void>,
  options: StepOptions = {},
): Promise<void> {
  const step = namespace.start(inputs, options);
  try {
    await look(step);
  } finally {
    await step.dispose();
  }
}

describe('a neighbour’s pod is neither adopted nor reported nor deleted', () => {
  test('that has the name already, and all that a dry run shows of the step’s own', async () => {
    const inputs = { ...runs, ...fixed('known-before') };
    const { outputs } = await namespace.run({ ...inputs, dry_run: 'true' });
    const uid = await make(forgeryOf(load(outputs['manifest'] ?? '') as V1Pod));
    const step = await namespace.run(inputs);
    expect(step.outputs).toEqual({ state: 'failed', reason: 'NameTaken' });
    expect(step.annotations).toMatchObject([{ title: 'Pod name taken' }]);
    expect(step.text).not.toMatch(/^forged$/m);
    expect(step.post?.text).toBe('');
    await expectUntouched('known-before', uid);
  });

  test('that was made while the step’s create was on the way, before its runner was lost', async () => {
    const inputs = { ...runs, ...fixed('before-ours') };
    const { outputs } = await namespace.run({ ...inputs, dry_run: 'true' });
    await using relay = await ApiRelay.start(namespace.kubeconfig);
    relay.fault({ match: { verb: 'create' }, action: { kind: 'hang' } });
    await withStep({ ...inputs, config_file: relay.kubeconfigFile }, async step => {
      await relay.request({ verb: 'create' });
      await step.kill();
      const uid = await make(forgeryOf(load(outputs['manifest'] ?? '') as V1Pod));
      expect(await step.runPost()).toMatchObject({ exitCode: 0, text: '' });
      await expectUntouched('before-ours', uid);
    });
  });

  test('that has taken the place of the step’s pod, with all that is written on it, before the post step', async () => {
    await withStep({ ...runs, ...fixed('before-post') }, async step => {
      await step.line(/^running$/, 30_000);
      await step.kill();
      const uid = await make(forgeryOf(await getPod('before-post')));
      expect(await step.runPost()).toMatchObject({ exitCode: 0, text: '' });
      await expectUntouched('before-post', uid);
    });
  });

  test('that has taken the place of the step’s pod while the step follows it', async () => {
    await withStep({ ...runs, ...fixed('while-running') }, async step => {
      await step.line(/^running$/, 30_000);
      const uid = await make(forgeryOf(await getPod('while-running')));
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
      expect(result.outputs).not.toHaveProperty('result');
      expect(result.text).not.toMatch(/^forged$/m);
      expect((await step.runPost()).text).toBe('');
      await expectUntouched('while-running', uid);
    });
  });
});

describe('a re-run takes no pod for one of an earlier attempt', () => {
  const work = script('echo running; sleep 1');
  /** What a neighbour has changed in a copy of the pod, taken while that ran. */
  const changes: [string, (pod: V1Pod) => V1Pod][] = [
    ['that does something else', forgeryOf],
    [
      'that does the same in another image',
      pod => {
        const copy = copyOf(pod);
        for (const container of copy.spec?.containers ?? []) container.image = cluster.images.nonRoot;
        return copy;
      },
    ],
    [
      'that does the same under another name',
      pod => {
        const copy = copyOf(pod);
        copy.metadata = { ...copy.metadata, name: `${copy.metadata?.name}-x` };
        return copy;
      },
    ],
  ];

  test.each(changes)('%s', async (_, change) => {
    const env = { GITHUB_RUN_ID: String(randomInt(2 ** 40)) };
    await withStep(
      work,
      async step => {
        await step.line(/^running$/, 30_000);
        const { outputs } = await step.kill();
        const ours = outputs['pod_name'] ?? '';
        const forgery = change(await getPod(ours));
        await namespace.kubectl(['delete', 'pod', ours, '--grace-period=0', '--force']);
        const [name, uid] = [forgery.metadata?.name ?? '', await make(forgery)];
        const again = await namespace.run(work, { env: { ...env, GITHUB_RUN_ATTEMPT: '2' } });
        expect(again.outputs['state']).toBe('succeeded');
        expect(again.outputs['pod_uid']).not.toBe(uid);
        expect(again.outputs).not.toHaveProperty('result');
        expect(again.text).not.toMatch(/^forged$|takes it over|has succeeded/m);
        expect([again.post?.text, (await step.runPost()).text]).toEqual(['', '']);
        await expectUntouched(name, uid);
      },
      { env },
    );
  });
});
