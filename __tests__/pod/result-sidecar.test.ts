import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod, V1SecurityContext } from '@kubernetes/client-node';
import { differenceOf } from '../../src/pod/compare.ts';
import { PLAN_ANNOTATION, RESULT_ASKED_ANNOTATION } from '../../src/pod/identity.ts';
import { RESULT_SIDECAR } from '../../src/pod/result.ts';
import { selectContainers, wrongNames } from '../../src/run/logs/selection.ts';
import { prepare } from '../../src/run/prepare.ts';
import { environment, read } from '../github/inputs/given.ts';
import { planOf, podOf, refusal } from './planned.ts';

const planWith = (given: Record<string, string>) => planOf({ do_xcom_push: 'true', ...given });
const podWith = (given: Record<string, string>): V1Pod => planWith(given).pod;

function sidecarOf(given: Record<string, string> = {}): V1Container {
  const found = podWith(given).spec?.initContainers?.find(({ name }) => name === RESULT_SIDECAR);
  if (found === undefined) throw new Error('The pod has no sidecar.');
  return found;
}

describe('the pod has', () => {
  test('the folder of the result in the base container, writable and not too large, and read-only in the sidecar', () => {
    const { containers, volumes } = podWith({}).spec ?? {};
    expect(containers?.[0]?.volumeMounts).toEqual([{ name: 'pod-step-result', mountPath: '/airflow/xcom' }]);
    expect(volumes).toContainEqual({ name: 'pod-step-result', emptyDir: { sizeLimit: '64Mi' } });
    expect(sidecarOf().volumeMounts).toContainEqual({
      name: 'pod-step-result',
      mountPath: '/airflow/xcom',
      readOnly: true,
    });
  });

  test('a file that an annotation fills, for the sidecar alone', () => {
    const fieldPath = "metadata.annotations['kubernetes-pod-step/result-asked']";
    expect(podWith({}).spec?.volumes).toContainEqual({
      name: 'pod-step-asked',
      downwardAPI: { items: [{ path: 'asked', fieldRef: { fieldPath } }] },
    });
    expect(sidecarOf().volumeMounts).toContainEqual({
      name: 'pod-step-asked',
      mountPath: '/pod-step',
      readOnly: true,
    });
    expect(podWith({}).metadata?.annotations).not.toHaveProperty(['kubernetes-pod-step/result-asked']);
  });

  test('a native sidecar behind its init containers, which need no result', () => {
    const { initContainers = [] } = podWith({ init_containers: '[{name: setup, image: x}]' }).spec ?? {};
    expect(initContainers.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([
      ['setup', undefined],
      ['pod-step-result', 'Always'],
    ]);
  });

  test('its sidecar behind all others, wherever its resources have been given', () => {
    const others = '{name: setup, image: x}, {name: proxy, image: x, restartPolicy: Always}';
    const pod_template_dict = `{spec: {initContainers: [{name: pod-step-result, resources: {}}, ${others}]}}`;
    const { spec } = podWith({ pod_template_dict });
    expect(spec?.initContainers?.map(({ name }) => name)).toEqual(['setup', 'proxy', 'pod-step-result']);
    expect(planWith({ pod_template_dict }).originOf('spec.initContainers[1].image')).toBe(
      'pod_template_dict: spec.initContainers[2].image',
    );
  });

  test('a sidecar that is told what to read, where to look, and how much at most', () => {
    const { command, args } = sidecarOf();
    expect(command).toEqual(['sh', '-c', expect.stringContaining('sha256sum'), 'pod-step-result']);
    expect(args).toEqual(['/airflow/xcom', '/pod-step/asked', '7000000', 'return.json']);
  });

  test.each<[what: string, given: Record<string, string>, image: string]>([
    ['its own', {}, 'public.ecr.aws/docker/library/busybox:1.37'],
    ['that of the input', { xcom_sidecar_container_image: 'mirror.example/busybox:1' }, 'mirror.example/busybox:1'],
  ])('a sidecar whose image is %s, with the pod’s pull secrets', (_, given, image) => {
    expect(sidecarOf(given).image).toBe(image);
    expect(podWith({ ...given, image_pull_secrets: 'theirs' }).spec?.imagePullSecrets).toEqual([{ name: 'theirs' }]);
  });

  test('volumes and mounts of the user’s own beside them', () => {
    const given = { volumes: '[{name: v, emptyDir: {}}]', volume_mounts: '[{name: v, mountPath: /v}]' };
    const { containers, volumes } = podWith(given).spec ?? {};
    expect(volumes?.map(({ name }) => name)).toEqual(['v', 'pod-step-result', 'pod-step-asked']);
    expect(containers?.[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual(['/v', '/airflow/xcom']);
  });

  test('nothing of it but with do_xcom_push: true', () => {
    for (const do_xcom_push of ['auto', 'false'])
      expect(JSON.stringify(podOf({ do_xcom_push }))).not.toMatch(/pod-step-(result|asked)/);
  });
});

describe('the sidecar’s security context', () => {
  const restricted: V1SecurityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const ofBase = (text: string) => ({ container_security_context: text });
  const ofPod = (text: string) => ({ security_context: text });
  const own = (text: string) => ({ xcom_sidecar_container_security_context: text });

  test.each<[what: string, given: Record<string, string>, more: V1SecurityContext]>([
    ['is what the profile restricted asks for', {}, {}],
    [
      'has the base container’s user',
      ofBase('{runAsUser: 1000, runAsGroup: 2000}'),
      { runAsUser: 1000, runAsGroup: 2000 },
    ],
    ['has the base container’s user, be it root', ofBase('{runAsUser: 0}'), { runAsUser: 0 }],
    [
      'has a user, as the base container has to have one',
      ofBase('{runAsNonRoot: true}'),
      { runAsNonRoot: true, runAsUser: 65532 },
    ],
    [
      'has a user, as the pod has to have one, which is not said again',
      ofPod('{runAsNonRoot: true}'),
      { runAsUser: 65532 },
    ],
    [
      'has the user that is named, as there has to be one',
      ofBase('{runAsNonRoot: true, runAsUser: 7}'),
      { runAsNonRoot: true, runAsUser: 7 },
    ],
    ['has the pod’s user without saying it again', ofPod('{runAsUser: 1000, runAsNonRoot: true, fsGroup: 1}'), {}],
    [
      'has the base container’s user before the pod’s',
      { ...ofPod('{runAsUser: 1000}'), ...ofBase('{runAsUser: 2000}') },
      { runAsUser: 2000 },
    ],
    [
      'has the pod’s user where the base container only has to have one',
      { ...ofPod('{runAsUser: 1000}'), ...ofBase('{runAsNonRoot: true}') },
      { runAsNonRoot: true },
    ],
    [
      'may be root where the base container may, whatever the pod says',
      { ...ofPod('{runAsNonRoot: true}'), ...ofBase('{runAsNonRoot: false}') },
      { runAsNonRoot: false },
    ],
    [
      'has the base container’s SELinux label, without which it could not read',
      ofBase('{seLinuxOptions: {level: "s0:c1,c2"}}'),
      { seLinuxOptions: { level: 's0:c1,c2' } },
    ],
    [
      'has nothing else of the base container’s',
      ofBase(
        '{privileged: true, capabilities: {add: [SYS_ADMIN]}, procMount: Unmasked, readOnlyRootFilesystem: false}',
      ),
      {},
    ],
    [
      'has a user where only it is not to be root',
      own('{runAsNonRoot: true}'),
      { runAsNonRoot: true, runAsUser: 65532 },
    ],
    ['has what is laid over it', own('{runAsUser: 5, runAsNonRoot: true}'), { runAsUser: 5, runAsNonRoot: true }],
    [
      'has what is laid over it in place of the base container’s',
      { ...ofBase('{runAsUser: 1000}'), ...own('{runAsUser: 5}') },
      { runAsUser: 5 },
    ],
    [
      'has what is laid over it whole',
      own('{capabilities: {drop: [NET_RAW]}, seccompProfile: {type: Unconfined}}'),
      { capabilities: { drop: ['NET_RAW'] }, seccompProfile: { type: 'Unconfined' } },
    ],
    ['has nothing laid over it by an empty one', own('{}'), {}],
  ])('%s', (_, given, more) => {
    expect(sidecarOf(given).securityContext).toEqual({ ...restricted, ...more });
  });

  test('has not what a null takes away', () => {
    const privileged = sidecarOf(own('{privileged: true}')).securityContext;
    expect(privileged).toMatchObject({ privileged: true });
    // The API server refuses both.
    expect(privileged).not.toHaveProperty('allowPrivilegeEscalation');
    const given = { ...ofBase('{runAsNonRoot: true}'), ...own('{runAsUser: null, readOnlyRootFilesystem: null}') };
    const { readOnlyRootFilesystem: _, ...rest } = restricted;
    expect(sidecarOf(given).securityContext).toStrictEqual({ ...rest, runAsNonRoot: true });
  });

  test('is of a base container of any name', () => {
    const pod_template_dict =
      '{spec: {containers: [{name: a, image: x, securityContext: {runAsUser: 1}}, {name: b, image: x, securityContext: {runAsUser: 2}}]}}';
    expect(sidecarOf({ image: '', pod_template_dict, base_container_name: 'b' }).securityContext?.runAsUser).toBe(2);
  });

  test.each([
    ['{runAsUsr: 1}', 'xcom_sidecar_container_security_context.runAsUsr: '],
    ['{runAsUser: root}', 'xcom_sidecar_container_security_context.runAsUser: '],
    ['[]', 'xcom_sidecar_container_security_context: '],
  ])('that cannot be one is refused: %s', (text, place) => {
    expect(refusal({ do_xcom_push: 'true', ...own(text) }).text.startsWith(place)).toBe(true);
  });
});

describe('the sidecar’s resources', () => {
  const burstable = { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '500m', memory: '32Mi' } };
  const guaranteed = {
    requests: { cpu: '100m', memory: '32Mi' },
    limits: { cpu: '100m', memory: '32Mi' },
  };
  const base = (text: string) => ({ container_resources: text });
  const full = '{limits: {cpu: 1, memory: 1Gi}}';

  test.each<[what: string, given: Record<string, string>, expected: object | undefined]>([
    ['are small', {}, burstable],
    ['are small in a pod with requests', base('{requests: {cpu: 1, memory: 1Gi}}'), burstable],
    [
      'are small where requests are lower than limits',
      base('{requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}'),
      burstable,
    ],
    ['are small where one limit is missing', base('{limits: {cpu: 1}}'), burstable],
    ['keep a pod guaranteed', base('{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}'), guaranteed],
    ['keep a pod guaranteed that has limits alone', base(full), guaranteed],
    [
      'keep a pod guaranteed by other words',
      base('{requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: 1, memory: 1Gi}}'),
      guaranteed,
    ],
    [
      'are small where another container has none',
      { ...base(full), pod_patch: '{spec: {containers: [{name: b, image: x}]}}' },
      burstable,
    ],
    [
      'are small where an init container has none',
      { ...base(full), init_containers: '[{name: a, image: x}]' },
      burstable,
    ],
    [
      'keep a pod guaranteed with all its containers',
      { ...base(full), init_containers: `[{name: a, image: x, resources: ${full}}]` },
      guaranteed,
    ],
    [
      'are none where the pod has some of its own, which all share',
      { ...base(full), pod_patch: '{spec: {resources: {limits: {cpu: 2, memory: 2Gi}}}}' },
      undefined,
    ],
  ])('%s', (_, given, expected) => expect(sidecarOf(given).resources).toEqual(expected));

  test.each<[what: string, resources: string, expected: object]>([
    ['others', '{limits: {cpu: 50m, memory: 64Mi}}', { limits: { cpu: '50m', memory: '64Mi' } }],
    ['none', '{}', {}],
  ])('are the user’s in a patch, be they %s', (_, resources, expected) => {
    const pod_patch = `{spec: {initContainers: [{name: pod-step-result, resources: ${resources}}]}}`;
    for (const given of [{}, base(full)]) {
      const sidecar = sidecarOf({ ...given, pod_patch });
      expect(sidecar.resources).toEqual(expected);
      expect(sidecar).toMatchObject({ image: expect.any(String), restartPolicy: 'Always' });
    }
  });

  test('are the user’s in a template', () => {
    const pod_template_dict = '{spec: {initContainers: [{name: pod-step-result, resources: {limits: {cpu: 50m}}}]}}';
    expect(sidecarOf({ pod_template_dict }).resources).toEqual({ limits: { cpu: '50m' } });
  });
});

describe('a later attempt', () => {
  const given = { do_xcom_push: 'true', container_security_context: '{runAsUser: 1000}' };
  const planned = async (more: Record<string, string> = {}, day = 1) => {
    const { replan } = await prepare(environment({ ...given, ...more }), AbortSignal.timeout(10_000));
    return replan({ nonce: 'n', now: new Date(`2026-11-0${day}T12:00:00Z`) }).pod;
  };
  const digest = (pod: V1Pod) => pod.metadata?.annotations?.[PLAN_ANNOTATION];

  test('plans the same pod as the earlier one, whose sidecar it may have asked', async () => {
    const [first, second] = [await planned({}, 1), await planned({}, 2)];
    expect(digest(first)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(second)).toBe(digest(first));
    const annotations = { ...first.metadata?.annotations, [RESULT_ASKED_ANNOTATION]: 'true' };
    const live = { ...first, metadata: { ...first.metadata, annotations } };
    expect(differenceOf(second, live)).toBeUndefined();
  });

  test.each<[given: Record<string, string>, same: boolean]>([
    [{ do_xcom_push: 'auto' }, false],
    [{ xcom_sidecar_container_image: 'x' }, false],
    [{ xcom_sidecar_container_security_context: '{runAsUser: 1}' }, false],
    [{ multiple_outputs: 'true' }, true],
    [{ result_file: 'r.json' }, true],
  ])('with %j plans the same pod: %s', async (more, same) => {
    expect(digest(await planned(more)) === digest(await planned())).toBe(same);
  });
});

describe('of the sidecar’s log', () => {
  const pod = podWith({ init_containers: '[{name: proxy, image: x, restartPolicy: Always}, {name: setup, image: x}]' });

  test.each<[given: Record<string, string>, shown: string[]]>([
    [{}, ['setup', 'base']],
    [{ container_logs: 'true' }, ['proxy', 'setup', 'base']],
    [{ init_container_logs: 'true' }, ['setup', 'base']],
    [{ container_logs: 'true', init_container_logs: 'true' }, ['proxy', 'setup', 'base']],
  ])('nothing is shown with %j', (given, shown) => {
    expect(selectContainers(read(given).logs, 'base', pod, pod)).toEqual(shown);
  });

  test.each<[given: Record<string, string>, sentence: string]>([
    [
      { container_logs: '[base, pod-step-result]' },
      'container_logs: the pod has no container "pod-step-result"; it has base, proxy.',
    ],
    [
      { init_container_logs: 'pod-step-result' },
      'init_container_logs: the pod has no init container "pod-step-result"; it has proxy, setup.',
    ],
  ])('nothing can be asked for: %j', (given, sentence) => {
    const { logs } = read(given);
    expect(wrongNames(logs, pod)).toEqual([sentence]);
    expect(selectContainers(logs, 'base', pod, pod)).not.toContain(RESULT_SIDECAR);
  });

  test('nothing is kept from a user’s own container of that name', () => {
    const own: V1Pod = { spec: { initContainers: [{ name: RESULT_SIDECAR }], containers: [{ name: 'base' }] } };
    const { logs } = read({ init_container_logs: RESULT_SIDECAR });
    expect(wrongNames(logs, own)).toEqual([]);
    expect(selectContainers(logs, 'base', own, own)).toEqual([RESULT_SIDECAR, 'base']);
  });
});
