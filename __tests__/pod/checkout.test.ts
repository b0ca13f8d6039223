import { describe, expect, test } from '@jest/globals';
import { readInputs } from '../../src/github/inputs/inputs.ts';
import { rulesFor } from '../../src/kubernetes/access.ts';
import { digestOf } from '../../src/pod/compare.ts';
import { useOf } from '../../src/run/role.ts';
import { reading } from '../github/inputs/given.ts';
import { planOf } from './planned.ts';

const TOKEN = 'ghs_c2hhbGwgbm90IGJlIHNlZW4';
const JOB = {
  GITHUB_SERVER_URL: 'https://github.example/',
  GITHUB_REPOSITORY: 'octo/repo',
  GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
};
const given = { workspace: 'checkout', github_token: TOKEN };
const plan = (inputs: Record<string, string> = {}, env: Record<string, string> = {}) =>
  planOf({ ...given, ...inputs }, { own: { ...JOB, ...env } });
const checkout = (...around: Parameters<typeof plan>) => {
  const [container] = plan(...around).pod.spec?.initContainers ?? [];
  if (container === undefined) throw new Error('There is no init container.');
  return container;
};
const variables = ({ env = [] }: { env?: { name: string; value?: string }[] }) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));
/** Git's configuration as the container has it. */
const configuration = (...around: Parameters<typeof plan>) => {
  const env = variables(checkout(...around));
  const indexes = Array.from({ length: Number(env['GIT_CONFIG_COUNT']) }, (_, index) => index);
  return indexes.map(index => [env[`GIT_CONFIG_KEY_${index}`], env[`GIT_CONFIG_VALUE_${index}`]]);
};

describe('the container that checks out', () => {
  test('is told what by its arguments', () => {
    const { name, image, args } = checkout({ checkout_submodules: 'recursive', checkout_lfs: 'true' });
    expect({ name, image }).toEqual({ name: 'pod-step-checkout', image: 'docker.io/alpine/git:v2.49.1' });
    expect(args).toEqual([
      '/github/workspace',
      '/github/workspace',
      'https://github.example',
      'octo/repo',
      JOB.GITHUB_SHA,
      'recursive',
      'true',
      '022',
    ]);
  });

  test('has the same script whatever the job is called, and nothing in it that Kubernetes would replace', () => {
    const hostile = { GITHUB_REPOSITORY: 'a/$(id)"; id; `id`', GITHUB_SHA: '--upload-pack=$(HOSTNAME)' };
    const { command, args = [] } = checkout({}, hostile);
    expect(command).toEqual(checkout().command);
    expect(args.slice(3, 5)).toEqual(['a/$$(id)"; id; `id`', '--upload-pack=$$(HOSTNAME)']);
    const names = Object.keys(variables(checkout()));
    for (const name of names) expect(command?.join('\n')).not.toContain(`$(${name})`);
  });

  test('has the token in a file, and nobody else has it', () => {
    const { pod, secrets } = plan();
    expect(JSON.stringify(pod)).not.toContain(TOKEN);
    expect(secrets).toEqual([
      { name: expect.stringContaining('-token-'), type: 'Opaque', data: { token: TOKEN }, isPassing: true },
    ]);
    const { containers = [], initContainers = [], volumes = [] } = pod.spec ?? {};
    const secretName = secrets[0]?.name;
    expect(volumes).toContainEqual({ name: 'pod-step-token', secret: { secretName, defaultMode: 0o444 } });
    const mount = { name: 'pod-step-token', mountPath: '/pod-step/token', readOnly: true };
    expect(initContainers[0]?.volumeMounts).toContainEqual(mount);
    for (const { volumeMounts } of containers) expect(volumeMounts).not.toContainEqual(mount);
  });

  test('gives it to the job’s server alone', () => {
    expect(configuration()).toEqual(
      expect.arrayContaining([
        ['credential.helper', ''],
        ['credential.https://github.example.helper', expect.stringContaining('$$(cat /pod-step/token/token)')],
        ['url.https://github.example/.insteadOf', 'git@github.example:'],
        ['url.https://github.example/.insteadOf', 'ssh://git@github.example/'],
      ]),
    );
    const without = configuration({ github_token: '' });
    expect(without.filter(([key]) => key?.startsWith('credential'))).toEqual([]);
    const { pod, secrets } = plan({ github_token: '' });
    expect(secrets).toEqual([]);
    expect(JSON.stringify(pod)).not.toContain('pod-step-token');
  });

  test('is the same in every attempt, whatever the token', () => {
    expect(digestOf(plan({ github_token: 'another' }).pod)).toBe(digestOf(plan().pod));
  });

  test.each<[string, Record<string, string>, string]>([
    ['as the user of the base container', { container_security_context: '{runAsUser: 1000}' }, '022'],
    ['as the pod’s user', { security_context: '{runAsUser: 1000, runAsNonRoot: true}' }, '022'],
    ['writable for all where that user is not known', { security_context: '{runAsNonRoot: true}' }, '000'],
  ])('%s', (_, inputs, mask) => {
    expect(checkout(inputs).args?.at(-1)).toBe(mask);
  });
});

describe('the base container', () => {
  const SAFE = {
    GITHUB_WORKSPACE: '/github/workspace',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '/github/workspace',
  };
  const base = (template?: string) =>
    planOf(given, { own: JOB, ...(template !== undefined && { template }) }).pod.spec?.containers[0] ?? { name: '' };

  test('has a git that works in the workspace, whose root is not its user’s', () => {
    expect(variables(base())).toMatchObject(SAFE);
  });

  test('has its own configuration, where it has one', () => {
    const template = '{spec: {containers: [{name: base, env: [{name: GIT_CONFIG_COUNT, value: "0"}]}]}}';
    const { GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0 } = variables(base(template));
    expect({ GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0 }).toEqual({ GIT_CONFIG_COUNT: '0', GIT_CONFIG_KEY_0: undefined });
  });
});

test('a checkout takes the right to create and delete Secrets, and none to run programs in pods', () => {
  const inputs = readInputs(reading(given, { own: JOB }));
  const rules = rulesFor(useOf(inputs, plan()));
  expect(rules).toContainEqual({ apiGroups: [''], resources: ['secrets'], verbs: ['create', 'delete'] });
  expect(rules.flatMap(({ resources = [] }) => resources)).not.toContain('pods/exec');
});
