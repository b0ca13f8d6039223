import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { GRACE_ANNOTATION } from '../../src/pod/identity.ts';
import { deletionOf } from '../../src/pod/manifest.ts';
import { type Around, planOf, podOf, refusal } from './planned.ts';

const JOB = { GITHUB_REPOSITORY: 'octo/repo', GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53' };
const upload = { workspace: 'upload' };
const download = { download: 'dist/**' };
const checkout = { workspace: 'checkout' };
const pod = (given: Record<string, string>, around: Around = {}) => podOf(given, { own: JOB, ...around });
const base = (given: Record<string, string>, around: Around = {}) => {
  const found = pod(given, around).spec?.containers.find(({ name }) => name === 'base');
  if (found === undefined) throw new Error('The pod has no base container.');
  return found;
};
const initNames = ({ spec }: V1Pod) => spec?.initContainers?.map(({ name }) => name);
const init = (given: Record<string, string>, name: string): V1Container => {
  const found = pod(given).spec?.initContainers?.find(container => container.name === name);
  if (found === undefined) throw new Error(`The pod has no ${name}.`);
  return found;
};
const variables = ({ env = [] }: V1Container) => Object.fromEntries(env.map(({ name, value }) => [name, value]));
const volumeNames = ({ spec }: V1Pod) =>
  (spec?.volumes ?? []).map(({ name }) => name).filter(name => /^pod-step-/.test(name));

const WORKSPACE = { name: 'pod-step-workspace', emptyDir: { sizeLimit: '10Gi' } };
const FILES = { name: 'pod-step-files', emptyDir: { sizeLimit: '64Mi' } };
const MOUNT = { name: 'pod-step-workspace', mountPath: '/github/workspace' };
const FILES_MOUNT = { name: 'pod-step-files', mountPath: '/pod-step/files' };

test('a pod without files is what it always was', () => {
  for (const given of [
    { cmds: 'echo hello' },
    { cmds: 'echo hello', workspace: 'none' },
    { cmds: '[sh, -c, id]', workspace_volume: 'null', download: '\n', helper_image: 'x', workspace_path: '/w' },
  ]) {
    const plain = pod({ ...given, do_xcom_push: 'false' });
    expect(plain.spec).toEqual({
      activeDeadlineSeconds: expect.any(Number),
      containers: [{ name: 'base', image: 'busybox', command: expect.any(Array) }],
      restartPolicy: 'Never',
    });
    expect(plain.metadata?.annotations).not.toHaveProperty([GRACE_ANNOTATION]);
  }
});

describe('volumes and mounts', () => {
  test.each<[what: string, given: Record<string, string>, volumes: object[]]>([
    ['an upload', upload, [WORKSPACE, FILES]],
    ['a download', download, [WORKSPACE, FILES]],
    ['a checkout', checkout, [WORKSPACE]],
    ['a checkout with a download', { ...checkout, ...download }, [WORKSPACE, FILES]],
    [
      'a volume',
      { workspace_volume: '{emptyDir: {medium: Memory}}' },
      [{ ...WORKSPACE, emptyDir: { medium: 'Memory' } }],
    ],
    [
      'an upload to a claim',
      { ...upload, workspace_volume: 'data' },
      [{ name: 'pod-step-workspace', persistentVolumeClaim: { claimName: 'data' } }, FILES],
    ],
  ])('of %s', (_, given, volumes) => {
    const { spec } = pod({ ...given, do_xcom_push: 'false' });
    expect(spec?.volumes).toEqual(expect.arrayContaining(volumes));
    const others = ['pod-step-result', 'pod-step-asked'];
    expect(volumeNames({ spec } as V1Pod).filter(name => !others.includes(name))).toHaveLength(volumes.length);
    expect(base(given).volumeMounts).toContainEqual(MOUNT);
    expect(base(given).volumeMounts).not.toContainEqual(FILES_MOUNT);
  });

  test('of a part of a claim, for all who have it', () => {
    const given = { ...upload, ...download, workspace_volume: '{persistentVolumeClaim: {claimName: c}, subPath: a}' };
    const mount = { ...MOUNT, subPath: 'a' };
    expect(base(given).volumeMounts).toContainEqual(mount);
    expect(init(given, 'pod-step-upload').volumeMounts).toEqual([mount, FILES_MOUNT]);
    expect(init(given, 'pod-step-result').volumeMounts).toEqual(
      expect.arrayContaining([{ ...mount, readOnly: true }, FILES_MOUNT]),
    );
  });

  test('are the input’s that has named one', () => {
    const own = { own: JOB };
    expect(planOf({ ...upload, workspace_volume: 'data' }, own).originOf('spec.volumes[0].x')).toBe('workspace_volume');
    expect(planOf(upload, own).originOf('spec.volumes[0].x')).toBe('the action');
  });

  test('of the user’s own stay beside them', () => {
    const given = { ...upload, volumes: '[{name: v, emptyDir: {}}]', volume_mounts: '[{name: v, mountPath: /v}]' };
    expect(base(given).volumeMounts).toEqual(expect.arrayContaining([{ name: 'v', mountPath: '/v' }, MOUNT]));
  });
});

describe('init containers', () => {
  test.each<[given: Record<string, string>, own: string[]]>([
    [upload, ['pod-step-upload']],
    [checkout, ['pod-step-checkout']],
    [download, ['pod-step-result']],
    [{ ...upload, ...download }, ['pod-step-upload', 'pod-step-result']],
    [{ ...checkout, do_xcom_push: 'true' }, ['pod-step-checkout', 'pod-step-result']],
  ])('with %j come behind the user’s own, and the sidecar last', (given, own) => {
    const init_containers = '[{name: setup, image: x}, {name: proxy, image: x, restartPolicy: Always}]';
    expect(initNames(pod({ ...given, init_containers }))).toEqual(['setup', 'proxy', ...own]);
  });

  test('wait for the upload, by the helper’s image', () => {
    const { image, command, args, volumeMounts, restartPolicy } = init(
      { ...upload, helper_image: 'h:1' },
      'pod-step-upload',
    );
    expect({ image, args, restartPolicy }).toEqual({
      image: 'h:1',
      args: ['/pod-step/files'],
      restartPolicy: undefined,
    });
    expect(command?.slice(0, 2)).toEqual(['sh', '-c']);
    expect(volumeMounts).toEqual([MOUNT, FILES_MOUNT]);
  });

  test.each(['pod-step-upload', 'pod-step-checkout'])('%s has what the base container has, but for devices', name => {
    const container_resources =
      '{requests: {cpu: 2, memory: 1Gi}, limits: {memory: 2Gi, ephemeral-storage: 5Gi, nvidia.com/gpu: 1}}';
    expect(init({ ...(name === 'pod-step-upload' ? upload : checkout), container_resources }, name).resources).toEqual({
      requests: { cpu: expect.anything(), memory: '1Gi' },
      limits: { memory: '2Gi', 'ephemeral-storage': '5Gi' },
    });
    expect(init(name === 'pod-step-upload' ? upload : checkout, name)).not.toHaveProperty('resources');
  });

  const restricted = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  test.each<[what: string, given: Record<string, string>, more: object]>([
    ['that of the profile restricted', {}, {}],
    [
      'the base container’s user',
      { container_security_context: '{runAsUser: 7, runAsGroup: 8, privileged: true}' },
      { runAsUser: 7, runAsGroup: 8 },
    ],
    [
      'a user where there has to be one',
      { container_security_context: '{runAsNonRoot: true}' },
      { runAsNonRoot: true, runAsUser: 65_532 },
    ],
    ['a user where the pod has to have one', { security_context: '{runAsNonRoot: true}' }, { runAsUser: 65_532 }],
    ['the pod’s user without a word', { security_context: '{runAsNonRoot: true, runAsUser: 5, fsGroup: 6}' }, {}],
  ])('have %s', (_, given, more) => {
    expect(init({ ...upload, ...given }, 'pod-step-upload').securityContext).toEqual({ ...restricted, ...more });
    expect(init({ ...checkout, ...given }, 'pod-step-checkout').securityContext).toEqual({ ...restricted, ...more });
  });
});

describe('the base container works', () => {
  test.each<[what: string, given: Record<string, string>, workingDir: string]>([
    ['in the workspace', upload, '/github/workspace'],
    ['in the workspace, wherever that is', { ...upload, workspace_path: '/w' }, '/w'],
    ['in a folder of it', { ...upload, working_dir: 'a/./b' }, '/github/workspace/a/b'],
    ['in a folder of its own', { ...upload, working_dir: '/srv' }, '/srv'],
    ['where a patch says', { ...upload, pod_patch: '{spec: {containers: [{name: base, workingDir: /p}]}}' }, '/p'],
  ])('%s', (_, given, workingDir) => expect(base(given).workingDir).toBe(workingDir));

  test('where its template says, by the template’s name for it', () => {
    const template =
      '{spec: {containers: [{name: base, workingDir: /t, env: [{name: GITHUB_WORKSPACE, value: /mine}]}]}}';
    const { workingDir, ...container } = base(upload, { template });
    expect(workingDir).toBe('/t');
    expect(variables(container as V1Container)).toMatchObject({ GITHUB_WORKSPACE: '/mine' });
    expect(container.env?.filter(({ name }) => name === 'GITHUB_WORKSPACE')).toHaveLength(1);
  });

  test('with the workspace’s name, unless it has another', () => {
    expect(variables(base(upload))['GITHUB_WORKSPACE']).toBe('/github/workspace');
    const given = { ...upload, env_vars: '{GITHUB_WORKSPACE: /mine}' };
    expect(variables(base(given))['GITHUB_WORKSPACE']).toBe('/mine');
    expect(base(given).env?.filter(({ name }) => name === 'GITHUB_WORKSPACE')).toHaveLength(1);
  });

  test('in a folder whose name Kubernetes would not replace', () => {
    expect(variables(base({ ...upload, workspace_path: '/$(HOME)' }))['GITHUB_WORKSPACE']).toBe('/$$(HOME)');
  });
});

describe('is refused:', () => {
  const needs = (name: string, who = 'workspace') => `${name} is a name that ${who} needs. Choose another.`;
  test.each<[what: string, given: Record<string, string>, sentence: string]>([
    [
      'its init container’s name',
      { ...upload, init_containers: '[{name: pod-step-upload, image: x}]' },
      needs('pod-step-upload'),
    ],
    [
      'its init container’s name, for a container',
      { ...checkout, pod_patch: '{spec: {containers: [{name: pod-step-checkout, image: x}]}}' },
      needs('pod-step-checkout'),
    ],
    [
      'its volume’s name',
      { ...upload, volumes: '[{name: pod-step-workspace, emptyDir: {}}]' },
      needs('pod-step-workspace'),
    ],
    [
      'the name of the files’ volume',
      { ...download, volumes: '[{name: pod-step-files, emptyDir: {}}]' },
      needs('pod-step-files', 'workspace or download'),
    ],
    [
      'the name of the token’s volume',
      { ...checkout, volumes: '[{name: pod-step-token, emptyDir: {}}]' },
      needs('pod-step-token'),
    ],
    [
      'a mount at its place',
      { ...upload, volumes: '[{name: v, emptyDir: {}}]', volume_mounts: '[{name: v, mountPath: /github/workspace/}]' },
      'volume_mounts[0]: is mounted where the workspace is to be, at /github/workspace. Choose another workspace_path, or name that volume in workspace_volume.',
    ],
  ])('%s', (_, given, sentence) => expect(refusal(given, { own: JOB }).text).toContain(sentence));

  test('nothing of it without a workspace', () => {
    expect(() =>
      planOf({
        volumes: '[{name: pod-step-files, emptyDir: {}}, {name: v, emptyDir: {}}]',
        volume_mounts: '[{name: v, mountPath: /github/workspace}]',
      }),
    ).not.toThrow();
  });
});

describe('the pod’s grace', () => {
  const graceOf = (given: Record<string, string>, around: Around = {}) => {
    const { spec, metadata } = pod(given, around);
    return [spec?.terminationGracePeriodSeconds, metadata?.annotations?.[GRACE_ANNOTATION]];
  };

  test.each<[what: string, given: Record<string, string>, expected: (number | string | undefined)[]]>([
    ['is longer for what is fetched, and is told', download, [300, '30']],
    ['is the user’s', { ...download, termination_grace_period: '10' }, [10, undefined]],
    ['is Kubernetes’ own without that', upload, [undefined, undefined]],
    ['is Kubernetes’ own with a sidecar alone', { do_xcom_push: 'true' }, [undefined, undefined]],
    ['is a patch’s', { ...download, pod_patch: '{spec: {terminationGracePeriodSeconds: 600}}' }, [600, undefined]],
  ])('%s', (_, given, expected) => expect(graceOf(given)).toEqual(expected));

  test('is the template’s', () => {
    expect(graceOf(download, { template: '{spec: {terminationGracePeriodSeconds: 0}}' })).toEqual([0, undefined]);
  });

  test.each<[annotation: string | undefined, own: number | undefined, expected: object]>([
    ['30', 300, { graceSeconds: 30 }],
    ['0', 300, { graceSeconds: 0 }],
    [undefined, 300, {}],
    ['30', undefined, {}],
    ['300', 300, {}],
    ['301', 300, {}],
    ['-1', 300, {}],
    ['1.5', 300, {}],
    ['soon', 300, {}],
    ['', 300, {}],
    [' 30', 300, {}],
    ['0x1e', 300, {}],
  ])('of a pod that says %j, and has %p, becomes %j where it is deleted', (annotation, own, expected) => {
    const live: V1Pod = {
      ...(annotation !== undefined && { metadata: { annotations: { [GRACE_ANNOTATION]: annotation } } }),
      spec: { containers: [], ...(own !== undefined && { terminationGracePeriodSeconds: own }) },
    };
    expect(deletionOf(live)).toEqual(expected);
  });

  test('of a planned pod is cut to Kubernetes’ own where it is deleted', () => {
    expect(deletionOf(pod(download))).toEqual({ graceSeconds: 30 });
    expect(deletionOf(pod({ ...download, termination_grace_period: '10' }))).toEqual({});
  });
});
