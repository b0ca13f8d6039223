import { describe, expect, test } from '@jest/globals';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { RESULT_SIDECAR } from '../../../src/pod/result.ts';
import { waitingFor } from '../../../src/run/start/waiting.ts';
import { condition, containerStatus, podWith, running, waiting } from '../pods.ts';

const withSidecar = (status: V1ContainerStatus): V1Pod => {
  const pod = podWith(waiting('PodInitializing'), {
    phase: 'Pending',
    conditions: [condition('True')],
    initContainerStatuses: [status],
  });
  const initContainers = [{ name: RESULT_SIDECAR, restartPolicy: 'Always' }];
  return { ...pod, spec: { containers: [], ...pod.spec, initContainers } };
};
const stuck = (reason: string, message: string) => containerStatus(waiting(reason, message), RESULT_SIDECAR, 'reg/x:1');

describe('of the result’s sidecar', () => {
  test.each<[what: string, status: V1ContainerStatus, fields: { sentence?: string; remedy: string }]>([
    [
      'an image that is refused',
      stuck('ErrImagePull', 'denied'),
      {
        sentence: 'Image reg/x:1 of the result’s sidecar cannot be pulled: denied',
        remedy: 'Set `xcom_sidecar_container_image` to an image with a shell that the node can pull',
      },
    ],
    [
      'an image whose registry is not known',
      stuck('ErrImagePull', 'dial tcp: lookup reg: no such host'),
      { remedy: 'Set `xcom_sidecar_container_image`' },
    ],
    [
      'an image whose name is none',
      stuck('InvalidImageName', ''),
      { remedy: 'Correct `xcom_sidecar_container_image`.' },
    ],
    [
      'resources that its node cannot set',
      {
        ...containerStatus(waiting('RunContainerError'), RESULT_SIDECAR),
        lastState: {
          terminated: { exitCode: 128, reason: 'StartError', message: 'unable to apply cgroup configuration' },
        },
      },
      { remedy: 'Give it other resources: `pod_patch: {spec: {initContainers: [{name: pod-step-result,' },
    ],
    [
      'an image without a shell',
      {
        ...containerStatus(waiting('RunContainerError'), RESULT_SIDECAR),
        lastState: { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "sh": not found' } },
      },
      { remedy: 'Check `xcom_sidecar_container_image`: it needs sh, base64, sha256sum, stat, id and sleep.' },
    ],
  ])('%s leads to its input', (_, status, { sentence, remedy }) => {
    const found = waitingFor(withSidecar(status), 'base')?.hopeless;
    expect(found?.remedy).toContain(remedy);
    if (sentence !== undefined) expect(found?.sentence).toBe(sentence);
  });

  test('an image that does not come in time leads to its input', () => {
    const pod = withSidecar(stuck('ErrImagePull', 'dial tcp 10.0.0.1:443: i/o timeout'));
    expect(waitingFor(pod, 'base')).toMatchObject({
      what: 'pulling reg/x:1, of the result’s sidecar, fails: dial tcp 10.0.0.1:443: i/o timeout',
      lasting: { remedy: expect.stringContaining('`do_xcom_push: auto`') },
    });
  });
});

describe('a node that knows no sidecars', () => {
  const own = containerStatus(running, RESULT_SIDECAR);

  test('says nothing of its start, and lets the others wait', () => {
    const { started: _, ...old } = own;
    expect(waitingFor(withSidecar(old as V1ContainerStatus), 'base')?.hopeless).toMatchObject({
      reason: 'Rejected',
      title: 'Node too old for a sidecar',
      remedy: expect.stringContaining('`do_xcom_push: auto`'),
      graceSeconds: 30,
    });
  });

  test.each([true, false])('is none where it says started: %s', started => {
    expect(waitingFor(withSidecar({ ...own, started }), 'base')?.hopeless).toBeUndefined();
  });
});
