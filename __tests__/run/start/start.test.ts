import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1ContainerState } from '@kubernetes/client-node';
import type { PodEvent, PodEvents } from '../../../src/kubernetes/events.ts';
import { referencesOf } from '../../../src/pod/references.ts';
import { type StartOptions, waitForStart } from '../../../src/run/start/start.ts';
import { condition, containerStatus, ended, gated, podWith, running, starting, unscheduled, waiting } from '../pods.ts';
import { ShownPod } from '../shown-pod.ts';

describe('the wait for the start', () => {
  afterEach(() => void jest.useRealTimers());

  let told: string[];
  let asked: number;
  let events: PodEvents;
  let news: (events: PodEvents) => void;
  /** The cluster has said so since. */
  const say = (now: PodEvents) => {
    events = now;
    news(now);
  };
  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    asked = 0;
    events = [];
    news = () => {};
  });
  const wait = (pod: ShownPod, signal = new AbortController().signal, more: Partial<StartOptions> = {}) => {
    const started = waitForStart(pod.observed, 'base', {
      references: referencesOf(pod.view.pod, path => path),
      timeouts: { queueSeconds: 50, scheduleSeconds: 100, startupSeconds: 200 },
      events: async onNews => {
        asked++;
        news = onNews;
        onNews(events);
      },
      tell: what => told.push(what),
      signal,
      ...more,
    });
    return started.then(
      () => 'started',
      error => error.reason ?? error.message,
    );
  };
  const pass = (seconds: number) => jest.advanceTimersByTimeAsync(1000 * seconds);
  const still = async (waiting: Promise<string>) => await Promise.race([waiting, pass(0).then(() => 'waiting')]);

  test('ends with the start, and tells each thing once', async () => {
    const pod = new ShownPod(unscheduled());
    const waiting = wait(pod);
    for (const message of ['no cpu', 'no cpu', 'no memory', 'no cpu']) pod.become(unscheduled(message));
    pod.become(starting('ContainerCreating'));
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual(['waiting for a node: no cpu', 'waiting for a node: no memory']);
    expect(asked).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['it is gone', podWith(undefined), true],
    ['it has failed', podWith(undefined, { phase: 'Failed' }), false],
  ])('ends when %s', async (_, last, gone) => {
    const pod = new ShownPod(unscheduled());
    const waiting = wait(pod);
    pod.become(last, gone);
    expect(await waiting).toBe('started');
  });

  test('for a node ends after its time', async () => {
    const waiting = wait(new ShownPod(unscheduled('no cpu')));
    await pass(100 - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('Unschedulable');
  });

  test('in a queue has a time of its own', async () => {
    const waiting = wait(new ShownPod(gated()));
    await pass(50 - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('SchedulingGated');
    expect(asked).toBe(0);
  });

  test('says how long the image took to come', async () => {
    const pod = new ShownPod(starting('ContainerCreating'));
    const waiting = wait(pod);
    await pass(1);
    const event = (reason: string, message: string): PodEvent => ({
      type: 'Normal',
      reason,
      message,
      firstMs: 1,
      lastMs: 1,
    });
    const pulling = event('Pulling', 'Pulling image "acme/etl:1"');
    say([pulling]);
    await pass(35);
    say([
      pulling,
      event(
        'Pulled',
        'Successfully pulled image "acme/etl:1" in 35.06s (35.06s including waiting). Image size: 120400000 bytes.',
      ),
    ]);
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual([
      'pulling image acme/etl:1',
      'Not started after 30 s: pulling image acme/etl:1',
      'pulled image acme/etl:1 in 35.06s (120 MB)',
    ]);
  });

  test('in a queue is not counted as one for a node', async () => {
    const pod = new ShownPod(gated());
    const waiting = wait(pod);
    await pass(50 - 1);
    pod.become(unscheduled('no cpu'));
    await pass(100 - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('Unschedulable');
    expect(told.slice(0, 2)).toEqual([
      'held by scheduling gate kueue.x-k8s.io/admission',
      expect.stringContaining('Not started after 30 s: held by scheduling gate'),
    ]);
  });

  test('for a node tells of one that is being added', async () => {
    const pod = new ShownPod(unscheduled('no cpu'));
    const waiting = wait(pod);
    await pass(3);
    const message = 'pod triggered scale-up: [{pool 0->1}]';
    say([{ type: 'Normal', reason: 'TriggeredScaleUp', message, firstMs: 1, lastMs: 1 }]);
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual([
      'waiting for a node: no cpu',
      'waiting for a node: no cpu; a node is being added: pod triggered scale-up: [{pool 0->1}]',
    ]);
  });

  test('is reminded of at growing intervals, with where to look said once where events are not allowed', async () => {
    const waiting = wait(new ShownPod(unscheduled('no cpu')), undefined, {
      timeouts: { queueSeconds: 1, scheduleSeconds: 10_900, startupSeconds: 1 },
      events: async onNews => onNews('not allowed'),
    });
    await pass(10_899);
    const times = told.slice(1).map(line => /^Not started after (.*?): waiting for a node: no cpu/.exec(line)?.[1]);
    expect(times).toEqual(['30 s', '2 min', '5 min', '10 min', '20 min', '30 min', '1 h', '2 h', '3 h']);
    expect(told.filter(line => line.includes('kubectl -n etl describe pod p'))).toHaveLength(1);
    await pass(1);
    expect(await waiting).toBe('Unschedulable');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('for the container has a time of its own', async () => {
    const pod = new ShownPod(unscheduled());
    const waiting = wait(pod);
    await pass(100 - 1);
    pod.become(starting('ContainerCreating'));
    await pass(200 - 1);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('StartTimeout');
  });

  test('that is hopeless ends at once', async () => {
    const pod = new ShownPod(unscheduled());
    const waiting = wait(pod);
    pod.become(starting('InvalidImageName', 'x'));
    expect(await waiting).toBe('ImagePull');
  });

  const lacking = () => {
    const pod = starting('CreateContainerConfigError', 'secret "db" not found');
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'k' } } }];
    return { ...pod, spec: { ...pod.spec, containers: [{ name: 'base', env }] } };
  };
  const failed = (seconds: number): PodEvent[] => [
    {
      type: 'Warning',
      reason: 'Failed',
      message: 'Error: secret "db" not found',
      container: 'base',
      firstMs: 1_000_000,
      lastMs: 1_000_000 + 1000 * seconds,
    },
  ];

  test('that may be hopeless ends when the node has looked again after the grace', async () => {
    const pod = new ShownPod(lacking());
    const waiting = wait(pod);
    await pass(2);
    say(failed(0));
    await pass(12);
    say(failed(12));
    await pass(8);
    // Said again, it gives no new grace.
    pod.become(lacking());
    expect(await still(waiting)).toBe('waiting');
    say(failed(24));
    expect(await waiting).toBe('ContainerConfig');
    expect(told).toEqual([
      'Secret "db" does not exist in namespace etl; spec.containers[0].env[0].valueFrom.secretKeyRef asks for it. Waiting for it.',
    ]);
  });

  test('that may be hopeless ends after its grace and the longest that a node takes, where events are not allowed', async () => {
    events = 'not allowed';
    const pod = new ShownPod(lacking());
    const waiting = wait(pod);
    await pass(30);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('ContainerConfig');
    expect(asked).toBe(1);
  });

  test('whose hindrance is removed in time goes on', async () => {
    const pod = new ShownPod(lacking());
    const waiting = wait(pod);
    await pass(14);
    pod.become(starting('ContainerCreating'));
    await pass(60);
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
  });

  test('that lacks another thing then has another grace', async () => {
    events = 'unavailable';
    const pod = new ShownPod(starting('CreateContainerError', 'no'));
    const waiting = wait(pod);
    await pass(10);
    pod.become(starting('CreateContainerConfigError', 'no'));
    await pass(14);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('ContainerConfig');
  });

  test('for a claim ends 15 s after the scheduler has missed it', async () => {
    const pod = unscheduled('0/1 nodes are available: persistentvolumeclaim "nope" not found. not found');
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'nope' } }];
    const waiting = wait(new ShownPod({ ...pod, spec: { containers: [], ...pod.spec, volumes } }));
    await pass(14);
    expect(await still(waiting)).toBe('waiting');
    await pass(1);
    expect(await waiting).toBe('ContainerConfig');
    expect(asked).toBe(0);
  });

  test('for a volume reads events once a second has gone by without a start', async () => {
    const pod = starting('ContainerCreating');
    const volumes = [{ name: 'v', secret: { secretName: 'gone' } }];
    const shown = new ShownPod({ ...pod, spec: { containers: [], ...pod.spec, volumes } });
    const waiting = wait(shown);
    const mount = (seconds: number): PodEvent[] =>
      failed(seconds).map(({ container: _, ...event }) => ({
        ...event,
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "v" : secret "gone" not found',
      }));
    events = mount(0);
    await pass(0.9);
    expect(asked).toBe(0);
    await pass(0.1);
    expect(asked).toBe(1);
    await pass(8);
    say(mount(7));
    expect(await still(waiting)).toBe('waiting');
    say(mount(15));
    expect(await waiting).toBe('ContainerConfig');
    expect(told).toEqual([
      'Secret "gone" does not exist in namespace etl; spec.volumes[0].secret asks for it. Waiting for it.',
    ]);
    expect(asked).toBe(1);
  });

  test('says what the node is at, and the same once', async () => {
    const pod = new ShownPod(starting('ContainerCreating'));
    const waiting = wait(pod);
    const sandbox = (id: string): PodEvent[] => [
      { type: 'Warning', reason: 'FailedCreatePodSandBox', message: `no network (${id})`, firstMs: 1, lastMs: 1 },
    ];
    await pass(2);
    say(sandbox('0a1b2c3d4e5f'));
    say(sandbox('f5e4d3c2b1a0'));
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual(['starting on node node-1: no network (0a1b2c3d4e5f)']);
  });

  test('tells of a volume that cannot be mounted once that has failed twice: a busy node manages at its next look', async () => {
    const pod = new ShownPod(starting('ContainerCreating'));
    const waiting = wait(pod);
    const failed: PodEvent = {
      type: 'Warning',
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed for volume "data" : timed out',
      firstMs: 1000,
      lastMs: 1000,
    };
    await pass(2);
    say([failed]);
    expect(told).toEqual([]);
    say([{ ...failed, count: 2 }]);
    pod.become(podWith(running));
    expect(await waiting).toBe('started');
    expect(told).toEqual(['starting on node node-1: MountVolume.SetUp failed for volume "data" : timed out']);
  });

  describe('with an image that is refused', () => {
    const pulling = (reason: string) => {
      const pod = starting(reason, 'denied', 'reg/x:1');
      return { ...pod, spec: { containers: [], ...pod.spec, imagePullSecrets: [{ name: 'regcred' }] } };
    };

    test('asks for the events first, to name a pull secret that is missing', async () => {
      events = [
        {
          type: 'Warning',
          reason: 'FailedToRetrieveImagePullSecret',
          message:
            'Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
          firstMs: 1,
          lastMs: 1,
        },
      ];
      const stop = new AbortController().signal;
      const pod = new ShownPod(pulling('ErrImagePull'));
      const waiting = waitForStart(pod.observed, 'base', {
        references: [],
        timeouts: { queueSeconds: 50, scheduleSeconds: 100, startupSeconds: 200 },
        events: async onNews => onNews(events),
        tell: () => {},
        signal: stop,
      });
      await expect(waiting).rejects.toMatchObject({
        reason: 'ImagePull',
        message:
          'Image reg/x:1 cannot be pulled: denied. Image pull secret "regcred" does not exist in namespace etl; spec.imagePullSecrets[0], which the cluster added to the pod, asks for it.',
      });
    });

    test.each<[string, PodEvents]>([
      ['not allowed', 'not allowed'],
      ['unavailable', 'unavailable'],
      ['silent', []],
    ])('ends at once all the same where events are %s', async (_, answer) => {
      events = answer;
      const waiting = wait(new ShownPod(pulling('ErrImagePull')));
      await pass(0);
      expect(await waiting).toBe('ImagePull');
      expect(asked).toBe(1);
    });

    test('waits for the second pull where the action makes the pull secret', async () => {
      const pod = new ShownPod(pulling('ErrImagePull'));
      const waiting = wait(pod, undefined, { ownPullSecret: true });
      await pass(12);
      pod.become(pulling('ImagePullBackOff'));
      await pass(12);
      expect(await still(waiting)).toBe('waiting');
      pod.become(pulling('ErrImagePull'));
      expect(await waiting).toBe('ImagePull');
    });

    test('waits for it 40 s at most', async () => {
      const waiting = wait(new ShownPod(pulling('ErrImagePull')), undefined, { ownPullSecret: true });
      await pass(39);
      expect(await still(waiting)).toBe('waiting');
      await pass(1);
      expect(await waiting).toBe('ImagePull');
    });
  });

  test('does not count the time that init containers run', async () => {
    const init = (state: V1ContainerState) => {
      const pod = podWith(waiting('PodInitializing'), {
        phase: 'Pending',
        conditions: [condition('True')],
        initContainerStatuses: [containerStatus(state, 'prep')],
      });
      return { ...pod, spec: { containers: [], ...pod.spec, initContainers: [{ name: 'prep' }] } };
    };
    const pod = new ShownPod(init(waiting('PodInitializing')));
    const started = wait(pod);
    await pass(150);
    pod.become(init(running));
    await pass(3600);
    pod.become(init(ended(0)));
    await pass(49);
    expect(await still(started)).toBe('waiting');
    await pass(1);
    expect(await started).toBe('StartTimeout');
  });

  test('bears a time-out that no timer can hold', async () => {
    const timeouts = { queueSeconds: 1, scheduleSeconds: 2 ** 31 - 1, startupSeconds: 1 };
    const waiting = wait(new ShownPod(unscheduled()), undefined, { timeouts });
    await pass(3600);
    expect(await still(waiting)).toBe('waiting');
  });

  test('that is cancelled ends with the reason', async () => {
    const stop = new AbortController();
    const waiting = wait(new ShownPod(unscheduled()), stop.signal);
    stop.abort(new Error('cancelled'));
    expect(await waiting).toBe('cancelled');
    expect(jest.getTimerCount()).toBe(0);
  });
});
