import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { prepare } from '../../src/run/prepare.ts';
import { noSignal } from '../kubernetes/connected.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepare-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const prepared = (inputs: Record<string, string>, env: Record<string, string> = {}) =>
  prepare(
    {
      ...env,
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    },
    noSignal(),
  );
/** What the step is told, with the folder's name taken out. */
const refusal = async (inputs: Record<string, string>) =>
  prepared(inputs).then(
    () => undefined,
    (error: Error) => error.message.replaceAll(`${folder}/`, ''),
  );

describe('a template file', () => {
  const POD = 'kind: Pod\nspec: {containers: [{name: main, image: busybox}]}\n';

  test.each<[what: string, text: string, sentence: string]>([
    ['is empty', '', 'expected one Pod, found nothing. Other objects are not made by this action.'],
    [
      'holds nothing but comments',
      '# a\n---\n# b\n',
      'expected one Pod, found nothing. Other objects are not made by this action.',
    ],
    ['holds two', `${POD}---\n${POD}`, 'expected one Pod, found Pod, Pod. Other objects are not made by this action.'],
    [
      'holds a ConfigMap too',
      `kind: ConfigMap\n---\n${POD}`,
      'expected one Pod, found ConfigMap, Pod. Other objects are not made by this action.',
    ],
    [
      'holds a Deployment',
      'kind: Deployment\n',
      'expected one Pod, found Deployment. Other objects are not made by this action.',
    ],
    ['is a list', '- a\n', 'expected one Pod, found a list. Other objects are not made by this action.'],
  ])('that %s is refused', async (_, text, sentence) => {
    const path = file('pod.yaml', text);
    expect(await refusal({ pod_template_file: path })).toBe(`pod_template_file (pod.yaml): ${sentence}`);
  });

  test('that does not exist is refused, with what is likely missing', async () => {
    expect(await refusal({ pod_template_file: join(folder, 'no.yaml') })).toBe(
      'pod_template_file: no.yaml cannot be read: there is no such file. Paths are those of the workspace. Is the repository checked out (actions/checkout)?',
    );
  });

  test('that is a folder is refused', async () => {
    expect(await refusal({ pod_template_file: folder })).toContain('cannot be read: it is a folder.');
  });

  test('with a fault is refused for that alone, and for what is wrong in the inputs', async () => {
    const path = file('pod.yaml', 'spec:\n  hostname: {{ nobody }}\n');
    expect(await refusal({ pod_template_file: path, get_logs: 'perhaps', imge: 'x' })).toBe(
      [
        '- get_logs: expected true or false, found "perhaps".',
        '- pod_template_file (pod.yaml, line 2): {{ nobody }} is not defined. Give it in template_vars.',
        '- imge: this action has no such input. Did you mean image?',
      ].join('\n'),
    );
  });

  test('and a template in the workflow are one too many', async () => {
    const given = { pod_template_file: file('pod.yaml', POD), pod_template_dict: POD };
    expect(await refusal(given)).toBe('pod_template_dict: pod_template_file is given too. Keep the one that is meant.');
  });

  test('knows the matrix, the event and the run', async () => {
    const event = file('event.json', '{"inputs": {"mode": "full"}}');
    const path = file(
      'pod.yaml',
      `${POD}metadata: {annotations: {a: "{{ matrix.v }} {{ inputs.mode }} {{ github.sha }} {{ run_id }}"}}`,
    );
    const { plan } = await prepared(
      { pod_template_file: path, matrix: '{"v": "3.10"}' },
      { GITHUB_EVENT_PATH: event, GITHUB_SHA: 'abc', GITHUB_RUN_ID: '7' },
    );
    expect(plan.pod.metadata?.annotations?.['a']).toBe('3.10 full abc 7');
  });
});

describe('a defaults file', () => {
  test.each<[what: string, text: string, sentence: string]>([
    ['is a list', '- a\n', 'defaults_file: expected a mapping of inputs in defaults.yml, found a list.'],
    ['is no YAML', 'a: [\n', 'defaults_file: defaults.yml is not valid YAML: '],
    [
      'names another',
      'defaults_file: b.yml\n',
      'defaults_file: defaults.yml names a defaults_file itself. There is one.',
    ],
    [
      'has an input that there is not',
      'imge: x\n',
      'defaults_file (defaults.yml): imge: this action has no such input. Did you mean image?',
    ],
  ])('that %s is refused', async (_, text, sentence) => {
    const path = file('defaults.yml', text);
    expect(await refusal({ image: 'busybox', defaults_file: path })).toContain(sentence);
  });

  test.each(['', '# nothing yet\n', '{}'])('may be empty: %j', async text => {
    const path = file('defaults.yml', text);
    expect(await refusal({ image: 'busybox', defaults_file: path })).toBeUndefined();
  });

  test('gives what the step does not say', async () => {
    const path = file('defaults.yml', 'image: busybox\nlabels: {team: data}\ncmds: [sleep, 1]\n');
    const { plan } = await prepared({ defaults_file: path, cmds: 'true' });
    expect(plan.pod).toMatchObject({
      metadata: { labels: { team: 'data' } },
      spec: { containers: [{ image: 'busybox', command: ['true'] }] },
    });
  });
});

describe('warnings', () => {
  const warnings = async (inputs: Record<string, string>) => (await prepared({ image: 'busybox', ...inputs })).warnings;

  test('name plain env that looks like a secret, or is one of the step’s own', async () => {
    expect(await warnings({ env_vars: '{DB_PASSWORD: hunter22, MODE: fast}' })).toEqual([
      'env_vars.DB_PASSWORD: this looks like a secret, and plain env is read by everyone who may read pods. Give it in secret_env instead.',
    ]);
    expect(await warnings({ env_vars: 'A=correct horse', secret_env: 'B=correct horse' })).toEqual([
      expect.stringMatching(/^env_vars\.A: this looks like a secret/),
    ]);
  });

  test('name what Airflow would have rendered, and the way here', async () => {
    expect(
      await warnings({ arguments: '["{{ ds }}", "{{ var.value.my_value }}"]', env_vars: 'A={{ var.value.my_value }}' }),
    ).toEqual([
      'arguments holds {{ ds }}, which is passed on as it is: inputs are no Jinja templates. Use an expression of the workflow, or a pod_template_file.',
      'env_vars holds {{ var.value.my_value }}, which is passed on as it is: inputs are no Jinja templates. Use an expression of the workflow, ${{ vars.my_value }}, or a pod_template_file.',
    ]);
  });

  test('leave other programs’ templates alone', async () => {
    expect(await warnings({ arguments: '["--format", "{{ .Names }}"]' })).toEqual([]);
  });
});
