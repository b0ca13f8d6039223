import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INPUTS } from '../../src/github/contract.ts';
import type { StepIdentity } from '../../src/github/identity.ts';
import { nonceOf, placed } from '../../src/pod/manifest.ts';
import { type Around, nobody, planned, planOf, podOf, RESULT_ENV, refusal, unmarked } from './planned.ts';

const identity: StepIdentity = {
  repository: 'octo/cat',
  repositoryId: '42',
  workflow: 'Nightly build',
  runId: '1234',
  runAttempt: '2',
  job: 'train',
  step: '__run_2',
  matrix: '',
  sha: '0a1b2c',
  runUrl: 'https://github.com/octo/cat/actions/runs/1234/attempts/2',
  hosted: true,
};
const exactly = { name: 'train', random_name_suffix: 'false' };

describe('the least pod', () => {
  test('is this', () => {
    expect(podOf({ ...exactly, namespace: 'etl' })).toStrictEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'train',
        namespace: 'etl',
        labels: {
          'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
          'kubernetes-pod-step/lifetime': 'owned',
          'kubernetes-pod-step/run-attempt': '1',
        },
        annotations: {
          'kubernetes-pod-step/base-container': 'base',
          'kubernetes-pod-step/expires-at': '2026-11-07T12:10:00Z',
          'kubernetes-pod-step/nonce': 'n0nce',
          'kubernetes-pod-step/plan': expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      },
      spec: {
        restartPolicy: 'Never',
        activeDeadlineSeconds: 432600,
        containers: [
          {
            name: 'base',
            image: 'busybox',
            env: [{ name: 'RESULT_PATH', value: '/airflow/xcom/return.json' }],
            terminationMessagePath: '/airflow/xcom/return.json',
          },
        ],
      },
    });
  });

  test('is planned with what the run needs to know of it', () => {
    expect(planOf(exactly)).toMatchObject({
      base: 'base',
      name: 'train',
      nameGiven: 'train',
      secrets: [],
      resultIn: 'message',
      defaultDeadlineSeconds: 432600,
    });
  });

  test('holds nothing that JSON drops', () => {
    const { pod } = planOf({}, { identity });
    expect(JSON.parse(JSON.stringify(pod))).toStrictEqual(pod);
  });

  test.each(INPUTS.filter(name => name !== 'image'))('is the same where %s is white space', name => {
    expect(podOf({ [name]: ' \n' })).toStrictEqual(podOf({}));
  });

  test.each(INPUTS.filter(name => name !== 'image'))('is the same where %s is null', name => {
    expect(podOf({ [name]: 'null' })).toStrictEqual(podOf({}));
  });

  test.each(['get_logs', 'on_finish_action', 'kubeconfig', 'cluster_context', 'schedule_timeout_seconds', 'dry_run'])(
    'is the same whatever %s says, which is about the run',
    name => {
      const texts = { on_finish_action: 'keep_pod', kubeconfig: 'token: hunter2', schedule_timeout_seconds: '7' };
      const text = texts[name as keyof typeof texts] ?? 'false';
      expect(unmarked(podOf({ [name]: text }))).toStrictEqual(unmarked(podOf({})));
    },
  );
});

