import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { JobLog } from '../../../src/github/commands.ts';
import { RESULT_ASKED_ANNOTATION } from '../../../src/pod/identity.ts';
import { RESULT_SIDECAR } from '../../../src/pod/result.ts';
import { ObservedPod } from '../../../src/run/observe.ts';
import { type Received, ResultFollower } from '../../../src/run/result/follower.ts';
import type { Origin } from '../../../src/run/run.ts';
import { type Connected, connectTo, podManifest, shortPauses } from '../../kubernetes/connected.ts';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../../support/fake-api-server.ts';
import { fileLines, frame } from './frames.ts';

let server: FakeApiServer;
let connected: Connected;
let pod: FakePod;
let observed: ObservedPod;
let follower: ResultFollower;
let stop: AbortController;
let lastCall: AbortController;
let debugged: string[];
/** Who made the pod, where it was not this step. */
let origin: Origin | undefined;
/** What time it is; it stands still unless a test moves it. */
let nowMs: number;

beforeEach(async () => {
  nowMs = performance.now();
  shortPauses();
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  server = await startFakeApiServer();
  connected = connectTo(server);
  stop = new AbortController();
  lastCall = new AbortController();
  debugged = [];
  origin = undefined;
});
afterEach(async () => {
  observed.stop();
  follower.close();
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

/** A pod whose base container runs, beside its sidecar and whatever else. */
function follow(...others: string[]): void {
  followBeside({ others });
}

/** @param beside other containers, and native sidecars before and after the result's */
function followBeside({ others = [], before = [], after = [] }: Record<string, string[]>): void {
  const sidecar = (name: string) => ({ name, image: 'busybox', restartPolicy: 'Always' });
  const { spec, ...rest } = podManifest();
  pod = server.addPod({
    ...rest,
    spec: {
      ...spec,
      initContainers: [...before, RESULT_SIDECAR, ...after].map(sidecar),
      containers: [...spec.containers, ...others.map(name => ({ name, image: 'busybox' }))],
    },
  });
  pod.run();
  observed = new ObservedPod(connected.client, structuredClone(pod.object) as unknown as V1Pod, { line: () => {} });
  follower = new ResultFollower(
    {
      client: connected.client,
      lastCall: lastCall.signal,
      log: { debug: (line: string) => void debugged.push(line) } as unknown as JobLog,
      plan: { base: 'base' },
      ...(origin && { origin }),
    },
    observed,
  );
}

/** The base container ends; its result is waited for by a promise of its own, lest it be awaited here. */
async function ends(): Promise<{ received: Promise<Received> }> {
  pod.terminate();
  await observed.until(({ pod: { status } }) =>
    status?.containerStatuses?.some(({ name, state }) => name === 'base' && state?.terminated) ? true : undefined,
  );
  const received = follower.receive(stop.signal);
  received.catch(() => {});
  return { received };
}

function say(text: string): void {
  for (const line of text.replace(/\n$/, '').split('\n')) pod.write(line, { container: RESULT_SIDECAR });
}

const whole = frame(fileLines(Buffer.from('[1]')));
const asks = () => server.matching({ verb: 'patch' });
const asked = (nth = 1) => server.request({ verb: 'patch' }, nth);
const files = { files: new Map([['return.json', expect.objectContaining({ bytes: Buffer.from('[1]') })]]) };
const streaming = () => server.request({ verb: 'log', query: { follow: 'true' } });
/** Once or twice it looks again. */
const aWhile = () => new Promise(resolve => setTimeout(resolve, 600));

describe('a whole frame', () => {
  test('ends the wait at once: neither its stream nor its sidecar has to end', async () => {
    follow();
    const { received } = await ends();
    say(whole);
    expect(await received).toEqual(files);
    expect(pod.object.status.initContainerStatuses?.[0]?.state.running).toBeDefined();
    expect(asks()).toEqual([]);
  });

  test('may be there before the base container is seen to have ended', async () => {
    follow();
    await streaming();
    say(whole);
    const { received } = await ends();
    expect(await received).toEqual(files);
  });

  test('is read by nobody any more once it has come', async () => {
    follow();
    const { received } = await ends();
    say(whole);
    await received;
    while (server.open({ verb: 'log' }).length > 0) await new Promise(resolve => setImmediate(resolve));
    expect(server.matching({ verb: 'log', query: { follow: 'false' } })).toEqual([]);
  });

  test('comes through a connection that breaks in its midst', async () => {
    follow();
    const { received } = await ends();
    const lines = frame(fileLines(Buffer.alloc(9000, 'kube'), { width: 76 })).split('\n');
    server.fault({ match: { verb: 'log' }, action: { kind: 'reset', afterBytes: 4000 } });
    await streaming();
    server.cutStreams({ verb: 'log' });
    say(lines.join('\n'));
    expect(await received).toMatchObject({ files: new Map([['return.json', { bytes: Buffer.alloc(9000, 'kube') }]]) });
  });

  test('comes from a sidecar that is started again in the midst of the one before', async () => {
    follow();
    const { received } = await ends();
    await streaming();
    say('frame 1\nfile return.json 3 1');
    pod.write('Wz', { container: RESULT_SIDECAR, newline: false });
    pod.restart(RESULT_SIDECAR);
    say(whole);
    expect(await received).toEqual(files);
  });

  test('comes from a sidecar whose pod is deleted, by the stream that is open', async () => {
    follow();
    await streaming();
    pod.onDelete = () => {
      say(whole);
      pod.stop();
    };
    pod.delete();
    await observed.until(({ gone }) => (gone ? true : undefined));
    expect(await follower.receive(stop.signal)).toEqual(files);
  });
});

describe('a sidecar that its node does not tell', () => {
  test('while another container runs on is asked after a second, by an annotation', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 990;
    await aWhile();
    expect(asks()).toEqual([]);
    nowMs += 10;
    const { body } = await asked();
    expect(body).toEqual({
      metadata: { uid: pod.object.metadata.uid, annotations: { [RESULT_ASKED_ANNOTATION]: 'true' } },
    });
    say(whole);
    expect(await received).toEqual(files);
    expect(asks()).toHaveLength(1);
  });

  test('though none does is asked after five', async () => {
    follow();
    const { received } = await ends();
    nowMs += 4990;
    await aWhile();
    expect(asks()).toEqual([]);
    nowMs += 10;
    await asked();
    say(whole);
    expect(await received).toEqual(files);
  });

  test('is not asked while it sends', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 990;
    say('frame 1');
    await aWhile();
    nowMs += 900;
    await aWhile();
    expect(asks()).toEqual([]);
    say(whole);
    expect(await received).toEqual(files);
  });

  test('is asked though it says something that is no part of a frame', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 990;
    say('still here');
    await aWhile();
    nowMs += 10;
    await asked();
    say(whole);
    expect(await received).toEqual(files);
  });

  test('while a sidecar behind it runs on is asked after a second', async () => {
    followBeside({ after: ['proxy'] });
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    say(whole);
    expect(await received).toEqual(files);
  });

  test('is told before a sidecar in front of it, so it is not asked so soon', async () => {
    followBeside({ before: ['proxy'] });
    const { received } = await ends();
    nowMs += 4990;
    await aWhile();
    expect(asks()).toEqual([]);
    say(whole);
    expect(await received).toEqual(files);
  });

  test.each<[what: string, reply: () => void]>([
    ['is away', () => void server.fault({ match: { verb: 'patch' }, times: 2, action: { kind: 'reset' } })],
    [
      'is overloaded',
      () =>
        void server.fault({
          match: { verb: 'patch' },
          times: 2,
          action: { kind: 'answer', reply: replies.unavailable() },
        }),
    ],
  ])('is asked again where the API server %s', async (_, fail) => {
    follow('mesh');
    fail();
    const { received } = await ends();
    nowMs += 1000;
    await asked(3);
    say(whole);
    expect(await received).toEqual(files);
  });

  test('is waited for as long as the API server is', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    await aWhile();
    const seen = server.matching({ verb: 'get' }).length;
    server.fault({ match: { verb: 'get' }, action: { kind: 'delay', ms: 100 } });
    nowMs += 60_000;
    await server.request({ verb: 'get' }, seen + 1);
    nowMs += 3000;
    while (server.open({ verb: 'get' }).length > 0) await new Promise(resolve => setImmediate(resolve));
    await aWhile();
    say(whole);
    expect(await received).toEqual(files);
  });
});

