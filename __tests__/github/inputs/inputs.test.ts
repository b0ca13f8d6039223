import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INPUTS } from '../../../src/github/contract.ts';
import { StepError } from '../../../src/github/failure.ts';
import { type Inputs, readClusterInputs, readInputs } from '../../../src/github/inputs/inputs.ts';
import { environment, read, refusal } from './given.ts';

const defaults: Inputs = {
  cluster: {},
  image: 'busybox',
  envVars: [],
  secrets: [],
  randomNameSuffix: true,
  labels: {},
  annotations: {},
  getLogs: true,
  readResult: true,
  onFinishAction: 'delete_pod',
};
const kubeconfig = 'apiVersion: v1\nkind: Config\nclusters: []\n';
const base64 = Buffer.from(kubeconfig).toString('base64');

describe('what the user said nothing about', () => {
  test('has its default', () => {
    expect(read({})).toStrictEqual(defaults);
  });

  test('has its default where the runner passes no variables at all', () => {
    expect(readInputs({ INPUT_IMAGE: 'busybox' })).toStrictEqual(defaults);
  });

  test.each(INPUTS.filter(name => name !== 'image'))('has its default where %s is white space', name => {
    expect(read({ [name]: ' \n' })).toStrictEqual(defaults);
  });

  test.each(INPUTS.filter(name => name !== 'image'))('has its default where %s is null', name => {
    expect(read({ [name]: 'null' })).toStrictEqual(defaults);
  });
});

describe('an input is read', () => {
  test.each<[what: string, given: Record<string, string>, expected: Partial<Inputs>]>([
    ['an image', { image: ' python:3.13-slim ' }, { image: 'python:3.13-slim' }],
    ['a pull policy', { image_pull_policy: 'IfNotPresent' }, { imagePullPolicy: 'IfNotPresent' }],
    ['a name', { name: 'My job' }, { name: 'My job' }],
    ['a name that is explicitly empty', { name: '""' }, {}],
    ['a service account', { service_account_name: 'runner' }, { serviceAccountName: 'runner' }],
    ['a deadline', { active_deadline_seconds: '3600' }, { activeDeadlineSeconds: 3600 }],
    ['the longest deadline', { active_deadline_seconds: '2147483647' }, { activeDeadlineSeconds: 2147483647 }],
    ['no suffix', { random_name_suffix: 'false' }, { randomNameSuffix: false }],
    ['a suffix', { random_name_suffix: 'TRUE' }, { randomNameSuffix: true }],
    ['no logs', { get_logs: 'False' }, { getLogs: false }],
    ['no result', { do_xcom_push: 'false' }, { readResult: false }],
    ['no result, as Python writes it', { do_xcom_push: 'False' }, { readResult: false }],
    ['a result', { do_xcom_push: 'auto' }, { readResult: true }],
    ['a pod that is kept', { on_finish_action: 'keep_pod' }, { onFinishAction: 'keep_pod' }],
    [
      'a failed pod that is kept',
      { on_finish_action: 'delete_succeeded_pod' },
      { onFinishAction: 'delete_succeeded_pod' },
    ],
    ['an ended pod that is kept', { on_finish_action: 'delete_active_pod' }, { onFinishAction: 'delete_active_pod' }],
    ['a kubeconfig', { kubeconfig }, { cluster: { kubeconfig } }],
    ['a kubeconfig as JSON', { kubeconfig: '{"kind":"Config"}' }, { cluster: { kubeconfig: '{"kind":"Config"}' } }],
    ['a kubeconfig in base64', { kubeconfig: base64 }, { cluster: { kubeconfig } }],
    [
      'a kubeconfig in base64 of many lines',
      { kubeconfig: `${base64.replace(/.{20}/g, '$&\n')}\n` },
      { cluster: { kubeconfig } },
    ],
    ['the path of a kubeconfig', { config_file: './kube.yaml' }, { cluster: { configFile: './kube.yaml' } }],
    ['a context', { cluster_context: 'arn:aws:eks:x/y' }, { cluster: { context: 'arn:aws:eks:x/y' } }],
    ['a namespace', { namespace: 'etl-1' }, { cluster: { namespace: 'etl-1' } }],
    ['a namespace of 63', { namespace: 'n'.repeat(63) }, { cluster: { namespace: 'n'.repeat(63) } }],
    ['a label', { labels: 'team: data' }, { labels: { team: 'data' } }],
    ['labels as JSON', { labels: '{"team": "data", "a/b": "c"}' }, { labels: { team: 'data', 'a/b': 'c' } }],
    [
      'labels as they are written',
      { labels: '{version: 1.10, yes: n, on: true, mode: 0400, date: 2020-01-01, none: null, 1.10: x}' },
      {
        labels: { version: '1.10', yes: 'n', on: 'true', mode: '0400', date: '2020-01-01', none: '', '1.10': 'x' },
      },
    ],
    ['no labels, explicitly', { labels: '{}' }, {}],
    ['an annotation of many lines', { annotations: 'note: |-\n  a\n  b' }, { annotations: { note: 'a\nb' } }],
    [
      'resources',
      { container_resources: '{requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}' },
      { resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '1Gi' } } },
    ],
    ['resources of one side', { container_resources: 'limits: {}' }, { resources: { limits: {} } }],
    ['no resources, explicitly', { container_resources: '{}' }, { resources: {} }],
  ])('%s', (_, given, expected) => expect(read(given)).toStrictEqual({ ...defaults, ...expected }));

  test.each([
    '1',
    '0.5',
    '.5',
    '5.',
    '500m',
    '100n',
    '10u',
    '1k',
    '1M',
    '1G',
    '1T',
    '1P',
    '1E',
    '1Ki',
    '1.5Gi',
    '1e3',
    '1E-3',
    '+1',
    '1Pi',
    '1Ei',
  ])('the quantity %s', quantity => {
    const text = `{limits: {cpu: "${quantity}"}}`;
    expect(read({ container_resources: text }).resources?.limits).toEqual({ cpu: quantity });
  });

  test.each(['9007199254740993', '1e400', '12'])('the number %s as the quantity it is written as', quantity => {
    const { resources } = read({ container_resources: `{limits: {memory: ${quantity}}}` });
    expect(String(resources?.limits?.['memory'])).toBe(quantity);
  });
});

