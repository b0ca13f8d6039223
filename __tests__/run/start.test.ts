import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod, V1PodCondition } from '@kubernetes/client-node';
import type { ObservedPod, PodView } from '../../src/run/observe.ts';
import { SCHEDULE_TIMEOUT_SECONDS, STARTUP_TIMEOUT_SECONDS, waitForStart, waitingFor } from '../../src/run/start.ts';
import { containerStatus, ended, podWith, running, waiting } from './pods.ts';

const condition = (status: string, message?: string): V1PodCondition => ({
  type: 'PodScheduled',
  status,
  ...(message !== undefined && { message }),
});
const unscheduled = (message?: string) =>
  podWith(undefined, { phase: 'Pending', ...(message !== undefined && { conditions: [condition('False', message)] }) });
const starting = (reason: string, message?: string, image = 'busybox') =>
  podWith(undefined, {
    phase: 'Pending',
    conditions: [condition('True')],
    containerStatuses: [containerStatus(waiting(reason, message), 'base', image)],
  });

describe('a pod waits for', () => {
  test.each<[string, V1Pod]>([
    ['nothing: it runs', podWith(running)],
    ['nothing: it has ended', podWith(ended(1))],
    ['nothing: it has failed before', podWith(undefined, { phase: 'Failed' })],
  ])('%s', (_, pod) => {
    expect(waitingFor(pod, 'base')).toBeUndefined();
  });

  test.each<[string, V1Pod, object]>([
    ['a node', unscheduled(), { phase: 'scheduling', what: 'waiting for a node', worthTelling: false }],
    [
      'a node, and the scheduler says why',
      unscheduled('0/1 nodes are available: 1 Insufficient cpu.'),
      {
        phase: 'scheduling',
        what: 'waiting for a node: 0/1 nodes are available: 1 Insufficient cpu.',
        worthTelling: true,
      },
    ],
    [
      'its node',
      starting('ContainerCreating'),
      { phase: 'starting', what: 'starting on node node-1', worthTelling: false },
    ],
    [
      'an image that is slow to come',
      starting('ImagePullBackOff', 'Back-off pulling image "busybox": i/o timeout'),
      { phase: 'starting', what: expect.stringContaining('i/o timeout'), worthTelling: true },
    ],
    ['a registry that is busy', starting('ErrImagePull', '429 Too Many Requests'), { worthTelling: true }],
    [
      'a registry that is broken',
      starting('ErrImagePull', 'unexpected status: 503 Service Unavailable'),
      { worthTelling: true },
    ],
    [
      'an image whose own name says denied',
      starting(
        'ErrImagePull',
        'failed to pull "ghcr.io/acme/access-denied:404": i/o timeout',
        'ghcr.io/acme/access-denied:404',
      ),
      { worthTelling: true },
    ],
  ])('%s', (_, pod, expected) => {
    const found = waitingFor(pod, 'base');
    expect(found).toMatchObject(expected);
    expect(found?.hopeless).toBeUndefined();
  });

  test.each<[string, V1Pod, object]>([
    [
      'an image that does not exist',
      starting(
        'ErrImagePull',
        'rpc error: code = NotFound desc = failed to pull: docker.io/library/busybox: not found',
      ),
      { reason: 'ImagePull', graceSeconds: 0, remedy: expect.stringContaining('image pull secret') },
    ],
    [
      'an image that it may not have',
      starting('ImagePullBackOff', 'pull access denied'),
      { reason: 'ImagePull', graceSeconds: 0 },
    ],
    [
      'an image that it may not have, in numbers',
      starting('ErrImagePull', 'unexpected status: 401'),
      { reason: 'ImagePull' },
    ],
    [
      'an image name that is none',
      starting('InvalidImageName', 'x', 'UPPER:::'),
      { reason: 'ImagePull', sentence: 'UPPER::: is not a valid image name: x', graceSeconds: 0 },
    ],
    [
      'an image that must not be pulled',
      starting('ErrImageNeverPull'),
      { reason: 'ImagePull', sentence: expect.stringContaining('node node-1') },
    ],
    [
      'a Secret that does not exist',
      starting('CreateContainerConfigError', 'secret "db" not found'),
      {
        reason: 'ContainerConfig',
        sentence: 'Container base of pod etl/p cannot be created: secret "db" not found.',
        remedy: expect.stringContaining('kubectl -n etl create secret generic db'),
        graceSeconds: 15,
      },
    ],
    [
      'a key that does not exist',
      starting('CreateContainerConfigError', "couldn't find key k in Secret etl/db"),
      { remedy: 'Add the key, or correct the input that names it (`secrets`, `env_vars`).' },
    ],
    [
      'a container that cannot be created',
      starting('CreateContainerError', 'no'),
      { reason: 'ContainerConfig', graceSeconds: 15 },
    ],
  ])('%s, in vain', (_, pod, expected) => {
    expect(waitingFor(pod, 'base')).toMatchObject({ phase: 'starting', worthTelling: true, hopeless: expected });
  });

  test('an init container that a webhook added', () => {
    const pod = podWith(waiting('PodInitializing'), {
      phase: 'Pending',
      conditions: [condition('True')],
      initContainerStatuses: [containerStatus(waiting('ErrImagePull', 'not found'), 'istio-init', 'istio:nope')],
    });
    expect(waitingFor(pod, 'base')?.hopeless?.sentence).toBe('Image istio:nope cannot be pulled: not found');
  });
});

