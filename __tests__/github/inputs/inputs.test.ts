import { describe, expect, test } from '@jest/globals';
import { CLUSTER_INPUTS, INPUTS } from '../../../src/github/contract.ts';
import { readAttach } from '../../../src/github/inputs/attach.ts';
import { readCluster } from '../../../src/github/inputs/cluster.ts';
import { type Inputs, readInputs, refuseProblems } from '../../../src/github/inputs/inputs.ts';
import { InputReader } from '../../../src/github/inputs/reader.ts';
import { read, reading, refusal } from './given.ts';

const defaults: Inputs = {
  cluster: {},
  randomNameSuffix: true,
  queueTimeoutSeconds: 3600,
  scheduleTimeoutSeconds: 600,
  startupTimeoutSeconds: 600,
  logs: {
    shown: true,
    initContainers: 'all',
    prefixed: true,
    eventsOnFailure: true,
    podOnFailure: true,
    annotations: false,
  },
  files: { helperImage: 'public.ecr.aws/docker/library/busybox:1.37' },
  workspace: process.cwd(),
  result: {
    mode: 'auto',
    multiple: false,
    sidecarImage: 'public.ecr.aws/docker/library/busybox:1.37',
  },
  onFinishAction: 'delete_pod',
  onKillAction: 'delete_pod',
  skipOnExitCodes: [],
  reattachOnRestart: true,
  retries: 0,
  retryDelaySeconds: 10,
  retryOn: { lost: false, any: false, exitCodes: [] },
  dryRun: false,
};
const kubeconfig = 'apiVersion: v1\nkind: Config\nclusters: []\n';
const base64 = Buffer.from(kubeconfig).toString('base64');

describe('what the user said nothing about', () => {
  test('has its default', () => {
    expect(read({})).toStrictEqual(defaults);
  });

  test('has its default where the runner passes no variables at all', () => {
    expect(readInputs(new InputReader({}))).toStrictEqual(defaults);
  });

  // Null variables are variables for a template: a tree like any other.
  const named = INPUTS.filter(name => name !== 'template_vars');

  test.each(INPUTS)('has its default where %s is white space', name => {
    expect(read({ [name]: ' \n' })).toStrictEqual(defaults);
  });

  test.each(named)('has its default where %s is null', name => {
    expect(read({ [name]: 'null' })).toStrictEqual(defaults);
  });
});

describe('an input about logs is read', () => {
  test.each<[what: string, given: Record<string, string>, expected: Partial<Inputs['logs']>]>([
    ['no logs', { get_logs: 'False' }, { shown: false }],
    ['all containers', { container_logs: 'true' }, { containers: 'all' }],
    ['all containers, as Python writes it', { container_logs: 'True' }, { containers: 'all' }],
    ['no container', { container_logs: 'false' }, { containers: [] }],
    ['an empty list', { container_logs: '[]' }, { containers: [] }],
    ['one container', { container_logs: 'base' }, { containers: ['base'] }],
    ['containers with commas', { container_logs: 'base, proxy' }, { containers: ['base', 'proxy'] }],
    ['a list of Python’s', { container_logs: "['base', 'proxy']" }, { containers: ['base', 'proxy'] }],
    ['a list in lines', { container_logs: '- base\n- "1"\n' }, { containers: ['base', '1'] }],
    ['no init containers', { init_container_logs: 'false' }, { initContainers: [] }],
    ['an init container', { init_container_logs: '[migrate]' }, { initContainers: ['migrate'] }],
    ['no prefix', { container_name_log_prefix_enabled: 'false' }, { prefixed: false }],
    ['a file', { log_file: 'build/run.log' }, { file: 'build/run.log' }],
    ['annotations', { workflow_commands: 'annotations' }, { annotations: true }],
    ['no annotations', { workflow_commands: 'none' }, { annotations: false }],
  ])('%s', (_, given, expected) => {
    expect(read(given).logs).toStrictEqual({ ...defaults.logs, ...expected });
  });

  test.each([
    [{ container_logs: '{a: b}' }, 'container_logs: expected true, false, or names of containers; found a mapping.'],
    [{ container_logs: '[base, [x]]' }, 'container_logs[1]: expected the name of a container; found a list.'],
    [{ container_logs: 'Base' }, 'container_logs: expected the name of a container; found "Base".'],
    [{ init_container_logs: '[null]' }, 'init_container_logs[0]: expected the name of a container; found nothing.'],
    [{ log_file: '../x.log' }, 'log_file: "../x.log" is outside of the workspace'],
    [{ workflow_commands: 'all' }, 'workflow_commands: expected none or annotations, found "all".'],
    [{ outage_timeout_seconds: '0' }, 'outage_timeout_seconds: expected a whole number of seconds'],
  ])('%j is refused', (given, sentence) => {
    expect(refusal(given)?.text).toContain(sentence);
  });
});

