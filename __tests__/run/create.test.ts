import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { JobLog } from '../../src/github/commands.ts';
import { PodRecord } from '../../src/github/state.ts';
import { NONCE_ANNOTATION } from '../../src/pod/identity.ts';
import type { PlacedPlan } from '../../src/pod/manifest.ts';
import { RESULT_SIDECAR } from '../../src/pod/result.ts';
import { create } from '../../src/run/create.ts';
import { connectTo, podManifest } from '../kubernetes/connected.ts';
import { type FakeApiServer, replies, startFakeApiServer } from '../support/fake-api-server.ts';

let server: FakeApiServer;
let connected: ReturnType<typeof connectTo>;
let lines: string[];
let stop: AbortController;
let aheadSeconds: number;
beforeEach(async () => {
  server = await startFakeApiServer();
  connected = connectTo(server);
  lines = [];
  stop = new AbortController();
  aheadSeconds = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
});
afterEach(async () => {
  jest.restoreAllMocks();
  stop.abort(new Error('the test is over'));
  await connected.client.close();
  await server.close();
});

const plan = (spec: object = {}): PlacedPlan => {
  const { metadata, spec: basic, ...pod } = podManifest('p', { [NONCE_ANNOTATION]: 'n' });
  return {
    pod: { ...pod, metadata, spec: { ...basic, ...spec } },
    base: 'base',
    name: 'p',
    namespace: 'default',
    secrets: [],
    originOf: path =>
      ({ 'spec.serviceAccountName': 'service_account_name', 'spec.containers[0].image': 'image' })[path] ?? path,
    sourceOf: () => 'image',
  };
};
const start = async (planned: PlacedPlan) => {
  const log = { line: (text: string) => void lines.push(text) } as unknown as JobLog;
  const pod = await create({
    plan: planned,
    client: connected.client,
    log,
    record: new PodRecord(),
    inputs: { onFinishAction: 'delete_pod', onKillAction: 'delete_pod', skipOnExitCodes: [] },
    stop: stop.signal,
    lastCall: new AbortController().signal,
  });
  pod.stop();
  return pod;
};
const creates = { verb: 'create' } as const;

describe('what limits the pods of a namespace and refuses one', () => {
  const resources = { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '500m', memory: '32Mi' } };
  const sidecar = { name: 'pod-step-result', image: 'x', restartPolicy: 'Always', resources };
  const refuse = (message: string) =>
    server.fault({
      match: creates,
      action: {
        kind: 'answer',
        reply: { code: 403, body: { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message } },
      },
    });
  const counts =
    'The result’s sidecar counts too, with requests of 1m CPU and 8Mi, limits of 500m CPU and 32Mi; `pod_patch: ';

  test.each([
    'pods "p" is forbidden: minimum cpu usage per Container is 50m, but request is 1m',
    'pods "p" is forbidden: maximum cpu usage per Pod is 300m, but limit is 600m',
    'pods "p" is forbidden: exceeded quota: q, requested: limits.cpu=600m, used: limits.cpu=0, limited: limits.cpu=400m',
  ])('counts the result’s sidecar, which is said: %s', async message => {
    refuse(message);
    const planned: PlacedPlan = { ...plan({ initContainers: [sidecar] }), resultIn: 'sidecar' };
    await expect(start(planned)).rejects.toMatchObject({ remedy: expect.stringContaining(counts) });
  });

  test('says nothing of it where there is none', async () => {
    refuse('pods "p" is forbidden: maximum cpu usage per Pod is 300m, but limit is 600m');
    await expect(start(plan())).rejects.toMatchObject({ remedy: expect.not.stringContaining('sidecar') });
  });
});

