import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { podManifest } from '../kubernetes/connected.ts';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { type RunningStep, type StepResult, startStep } from '../support/step-runner.ts';
import { expectClean, linesLike } from './step.ts';

let server: FakeApiServer;
const steps: RunningStep[] = [];
beforeEach(async () => {
  server = await startFakeApiServer();
});
afterEach(async () => {
  for (const step of steps.splice(0)) await step.dispose();
  await server.close();
});

/** An address of this machine, as a pod on its network has. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? []);
  const found = all.find(({ internal }) => !internal);
  if (found === undefined) throw new Error('This machine has no network interface but its loopback.');
  return found.address;
}

/** The pod in which the runner is, on the step's cluster. */
function runnerPod(name = 'runner'): FakePod {
  return server.addPod(podManifest(name)).patch(({ status }) => {
    status.phase = 'Running';
    status['podIPs'] = [{ ip: ownAddress() }];
  });
}

const IN_RUNNER = { KUBERNETES_SERVICE_HOST: '10.96.0.1', HOSTNAME: 'runner' };

function start(inputs: Record<string, string> = {}, env: Record<string, string> = IN_RUNNER): RunningStep {
  const step = startStep({
    inputs: { kubeconfig: server.kubeconfig, image: 'busybox', ...inputs },
    env: { HOSTNAME: 'runner', ...env },
    debug: true,
  });
  steps.push(step);
  return step;
}

async function ended(step: RunningStep): Promise<StepResult> {
  const result = await step.done;
  expect(result.lines.filter(({ stream }) => stream !== 'stdout')).toEqual([]);
  return result;
}

const created = (nth = 0) => server.matching({ verb: 'create' })[nth]?.body as V1Pod;
const asked = (name = 'runner') => server.matching({ verb: 'get', path: new RegExp(`/pods/${name}$`) }).length;
const referenceTo = ({ name, object }: FakePod) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: object.metadata.uid });
const GOES = /the cluster deletes it once/;

describe('on a runner that is a pod of the namespace', () => {
  test('the step’s pod belongs to the runner’s, and the log says so', async () => {
    const runner = runnerPod();
    const step = start();
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(created().metadata?.ownerReferences).toEqual([referenceTo(runner)]);
    expect(linesLike(result, /^Created: /)).toEqual([
      expect.stringMatching(/^Created: .*; the cluster deletes it once the runner’s pod runner is gone\.$/),
    ]);
    expect(asked()).toBe(1);
  });

  test('each try’s pod does, and the runner’s is looked for once', async () => {
    const runner = runnerPod();
    const step = start({ retries: '1', retry_delay_seconds: '0', retry_on: 'any' });
    (await server.pod(2)).run().finish({ exitCode: 1 });
    (await server.pod(3)).run().finish();
    expect((await ended(step)).outputs).toMatchObject({ state: 'succeeded' });
    const owners = [0, 1].map(nth => created(nth).metadata?.ownerReferences);
    expect(owners).toEqual([[referenceTo(runner)], [referenceTo(runner)]]);
    expect(asked()).toBe(1);
  });

  test.each([
    ['is to be kept', { on_finish_action: 'keep_pod' }, undefined],
    [
      'has an owner by its template',
      { pod_template_dict: 'metadata: {ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c, uid: u}]}' },
      [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u' }],
    ],
  ])('a pod that %s does not, and nobody asks for the runner’s', async (_, inputs, expected) => {
    runnerPod();
    const step = start(inputs);
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(created().metadata?.ownerReferences).toEqual(expected);
    expect([asked(), linesLike(result, GOES)]).toEqual([0, []]);
  });

  test.each([
    ['may not be read', () => replies.forbidden('get', 'pods'), /^##\[debug\]The pod does not go with .* may not get/],
    ['is not there', () => replies.podNotFound('runner'), /^##\[debug\]The pod does not go with .*: there is none/],
  ])('where it %s, the step goes on without', async (_, reply, why) => {
    runnerPod();
    server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: reply() } });
    const step = start();
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(created().metadata).not.toHaveProperty('ownerReferences');
    expect(result.text).toMatch(new RegExp(why.source, 'm'));
    expect(linesLike(result, GOES)).toEqual([]);
  });

  test('a cluster that drops the reference gets no complaint, and no claim is made', async () => {
    runnerPod();
    server.fault({ match: { verb: 'create' }, action: { kind: 'dropFields', fields: ['metadata.ownerReferences'] } });
    const step = start();
    (await server.pod(2)).run().finish();
    const result = await ended(step);
    expect([result.outputs['state'], result.annotations, linesLike(result, GOES)]).toEqual(['succeeded', [], []]);
  });
});

test('on a runner outside of a cluster nothing is asked', async () => {
  runnerPod();
  const step = start({}, {});
  (await server.pod(2)).run().finish();
  expectClean({ ...(await ended(step)), commands: [] });
  expect(created().metadata).not.toHaveProperty('ownerReferences');
  expect(server.matching({ verb: 'get' })).toEqual([]);
});

describe('a pod that a re-run takes over', () => {
  test.each<[string, Record<string, string>, (second: FakePod) => unknown]>([
    ['goes with the new runner', { ...IN_RUNNER, HOSTNAME: 'second' }, second => [referenceTo(second)]],
    ['goes with no runner that is in no pod', {}, () => []],
  ])('%s', async (_, env, expected) => {
    runnerPod();
    const second = runnerPod('second');
    const first = start();
    const pod = (await server.pod(3)).run().write('running');
    await first.line('running');
    await first.kill();
    expect(pod.object.metadata['ownerReferences']).toHaveLength(1);
    const step = start({}, { ...env, GITHUB_RUN_ATTEMPT: '2' });
    await step.line('running');
    expect(pod.object.metadata['ownerReferences']).toEqual(expected(second));
    pod.finish();
    expect((await ended(step)).outputs).toMatchObject({ state: 'succeeded', pod_name: pod.name });
  });
});
