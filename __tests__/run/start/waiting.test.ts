import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { type PodEvent, podEvent } from '../../../src/kubernetes/events.ts';
import { referencesOf } from '../../../src/pod/references.ts';
import type { Known } from '../../../src/run/start/stuck.ts';
import { waitingFor } from '../../../src/run/start/waiting.ts';
import { condition, containerStatus, ended, gated, podWith, running, starting, unscheduled, waiting } from '../pods.ts';

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
      'its queue',
      gated(),
      { phase: 'queued', what: 'held by scheduling gate kueue.x-k8s.io/admission', worthTelling: true },
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
      'a registry that is busy, and speaks of access',
      starting(
        'ErrImagePull',
        'status code [manifests 1]: 429 Too Many Requests - Server message: log in, or access is denied',
      ),
      { worthTelling: true },
    ],
    [
      'a registry that is broken, and speaks of what it does not find',
      starting('ErrImagePull', 'unexpected status: 503 Service Unavailable - Server message: backend not found'),
      { worthTelling: true },
    ],
    [
      'an image whose address says denied',
      starting(
        'ErrImagePull',
        'failed to do request: http://reg/v2/denied-claims/app/manifests/1: i/o timeout',
        'reg/denied-claims/app:1',
      ),
      { worthTelling: true },
    ],
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
      { reason: 'ImagePull', graceSeconds: 0, remedy: expect.stringContaining('`image_pull_secrets`') },
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
      'a container that must not run as root',
      starting(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image will run as root (pod: "p_etl(1bbe9222)", container: base)',
      ),
      { reason: 'ContainerConfig', remedy: expect.stringContaining('runAsUser'), graceSeconds: 0 },
    ],
    [
      'something missing that the pod did not ask for by this name',
      starting('CreateContainerConfigError', 'secret "; rm -rf /" not found'),
      {
        reason: 'ContainerConfig',
        sentence: 'Container base of pod etl/p cannot be created: secret "; rm -rf /" not found.',
        graceSeconds: 15,
      },
    ],
    [
      'an image of a registry that no name server knows, and soon may',
      starting('ErrImagePull', 'dial tcp: lookup registry.acme on 10.0.0.2:53: no such host'),
      { reason: 'ImagePull', graceSeconds: 60, remedy: expect.stringContaining('the registry in `image`') },
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

describe('a container that keeps failing before the base container may start', () => {
  const crashing = (restartCount: number, reason: string, restartPolicy?: string): V1Pod => {
    const terminated = { exitCode: 1, reason, message: 'exec: "nope": not found', containerID: 'containerd://1' };
    const status = {
      ...containerStatus(waiting('CrashLoopBackOff'), 'proxy'),
      restartCount,
      lastState: { terminated },
    };
    const pod = podWith(waiting('PodInitializing'), {
      phase: 'Pending',
      conditions: [condition('True')],
      initContainerStatuses: [status],
    });
    const initContainers = [{ name: 'proxy', ...(restartPolicy && { restartPolicy }) }];
    return { ...pod, spec: { ...pod.spec, containers: [], initContainers } };
  };

  test.each<[string, V1Pod, string | undefined]>([
    ['a sidecar, for the second time', crashing(1, 'Error', 'Always'), undefined],
    [
      'a sidecar, time and again',
      crashing(3, 'Error', 'Always'),
      'Sidecar: Exit code 1: Container proxy of pod etl/p exited with code 1. It has run 4 times.',
    ],
    [
      'a sidecar whose command is not there',
      crashing(0, 'StartError', 'Always'),
      'Sidecar: The command cannot be started: Container proxy of pod etl/p could not be started (StartError, exit code 1): exec: "nope": not found',
    ],
    ['an init container that is tried again', crashing(7, 'Error'), undefined],
  ])('%s', (_, pod, expected) => {
    const found = waitingFor(pod, 'base');
    expect(found).toMatchObject({ phase: 'starting', worthTelling: true });
    const { title, sentence } = found?.hopeless ?? {};
    expect(title && `${title}: ${sentence}`).toBe(expected);
  });
});

test('a sidecar whose startup probe fails is what the others wait for', () => {
  const status = { ...containerStatus(running, 'proxy'), started: false };
  const pod = podWith(waiting('PodInitializing'), {
    phase: 'Pending',
    conditions: [condition('True')],
    initContainerStatuses: [status],
  });
  const spec = { ...pod.spec, containers: [], initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] };
  const event = {
    type: 'Warning',
    reason: 'Unhealthy',
    message: 'Startup probe failed: ',
    container: 'proxy',
    firstMs: 1,
    lastMs: 1,
  };
  expect(waitingFor({ ...pod, spec }, 'base', { references: [], events: [event] })).toMatchObject({
    what: 'waiting for sidecar proxy to have started: Startup probe failed',
    worthTelling: true,
    lasting: { reason: 'InitContainer' },
  });
});