test('in a pod that is on its way out it is waited for as long as the others have', async () => {
  follow('mesh');
  const { received } = await ends();
  pod.patch(({ metadata }) => {
    Object.assign(metadata, { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: 120 });
  });
  await observed.until(({ pod: { metadata } }) => (metadata?.deletionTimestamp ? true : undefined));
  nowMs += 1000;
  await asked();
  await aWhile();
  nowMs += 119_000;
  await aWhile();
  say(whole);
  expect(await received).toEqual(files);
});

describe('without a whole frame it says why:', () => {
  const forbidden = (verb: 'patch' | 'log', what: string, resource: string) =>
    server.fault({
      match: { verb },
      times: 999,
      action: { kind: 'answer', reply: replies.forbidden(what, resource) },
    });

  test('a sidecar behind it runs on, and the credentials may not ask', async () => {
    followBeside({ after: ['proxy'] });
    forbidden('patch', 'patch', 'pods');
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    await aWhile();
    // Its node ends it by force after the pod's grace of 30 s.
    nowMs += 34_000;
    await aWhile();
    nowMs += 1000;
    expect(await received).toMatchObject({
      why: 'The result’s sidecar waits for container proxy, which still runs, and the credentials may not tell it not to.',
    });
  });

  test('it never stops saying something else', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    for (let lines = 0; lines < 7; lines++) {
      nowMs += 10_000;
      say('still here');
      await aWhile();
    }
    expect(await received).toMatchObject({
      why: expect.stringMatching(/, which still runs, .* It said: still here/),
    });
  });

  test.each([
    [['mesh'], 'container mesh, which still runs,'],
    [['mesh', 'vault'], 'containers mesh, vault, which still run,'],
  ])('others run on, and the credentials may not ask: %j', async (others, words) => {
    follow(...others);
    forbidden('patch', 'patch', 'pods');
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    await aWhile();
    nowMs += 5000;
    expect(await received).toEqual({
      why: `The result’s sidecar waits for ${words} and the credentials may not tell it not to.`,
      remedy: 'Add patch on pods to the Role, or have those containers end with the base container.',
    });
    expect(asks()).toHaveLength(1);
    expect(debugged).toEqual([expect.stringContaining('could not be asked: ')]);
  });

  test('others run on, and the pod is a stranger’s, which is left alone', async () => {
    origin = { kind: 'attached', stranger: 'pod_uid is not given' };
    follow('mesh');
    const { received } = await ends();
    nowMs += 1000;
    await aWhile();
    nowMs += 5000;
    expect(await received).toEqual({
      why: 'The result’s sidecar waits for container mesh, which still runs, and a pod that is not known to be this repository’s is left alone.',
      remedy: 'Give `pod_uid`, where a workflow of this repository has made it.',
    });
    expect(asks()).toEqual([]);
  });

  test('its log may not be read', async () => {
    follow();
    forbidden('log', 'get', 'pods/log');
    const { received } = await ends();
    pod.stopSidecars();
    expect(await received).toEqual({
      why: expect.stringMatching(/^What the result’s sidecar sent could not be read\. .*pods\/log/),
      remedy: 'Add get on pods/log to the Role.',
    });
  });

  const image = 'Check `xcom_sidecar_container_image`: it needs sh, base64, sha256sum, stat, id and sleep.';

  test.each<[what: string, exitCode: number, reason: string | undefined, said: string[], why: string, remedy: string]>([
    [
      'it lacks a program',
      127,
      undefined,
      ['sh: sha256sum: not found', 'sh: stat: not found'],
      'ended with exit code 127, and has sent no result. It said: sh: sha256sum: not found / sh: stat: not found',
      image,
    ],
    [
      'it ran out of memory in the midst of it',
      137,
      'OOMKilled',
      ['frame 1', 'file return.json 3 1'],
      'ended with exit code 137 (SIGKILL) (OOMKilled), and has sent no result.',
      'Give it more memory: `pod_patch: {spec: {initContainers: [{name: pod-step-result, resources: {limits: {memory: 64Mi}}}]}}`.',
    ],
    [
      'it was stopped in the midst of it',
      137,
      undefined,
      ['frame 1'],
      'ended with exit code 137 (SIGKILL), and has sent no result.',
      'Its node has stopped it before it was through: the pod has `termination_grace_period` seconds for all that goes on when its container has ended.',
    ],
    ['it ended well', 0, undefined, [], 'ended with exit code 0 (Completed), and has sent no result.', image],
  ])('%s', async (_, exitCode, reason, said, why, remedy) => {
    follow();
    const { received } = await ends();
    for (const line of said) say(line);
    pod.terminate({ container: RESULT_SIDECAR, exitCode, ...(reason !== undefined && { reason }) });
    expect(await received).toEqual({
      why: `The result’s sidecar ${why}`,
      remedy,
    });
  });

  test('the pod is gone', async () => {
    follow();
    await streaming();
    const { received } = await ends();
    pod.remove();
    expect(await received).toEqual({
      why: 'The pod was gone before its result could be read.',
      remedy: 'Run the step again where that does no harm.',
    });
  });

  test('others run on, and it keeps silent, though it was asked', async () => {
    follow('mesh');
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    await aWhile();
    nowMs += 60_000;
    expect(await received).toEqual({
      why: 'The result’s sidecar waits for container mesh, which still runs, and did not answer when it was told not to.',
      remedy: 'Have those containers end when they are told to (SIGTERM), or with the base container.',
    });
  });

  test('it keeps silent, though it was asked', async () => {
    follow();
    const { received } = await ends();
    say('sh: no words for this');
    await aWhile();
    nowMs += 5000;
    await asked();
    await aWhile();
    nowMs += 60_000;
    expect(await received).toEqual({
      why: 'The result’s sidecar did not send a result. It said: sh: no words for this',
      remedy: `${image} With \`on_finish_action: keep_pod\` it can be looked into: kubectl -n default logs p -c ${RESULT_SIDECAR}`,
    });
  });
});

describe('it ends early', () => {
  test('where the step is stopped, with its reason', async () => {
    follow('mesh');
    const { received } = await ends();
    stop.abort(new Error('cancelled'));
    await expect(received).rejects.toThrow('cancelled');
  });

  test('where the step is stopped while it asks', async () => {
    follow('mesh');
    server.fault({ match: { verb: 'patch' }, action: { kind: 'hang' } });
    const { received } = await ends();
    nowMs += 1000;
    await asked();
    stop.abort(new Error('cancelled'));
    await expect(received).rejects.toThrow('cancelled');
  });

  test('where it is closed, and reads nothing more', async () => {
    follow();
    await streaming();
    follower.close();
    while (server.open({ verb: 'log' }).length > 0) await new Promise(resolve => setImmediate(resolve));
  });
});