describe('the wait for the start', () => {
  /** A pod as {@link ObservedPod} shows it, moved by hand. */
  class Shown {
    view: PodView;
    #look: () => void = () => {};

    constructor(pod: V1Pod) {
      this.view = { pod, gone: false };
    }

    become(pod: V1Pod, gone = false): void {
      this.view = { pod, gone };
      this.#look();
    }

    until<T>(decide: (view: PodView) => T | undefined, signal: AbortSignal): Promise<T> {
      return new Promise((resolve, reject) => {
        this.#look = () => {
          try {
            signal.throwIfAborted();
            const found = decide(this.view);
            if (found !== undefined) resolve(found);
          } catch (error) {
            reject(error);
          }
        };
        signal.addEventListener('abort', this.#look);
        this.#look();
      });
    }
  }

  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  let told: string[];
  const wait = (pod: Shown, signal = new AbortController().signal) => {
    told = [];
    const started = waitForStart(pod as unknown as ObservedPod, 'base', what => told.push(what), signal);
    return started.then(
      () => 'started',
      error => error.reason ?? error.message,
    );
  };
  const pass = (seconds: number) => jest.advanceTimersByTimeAsync(1000 * seconds);
  const still = async (waiting: Promise<string>) => await Promise.race([waiting, pass(0).then(() => 'waiting')]);

  test('ends with the start, and tells each thing once', async () => {
    const pod = new Shown(unscheduled());
    const waiting = wait(pod);
    for (const message of ['no cpu', 'no cpu', 'no memory', 'no cpu']) pod.become(unscheduled(message));
    pod.become(starting('ContainerCreating'));
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual(['waiting for a node: no cpu', 'waiting for a node: no memory']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['it is gone', podWith(undefined), true],
    ['it has failed', podWith(undefined, { phase: 'Failed' }), false],
  ])('ends when %s', async (_, last, gone) => {
    const pod = new Shown(unscheduled());
    const waiting = wait(pod);
    pod.become(last, gone);
    expect(await waiting).toBe('started');
  });

  test('for a node ends after its time', async () => {
    const waiting = wait(new Shown(unscheduled('no cpu')));
    await pass(SCHEDULE_TIMEOUT_SECONDS - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('Unschedulable');
  });

  test('for the container has a time of its own', async () => {
    const pod = new Shown(unscheduled());
    const waiting = wait(pod);
    await pass(SCHEDULE_TIMEOUT_SECONDS - 1);
    pod.become(starting('ContainerCreating'));
    await pass(STARTUP_TIMEOUT_SECONDS - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('StartTimeout');
  });

  test('that is hopeless ends at once', async () => {
    const pod = new Shown(unscheduled());
    const waiting = wait(pod);
    pod.become(starting('InvalidImageName', 'x'));
    expect(await waiting).toBe('ImagePull');
  });

  test('that may be hopeless ends after its grace', async () => {
    const pod = new Shown(starting('CreateContainerConfigError', 'secret "db" not found'));
    const waiting = wait(pod);
    await pass(10);
    // Said again, it gives no new grace.
    pod.become(starting('CreateContainerConfigError', 'secret "db" not found'));
    await pass(4);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('ContainerConfig');
  });

  test('whose hindrance is removed in time goes on', async () => {
    const pod = new Shown(starting('CreateContainerConfigError', 'secret "db" not found'));
    const waiting = wait(pod);
    await pass(14);
    pod.become(starting('ContainerCreating'));
    await pass(60);
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
  });

  test('that is cancelled ends with the reason', async () => {
    const stop = new AbortController();
    const waiting = wait(new Shown(unscheduled()), stop.signal);
    stop.abort(new Error('cancelled'));
    expect(await waiting).toBe('cancelled');
    expect(jest.getTimerCount()).toBe(0);
  });
});