describe('an input is read', () => {
  test.each<[what: string, given: Record<string, string>, expected: Partial<Inputs>]>([
    ['no suffix', { random_name_suffix: 'false' }, { randomNameSuffix: false }],
    ['a suffix', { random_name_suffix: 'TRUE' }, { randomNameSuffix: true }],
    ['a template', { pod_template_file: './pod.yaml' }, { podTemplateFile: './pod.yaml' }],
    ['variables of a template', { template_vars: '{"a": "b"}' }, { templateVars: { a: 'b' } }],
    ['time in a queue', { queue_timeout_seconds: '60' }, { queueTimeoutSeconds: 60 }],
    ['time for a node', { schedule_timeout_seconds: '60' }, { scheduleTimeoutSeconds: 60 }],
    ['the longest time', { startup_timeout_seconds: '2147483647' }, { startupTimeoutSeconds: 2147483647 }],
    ['time for an outage', { outage_timeout_seconds: '60' }, { outageTimeoutSeconds: 60 }],
    ['no reattaching', { reattach_on_restart: 'false' }, { reattachOnRestart: false }],
    ['tries', { retries: '3', retry_delay_seconds: '0' }, { retries: 3, retryDelaySeconds: 0 }],
    [
      'tries after a loss and for an exit code',
      { retries: '1', retry_on: 'lost, 75' },
      { retries: 1, retryOn: { lost: true, any: false, exitCodes: [75] } },
    ],
    [
      'tries after any failure',
      { retries: '1', retry_on: '[any]' },
      { retries: 1, retryOn: { lost: false, any: true, exitCodes: [] } },
    ],
    ['tries as they are anyway', { retries: '1', retry_on: 'not_started' }, { retries: 1 }],
    ['a pod that a cancelled step leaves', { on_kill_action: 'keep_pod' }, { onKillAction: 'keep_pod' }],
    ['an exit code that means nothing to do', { skip_on_exit_code: '99' }, { skipOnExitCodes: [99] }],
    ['several, as a list', { skip_on_exit_code: '[99, 100]' }, { skipOnExitCodes: [99, 100] }],
    ['several, as text', { skip_on_exit_code: '99, 100' }, { skipOnExitCodes: [99, 100] }],
    ['none, as KPO has it', { skip_on_exit_code: '[]' }, { skipOnExitCodes: [] }],
    ['a pod that is kept', { on_finish_action: 'keep_pod' }, { onFinishAction: 'keep_pod' }],
    [
      'a failed pod that is kept',
      { on_finish_action: 'delete_succeeded_pod' },
      { onFinishAction: 'delete_succeeded_pod' },
    ],
    ['an ended pod that is kept', { on_finish_action: 'delete_active_pod' }, { onFinishAction: 'delete_active_pod' }],
    ['a pod that is only shown', { dry_run: 'true' }, { dryRun: true }],
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
  ])('%s', (_, given, expected) => expect(read(given)).toStrictEqual({ ...defaults, ...expected }));
});