describe('a service account that does not exist', () => {
  const missing = { kind: 'answer', reply: replies.serviceAccountNotFound('p', 'builder') } as const;
  const waiting =
    'Service account "builder" does not exist in namespace default; service_account_name asks for it. Waiting for it.';

  test('is waited for, and told of once', async () => {
    server.fault({ match: creates, times: 3, action: missing });
    const pod = await start(plan({ serviceAccountName: 'builder' }));
    expect(pod.identity.name).toBe('p');
    expect(server.matching(creates)).toHaveLength(4);
    expect(lines).toEqual([waiting]);
  });

  test('ends the step after 15 s with the input that asks for it', async () => {
    server.fault({ match: creates, times: 9, action: missing });
    const created = start(plan({ serviceAccountName: 'builder' }));
    created.catch(() => {});
    await server.request(creates, 2);
    aheadSeconds = 16;
    await expect(created).rejects.toMatchObject({
      reason: 'ContainerConfig',
      title: 'Service account missing',
      message: 'Service account "builder" does not exist in namespace default; service_account_name asks for it.',
      remedy: 'Create it: kubectl -n default create serviceaccount builder',
    });
    expect(server.matching(creates).length).toBeLessThan(5);
    expect(lines).toEqual([waiting]);
  });

  test('is not waited for once the step is cancelled', async () => {
    server.fault({ match: creates, times: 9, action: missing });
    const created = start(plan({ serviceAccountName: 'builder' }));
    created.catch(() => {});
    await server.request(creates, 1);
    stop.abort(new Error('cancelled'));
    await expect(created).rejects.toThrow('cancelled');
  });

  test('is the default one in a namespace that has just been made', async () => {
    server.fault({ match: creates, action: { kind: 'answer', reply: replies.serviceAccountNotFound('p', 'default') } });
    await start(plan());
    expect(lines).toEqual(['Service account "default" does not exist in namespace default. Waiting for it.']);
  });

  test('in the words of somebody else is not ours to wait for', async () => {
    server.fault({ match: creates, times: 9, action: missing });
    await expect(start(plan({ serviceAccountName: 'another' }))).rejects.toMatchObject({ reason: 'ContainerConfig' });
    expect(server.matching(creates)).toHaveLength(1);
  });
});

test('what the server has against the pod is told in the user’s words', async () => {
  server.fault({
    match: creates,
    action: {
      kind: 'answer',
      reply: replies.invalid('p', {
        reason: 'FieldValueRequired',
        message: 'Required value',
        field: 'spec.containers[0].image',
      }),
    },
  });
  await expect(start(plan())).rejects.toMatchObject({
    reason: 'InvalidPod',
    message: 'image: Required value (spec.containers[0].image)',
  });
});

test('a field that is not known comes with the right one', async () => {
  const planned = plan();
  Object.assign(planned.pod.spec ?? {}, { nodeSelectr: { a: 'b' } });
  await expect(start(planned)).rejects.toMatchObject({
    message: 'spec.nodeSelectr: Kubernetes knows no such field. Did you mean nodeSelector?',
  });
});

test('a field that the cluster dropped is named with its origin', async () => {
  server.fault({ match: creates, action: { kind: 'dropFields', fields: ['spec.containers.0.image'] } });
  await expect(start(plan())).rejects.toMatchObject({
    reason: 'FieldDropped',
    message: 'The cluster created the pod without image (spec.containers[0].image), so it was deleted again.',
  });
});

describe('a cluster that knows no native sidecars', () => {
  const tooOld = {
    reason: 'InvalidPod',
    title: 'Cluster too old for a sidecar',
    message: expect.stringContaining('which Kubernetes has since 1.29'),
    remedy: expect.stringContaining('`do_xcom_push: auto`'),
  };
  const withSidecar = (): PlacedPlan => {
    const initContainers = [{ name: 'setup' }, { name: RESULT_SIDECAR, restartPolicy: 'Always' }];
    return { ...plan({ initContainers }), resultIn: 'sidecar' };
  };

  test('refuses the field', async () => {
    const reply = replies.strictDecoding('spec.initContainers[1].restartPolicy');
    server.fault({ match: creates, action: { kind: 'answer', reply } });
    await expect(start(withSidecar())).rejects.toMatchObject(tooOld);
  });

  test('leaves it out, and its pod is deleted', async () => {
    server.fault({ match: creates, action: { kind: 'dropFields', fields: ['spec.initContainers.1.restartPolicy'] } });
    await expect(start(withSidecar())).rejects.toMatchObject(tooOld);
    expect(server.matching({ verb: 'delete' })).toHaveLength(1);
  });

  test('is no matter of another container’s', async () => {
    const reply = replies.strictDecoding('spec.initContainers[0].restartPolicy');
    server.fault({ match: creates, action: { kind: 'answer', reply } });
    await expect(start(withSidecar())).rejects.toMatchObject({ title: expect.not.stringContaining('sidecar') });
  });
});