/** Each input that is wrong in one way, and the whole of what the user is told. */
const refused: [what: string, given: Record<string, string>, sentence: string][] = [
  ['no image', { image: '' }, 'image: expected the image to run, e.g. python:3.13-slim; found nothing.'],
  ['an image of two words', { image: 'python 3' }, 'image: an image name holds no white space.'],
  [
    'a pull policy in lower case',
    { image_pull_policy: 'always' },
    'image_pull_policy: expected Always, IfNotPresent or Never, found "always". Did you mean Always?',
  ],
  [
    'an unknown pull policy',
    { image_pull_policy: 'Sometimes' },
    'image_pull_policy: expected Always, IfNotPresent or Never, found "Sometimes".',
  ],
  ['yes for a boolean', { random_name_suffix: 'yes' }, 'random_name_suffix: expected true or false, found "yes".'],
  ['1 for a boolean', { get_logs: '1' }, 'get_logs: expected true or false, found "1".'],
  [
    'a mode of results to come',
    { do_xcom_push: 'true' },
    'do_xcom_push: true (results above 4 KiB) is not available yet. Use auto, or leave it out.',
  ],
  [
    'a half word',
    { on_finish_action: 'keep' },
    'on_finish_action: expected delete_pod, delete_succeeded_pod, delete_active_pod or keep_pod, found "keep". Did you mean keep_pod?',
  ],
  [
    'a misspelt word',
    { on_finish_action: 'keep-pod' },
    'on_finish_action: expected delete_pod, delete_succeeded_pod, delete_active_pod or keep_pod, found "keep-pod". Did you mean keep_pod?',
  ],
  [
    'a namespace in capitals',
    { namespace: 'Prod' },
    'namespace: "Prod" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.',
  ],
  [
    'a namespace too long',
    { namespace: 'n'.repeat(64) },
    `namespace: "${'n'.repeat(64)}" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.`,
  ],
  [
    'two clusters',
    { kubeconfig, config_file: 'x' },
    'kubeconfig: config_file is given too. Keep the one that is meant.',
  ],
  [
    'a path for a kubeconfig',
    { kubeconfig: '/home/runner/config' },
    'kubeconfig: expected the content of a kubeconfig, plain or base64; this is neither. (For the path of a file there is config_file.)',
  ],
  ['labels as in a selector', { labels: 'team=data' }, 'labels: expected a mapping, e.g. {team: data}; found text.'],
  ['a number for labels', { labels: '7' }, 'labels: expected a mapping, e.g. {team: data}; found the number 7.'],
  [
    'a list for annotations',
    { annotations: '[a]' },
    'annotations: expected a mapping, e.g. {team: data}; found a list.',
  ],
  ['a list for a label', { labels: '{team: [data]}' }, 'labels.team: expected text, found a list.'],
  ['a mapping for an annotation', { annotations: '{a: {b: c}}' }, 'annotations.a: expected text, found a mapping.'],
  [
    'a label of ours',
    { labels: '{kubernetes-pod-step/job: x}' },
    'labels.kubernetes-pod-step/job: the prefix kubernetes-pod-step/ is reserved, for cleanup rests on it. Use another.',
  ],
  [
    'an annotation of ours',
    { annotations: '{kubernetes-pod-step/nonce: x}' },
    'annotations.kubernetes-pod-step/nonce: the prefix kubernetes-pod-step/ is reserved, for cleanup rests on it. Use another.',
  ],
  [
    'a label twice',
    { labels: 'a: 1\na: 2' },
    'labels: this is not valid YAML: duplicated mapping key (line 2, column 1).',
  ],
  [
    'a colon in a label',
    { labels: 'a: b: c' },
    'labels: this is not valid YAML: bad indentation of a mapping entry, or text with a colon in it that needs quotes (line 1, column 5).',
  ],
  [
    'a number for resources',
    { container_resources: '512Mi' },
    'container_resources: expected a mapping, e.g. {requests: {memory: 512Mi}, limits: {memory: 1Gi}}; found text.',
  ],
  [
    'a misspelt side of the resources',
    { container_resources: '{request: {cpu: 1}}' },
    'container_resources: "request" is not a field here; expected requests, limits or claims. Did you mean requests?',
  ],
  [
    'a number for a side of the resources',
    { container_resources: '{requests: 1}' },
    'container_resources.requests: expected a mapping, e.g. {memory: 1Gi}; found the number 1.',
  ],
  [
    'a quantity in MB',
    { container_resources: '{limits: {memory: 512MB}}' },
    'container_resources.limits.memory: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "512MB".',
  ],
  [
    'a quantity with a space',
    { container_resources: '{limits: {memory: 512 Mi}}' },
    'container_resources.limits.memory: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "512 Mi".',
  ],
  [
    'a boolean for a quantity',
    { container_resources: '{limits: {cpu: true}}' },
    'container_resources.limits.cpu: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "true".',
  ],
  [
    'a list for a quantity',
    { container_resources: '{limits: {cpu: [1]}}' },
    'container_resources.limits.cpu: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found a list.',
  ],
  [
    'a misspelt input',
    { imgae_pull_policy: 'Always' },
    'imgae_pull_policy: this action has no such input. Did you mean image_pull_policy?',
  ],
  ['a dash in an input', { 'env-vars': 'A=1' }, 'env-vars: this action has no such input. Did you mean env_vars?'],
  ['an input of another action', { docker_socket: 'x' }, 'docker_socket: this action has no such input.'],
];