describe('the pod says whose it is', () => {
  const plan = (given: Record<string, string> = {}) => planOf({ ...exactly, ...given }, { identity });

  test('by labels to find it by', () => {
    expect(plan().pod.metadata?.labels).toStrictEqual({
      'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
      'kubernetes-pod-step/repository': expect.stringMatching(/^octo-cat-[a-z0-9]{8}$/),
      'kubernetes-pod-step/repository-id': '42',
      'kubernetes-pod-step/workflow': expect.stringMatching(/^Nightly-build-[a-z0-9]{8}$/),
      'kubernetes-pod-step/run-id': '1234',
      'kubernetes-pod-step/run-attempt': '2',
      'kubernetes-pod-step/job': 'train',
      'kubernetes-pod-step/lifetime': 'owned',
      'kubernetes-pod-step/step': expect.stringMatching(/^run_2-[a-z0-9]{8}$/),
    });
  });

  test('by annotations that lead to the run', () => {
    expect(plan().pod.metadata?.annotations).toStrictEqual({
      'kubernetes-pod-step/repository': 'octo/cat',
      'kubernetes-pod-step/workflow': 'Nightly build',
      'kubernetes-pod-step/run-url': 'https://github.com/octo/cat/actions/runs/1234/attempts/2',
      'kubernetes-pod-step/commit': '0a1b2c',
      'kubernetes-pod-step/base-container': 'base',
      'kubernetes-pod-step/expires-at': '2026-11-02T18:10:00Z',
      'kubernetes-pod-step/nonce': 'n0nce',
      'kubernetes-pod-step/plan': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("beside the user's own", () => {
    const { metadata } = plan({ labels: '{team: data}', annotations: '{note: a b}' }).pod;
    expect(metadata).toMatchObject({
      labels: { team: 'data', 'kubernetes-pod-step/run-id': '1234' },
      annotations: { note: 'a b', 'kubernetes-pod-step/nonce': 'n0nce' },
    });
  });

  const forged = 'kubernetes-pod-step/nonce: theirs, kubernetes-pod-step/run-id: "1"';
  test.each<[what: string, given: Record<string, string>, around: Around, place: string]>([
    ['labels', { labels: `{${forged}}` }, {}, 'labels'],
    ['annotations', { annotations: `{${forged}}` }, {}, 'annotations'],
    [
      'the template file',
      {},
      { template: `metadata: {labels: {${forged}}}` },
      'pod_template_file (pod.yaml): metadata.labels',
    ],
    [
      'pod_template_dict',
      { pod_template_dict: `metadata: {annotations: {${forged}}}` },
      {},
      'pod_template_dict: metadata.annotations',
    ],
    ['full_pod_spec', { full_pod_spec: `metadata: {labels: {${forged}}}` }, {}, 'full_pod_spec: metadata.labels'],
    ['pod_patch', { pod_patch: `metadata: {annotations: {${forged}}}` }, {}, 'pod_patch: metadata.annotations'],
    ['defaults', {}, { defaults: `labels: {${forged}}` }, 'defaults_file (defaults.yaml): labels'],
  ])("which is not to be forged by the user's own: %s", (_, given, around, place) => {
    const { plan, reader } = planned(given, { identity, ...around });
    const reserved = 'the prefix kubernetes-pod-step/ is reserved, for cleanup rests on it. Use another.';
    expect(reader.problems).toEqual([
      `${place}[kubernetes-pod-step/nonce]: ${reserved}`,
      `${place}[kubernetes-pod-step/run-id]: ${reserved}`,
    ]);
    expect(plan.pod.metadata?.annotations?.['kubernetes-pod-step/nonce']).toBe('n0nce');
    expect(plan.pod.metadata?.labels?.['kubernetes-pod-step/run-id']).toBe('1234');
  });

  test('even where a patch takes all labels away', () => {
    const { metadata } = plan({ pod_patch: '{metadata: {labels: null, annotations: {$patch: replace}}}' }).pod;
    expect(metadata?.labels?.['kubernetes-pod-step/run-id']).toBe('1234');
    expect(metadata?.annotations?.['kubernetes-pod-step/nonce']).toBe('n0nce');
  });

  test("and never replaces a label of the user's without a word", () => {
    const { metadata } = plan({ labels: '{app.kubernetes.io/managed-by: helm}' }).pod;
    expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'helm' });
  });

  test.each([
    ['a pod of ours', planOf({}).pod, 'n0nce'],
    ['a pod of somebody else', { metadata: { annotations: { a: 'b' } } }, ''],
    ['a pod without annotations', { metadata: {} }, ''],
    ['a pod without anything', {}, ''],
  ])('to the attempt that made it: %s', (_, pod, nonce) => expect(nonceOf(pod)).toBe(nonce));
});

describe("the pod's name", () => {
  const named = (given: Record<string, string>, around: Around = {}) => planOf(given, { identity, ...around }).name;

  test.each([
    ['is used as it is', 'train', 'train'],
    ['is made fit', 'Train it!', 'train-it'],
  ])('%s where no suffix is wanted', (_, name, expected) =>
    expect(named({ name, random_name_suffix: 'false' })).toBe(expected),
  );

  test('is that of the manifest', () => {
    const plan = planOf({ name: 'train' }, { identity });
    expect(plan.pod.metadata?.name).toBe(plan.name);
  });

  test('ends in what no other run, attempt, job of a matrix or try shares', () => {
    const names = [
      named({ name: 'train' }),
      named({ name: 'train' }, { identity: { ...identity, runId: '1235' } }),
      named({ name: 'train' }, { identity: { ...identity, runAttempt: '3' } }),
      named({ name: 'train' }, { identity: { ...identity, repositoryId: '43' } }),
      named({ name: 'train' }, { identity: { ...identity, matrix: 'os=linux' } }),
      named({ name: 'train' }, { nonce: 'm' }),
    ];
    expect(new Set(names).size).toBe(6);
    expect(names.filter(name => !/^train-[a-z0-9]{8}$/.test(name))).toEqual([]);
  });

  test.each([
    ['the job and the step', {}, 'train-run-2'],
    ['the job, where the step has no id', { step: '' }, 'train'],
    ['the step, where there is no job', { job: '' }, 'run-2'],
    ["the step's own id", { step: 'fit' }, 'train-fit'],
    ['the action, outside a workflow', { job: '', step: '' }, 'pod-step'],
    ['the action, where nothing is left of the step', { job: '', step: '__' }, 'pod-step'],
  ])('is made of %s where none is given', (_, changed, expected) => {
    const { name, nameGiven } = planOf({}, { identity: { ...identity, ...changed } });
    expect(name).toMatch(new RegExp(`^${expected}-[a-z0-9]{8}$`));
    expect(nameGiven).toBeUndefined();
  });

  const sources: [source: string, given: Record<string, string>, around?: Around][] = [
    ['file', {}, { template: 'metadata: {name: file}' }],
    ['full', { full_pod_spec: 'metadata: {name: full}' }],
    ['input', { name: 'input' }],
    ['patch', { pod_patch: 'metadata: {name: patch}' }],
  ];
  test.each(sources.map(([source], index) => [source, index] as const))(
    'is that of the %s before those below it',
    (source, index) => {
      const below = sources.slice(0, index + 1);
      const given = Object.assign({}, ...below.map(([, given]) => given));
      const around = Object.assign({}, ...below.map(([, , around]) => around));
      expect(planOf(given, around).nameGiven).toBe(source);
    },
  );

  test.each([
    ['data-', 'data'],
    ['data', 'data'],
    ['data--', 'data'],
  ])('is begun by generateName %s, which is itself gone', (generateName, expected) => {
    const { nameGiven, name, pod } = planOf({ pod_template_dict: `metadata: {generateName: ${generateName}}` });
    expect([nameGiven, name]).toEqual([expected, expect.stringMatching(/^data-[a-z0-9]{8}$/)]);
    expect(pod.metadata).not.toHaveProperty('generateName');
  });

  test('is that of the template before its generateName', () => {
    expect(planOf({ pod_template_dict: 'metadata: {generateName: a-, name: b}' }).nameGiven).toBe('b');
  });
});

describe('the namespace', () => {
  const sources: [source: string, given: Record<string, string>, around?: Around][] = [
    ['file', {}, { template: 'metadata: {namespace: file}' }],
    ['full', { full_pod_spec: 'metadata: {namespace: full}' }],
    ['input', { namespace: 'input' }],
    ['patch', { pod_patch: 'metadata: {namespace: patch}' }],
  ];
  test.each(sources.map(([source], index) => [source, index] as const))(
    'is that of the %s before those below it',
    (source, index) => {
      const below = sources.slice(0, index + 1);
      const given = Object.assign({}, ...below.map(([, given]) => given));
      const around = Object.assign({}, ...below.map(([, , around]) => around));
      expect(podOf(given, around).metadata?.namespace).toBe(source);
    },
  );

  test("is the context's where nothing names one", () => {
    const plan = placed(planOf({}), 'context');
    expect([plan.namespace, plan.pod.metadata?.namespace]).toEqual(['context', 'context']);
  });

  test("is not the context's where something names one", () => {
    const plan = placed(planOf({ pod_template_dict: 'metadata: {namespace: etl}' }), 'context');
    expect([plan.namespace, plan.pod.metadata?.namespace]).toEqual(['etl', 'etl']);
  });

  test('of a template is checked as that of the input', () => {
    expect(refusal({ pod_template_dict: 'metadata: {namespace: Prod}' }).text).toBe(
      'pod_template_dict: metadata.namespace: "Prod" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.',
    );
  });
});

describe('the base container', () => {
  const containers = (...names: string[]) =>
    `{spec: {containers: [${names.map(name => `{name: ${name}, image: of-${name}}`).join(', ')}]}}`;
  const shape = (given: Record<string, string>) => {
    const { base, pod } = planOf({ image: '', ...given });
    return { base, containers: pod.spec?.containers.map(({ name, image }) => `${name}=${image}`) };
  };

  test.each<[what: string, given: Record<string, string>, base: string, containers: string[]]>([
    ['is base, where there is no template', { image: 'a' }, 'base', ['base=a']],
    ['is the one named, where there is no template', { image: 'a', base_container_name: 'main' }, 'main', ['main=a']],
    [
      'is base, where the template has one',
      { pod_template_dict: containers('a', 'base') },
      'base',
      ['a=of-a', 'base=of-base'],
    ],
    [
      "is the template's first, which keeps its name",
      { pod_template_dict: containers('a', 'b'), image: 'x' },
      'a',
      ['a=x', 'b=of-b'],
    ],
    [
      'is the one named',
      { pod_template_dict: containers('a', 'b'), base_container_name: 'b', image: 'x' },
      'b',
      ['a=of-a', 'b=x'],
    ],
    [
      'is the one named, before base',
      { pod_template_dict: containers('base', 'b'), base_container_name: 'b' },
      'b',
      ['base=of-base', 'b=of-b'],
    ],
    ['is one of full_pod_spec', { full_pod_spec: containers('a') }, 'a', ['a=of-a']],
    [
      'is base of full_pod_spec, behind the first of the template',
      { pod_template_dict: containers('a'), full_pod_spec: containers('base') },
      'base',
      ['a=of-a', 'base=of-base'],
    ],
    ['is not one that a patch adds', { image: 'x', pod_patch: containers('a') }, 'base', ['base=x', 'a=of-a']],
    [
      'is base beside a template without containers',
      { image: 'x', pod_template_dict: '{spec: {hostNetwork: true}}' },
      'base',
      ['base=x'],
    ],
  ])('%s', (_, given, base, containers) => expect(shape(given)).toEqual({ base, containers }));

  test('has what the inputs say, and no other has it', () => {
    const given = { pod_template_dict: containers('a', 'b'), base_container_name: 'b', cmds: 'ls', env_vars: 'A=1' };
    const [other, base] = podOf({ image: '', ...given }).spec?.containers ?? [];
    expect(other).toEqual({ name: 'a', image: 'of-a' });
    expect(base).toMatchObject({
      name: 'b',
      image: 'of-b',
      command: ['ls'],
      env: [{ name: 'A', value: '1' }, RESULT_ENV],
    });
  });

  test.each([
    ['bass', 'base_container_name: the template has no container "bass"; it has a, base. Did you mean base?'],
    ['main', 'base_container_name: the template has no container "main"; it has a, base.'],
  ])('is refused where there is none of the name %s', (name, sentence) => {
    const { reader } = planned({ pod_template_dict: containers('a', 'base'), base_container_name: name });
    expect(reader.problems[0]).toBe(sentence);
  });

  test.each([
    '{spec: {containers: [{$patch: replace}, {name: x, image: y}]}}',
    '{spec: {containers: [{name: base, $patch: delete}]}}',
    '{spec: {containers: []}}',
    '{spec: {containers: null}}',
  ])('is not to be taken away by a patch: %s', pod_patch => {
    const { reader } = planned({ pod_patch });
    expect(reader.problems).toEqual([
      'pod_patch: the container "base", which decides the outcome, has to be among the pod\'s.',
    ]);
  });

  test.each([
    [
      'no image',
      { pod_template_dict: '{spec: {containers: [{name: a}]}}' },
      'image: expected the image to run, e.g. python:3.13-slim; found nothing.',
    ],
    [
      'an image that a patch takes away',
      { image: 'x', pod_patch: '{spec: {containers: [{name: base, image: null}]}}' },
      'image: expected the image to run, e.g. python:3.13-slim; found nothing.',
    ],
  ])('needs an image: %s', (_, given, sentence) => expect(refusal({ image: '', ...given }).text).toBe(sentence));
});

describe('the policy of restarts', () => {
  const always = 'Always would run the container for ever. Use Never, or OnFailure.';
  const nothing =
    "spec.restartPolicy: nothing means Kubernetes' own Always, which would run the container for ever. Use Never.";

  test.each([
    ['Never', '{spec: {restartPolicy: Never}}'],
    ['OnFailure', '{spec: {restart_policy: OnFailure}}'],
    ['Never', '{spec: {}}'],
  ])('is %s where that is meant: %s', (policy, text) => {
    for (const input of ['pod_template_dict', 'full_pod_spec', 'pod_patch'])
      expect(podOf({ [input]: text }).spec?.restartPolicy).toBe(policy);
  });

  test.each(['pod_template_dict', 'full_pod_spec', 'pod_patch'])('is not Always by %s', input => {
    expect(refusal({ [input]: '{spec: {restartPolicy: Always}}' }).text).toBe(
      `${input}: spec.restartPolicy: ${always}`,
    );
  });

  test.each(['pod_template_dict', 'full_pod_spec', 'pod_patch'])('is not taken away by %s', input => {
    expect(refusal({ [input]: '{spec: {restartPolicy: null}}' }).text).toBe(`${input}: ${nothing}`);
  });

  test("is not Always by a template file, and told by the file's name", () => {
    expect(refusal({}, { template: 'spec: {restartPolicy: Always}' }).text).toBe(
      `pod_template_file (pod.yaml): spec.restartPolicy: ${always}`,
    );
  });

  test('may be Always for an init container, which is a sidecar then', () => {
    const sidecar = '[{name: s, image: x, restartPolicy: Always}]';
    expect(podOf({ init_containers: sidecar }).spec?.initContainers?.[0]?.restartPolicy).toBe('Always');
  });
});

describe('the deadline', () => {
  test.each([
    ['is 6 h 10 min on a runner of GitHub', {}, true, 22_200],
    ['is 5 days 10 min on a runner of our own', {}, false, 432_600],
    ['is the one given on a runner of GitHub', { active_deadline_seconds: '60' }, true, 60],
    ['is the one given on a runner of our own', { active_deadline_seconds: '1000000' }, false, 1_000_000],
    ["is the template's", { pod_template_dict: '{spec: {activeDeadlineSeconds: 60}}' }, true, 60],
    [
      'is the one given, before the template',
      { pod_template_dict: '{spec: {activeDeadlineSeconds: 60}}', active_deadline_seconds: '70' },
      true,
      70,
    ],
    [
      "is the patch's, before the one given",
      { pod_patch: '{spec: {activeDeadlineSeconds: 80}}', active_deadline_seconds: '70' },
      true,
      80,
    ],
  ])('%s', (_, given, hosted, expected) => {
    const { pod, defaultDeadlineSeconds } = planOf(given, { identity: { ...identity, hosted } });
    expect(pod.spec?.activeDeadlineSeconds).toBe(expected);
    expect(defaultDeadlineSeconds).toBe(Object.keys(given).length === 0 ? expected : undefined);
  });

  const rule =
    'spec.activeDeadlineSeconds: has to be a whole number of seconds, at least 1: without it a pod whose runner is lost would run for ever.';
  test('is no fraction', () => {
    expect(refusal({ pod_patch: '{spec: {activeDeadlineSeconds: 1.5}}' }).text).toMatch(
      /^pod_patch: spec\.activeDeadlineSeconds: .*whole number/,
    );
  });

  test.each(['null', '0', '-1'])('is not %s by a template or a patch', value => {
    for (const input of ['pod_template_dict', 'full_pod_spec', 'pod_patch'])
      expect(refusal({ [input]: `{spec: {activeDeadlineSeconds: ${value}}}` }).text).toBe(`${input}: ${rule}`);
  });

  test('is not taken away by a patch of the whole spec', () => {
    const pod_patch = '{spec: {$patch: replace, containers: [{name: base, image: x}]}}';
    expect(refusal({ pod_patch }).text).toContain(`pod_patch: ${rule}`);
  });
});

describe('many inputs that are wrong', () => {
  const many = { image: '', namespace: 'X', get_logs: 'no', imgae: 'x', secrets: '[{}, 7]', cmds: 'sh -c "a' };

  test('are all told at once', () => {
    expect(refusal(many).title).toBe('7 invalid inputs');
    expect(
      refusal(many)
        .text.split('\n')
        .map(line => line.replace(/:.*/, '')),
    ).toEqual(
      expect.arrayContaining([
        '- cmds',
        '- namespace',
        '- image',
        '- secrets[0].secret',
        '- secrets[1]',
        '- get_logs',
        '- imgae',
      ]),
    );
  });

  test('are each told as when alone', () => {
    for (const [name, value] of Object.entries(many)) {
      const alone = refusal({ [name]: value }).text.split('\n- ')[0] ?? '';
      expect(refusal(many).text).toContain(alone.replace(/^- /, ''));
    }
  });

  test('are told as those of the defaults where they came from there', () => {
    const defaults =
      'volumes: [{name: A, emptyDir: {}}]\nsecret_env: {A: x}\nenv_vars: {A: y}\npod_patch: {spec: {restartPolicy: Always}}';
    const { reader } = planned({}, { defaults });
    const file = 'defaults_file (defaults.yaml):';
    expect(reader.problems).toEqual([
      `${file} secret_env.A: A is set by ${file} env_vars.A too. One of the two would be lost; remove or rename it.`,
      `${file} pod_patch: spec.restartPolicy: Always would run the container for ever. Use Never, or OnFailure.`,
      expect.stringContaining(`${file} volumes[0].name: "A" is no valid name`),
    ]);
  });

  test('two templates', () => {
    expect(refusal({ pod_template_dict: '{}' }, { template: '{}' }).text).toBe(
      'pod_template_dict: pod_template_file is given too. Keep the one that is meant.',
    );
  });
});

test('each part of the pod is known by what the user wrote for it', () => {
  const { originOf, sourceOf } = planOf(
    {
      volumes: '[{name: v, emptyDir: {}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
      env_vars: '{A: x}',
      labels: '{team: data}',
      pod_patch: '{spec: {hostNetwork: true}}',
    },
    { template: 'spec: {hostname: h, containers: [{name: base, env: [{name: B, value: y}]}]}' },
  );
  expect(originOf('spec.containers[0].volumeMounts[0].mountPath')).toBe('volume_mounts[0].mountPath');
  expect(originOf('spec.volumes[0].name')).toBe('volumes[0].name');
  expect(originOf('spec.containers[0].env[1].value')).toBe('env_vars.A');
  expect(originOf('spec.containers[0].env[0].value')).toBe(
    'pod_template_file (pod.yaml): spec.containers[0].env[0].value',
  );
  expect(originOf('metadata.labels.team')).toBe('labels.team');
  expect(originOf('spec.hostNetwork')).toBe('pod_patch: spec.hostNetwork');
  expect(originOf('spec.hostname')).toBe('pod_template_file (pod.yaml): spec.hostname');
  expect(sourceOf(['spec', 'restartPolicy'])).toBe('default');
  expect(sourceOf(['metadata', 'annotations', 'kubernetes-pod-step/nonce'])).toBe('the action');
});

describe('whatever a workflow is called', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.', ' ', '/', ',', '=', 'é', '🎉', '\n'),
      maxLength: 100,
    }),
  );
  const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

  test('the API server takes the name and the labels', () => {
    const whoever = fc.record({
      repository: hostile,
      repositoryId: hostile,
      workflow: hostile,
      runId: hostile,
      job: hostile,
      step: hostile,
      matrix: hostile,
    });
    fc.assert(
      fc.property(whoever, hostile, (who, name) => {
        const { plan, reader } = planned({ name: name.replaceAll('\0', '') }, { identity: { ...nobody, ...who } });
        expect(reader.problems).toEqual([]);
        expect(plan.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        for (const [key, value] of Object.entries(plan.pod.metadata?.labels ?? {})) {
          expect(key).toMatch(/^[a-z.-]+\/[a-z-]+$/);
          expect(value).toMatch(LABEL_VALUE);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a text as a label is passed on, or refused with a sentence', () => {
    fc.assert(
      fc.property(hostile, hostile, (key, value) => {
        const labels = JSON.stringify({ [key]: value }).replaceAll('\0', '');
        const { plan, reader } = planned({ labels });
        if (reader.problems.length > 0) for (const problem of reader.problems) expect(problem).toMatch(/^labels/);
        else {
          expect(plan.pod.metadata?.labels?.[key]).toBe(value);
          expect(value).toMatch(LABEL_VALUE);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('two entries of a matrix have two labels', () => {
    const label = (matrix: string) =>
      podOf({}, { identity: { ...nobody, matrix } }).metadata?.labels?.['kubernetes-pod-step/matrix'];
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        fc.pre(one !== other);
        expect(label(one)).not.toBe(label(other));
      }),
      {
        numRuns: 300,
        examples: [
          ['a=1,b=2', 'a="1,b=2"'],
          [`a=${'x'.repeat(70)}`, `a=${'x'.repeat(71)}`],
        ],
      },
    );
  });

  test('the entry of the matrix is there to be read', () => {
    const { metadata } = podOf({}, { identity: { ...nobody, matrix: 'os=ubuntu-latest,python=3.12' } });
    expect(metadata?.annotations?.['kubernetes-pod-step/matrix']).toBe('os=ubuntu-latest,python=3.12');
    expect(metadata?.labels?.['kubernetes-pod-step/matrix']).toMatch(/^os-ubuntu-latest-python-3\.12-[a-z0-9]{8}$/);
  });
});

test('any inputs are read, or refused with sentences that name the input', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'A',
      '1',
      '=',
      ':',
      ' ',
      '\n',
      '"',
      "'",
      '\\',
      '[',
      ']',
      '{',
      '}',
      ',',
      '- ',
      '#',
      '*a',
      '&a ',
      '!t ',
      '|',
      '~',
    ],
    ...['name: ', 'value', 'null', 'secret: a', 'deploy_type: env', 'items: ', '\r\n', '\u0000', '🎉', '<<: ', '$'],
    ...['spec: ', 'containers: ', '$patch: ', 'delete', 'replace', 'limits: ', 'metadata: ', 'labels: '],
  );
  const text = fc.array(piece, { maxLength: 10 }).map(parts => parts.join(''));
  const given = fc.dictionary(fc.constantFrom(...INPUTS), text, { maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(given, inputs => {
      const { reader } = planned(inputs);
      for (const problem of reader.problems) expect(problem).toMatch(new RegExp(`^(${INPUTS.join('|')})[:.[]`));
    }),
    { numRuns: 5000 },
  );
});

test('a patch that takes the whole spec away is refused, and nothing else is to blame', () => {
  const { text } = refusal({ pod_patch: 'spec:', base_container_name: '🎉' });
  expect(text).toContain('the container "🎉", which decides the outcome, has to be among the pod\'s.');
  expect(text.split('\n').filter(line => !line.startsWith('- pod_patch: '))).toEqual([]);
});

test('a name of another shape is refused, and no accident', () =>
  expect(
    refusal({ pod_template_dict: 'spec: {containers: [{name: base, env: [{name: {toString: []}}]}]}' }).text,
  ).toContain('pod_template_dict: spec.containers[0].env[0].name: expected text, found a mapping.'));

describe('what would keep a pod, or start it again, is refused', () => {
  test.each([
    [
      'finalizers',
      { pod_template_dict: 'metadata: {finalizers: [example.com/x]}' },
      'pod_template_dict: metadata.finalizers: would keep the pod on the cluster after it has been deleted. Leave it out.',
    ],
    [
      'a base container that restarts itself',
      { pod_patch: 'spec: {containers: [{name: base, restartPolicy: Always}]}' },
      'pod_patch: spec.containers[0].restartPolicy: is not for the container that decides the outcome: it has ended when it ends. Leave it out.',
    ],
  ])('%s', (_, given, sentence) => expect(refusal(given).text).toBe(sentence));
});
