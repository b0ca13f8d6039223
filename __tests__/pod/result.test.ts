import { describe, expect, test } from '@jest/globals';
import { baseOf, planOf, podOf, refusal } from './planned.ts';

const PATH = '/airflow/xcom/return.json';
/** Each way for a result to get out of the pod. */
const WAYS = { message: {}, sidecar: { do_xcom_push: 'true' } } as const;
const ways = Object.entries(WAYS) as ['message' | 'sidecar', Record<string, string>][];

const mountedAt = (deploy_target: string) => ({
  secrets: `[{deploy_type: volume, deploy_target: "${deploy_target}", secret: s}]`,
});
const volume = 'volumes: [{name: v, emptyDir: {}}]';
const mount = 'volumeMounts: [{name: v, mountPath: /airflow/xcom}]';
const patched = (container: string, spec = '') => ({
  pod_patch: `{spec: {${spec}containers: [{name: base, ${container}}]}}`,
});

describe.each(ways)('a result gets out by a %s', (way, by) => {
  test.each([
    ...['/etc/db', '/airflow/xco', '/airflow/xcom2', '/airflow/xcom/return.json.bak', '/airflow/xcom/other', '/air'],
  ])('where a Secret is mounted at %s', target => {
    expect(planOf({ ...by, ...mountedAt(target) }).resultIn).toBe(way);
  });

  test.each([
    ...['/', '//', '/airflow', '/airflow/', '/airflow/xcom', '/airflow/xcom//', '/airflow/xcom/return.json'],
    ...['/airflow//xcom', '/./airflow', '/tmp/../airflow'],
  ])('but not where a Secret is mounted at %s, which covers it', target => {
    const covered = { ...by, ...mountedAt(target) };
    if (way === 'message') expect(planOf(covered)).not.toHaveProperty('resultIn');
    else expect(refusal(covered).text).toMatch(/^secrets\[0\]: a volume is mounted at .*, so there is no result for/);
  });

  test.each<[what: string, given: Record<string, string>]>([
    [
      'a mount of another container',
      { pod_template_dict: `{spec: {${volume}, containers: [{name: base}, {name: b, image: x, ${mount}}]}}` },
    ],
    [
      'a mount of an init container',
      { volumes: '[{name: v, emptyDir: {}}]', init_containers: `[{name: b, image: x, ${mount}}]` },
    ],
    ['Linux, by its name', { pod_patch: '{spec: {os: {name: linux}}}' }],
    ['Linux, by its nodes', { node_selector: '{kubernetes.io/os: linux}' }],
  ])('where nothing is in its way: %s', (_, given) => {
    expect(planOf({ ...by, ...given }).resultIn).toBe(way);
  });

  test('and the base container is told where it goes, behind its own variables', () => {
    const given = { ...by, env_vars: 'A=1', secret_env: 'B=2' };
    expect(podOf(given).spec?.containers[0]?.env).toEqual([
      expect.objectContaining({ name: 'A' }),
      expect.objectContaining({ name: 'B' }),
      { name: 'RESULT_PATH', value: PATH },
    ]);
  });

  test.each<[what: string, given: Record<string, string>, env: object[]]>([
    ['an input', { env_vars: 'RESULT_PATH=/tmp/r.json' }, [{ name: 'RESULT_PATH', value: '/tmp/r.json' }]],
    ['an input, empty', { env_vars: 'RESULT_PATH=' }, [expect.objectContaining({ name: 'RESULT_PATH' })]],
    [
      'a template',
      {
        pod_template_dict:
          '{spec: {containers: [{name: base, env: [{name: RESULT_PATH, value: x}, {name: A, value: b}]}]}}',
      },
      [
        { name: 'RESULT_PATH', value: 'x' },
        { name: 'A', value: 'b' },
      ],
    ],
    ['a patch', patched('env: [{name: RESULT_PATH, value: y}]'), [{ name: 'RESULT_PATH', value: 'y' }]],
    [
      'a Secret',
      { secrets: '[{deploy_type: env, deploy_target: RESULT_PATH, secret: s, key: k}]' },
      [{ name: 'RESULT_PATH', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    ],
  ])('and it is told otherwise by %s', (_, given, env) => {
    expect(podOf({ ...by, ...given }).spec?.containers[0]?.env).toEqual(env);
  });

  test('and another container is not told', () => {
    const given = { ...by, pod_template_dict: '{spec: {containers: [{name: base}, {name: b, image: x}]}}' };
    expect(podOf(given).spec?.containers[1]).toEqual({ name: 'b', image: 'x' });
  });
});

describe('the message is at the result’s path', () => {
  const own = (path: string) => ({
    pod_template_dict: `{spec: {containers: [{name: base, terminationMessagePath: ${path}}]}}`,
  });

  test('where the result is read from it', () => {
    expect(baseOf({}).terminationMessagePath).toBe(PATH);
    expect(baseOf(own(PATH)).terminationMessagePath).toBe(PATH);
  });

  test('and where Kubernetes or the user has it with a sidecar', () => {
    expect(baseOf(WAYS.sidecar)).not.toHaveProperty('terminationMessagePath');
    expect(planOf({ ...WAYS.sidecar, ...own('/tmp/message') }).resultIn).toBe('sidecar');
    expect(baseOf({ ...WAYS.sidecar, ...own('/tmp/message') }).terminationMessagePath).toBe('/tmp/message');
  });

  test.each([PATH, '/airflow/xcom', '/airflow/'])('but not with a sidecar that has to read there, at %s', path => {
    expect(refusal({ ...WAYS.sidecar, ...own(path) }).text).toBe(
      `pod_template_dict: spec.containers[0].terminationMessagePath: the node keeps the termination message at ${path}, so there is no result for do_xcom_push: true. Leave it out.`,
    );
  });
});

function remedyFor(why: string): string {
  if (why.includes('a volume is mounted')) return 'Mount it elsewhere.';
  if (why.includes('Windows')) return 'Leave that out.';
  return 'Leave it out, or set `do_xcom_push: true`, which needs no termination message.';
}

describe('where there is no place for a result', () => {
  type Obstacle = [what: string, given: Record<string, string>, why: string];
  const either: Obstacle[] = [
    [
      'for a mount of an input',
      { volumes: '[{name: v, emptyDir: {}}]', volume_mounts: '[{name: v, mountPath: /airflow/xcom}]' },
      'volume_mounts[0]: a volume is mounted at /airflow/xcom',
    ],
    [
      'for a mount of a template',
      { pod_template_dict: `{spec: {${volume}, containers: [{name: base, ${mount}}]}}` },
      'pod_template_dict: spec.containers[0].volumeMounts[0]: a volume is mounted at /airflow/xcom',
    ],
    [
      'for a mount of a patch',
      patched(mount, `${volume}, `),
      'pod_patch: spec.containers[0].volumeMounts[0]: a volume is mounted at /airflow/xcom',
    ],
    [
      'for a file of secret_files',
      { secret_files: '{/airflow/xcom/return.json: hunter2}' },
      'secret_files[/airflow/xcom/return.json]: a volume is mounted at /airflow/xcom/return.json',
    ],
    ['on Windows, by its name', { pod_patch: '{spec: {os: {name: windows}}}' }, 'default: the pod runs on Windows'],
    ['on Windows, by its nodes', { node_selector: '{kubernetes.io/os: windows}' }, 'default: the pod runs on Windows'],
  ];
  const message: Obstacle[] = [
    ...either,
    [
      'for a message of its own',
      { pod_template_dict: '{spec: {containers: [{name: base, terminationMessagePath: /dev/termination-log}]}}' },
      'pod_template_dict: spec.containers[0].terminationMessagePath: the termination message is at /dev/termination-log',
    ],
  ];

  test.each(message)('none is looked for, and the container is told of none: %s', (_, given) => {
    for (const do_xcom_push of ['', 'auto', 'false']) {
      const plan = planOf({ ...given, do_xcom_push });
      expect(plan).not.toHaveProperty('resultIn');
      expect(JSON.stringify(plan.pod)).not.toContain('RESULT_PATH');
    }
    expect(baseOf(given).terminationMessagePath).not.toBe(PATH);
  });

  test.each(either)('it is an error where there has to be one: %s', (_, given, why) => {
    expect(refusal({ ...given, do_xcom_push: 'true' }).text).toBe(
      `${why}, so there is no result for do_xcom_push: true. ${remedyFor(why)}`,
    );
  });

  test.each(message)('it is an error where something is to become of it: %s', (_, given, why) => {
    const file = { result_file: 'r.json' };
    const multiple = { multiple_outputs: 'true' };
    expect(refusal({ ...given, ...file }).text).toBe(
      `${why}, so there is no result for result_file. ${remedyFor(why)}`,
    );
    expect(refusal({ ...given, ...multiple }).text).toBe(
      `${why}, so there is no result for multiple_outputs. ${remedyFor(why)}`,
    );
    expect(refusal({ ...given, ...file, ...multiple }).text).toBe(
      `${why}, so there is no result for result_file. ${remedyFor(why)}`,
    );
  });
});

test('where nobody wants a result the pod knows nothing of one', () => {
  expect(planOf({ do_xcom_push: 'false' })).not.toHaveProperty('resultIn');
  expect(podOf({ do_xcom_push: 'false' }).spec?.containers).toStrictEqual([{ name: 'base', image: 'busybox' }]);
});

describe('what the sidecar needs and has not', () => {
  const refused = (given: Record<string, string>) => refusal({ ...given, do_xcom_push: 'true' }).text;
  const taken = (name: string) =>
    `the name ${name} is taken here, which the result’s sidecar needs, so there is no result for do_xcom_push: true. Choose another name.`;
  const own = 'of the result’s sidecar, pod-step-result, nothing but `resources` can be set';

  test.each<[what: string, given: Record<string, string>, sentence: string]>([
    [
      'a container of its name',
      { pod_patch: '{spec: {containers: [{name: pod-step-result, image: x}]}}' },
      `pod_patch: spec.containers[0].name: ${taken('pod-step-result')}`,
    ],
    [
      'an init container of its name',
      { init_containers: '[{name: first, image: x}, {name: pod-step-result, image: x}]' },
      `init_containers[1]: ${own}, so there is no result for do_xcom_push: true. Leave the rest out.`,
    ],
    [
      'its command, in a patch',
      { pod_patch: '{spec: {initContainers: [{name: pod-step-result, resources: {}, image: x, command: [sh]}]}}' },
      `pod_patch: spec.initContainers[0]: ${own}, so there is no result for do_xcom_push: true. Leave the rest out.`,
    ],
    [
      'a volume of its name',
      { volumes: '[{name: pod-step-result, emptyDir: {}}]' },
      `volumes[0].name: ${taken('pod-step-result')}`,
    ],
    [
      'its other volume’s name',
      { pod_template_dict: '{spec: {volumes: [{name: a, emptyDir: {}}, {name: pod-step-asked, emptyDir: {}}]}}' },
      `pod_template_dict: spec.volumes[1].name: ${taken('pod-step-asked')}`,
    ],
  ])('is an error with its place: %s', (_, given, sentence) => {
    expect(refused(given)).toBe(sentence);
  });

  test.each([
    { init_containers: '[{name: pod-step-result, image: x}]' },
    { volumes: '[{name: pod-step-result, emptyDir: {}}, {name: pod-step-asked, emptyDir: {}}]' },
  ])('is no matter without a sidecar: %j', given => {
    expect(planOf(given).resultIn).toBe('message');
  });
});
