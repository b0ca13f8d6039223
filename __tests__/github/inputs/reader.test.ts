import { describe, expect, test } from '@jest/globals';
import { INPUTS, type InputName } from '../../../src/github/contract.ts';
import { readInputs } from '../../../src/github/inputs/inputs.ts';
import { didYouMean, InputReader } from '../../../src/github/inputs/reader.ts';
import { plain } from '../../../src/github/yaml.ts';
import { reading } from './given.ts';

describe('the nearest spelling', () => {
  test.each([
    ['imgae', ' Did you mean image?'],
    ['IMAGE', ' Did you mean image?'],
    ['envvars', ' Did you mean env_vars?'],
    ['env_var', ' Did you mean env_vars?'],
    ['arguements', ' Did you mean arguments?'],
    ['container_resource', ' Did you mean container_resources?'],
    ['kube_config', ' Did you mean kubeconfig?'],
    ['service_account', ' Did you mean service_account_name?'],
    ['on_finish', ' Did you mean on_finish_action?'],
    ['poll_interval', ''],
    ['x', ''],
    ['', ''],
  ])('of %j', (word, expected) => expect(didYouMean(word, INPUTS)).toBe(expected));

  test('differs in case alone rather than in letters', () => {
    expect(didYouMean('always', ['Alway', 'Always'])).toBe(' Did you mean Always?');
  });
});

describe('a word', () => {
  test.each([
    ['a', 'a'],
    [' a \n', 'a'],
    ['""', undefined],
    ["''", undefined],
    ['null', undefined],
    ['', undefined],
    ['  ', undefined],
    [undefined, undefined],
  ])('%j is read as %j', (value, expected) => {
    expect(new InputReader({ INPUT_NAME: value }).word('name')).toBe(expected);
  });

  test.each(['""', "''"])('%s is text that is explicitly empty', value => {
    expect(new InputReader({ INPUT_NAME: value }).text('name')).toBe('');
  });
});

test('variables that are no inputs are no concern', () => {
  const reader = new InputReader({ PATH: '/bin', MY_INPUT_X: 'x', input_x: 'x', INPUT_IMAGE: 'x' });
  reader.unknownInputs();
  expect(reader.problems).toEqual([]);
});

describe('the defaults', () => {
  const defaults = [
    'image: shared',
    'hostname: shared',
    'get_logs: false',
    'schedule_timeout_seconds: 60',
    'labels: {team: data, version: 1.10}',
    'env_vars: |',
    '  A=1',
    '  B=2',
    'volumes: |',
    '  - name: tmp',
    '    emptyDir: {}',
    'subdomain: ""',
    'namespace: 007',
    'termination_grace_period: null',
  ].join('\n');
  const read = (given: Record<string, string>) => reading({ image: '', ...given }, { defaults });

  test('count for what the step says nothing about', () => {
    const reader = read({});
    expect(reader.word('image')).toBe('shared');
    expect(reader.word('namespace')).toBe('007');
    expect(reader.boolean('get_logs')).toBe(false);
    expect(reader.seconds('schedule_timeout_seconds', 1)).toBe(60);
    expect(reader.word('name')).toBeUndefined();
    expect(reader.saysNothing('termination_grace_period')).toBe(true);
    expect(reader.problems).toEqual([]);
  });

  test('give trees, and blocks of text copied from a step', () => {
    const reader = read({});
    expect(plain(reader.tree('labels') ?? '')).toEqual({ team: 'data', version: 1.1 });
    expect(plain(reader.tree('volumes') ?? '')).toEqual([{ name: 'tmp', emptyDir: {} }]);
    expect(reader.given('env_vars')).toEqual({ text: 'A=1\nB=2\n' });
    expect(reader.text('subdomain')).toBe('');
  });

  test("give way to the step's own, input by input", () => {
    const reader = read({ image: 'own', labels: '{own: x}', get_logs: 'true' });
    expect(reader.word('image')).toBe('own');
    expect(reader.word('hostname')).toBe('shared');
    expect(reader.boolean('get_logs')).toBe(true);
    expect(plain(reader.tree('labels') ?? '')).toEqual({ own: 'x' });
  });

  test.each(['null', ' null\n'])("give way to the step's own %j", text => {
    const reader = read({ hostname: text, get_logs: text, labels: text, schedule_timeout_seconds: text });
    expect(reader.word('hostname')).toBeUndefined();
    expect(reader.boolean('get_logs')).toBeUndefined();
    expect(reader.seconds('schedule_timeout_seconds', 1)).toBeUndefined();
    expect(plain(reader.tree('labels') ?? '')).toBeNull();
    expect(reader.saysNothing('labels')).toBe(true);
  });

  test.each(['', ' \n'])('count where the step says %j, as the runner does for what is absent', text => {
    expect(read({ hostname: text }).word('hostname')).toBe('shared');
  });

  test('have no say where they inherit a name from every object', () => {
    expect(reading({}, { defaults: '{}' }).given('constructor' as InputName)).toBeUndefined();
  });

  test.each<[defaults: string, ask: (reader: InputReader) => unknown, problem: string]>([
    ['get_logs: yes', reader => reader.boolean('get_logs'), 'get_logs: expected true or false, found "yes".'],
    ['get_logs: [true]', reader => reader.boolean('get_logs'), 'get_logs: expected text, found a list.'],
    ['image: {a: b}', reader => reader.word('image'), 'image: expected text, found a mapping.'],
    [
      'schedule_timeout_seconds: 1.5',
      reader => reader.seconds('schedule_timeout_seconds', 1),
      'schedule_timeout_seconds: expected a whole number of seconds, from 1 to 2147483647; found "1.5".',
    ],
    [
      'volumes: "[a"',
      reader => reader.tree('volumes'),
      'volumes: this is not valid YAML: unexpected end of the stream within a flow collection (line 1, column 3).',
    ],
    ['imgae: a', reader => reader.unknownInputs(), 'imgae: this action has no such input. Did you mean image?'],
    [
      'execution_timeout: 60',
      reader => reader.unknownInputs(),
      'execution_timeout: this action has no such input: use timeout-minutes of the step, and active_deadline_seconds for the pod.',
    ],
  ])('are named by their file where they are wrong: %s', (defaults, ask, problem) => {
    const reader = reading({ image: '' }, { defaults });
    ask(reader);
    ask(reader);
    expect(reader.problems.slice(0, 1)).toEqual([`defaults_file (defaults.yaml): ${problem}`]);
  });

  test('are told once where an input is read in two ways', () => {
    const reader = reading({}, { defaults: 'do_xcom_push: [a]' });
    readInputs(reader);
    expect(reader.problems).toEqual(['defaults_file (defaults.yaml): do_xcom_push: expected text, found a list.']);
  });

  test('are not named where it is the step that is wrong', () => {
    const reader = reading({ get_logs: 'yes' }, { defaults: 'get_logs: false' });
    reader.boolean('get_logs');
    expect(reader.problems).toEqual(['get_logs: expected true or false, found "yes".']);
  });

  test.each([
    ['hostname', 'defaults_file (defaults.yaml): hostname'],
    ['volumes[0].name', 'defaults_file (defaults.yaml): volumes[0].name'],
    ['labels.team', 'defaults_file (defaults.yaml): labels.team'],
    ['labels[a/b]', 'defaults_file (defaults.yaml): labels[a/b]'],
    ['name', 'name'],
  ])('are named in the place %s', (place, expected) => expect(read({}).place(place)).toBe(expected));
});

