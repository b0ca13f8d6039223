import { describe, expect, test } from '@jest/globals';
import { parseYaml } from '../../../src/github/yaml.ts';
import { renderTemplate } from '../../../src/pod/template/render.ts';
import { templateVariables, usesRunStart, type VariableSources } from '../../../src/pod/template/variables.ts';

const sources: VariableSources = {
  env: {
    GITHUB_RUN_ID: '17',
    GITHUB_REPOSITORY: 'octo/etl',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_PROTECTED: 'true',
    GITHUB_HEAD_REF: '',
    GITHUB_TOKEN: 'a-token',
    GITHUB_WORKSPACE: '/home/runner/work',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'another',
    INPUT_GITHUB_TOKEN: 'a-token',
  },
  event: { inputs: { day: '2026-11-20' }, repository: { id: 7 } },
  matrix: { os: 'linux', version: 1.1 },
  templateVars: undefined,
  runStart: new Date('2026-11-21T07:31:28Z'),
};

const of = (templateVars: string, more: Partial<VariableSources> = {}) =>
  templateVariables({ ...sources, ...more, templateVars: parseYaml(templateVars) });

describe('the names of a template', () => {
  test('are those of Airflow and GitHub', () => {
    expect(templateVariables(sources)).toEqual({
      problems: [],
      variables: {
        ds: '2026-11-21',
        ds_nodash: '20261121',
        ts: '2026-11-21T07:31:28+00:00',
        run_id: '17',
        github: {
          run_id: '17',
          repository: 'octo/etl',
          ref_name: 'main',
          ref_protected: true,
          head_ref: '',
          event: sources.event,
        },
        matrix: { os: 'linux', version: 1.1 },
        inputs: { day: '2026-11-20' },
        vars: {},
        var: { value: {} },
      },
    });
  });

  test('hold no token', () => {
    expect(JSON.stringify(templateVariables(sources))).not.toMatch(/a-token|another/);
  });

  test('are there where the run’s start, its event and its inputs are not known', () => {
    const { variables } = templateVariables({ ...sources, env: {}, event: undefined, runStart: undefined });
    expect(variables).toEqual({ github: {}, matrix: sources.matrix, inputs: {}, vars: {}, var: { value: {} } });
  });

  test.each([null, [], 'text', { inputs: null }, { inputs: ['a'] }])('without inputs in the event %j', event => {
    expect(templateVariables({ ...sources, event }).variables['inputs']).toEqual({});
  });

  test('of template_vars are there in three ways', () => {
    const { variables } = of('my_value: example_value');
    const template = 'a: {{ my_value }}\nb: {{ vars.my_value }}\nc: {{ var.value.my_value }}';
    expect(renderTemplate(template, 'pod.yaml', variables)).toEqual({
      documents: [{ a: 'example_value', b: 'example_value', c: 'example_value' }],
      problems: [],
    });
  });

  test.each([
    ['{ds: 2020-01-02}', { ds: '2020-01-02', ds_nodash: '20200102', ts: '2020-01-02T00:00:00+00:00' }],
    ['{ts: "2020-01-02T03:04:05+00:00"}', { ds: '2020-01-02', ds_nodash: '20200102', ts: '2020-01-02T03:04:05+00:00' }],
    ['{ds: 2020-01-02, ds_nodash: mine}', { ds: '2020-01-02', ds_nodash: 'mine' }],
  ])('of the day are all of the day that template_vars give: %s', (given, expected) =>
    expect(of(given).variables).toMatchObject(expected),
  );

  test('of template_vars win over the run’s own', () => {
    expect(of('{ds: 2020-01-01, run_id: mine}').variables).toMatchObject({ ds: '2020-01-01', run_id: 'mine' });
  });
});

describe('a value of template_vars', () => {
  test.each<[text: string, value: unknown]>([
    ['text', 'text'],
    ['7', 7],
    ['1.5', 1.5],
    ['1.10', '1.10'],
    ['0400', '0400'],
    ['1e3', '1e3'],
    ['.inf', '.inf'],
    ['12345678901234567890', '12345678901234567890'],
    ['True', true],
    ['null', null],
    ['[1.10, {a: 2}]', ['1.10', { a: 2 }]],
    ['{__proto__: {a: 1}}', JSON.parse('{"__proto__":{"a":1}}')],
  ])('%s', (text, value) => {
    expect(JSON.stringify(of(`x: ${text}`).variables['x'])).toBe(JSON.stringify(value));
  });
});

describe('what template_vars may not be', () => {
  test.each(['github', 'matrix', 'inputs', 'vars', 'var'])('%s', name => {
    expect(of(`{${name}: 1, x: 2}`).problems).toEqual([
      `template_vars: ${name} is a name that every template has, and cannot be given. Give it by another name.`,
    ]);
    expect(of(`{${name}: 1, x: 2}`).variables[name]).not.toBe(1);
  });

  test.each([
    ['[a]', 'a list'],
    ['a', 'text'],
    ['7', 'the number 7'],
  ])('%s', (text, found) => {
    expect(of(text).problems).toEqual([`template_vars: expected a mapping of names to values; found ${found}.`]);
  });
});

describe('the run’s start is needed', () => {
  test.each<[template: string, templateVars: string, isNeeded: boolean]>([
    ['a: {{ ds }}', '{}', true],
    ['a: {{ "x" ~ ts }}', '{}', true],
    ['{% if ds_nodash > "2" %}a: 1{% endif %}', '{}', true],
    ['a: {{ ds }}', '{ds: 2020-01-01}', false],
    ['a: {{ ds }} {{ ts }}', '{ds: 2020-01-01}', false],
    ['a: {{ ds }} {{ ts }}', '{ds: soon}', true],
    ['a: {{ vars.ds }}', '{}', false],
    ['a: {{ "ds" }} ds', '{}', false],
    ['{# {{ ds }} #}{% raw %}{{ ds }}{% endraw %}', '{}', false],
    ['a: {{ run_id }}', '{}', false],
    ['a: {{ dsx }}', '{}', false],
    ['a: {{ ds', '{}', false],
  ])('%s with %s: %j', (template, templateVars, isNeeded) => {
    expect(usesRunStart(template, parseYaml(templateVars))).toBe(isNeeded);
  });
});
