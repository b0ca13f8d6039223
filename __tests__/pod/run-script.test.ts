import { describe, expect, test } from '@jest/globals';
import type { V1Container } from '@kubernetes/client-node';
import { digestOf } from '../../src/pod/compare.ts';
import { baseOf, planOf, refusal } from './planned.ts';

const JOB = {
  CI: 'true',
  GITHUB_REF: 'refs/heads/x',
  GITHUB_RUN_ATTEMPT: '3',
  RUNNER_NAME: 'one',
  GITHUB_TOKEN: 'ghs_x',
};
const variables = ({ env = [] }: V1Container) => Object.fromEntries(env.map(({ name, value }) => [name, value]));
const path = (given: Record<string, string>) => planOf(given).pod.spec?.containers[0]?.command?.at(-1) ?? '';

describe('a script', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['by sh, where no shell is named', {}, /^sh -e \/pod-step\/run\/script-[a-z0-9]{8}\.sh$/],
    ['by sh', { shell: 'sh' }, /^sh -e \S+\.sh$/],
    ['by bash', { shell: 'bash' }, /^bash --noprofile --norc -eo pipefail \S+\.sh$/],
    ['by python', { shell: 'python' }, /^python \S+\.py$/],
    ['by a command of one’s own', { shell: "perl -w '{0}' {0}" }, /^perl -w (\/pod-step\/run\/script-[a-z0-9]{8}) \1$/],
  ])('is run %s', (_, given, command) => {
    const base = baseOf({ run: 'echo hello', ...given });
    expect(base.command?.join(' ')).toMatch(command);
    expect(base).not.toHaveProperty('args');
  });

  test('is a Secret of the pod’s own, for whoever writes one may paste a secret into it', () => {
    const plan = planOf({ run: 'echo "a $(b)"\r\nexit 3\n' });
    expect(plan.secrets).toHaveLength(1);
    const [{ name, data }] = plan.secrets as [(typeof plan.secrets)[0]];
    expect(Object.values(data)).toEqual(['echo "a $(b)"\nexit 3\n']);
    expect(plan.pod.spec?.volumes).toEqual(
      expect.arrayContaining([{ name: 'pod-step-script', secret: { secretName: name, defaultMode: 0o555 } }]),
    );
    expect(JSON.stringify(plan.pod)).not.toContain('exit 3');
  });

  test('has another path than another script, so that two plans that differ in it differ', () => {
    expect(path({ run: 'a' })).not.toBe(path({ run: 'b' }));
    expect(path({ run: 'a' })).toBe(path({ run: 'a' }));
  });

  test('takes the place of a template’s command and arguments', () => {
    const template = '{spec: {containers: [{name: base, image: x, command: [old], args: [older]}]}}';
    expect(baseOf({ run: 'new', pod_template_dict: template })).not.toHaveProperty('args');
  });

  test('sends its files, and the result where one is wanted', () => {
    const sent = (given: Record<string, string>) => {
      const plan = planOf({ run: 'x', ...given });
      expect(plan.resultIn).toBe('sidecar');
      return plan.pod.spec?.initContainers?.[0]?.args?.slice(3);
    };
    const files = ['github_output', 'github_step_summary'];
    expect(sent({})).toEqual(['return.json', ...files]);
    expect(sent({ do_xcom_push: 'true' })).toEqual(['return.json', ...files]);
    expect(sent({ do_xcom_push: 'false' })).toEqual(files);
    expect(variables(baseOf({ run: 'x', do_xcom_push: 'false' }))).not.toHaveProperty('RESULT_PATH');
  });

  test('has the job’s variables, below the user’s own, and no token', () => {
    const found = variables(
      baseOf({ run: 'x', env_vars: 'CI: mine' }, { own: { ...JOB, GITHUB_HEAD_REF: 'a$(B)$$c' } }),
    );
    expect(found).toMatchObject({
      ...{ CI: 'mine', GITHUB_REF: 'refs/heads/x', RUNNER_TEMP: '/tmp', GITHUB_HEAD_REF: 'a$$(B)$$$$c' },
      ...{ GITHUB_OUTPUT: '/airflow/xcom/github_output', GITHUB_STEP_SUMMARY: '/airflow/xcom/github_step_summary' },
    });
    expect(found).not.toHaveProperty('GITHUB_TOKEN');
  });

  test('is the same pod in every attempt of a run, whoever starts it, and where', () => {
    const attempt = (own: Record<string, string>) => digestOf(planOf({ run: 'x' }, { own }).pod);
    const first = attempt(JOB);
    expect(attempt({ ...JOB, GITHUB_RUN_ATTEMPT: '4', RUNNER_NAME: 'two', GITHUB_TRIGGERING_ACTOR: 'x' })).toBe(first);
    expect(attempt({ ...JOB, GITHUB_REF: 'refs/heads/y' })).not.toBe(first);
  });

  test('changes nothing where there is none', () => {
    const plan = planOf({ cmds: 'true' }, { own: JOB });
    expect(plan.secrets).toEqual([]);
    expect(JSON.stringify(plan.pod)).not.toMatch(/github_output|pod-step-script|GITHUB_REF/);
  });
});

describe('is refused:', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['a script and a command', { run: 'x', cmds: 'y' }, /^cmds: run is given too, which is a command of its own/],
    ['a script and arguments', { run: 'x', arguments: 'y' }, /^arguments: run is given too/],
    ['two scripts', { run: 'x', run_file: 'y' }, /^run_file: run is given too\. Keep the one that is meant/],
    ['a file that is not there', { run_file: 'nope.sh' }, /^run_file: nope\.sh cannot be read: there is no such file/],
    ['a shell without a script', { shell: 'bash' }, /^shell: it goes with run or run_file, which is not given/],
    [
      'a shell that is none',
      { run: 'x', shell: 'fish' },
      /^shell: expected bash, sh, python, or a command with \{0\}.*found "fish"/,
    ],
    [
      'a script of more than a Secret takes',
      { run: 'x'.repeat(2 ** 20 + 1) },
      /^run: holds 1048577 bytes; a Secret takes 1048576/,
    ],
    [
      'a pod that has no place for its files',
      { run: 'x', volumes: '[{name: v, emptyDir: {}}]', volume_mounts: '[{name: v, mountPath: /airflow}]' },
      /^volume_mounts\[0\]: a volume is mounted at \/airflow, so there is no result for run, and no \$GITHUB_OUTPUT/,
    ],
  ])('%s', (_, given, text) => {
    expect(refusal(given).text).toMatch(text);
  });
});