test('a runtime that the node does not have is hopeless at once', () => {
  const pod = starting('ContainerCreating');
  const spec = { containers: [], ...pod.spec, runtimeClassName: 'gvisor' };
  const message =
    'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "runsc" is configured';
  const event = { type: 'Warning', reason: 'FailedCreatePodSandBox', message, firstMs: 1, lastMs: 1 };
  expect(waitingFor({ ...pod, spec }, 'base', { references: [], events: [event] })?.hopeless).toMatchObject({
    reason: 'ContainerConfig',
    sentence: 'Node node-1 has no container runtime "runsc", which RuntimeClass gvisor stands for.',
    graceSeconds: 0,
  });
});

interface Recorded {
  pod: V1Pod;
  events: CoreV1Event[];
}
/** What Kubernetes 1.36.3 said of such pods after 30 s, shortened. The Secret `db-secret` and the ConfigMap `conf` were there, without the keys. */
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'recorded', 'missing.json'), 'utf8'),
) as Record<string, Recorded>;

const named = (name: string): { pod: V1Pod; known: Known & { events: PodEvent[] } } => {
  const { pod, events } = recorded[name] ?? { pod: {}, events: [] };
  const known = {
    references: referencesOf(pod, path => `<${path}>`),
    events: events.map(podEvent).sort((one, other) => one.lastMs - other.lastMs),
  };
  return { pod, known };
};

describe('what is missing is named, with who asks for it and the way out:', () => {
  const secret = 'Secret "gone" does not exist in namespace rec; <spec.';
  const create = 'Create it: kubectl -n rec create secret generic gone';
  test.each<[string, string, string]>([
    [
      'env-secret',
      `${secret}containers[0].env[0].valueFrom.secretKeyRef> asks for it.`,
      `${create} --from-literal=k=VALUE`,
    ],
    [
      'init-secret',
      `${secret}initContainers[0].env[0].valueFrom.secretKeyRef> asks for it.`,
      `${create} --from-literal=k=VALUE`,
    ],
    [
      'envfrom-secret',
      `${secret}containers[0].envFrom[0].secretRef> asks for it.`,
      `${create} --from-literal=KEY=VALUE`,
    ],
    ['vol-secret', `${secret}volumes[0].secret> asks for it.`, `${create} --from-file=PATH`],
    [
      'env-secret-key',
      'Secret "db-secret" exists in namespace rec, but has no key "password"; <spec.containers[0].env[0].valueFrom.secretKeyRef> asks for it.',
      'Add the key, or name another. Those that it has: kubectl -n rec describe secret db-secret',
    ],
    [
      'vol-secret-key',
      'Secret "db-secret" exists in namespace rec, but has no key "service-account.json"; <spec.volumes[0].secret.items[0]> asks for it.',
      'Add the key, or name another. Those that it has: kubectl -n rec describe secret db-secret',
    ],
    [
      'vol-proj-key',
      'Secret "db-secret" exists in namespace rec, but has no key "nokey"; <spec.volumes[0].projected.sources[0].secret.items[0]> asks for it.',
      'Add the key, or name another. Those that it has: kubectl -n rec describe secret db-secret',
    ],
    [
      'env-cm',
      'ConfigMap "gone" does not exist in namespace rec; <spec.containers[0].env[0].valueFrom.configMapKeyRef> asks for it.',
      'Create it: kubectl -n rec create configmap gone --from-literal=k=VALUE',
    ],
    [
      'envfrom-cm',
      'ConfigMap "gone" does not exist in namespace rec; <spec.containers[0].envFrom[0].configMapRef> asks for it.',
      'Create it: kubectl -n rec create configmap gone --from-literal=KEY=VALUE',
    ],
    [
      'vol-cm',
      'ConfigMap "gone" does not exist in namespace rec; <spec.volumes[0].configMap> asks for it.',
      'Create it: kubectl -n rec create configmap gone --from-file=PATH',
    ],
    [
      'env-cm-key',
      'ConfigMap "conf" exists in namespace rec, but has no key "k"; <spec.containers[0].env[0].valueFrom.configMapKeyRef> asks for it.',
      'Add the key, or name another. Those that it has: kubectl -n rec describe configmap conf',
    ],
    [
      'vol-cm-key',
      'ConfigMap "conf" exists in namespace rec, but has no key "k"; <spec.volumes[0].configMap.items[0]> asks for it.',
      'Add the key, or name another. Those that it has: kubectl -n rec describe configmap conf',
    ],
    [
      'vol-proj',
      'Secret "gone" does not exist in namespace rec; <spec.volumes[0].projected.sources[0].secret> asks for it. ConfigMap "gone2" does not exist in namespace rec; <spec.volumes[0].projected.sources[1].configMap> asks for it. Secret "db-secret" exists in namespace rec, but has no key "nokey"; <spec.volumes[0].projected.sources[2].secret.items[0]> asks for it.',
      'Create them: kubectl -n rec create secret generic gone --from-file=PATH; kubectl -n rec create configmap gone2 --from-file=PATH. Add the key, or name another. Those that it has: kubectl -n rec describe secret db-secret',
    ],
    [
      'vol-two',
      'Secret "gone" does not exist in namespace rec; <spec.volumes[0].secret> asks for it. ConfigMap "gone3" does not exist in namespace rec; <spec.volumes[1].configMap> asks for it.',
      'Create them: kubectl -n rec create secret generic gone --from-file=PATH; kubectl -n rec create configmap gone3 --from-file=PATH',
    ],
  ])('%s', (name, sentence, remedy) => {
    const { pod, known } = named(name);
    // The node has looked for it for 15 s and more.
    expect(waitingFor(pod, 'base', known)?.hopeless).toMatchObject({
      reason: 'ContainerConfig',
      sentence,
      remedy,
      graceSeconds: 0,
    });
  });

  test('a claim, for which the scheduler looks', () => {
    const { pod, known } = named('vol-pvc');
    expect(waitingFor(pod, 'base', known)).toMatchObject({
      phase: 'scheduling',
      hopeless: {
        reason: 'ContainerConfig',
        sentence:
          'PersistentVolumeClaim "nope" does not exist in namespace rec; <spec.volumes[0].persistentVolumeClaim> asks for it.',
        remedy: 'Create it: kubectl -n rec apply -f CLAIM.yaml. Those that there are: kubectl -n rec get pvc',
        graceSeconds: 15,
      },
    });
  });

  test('what the cluster itself has added to the pod', () => {
    const { pod, known } = named('env-secret');
    expect(waitingFor(pod, 'base', { ...known, references: [] })?.hopeless?.sentence).toBe(
      'Secret "gone" does not exist in namespace rec; spec.containers[0].env[0].valueFrom.secretKeyRef, which the cluster added to the pod, asks for it.',
    );
  });

  test('nothing, where a driver says what no one else does', () => {
    const { pod, known } = named('vol-csi');
    const found = waitingFor(pod, 'base', known);
    expect(found?.hopeless).toBeUndefined();
    expect(found?.what).toBe(
      'starting on node localhost: MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name no.such.driver not found in the list of registered CSI drivers',
    );
  });
});

