import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../../src/github/failure.ts';
import { NetworkError } from '../../../src/kubernetes/network-error.ts';
import { ApiError } from '../../../src/kubernetes/status.ts';
import { Tries } from '../../../src/run/files/tries.ts';
import { containerStatus, ended, podWith, running } from '../pods.ts';
import { ShownPod } from '../shown-pod.ts';

const NAME = 'pod-step-upload';
const podIn = (state: V1ContainerState): V1Pod =>
  podWith(undefined, { initContainerStatuses: [containerStatus(state, NAME)] });
const cut = () => new NetworkError(new Error('connection closed'));
const refused = () =>
  new ApiError(500, { message: 'error dialing backend' }, { verb: 'create', resource: 'pods/exec', namespace: 'etl' });

class RefreshedPod extends ShownPod {
  refreshed = 0;
  /** What a look at the cluster shows. */
  now: { pod: V1Pod; gone?: boolean } | undefined;
  async refresh(): Promise<void> {
    this.refreshed++;
    if (this.now) this.become(this.now.pod, this.now.gone);
  }
}

let pod: RefreshedPod;
let lines: string[];
/** Failures that the client was told to bear, and how often there had been one before. */
let borne: [what: string, tries: number][];
let endure: (error: unknown, tries: number) => Promise<void>;
let tries: Tries;
const signal = new AbortController().signal;
beforeEach(() => {
  pod = new RefreshedPod(podIn(running));
  lines = [];
  borne = [];
  endure = async (error, count) => void borne.push([(error as Error).message, count]);
  const step = {
    client: { endure: (error: unknown, count: number) => endure(error, count) },
    log: { line: (text: string) => lines.push(text) },
  };
  tries = new Tries(step as unknown as ConstructorParameters<typeof Tries>[0], pod.observed, NAME, 'Upload');
});

test('a cut connection is begun anew, as long as the client bears it', async () => {
  expect(await tries.again(cut(), signal)).toBe('again');
  expect(await tries.again(refused(), signal)).toBe('again');
  expect(borne.map(([, count]) => count)).toEqual([0, 1]);
  expect(lines[0]).toBe('Begun anew: connection closed.');
  expect(lines[1]).toMatch(/^Begun anew: .*[^.]\.$/);
  expect(pod.refreshed).toBe(2);
});

test('what the client does not bear ends it', async () => {
  endure = async () => {
    throw new StepError('Unreachable', 'Away', 'The server has been away.');
  };
  await expect(tries.again(cut(), signal)).rejects.toThrow('The server has been away.');
  expect(lines).toEqual([]);
});

test('a connection may be cut often, and yet not for ever', async () => {
  for (let times = 1; times < 30; times++) expect(await tries.again(cut(), signal)).toBe('again');
  await expect(tries.again(cut(), signal)).rejects.toMatchObject({
    reason: 'Upload',
    message: 'After 30 tries: connection closed.',
  });
  // The pauses between them grow no longer than they may.
  expect(Math.max(...borne.map(([, count]) => count))).toBe(5);
});

test('what is damaged is tried a few times, cuts in between do not count', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance'] });
  try {
    for (let times = 1; times < 5; times++) {
      expect(await tries.again(new Error('what arrived is not what was sent.'), signal)).toBe('again');
      expect(await tries.again(cut(), signal)).toBe('again');
    }
    await expect(tries.again(new Error('what arrived is not what was sent'), signal)).rejects.toThrow(
      'what arrived is not what was sent',
    );
    expect(tries.count).toBe(9);
    expect(lines[0]).toBe('Begun anew: what arrived is not what was sent.');
  } finally {
    jest.useRealTimers();
  }
});

test('what has been decided is not tried again', async () => {
  const decided = new StepError('Upload', 'Not unpacked', 'There is no space left.');
  await expect(tries.again(decided, signal)).rejects.toBe(decided);
  expect({ count: tries.count, refreshed: pod.refreshed }).toEqual({ count: 0, refreshed: 0 });
});

describe('it is over', () => {
  test.each<[what: string, now: { pod: V1Pod; gone?: boolean }]>([
    ['when the container has ended', { pod: podIn(ended(0)) }],
    ['when the container waits to be started', { pod: podIn({ waiting: { reason: 'CrashLoopBackOff' } }) }],
    ['when the pod is gone', { pod: podIn(running), gone: true }],
    ['when nothing is known of the container', { pod: podWith(running) }],
  ])('%s, though the failure says something else', async (_, now) => {
    pod.now = now;
    expect(await tries.again(refused(), signal)).toBe('over');
    expect(borne).toEqual([]);
    expect(lines).toEqual([]);
  });

  test('when the container ends in the pause', async () => {
    endure = async () => pod.become(podIn(ended(1)));
    expect(await tries.again(cut(), signal)).toBe('over');
  });
});

test('an abort ends the pause', async () => {
  const abort = new AbortController();
  const again = tries.again(new Error('damaged'), abort.signal);
  abort.abort(new Error('cancelled'));
  await expect(again).rejects.toThrow('cancelled');
});