describe("a parameter of Airflow's that is no input", () => {
  const asked = (given: Record<string, string>) => {
    const reader = reading(given);
    reader.unknownInputs();
    return { problems: reader.problems, notices: [...reader.notices] };
  };

  test.each([
    ['task_id', 'task_id: has no meaning here: the step and its id take its place.'],
    [
      'kubernetes_conn_id',
      'kubernetes_conn_id: has no meaning here: the cluster is named by kubeconfig, config_file or cluster_context.',
    ],
    ['poll_interval', 'poll_interval: has no meaning here: the pod is watched, not polled.'],
    ['email_on_failure', 'email_on_failure: has no meaning here: a workflow has its own notifications.'],
  ])('is a notice where nothing is lost: %s', (name, notice) =>
    expect(asked({ [name]: 'x' })).toEqual({ problems: [], notices: [notice] }),
  );

  test.each([
    [
      'execution_timeout',
      'this action has no such input: use timeout-minutes of the step, and active_deadline_seconds for the pod.',
    ],
    ['trigger_rule', 'this action has no such input: use `if:` of the step or the job.'],
    ['pod', 'this action has no such input: use full_pod_spec.'],
    ['node_selectors', 'this action has no such input: it is called node_selector.'],
    ['env', 'this action has no such input: it is called env_vars.'],
  ])('is an error that says what to use where it meant something: %s', (name, sentence) =>
    expect(asked({ [name]: 'x' })).toEqual({ problems: [`${name}: ${sentence}`], notices: [] }),
  );

  test('is not what every object has', () => {
    expect(asked({ constructor: 'x' }).problems).toEqual(['constructor: this action has no such input.']);
  });

  test('is told beside what else is wrong', () => {
    const { problems, notices } = asked({ task_id: 'x', pool: 'y', imgae: 'z' });
    expect(problems.map(problem => problem.replace(/:.*/, ''))).toEqual(['pool', 'imgae']);
    expect(notices).toHaveLength(1);
  });
});

describe("Python's None", () => {
  const warned = (text: string) => {
    const reader = new InputReader({ INPUT_VOLUME_MOUNTS: text });
    reader.tree('volume_mounts');
    return [...reader.warnings];
  };

  test.each([
    "[{'name': 'v', 'mount_path': '/x', 'sub_path': None}]",
    '- name: v\n  subPath: None\n',
    '- None',
    '{a: None, b: 1}',
    '[1, None]',
  ])('is told of in %j', text =>
    expect(warned(text)).toEqual([
      "volume_mounts holds None, which is text to YAML: its word for nothing is null. As the value of a field of Kubernetes' own it is taken for null.",
    ]),
  );

  test.each([
    "{a: 'None'}",
    '{mountPropagation: None}',
    '{mount_propagation: None}',
    'dnsPolicy: None',
    '{a: NoneOfIt}',
    '{a: null}',
  ])('is not seen in %j', text => expect(warned(text)).toEqual([]));
});

describe("Python's None for a whole input", () => {
  const read = (name: InputName) => new InputReader({ [`INPUT_${name.toUpperCase()}`]: ' None ' });

  test('says nothing, as null does', () => {
    expect(read('affinity').saysNothing('affinity')).toBe(true);
    expect(read('affinity').tree('affinity')).toMatchObject({ value: null });
    expect(read('hostname').text('hostname')).toBeUndefined();
    expect(read('hostnetwork').boolean('hostnetwork')).toBeUndefined();
    expect(read('hostnetwork').problems).toEqual([]);
  });

  test("is Kubernetes' own word for dnspolicy", () => expect(read('dnspolicy').text('dnspolicy')).toBe('None'));
});