describe('the grace', () => {
  /** The events as they were when the node had looked for `seconds`. */
  const after = (name: string, seconds: number) => {
    const { pod, known } = named(name);
    return {
      pod,
      known: { ...known, events: known.events.map(event => ({ ...event, lastMs: event.firstMs + 1000 * seconds })) },
    };
  };

  test.each([
    ['env-secret', 12, 31],
    ['env-secret', 15, 0],
    ['vol-secret', 7, 40],
    ['vol-secret', 15, 0],
  ])('of %s, when the node has looked for %i s, is %i s', (name, seconds, graceSeconds) => {
    const { pod, known } = after(name, seconds);
    expect(waitingFor(pod, 'base', known)?.hopeless?.graceSeconds).toBe(graceSeconds);
  });

  test('leaves the node time for one more look where events cannot be read', () => {
    const { pod, known } = named('env-secret');
    expect(waitingFor(pod, 'base', { references: known.references })?.hopeless?.graceSeconds).toBe(31);
  });

  test('is for one cause, whatever else is said', () => {
    const causes = ['env-secret', 'env-secret-key', 'env-cm'].map(name => {
      const { pod, known } = named(name);
      return waitingFor(pod, 'base', known)?.hopeless?.cause;
    });
    expect(causes).toEqual(['Secret gone ', 'Secret db-secret password', 'ConfigMap gone ']);
  });
});

describe('a mount that has failed is no matter any more', () => {
  const { pod, known } = named('vol-secret');
  const last = known.events.at(-1)?.lastMs ?? 0;
  const later = (reason: string, container?: string): PodEvent => ({
    type: 'Normal',
    reason,
    message: 'Pulling image "busybox"',
    ...(container && { container }),
    firstMs: last,
    lastMs: last,
  });

  test('once an image is pulled', () => {
    const found = waitingFor(pod, 'base', { ...known, events: [...known.events, later('Pulling', 'base')] });
    expect(found).toEqual({
      phase: 'pulling',
      what: 'pulling image busybox',
      worthTelling: true,
      lasting: expect.objectContaining({ reason: 'StartTimeout' }),
    });
  });

  test('once the sandbox is ready', () => {
    const ready = structuredClone(pod);
    for (const condition of ready.status?.conditions ?? [])
      if (condition.type === 'PodReadyToStartContainers') condition.status = 'True';
    expect(waitingFor(ready, 'base', known)?.hopeless).toBeUndefined();
  });

  test('while another goes on failing', () => {
    const two = named('vol-two');
    const made = two.known.events.map(event =>
      event.message.includes('"gone"') ? { ...event, lastMs: event.lastMs - 16_000 } : event,
    );
    expect(waitingFor(two.pod, 'base', { ...two.known, events: made })?.hopeless?.sentence).toBe(
      'ConfigMap "gone3" does not exist in namespace rec; <spec.volumes[1].configMap> asks for it.',
    );
  });
});

