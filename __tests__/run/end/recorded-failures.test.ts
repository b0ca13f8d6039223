import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { type PodEvent, podEvent } from '../../../src/kubernetes/events.ts';
import { referencesOf } from '../../../src/pod/references.ts';
import { diagnose } from '../../../src/run/end/diagnose.ts';
import { outcomeOf } from '../../../src/run/end/outcome.ts';
import { waitingFor } from '../../../src/run/start/waiting.ts';

interface Recorded {
  pod?: V1Pod;
  gone?: boolean;
  events: CoreV1Event[];
}

/** What Kubernetes told of failures that were made for real; `npm run test:cluster -- failures` with RECORD=1 writes it. */
const recorded = Object.fromEntries(
  ['config', 'ended', 'evicted', 'images', 'init', 'node', 'scheduling'].flatMap(topic =>
    Object.entries(
      JSON.parse(readFileSync(join(import.meta.dirname, '../recorded/failures', `${topic}.json`), 'utf8')) as object,
    ),
  ),
) as Record<string, Recorded>;

function of(name: string): { pod: V1Pod; gone: boolean; events: PodEvent[] } {
  const { pod, gone = false, events } = recorded[name] ?? { events: [] };
  if (pod === undefined) throw new Error(`Nothing was recorded of "${name}".`);
  return { pod, gone, events: events.map(podEvent).sort((one, other) => one.lastMs - other.lastMs) };
}

describe('the end of a pod, as recorded:', () => {
  test.each<[string, string, number | undefined]>([
    ['The command exits with a code other than 0', 'ExitCode', 3],
    ['The command dies of a signal: SIGSEGV', 'ExitCode', 139],
    ['The container exceeds its memory limit', 'OOMKilled', 137],
    ['The image has no such command', 'StartError', 128],
    ['The deadline ends the container', 'DeadlineExceeded', 137],
    ['The deadline ends the container, which exits with 0', 'DeadlineExceeded', 0],
    ['The deadline is over before the image could be pulled', 'DeadlineExceeded', undefined],
    ['The container fails again and again, until the deadline (`restartPolicy: OnFailure`)', 'DeadlineExceeded', 4],
    ['Somebody deletes the pod while the container runs', 'PodDeleted', 137],
    ['Somebody deletes the pod, and the container exits with 0', 'PodDeleted', 0],
    ['Somebody deletes the pod before the container has started', 'PodDeleted', undefined],
    ['Somebody deletes the pod by force', 'PodDeleted', undefined],
    ['The hook `postStart` fails', 'FailedPostStartHook', 137],
    ['The liveness probe fails', 'Unhealthy', 137],
    ['The startup probe fails', 'Unhealthy', 137],
    ['An init container exits with a code other than 0', 'InitContainer', undefined],
    ['An init container exceeds its memory limit', 'OOMKilled', undefined],
    ['An init container’s image has no such command', 'StartError', undefined],
    ['Evicted: more written than the limit of ephemeral storage', 'Evicted', 137],
    ['Evicted: more written into an emptyDir than its `sizeLimit`', 'Evicted', 137],
    ['Evicted: the node runs out of memory', 'Evicted', 137],
    ['Evicted through the API, as `kubectl drain` does', 'Evicted', 137],
    ['A taint with NoExecute put on the node', 'Evicted', 137],
    ['Preempted by a pod of higher priority', 'Preempted', 137],
    ['The kubelet refuses the pod: too little CPU is left on the node that `nodeName` names', 'Rejected', undefined],
    ['The kubelet refuses the pod: its node is about to shut down', 'NodeShutdown', undefined],
    ['The node shuts down, and ends its pods before it does', 'NodeShutdown', 137],
    ['The node is taken out of the cluster', 'NodeLost', undefined],
    ['The node that `nodeName` names does not exist', 'NodeLost', undefined],
  ])('%s: %s', (name, reason, exitCode) => {
    const { pod, gone, events } = of(name);
    // Some are known only once the object, recorded just before, is gone.
    const outcome = outcomeOf({ pod, gone }, 'base') ?? outcomeOf({ pod, gone: true }, 'base');
    const told = outcome && diagnose(outcome, pod, 'base', events);
    expect(told).toMatchObject({ state: 'failed', reason });
    expect(told?.ended?.exitCode).toBe(exitCode);
  });
});

describe('what a pod waits for in vain, as recorded:', () => {
  test.each([
    ['The image’s name is invalid', 'ImagePull', 0],
    ['The registry has no such image (404)', 'ImagePull', 0],
    ['The registry wants credentials (401)', 'ImagePull', 0],
    ['The registry refuses the image (403)', 'ImagePull', 0],
    ['The image is not on the node, and may not be pulled', 'ImagePull', 0],
    ['An init container’s image does not exist', 'ImagePull', 0],
    ['The node does not know the RuntimeClass’s handler', 'ContainerConfig', 0],
    ['runAsNonRoot, and the image runs as root', 'ContainerConfig', 0],
    ['A `subPath` of a read-only volume does not exist', 'ContainerConfig', 15],
    ['A claim does not exist', 'ContainerConfig', 15],
  ])('%s: %s', (name, reason, graceSeconds) => {
    const { pod, events } = of(name);
    const references = referencesOf(pod, path => path);
    expect(waitingFor(pod, 'base', { references, events })?.hopeless).toMatchObject({ reason, graceSeconds });
  });

  test.each([
    'The registry limits the rate of pulls (429)',
    'The registry is out of order (503)',
    'The registry does not answer',
    'No node has enough memory',
    'A scheduling gate is not taken away',
    'The node has no such CSI driver',
  ])('%s: that may pass', name => {
    const { pod, events } = of(name);
    const found = waitingFor(pod, 'base', { references: [], events });
    expect(found?.hopeless).toBeUndefined();
    expect(found?.worthTelling).toBe(true);
  });
});