describe('an input is refused', () => {
  test.each(refused)('%s', (_, given, sentence) =>
    expect(refusal(given)).toMatchObject({ reason: 'InvalidInput', title: 'Invalid input', text: sentence }),
  );

  test.each(['0', '-5', '1.5', '6h', '2147483648', '99999999999999999999', '0x10'])('the deadline %s', value => {
    expect(refusal({ active_deadline_seconds: value }).text).toMatch(
      new RegExp(`^active_deadline_seconds: expected a whole number .*found "${value}"`),
    );
  });

  test.each(['a.b', '-a', 'a-', 'a_b', 'ä', 'a b'])('the namespace %j', value => {
    expect(refusal({ namespace: value }).text).toMatch(/^namespace: ".+" cannot be a namespace: /);
  });

  test.each(['1 Gi', '1GiB', '1ki', '1mi', '--1', '1..5', '.', 'e3', '0x10', 'one', '1,5'])(
    'the quantity %j',
    value => {
      expect(refusal({ container_resources: `{limits: {memory: "${value}"}}` }).text).toMatch(
        /^container_resources\.limits\.memory: expected a quantity/,
      );
    },
  );

  test.each(['{claims: gpu}', '{claims: {name: gpu}}', '{claims: [gpu]}'])('the claims %s', text => {
    expect(refusal({ container_resources: text }).text).toMatch(/^container_resources\.claims/);
  });

  test('its value is not quoted where it may be a secret', () => {
    const given = { kubeconfig: 'aHVudGVyMg==', env_vars: '{A: *hunter2}', labels: 'hunter2' };
    expect(refusal(given).text).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test('a kubeconfig that is the path of a YAML file', () => {
    expect(refusal({ kubeconfig: './kubeconfig.yaml' }).text).toMatch(/^kubeconfig: .*config_file/);
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
});

test('the post step reads which cluster it is, whatever is wrong with the other inputs', () => {
  const env = environment({ image: '', cmds: '"', unknown: 'x', kubeconfig: base64, namespace: 'etl' });
  expect(readClusterInputs(env)).toEqual({ kubeconfig, namespace: 'etl' });
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
  );
  const text = fc.array(piece, { maxLength: 10 }).map(parts => parts.join(''));
  const given = fc.dictionary(fc.constantFrom(...INPUTS), text, { maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(given, inputs => {
      try {
        read(inputs);
      } catch (error) {
        expect(error).toBeInstanceOf(StepError);
        expect((error as StepError).text).toMatch(new RegExp(`^(- )?(${INPUTS.join('|')})[:.[]`));
      }
    }),
    { numRuns: 3000 },
  );
});