describe('an image that is refused', () => {
  const refusal =
    'failed to pull and unpack image "reg/x:1": failed to resolve reference "reg/x:1": pulling from host reg failed with status code [manifests 1]: 403 Forbidden';
  const refused = (names: string[] = [], message = refusal) => {
    const pod = starting('ErrImagePull', message, 'reg/x:1');
    return { ...pod, spec: { containers: [], ...pod.spec, imagePullSecrets: names.map(name => ({ name })) } };
  };
  const at = (reason: string, message: string, lastMs: number): PodEvent => ({
    type: 'Warning',
    reason,
    message,
    firstMs: 0,
    lastMs,
  });
  const unable =
    'Unable to retrieve some image pull secrets (regcred, other); attempting to pull the image may not succeed.';
  const references = (pod: V1Pod) => referencesOf(pod, () => 'image_pull_secrets');

  test('is refused for good, and events are wanted where a pull secret could be missing', () => {
    expect(waitingFor(refused(), 'base')?.hopeless).toMatchObject({ graceSeconds: 0, wantsEvents: false });
    expect(waitingFor(refused(['regcred']), 'base')?.hopeless).toMatchObject({ graceSeconds: 0, wantsEvents: true });
  });

  test('says so of a missing pull secret, with the command', () => {
    const pod = refused(['regcred']);
    const events = [at('FailedToRetrieveImagePullSecret', unable, 5000), at('Pulling', 'Pulling image', 5000)];
    expect(waitingFor(pod, 'base', { references: references(pod), events })?.hopeless).toMatchObject({
      reason: 'ImagePull',
      sentence: `Image reg/x:1 cannot be pulled: ${refusal.replace(/^.*": /, '')}. Image pull secret "regcred" does not exist in namespace etl; image_pull_secrets asks for it.`,
      remedy:
        'Create it: kubectl -n etl create secret docker-registry regcred --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD',
      wantsEvents: false,
    });
  });

  test('says nothing of a pull secret that has come before the last pull', () => {
    const pod = refused(['regcred']);
    const events = [at('FailedToRetrieveImagePullSecret', unable, 5000), at('Pulling', 'Pulling image', 17_000)];
    expect(waitingFor(pod, 'base', { references: references(pod), events })?.hopeless?.sentence).not.toContain(
      'pull secret',
    );
  });

  test('may have been pulled before the secret that the action makes was there', () => {
    const known = { references: [], ownPullSecret: true };
    expect(waitingFor(refused(), 'base', known)).toMatchObject({
      what: 'the first pull of reg/x:1 was refused; the node tries again, with the pull secret',
      hopeless: { graceSeconds: 40 },
    });
    expect(waitingFor(refused(), 'base', { ...known, refusedAgain: new Set(['base']) })?.hopeless).toMatchObject({
      graceSeconds: 0,
      remedy: 'Check `image`, `registry_username` and `registry_password`.',
    });
    expect(waitingFor(refused([], 'manifest unknown'), 'base', known)?.hopeless?.graceSeconds).toBe(0);
  });
});

describe('an init container that runs', () => {
  const withInit = (restartPolicy?: string, name = 'prep') => {
    const pod = podWith(waiting('PodInitializing'), {
      phase: 'Pending',
      conditions: [condition('True')],
      initContainerStatuses: [containerStatus(running, name)],
    });
    const init = { name, ...(restartPolicy && { restartPolicy }) };
    return { ...pod, spec: { containers: [], ...pod.spec, initContainers: [init] } };
  };

  test('is a phase of its own, and a sidecar is none', () => {
    expect(waitingFor(withInit(), 'base')).toMatchObject({ phase: 'initializing', worthTelling: true });
    expect(waitingFor(withInit('Always'), 'base')).toMatchObject({ phase: 'starting' });
  });

  test.each([
    ['prep', { what: 'init container prep runs', worthTelling: true }],
    ['pod-step-checkout', { what: 'the repository is being checked out', worthTelling: true }],
    ['pod-step-upload', { what: 'waiting for its workspace', worthTelling: false }],
  ])('is told by what it does: %s', (name, expected) => {
    expect(waitingFor(withInit(undefined, name), 'base')).toMatchObject(expected);
  });
});