/** Each input that is wrong in one way, and the whole of what the user is told. */
const refused: [what: string, given: Record<string, string>, sentence: string][] = [
  ['yes for a boolean', { random_name_suffix: 'yes' }, 'random_name_suffix: expected true or false, found "yes".'],
  ['1 for a boolean', { get_logs: '1' }, 'get_logs: expected true or false, found "1".'],
  ['a word for a boolean', { dry_run: 'server' }, 'dry_run: expected true or false, found "server".'],
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
  ['another word', { on_kill_action: 'kill' }, 'on_kill_action: expected delete_pod or keep_pod, found "kill".'],
  ['too many tries', { retries: '101' }, 'retries: expected a whole number from 0 to 100; found "101".'],
  ['fewer than no tries', { retries: '-1' }, 'retries: expected a whole number from 0 to 100; found "-1".'],
  [
    'a misspelt failure to try again for',
    { retries: '1', retry_on: 'losts' },
    'retry_on: expected not_started, lost, any, or an exit code from 1 to 255; found "losts". Did you mean lost?',
  ],
  [
    'a success to try again for',
    { retries: '1', retry_on: '[75, 0]' },
    'retry_on[1]: expected not_started, lost, any, or an exit code from 1 to 255; found "0".',
  ],
  [
    'a success to skip on',
    { skip_on_exit_code: '0' },
    'skip_on_exit_code: expected an exit code from 1 to 255; found "0".',
  ],
  [
    'a code that no container has',
    { skip_on_exit_code: '[99, 256]' },
    'skip_on_exit_code[1]: expected an exit code from 1 to 255; found "256".',
  ],
  [
    'a mapping of codes',
    { skip_on_exit_code: '{code: 99}' },
    'skip_on_exit_code: expected an exit code, or a list of them; found a mapping.',
  ],
  [
    'a time of nothing',
    { schedule_timeout_seconds: '0' },
    'schedule_timeout_seconds: expected a whole number of seconds, from 1 to 2147483647; found "0".',
  ],
  [
    'a time with its unit',
    { startup_timeout_seconds: '10m' },
    'startup_timeout_seconds: expected a whole number of seconds, from 1 to 2147483647; found "10m".',
  ],
  [
    'variables that are no YAML',
    { template_vars: '{a: b' },
    'template_vars: this is not valid YAML: unexpected end of the stream within a flow collection (line 1, column 6).',
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

  test.each(['0', '-5', '1.5', '6h', '2147483648', '99999999999999999999', '0x10'])('the time %s', value => {
    expect(refusal({ startup_timeout_seconds: value }).text).toMatch(
      new RegExp(`^startup_timeout_seconds: expected a whole number .*found "${value}"`),
    );
  });

  test.each(['a.b', '-a', 'a-', 'a_b', 'ä', 'a b'])('the namespace %j', value => {
    expect(refusal({ namespace: value }).text).toMatch(/^namespace: ".+" cannot be a namespace: /);
  });

  test('its value is not quoted where it may be a secret', () => {
    const given = { kubeconfig: 'aHVudGVyMg==', template_vars: '{A: *hunter2}' };
    expect(refusal(given).text).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test('a kubeconfig that is the path of a YAML file', () => {
    expect(refusal({ kubeconfig: './kubeconfig.yaml' }).text).toMatch(/^kubeconfig: .*config_file/);
  });
});

test('the post step reads which cluster it is, whatever is wrong with the other inputs', () => {
  const reader = reading({ image: '', cmds: '"', unknown: 'x', kubeconfig: base64, namespace: 'etl' });
  expect(readCluster(reader)).toEqual({ kubeconfig, namespace: 'etl' });
});

describe('the older way to say what becomes of the pod', () => {
  const finish = (given: Record<string, string>, defaults?: string) => {
    const reader = reading(given, defaults === undefined ? {} : { defaults });
    const { onFinishAction } = readInputs(reader);
    refuseProblems(reader);
    return { onFinishAction, notices: [...reader.notices] };
  };

  test.each([
    ['true', 'delete_pod'],
    ['True', 'delete_pod'],
    ['false', 'keep_pod'],
  ])('is_delete_operator_pod: %s is %s, with a notice', (old, onFinishAction) =>
    expect(finish({ is_delete_operator_pod: old })).toEqual({
      onFinishAction,
      notices: [`is_delete_operator_pod is deprecated: write on_finish_action: ${onFinishAction}.`],
    }),
  );

  test('may stand beside the newer one that says the same', () => {
    const { onFinishAction } = finish({ is_delete_operator_pod: 'false', on_finish_action: 'keep_pod' });
    expect(onFinishAction).toBe('keep_pod');
  });

  test('may not contradict it', () => {
    expect(refusal({ is_delete_operator_pod: 'true', on_finish_action: 'delete_succeeded_pod' }).text).toBe(
      'is_delete_operator_pod: true means on_finish_action: delete_pod, which says delete_succeeded_pod. Keep on_finish_action alone.',
    );
  });

  test('is nothing where it is null', () => {
    expect(finish({ is_delete_operator_pod: 'null' })).toEqual({ onFinishAction: 'delete_pod', notices: [] });
  });

  test('wins over what the defaults say under the newer name', () => {
    expect(finish({ is_delete_operator_pod: 'true' }, 'on_finish_action: keep_pod').onFinishAction).toBe('delete_pod');
  });

  test('of the defaults gives way to what the step says under the newer name', () => {
    expect(finish({ on_finish_action: 'delete_pod' }, 'is_delete_operator_pod: false').onFinishAction).toBe(
      'delete_pod',
    );
  });
});

test('a step that attaches is told of its cluster in every way that one that makes a pod is', () => {
  for (const name of CLUSTER_INPUTS) {
    const reader = new InputReader({ INPUT_ATTACH: 'p', [`INPUT_${name.toUpperCase()}`]: 'true' });
    readAttach(reader);
    expect(reader.problems).toEqual([]);
  }
});
