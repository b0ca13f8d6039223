import { describe, expect, test } from '@jest/globals';
import type { V1EnvVar } from '@kubernetes/client-node';
import { baseOf, planned, refusal as refusedPlan } from '../planned.ts';

const own = { OWN: '${{ x }}: "y"\n- z', EMPTY: '', SPACED: '  two  ', INPUT_IMAGE: 'busybox' };
const variables = (text: string) => baseOf({ env_vars: text }, { own }).env ?? [];
const refusal = (given: Record<string, string>) => refusedPlan(given, { own });
const one = (value: string): V1EnvVar[] => [{ name: 'A', value }];

describe('KEY=value lines', () => {
  test.each<[what: string, text: string, expected: V1EnvVar[]]>([
    ['one', 'A=1', one('1')],
    ['many', 'A=1\nB=2\n', [...one('1'), { name: 'B', value: '2' }]],
    ['with CRLF', 'A=1\r\nB=2\r\n', [...one('1'), { name: 'B', value: '2' }]],
    ['with a \\r at the end', 'A=1\r', one('1')],
    ['a value with =', 'A=b=c==', one('b=c==')],
    ['a value that YAML would read as a mapping', 'URL=http://h: 8080', [{ name: 'URL', value: 'http://h: 8080' }]],
    ['a value with quotes, which are part of it', 'A="x"', one('"x"')],
    ['a value with #, which is part of it', 'A=x # y', one('x # y')],
    ['a value with white space, which is part of it', 'A=  x  ', one('  x  ')],
    ['a value that looks like YAML', 'A={b: [c]}', one('{b: [c]}')],
    ['an empty value', 'A=', one('')],
    ['comments and empty lines', '# one\n\nA=1\n  # two\n\n', one('1')],
    ['indented', '  A=1\n    B=2', [...one('1'), { name: 'B', value: '2' }]],
    ['names with dots and dashes', 'a.b-c_D1=x', [{ name: 'a.b-c_D1', value: 'x' }]],
    [
      "a bare KEY takes the step's own variable, as it is",
      'OWN',
      [{ name: 'OWN', value: own.OWN.replaceAll('$', '$$$$') }],
    ],
    ['a bare KEY that is empty', 'EMPTY', [{ name: 'EMPTY', value: '' }]],
    ['a bare KEY with white space around', ' SPACED \nA=1', [{ name: 'SPACED', value: '  two  ' }, ...one('1')]],
    [
      'a bare KEY between others',
      'A=1\nOWN\nB=2',
      [...one('1'), { name: 'OWN', value: own.OWN.replaceAll('$', '$$$$') }, { name: 'B', value: '2' }],
    ],
  ])('%s', (_, text, expected) => expect(variables(text)).toEqual(expected));
});

describe('YAML', () => {
  test.each<[what: string, text: string, expected: V1EnvVar[]]>([
    ['a mapping', 'A: x\nB: y z', [...one('x'), { name: 'B', value: 'y z' }]],
    ['a mapping in one line', '{A: x}', one('x')],
    ['JSON', '{"A": "x: y"}', one('x: y')],
    [
      'values as they are written',
      '{A: 1.10, B: yes, C: true, D: 0400, E: 1e3, F: 2020-01-01, G: 12345678901234567890}',
      [
        ...[...one('1.10'), { name: 'B', value: 'yes' }, { name: 'C', value: 'true' }, { name: 'D', value: '0400' }],
        ...[
          { name: 'E', value: '1e3' },
          { name: 'F', value: '2020-01-01' },
          { name: 'G', value: '12345678901234567890' },
        ],
      ],
    ],
    ['an empty value', 'A:', one('')],
    ['null for a value', 'A: null', one('')],
    ['a value with a colon', 'A: "b: c"', one('b: c')],
    ['a value of many lines', 'A: |-\n  b\n  c', one('b\nc')],
    ['names as they are written', '{1.10: x}', [{ name: '1.10', value: 'x' }]],
    ['a mapping behind a comment', '# KEY=value\nA: x', one('x')],
    ['a list', '- name: A\n  value: x', one('x')],
    ['a list with a number', '[{name: A, value: 1.10}]', one('1.10')],
    ['a list with no value', '[{name: A}]', one('')],
    ['a list with null for a value', '[{name: A, value: null}]', one('')],
    [
      'a list with a field of the pod',
      '[{name: A, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}]',
      [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }],
    ],
    [
      "Python's spelling of a source",
      '[{name: A, value_from: {secret_key_ref: {name: db, key: password}}}]',
      [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
    ],
    ['null for a source', '[{name: A, value: x, valueFrom: null}]', one('x')],
    ['an empty mapping', '{}', []],
    ['an empty list', '[]', []],
    ['nothing, explicitly', 'null', []],
    ["nothing, by YAML's tilde", '~', []],
    ['nothing but a comment', '# none yet', []],
    ['nothing', '', []],
  ])('%s', (_, text, expected) => expect(variables(text)).toEqual(expected));
});

describe('what is refused', () => {
  const line = "expected KEY=value, or a bare KEY to pass on the step's own variable";

  test.each([
    ['a sentence', 'some words', 'env_vars: expected a mapping, a list of EnvVar, or KEY=value lines; found text.'],
    ['a number', '7', 'env_vars: expected a mapping, a list of EnvVar, or KEY=value lines; found the number 7.'],
    ['a line without a name', 'A=1\n=x', `env_vars: ${line} (line 2).`],
    ['a line of words', 'A=1\nsome words', `env_vars: ${line} (line 2).`],
    ['a line with export', 'A=1\n\nexport B=2', `env_vars: ${line} (line 3).`],
    ['a name that begins with a digit', 'A=1\n1B=x', `env_vars: ${line} (line 2).`],
    ['a YAML line among others', 'A=1\nB: 2', `env_vars: ${line} (line 2).`],
    [
      'a bare KEY that is not set',
      'A=1\nNOT_SET',
      "env_vars: the bare NOT_SET passes on the step's own variable of that name, which is not set (line 2). Set it under env: of the step, or write NOT_SET=value.",
    ],
    [
      'a name twice',
      'A=1\nA=2',
      'env_vars: A is set twice (line 2). Kubernetes would take the last one; remove one of them.',
    ],
    [
      'a name twice, once bare',
      'OWN\n\nOWN=2',
      'env_vars: OWN is set twice (line 3). Kubernetes would take the last one; remove one of them.',
    ],
    [
      'a name twice in a list',
      '[{name: A, value: x}, {name: A, value: y}]',
      'env_vars[1]: A is set by env_vars[0] too. One of the two would be lost; remove or rename it.',
    ],
    ['a key twice', 'A: 1\nA: 2', 'env_vars: this is not valid YAML: duplicated mapping key (line 2, column 1).'],
    [
      'a mapping for a value',
      '{A: {b: c}}',
      'env_vars.A: expected text, found a mapping. Quote JSON to pass it on as text.',
    ],
    ['a list for a value', '{A: [1]}', 'env_vars.A: expected text, found a list. Quote JSON to pass it on as text.'],
    ['an empty name', '{"": x}', 'env_vars: "" cannot be the name of a variable: it must not be empty, nor hold a =.'],
    [
      'a name with =',
      '{"A=B": x}',
      'env_vars: "A=B" cannot be the name of a variable: it must not be empty, nor hold a =.',
    ],
    ['a list of words', '[A]', 'env_vars[0]: expected an EnvVar, e.g. {name: MODE, value: fast}; found text.'],
    ['a list without a name', '[{value: x}]', 'env_vars[0]: expected a name, e.g. {name: MODE, value: fast}.'],
    [
      'a misspelt field',
      '[{name: A, valeu: x}]',
      'env_vars[0]: "valeu" is not a field here; expected name, value, valueFrom or value_from. Did you mean value?',
    ],
    [
      'a mapping for a value in a list',
      '[{name: A}, {name: B, value: {c: d}}]',
      'env_vars[1].value: expected text, found a mapping. Quote JSON to pass it on as text.',
    ],
    [
      'both value and valueFrom',
      '[{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]',
      'env_vars[0]: has both value and valueFrom. Kubernetes takes one of them.',
    ],
  ])('%s', (_, text, expected) => expect(refusal({ env_vars: text }).text).toBe(expected));

  test.each([
    ['text for valueFrom', '[{name: A, valueFrom: x}]'],
    ['a misspelt source', '[{name: A, valueFrom: {fieldReff: {fieldPath: metadata.name}}}]'],
    ['a misspelt field of a source', '[{name: A, valueFrom: {secretKeyRef: {nmae: db, key: k}}}]'],
    ['a name with = and valueFrom', '[{name: "A=B", valueFrom: {fieldRef: {fieldPath: metadata.name}}}]'],
  ])('%s', (_, text) => expect(refusal({ env_vars: text }).text).toMatch(/^env_vars\[0\]/));

  test('white space around = in any line, for a shell would not take it either', () => {
    for (const text of ['A = 1', 'B=2\nA = 1']) expect(refusal({ env_vars: text }).text).toMatch(/^env_vars: expected/);
  });

  test('a variable that a Secret sets too', () => {
    const secrets = '[{deploy_type: env, deploy_target: A, secret: db, key: password}]';
    expect(refusal({ env_vars: 'A=1', secrets }).text).toBe(
      'secrets[0]: A is set by env_vars.A too. One of the two would be lost; remove or rename it.',
    );
  });

  test('a variable that pod_runtime_info_envs and secret_env set too', () => {
    const given = {
      env_vars: '[{name: A, value: x}]',
      pod_runtime_info_envs: '[{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]',
      secret_env: 'A=hunter2',
    };
    expect(refusal(given).text.split('\n')).toEqual([
      '- pod_runtime_info_envs[0]: A is set by env_vars[0] too. One of the two would be lost; remove or rename it.',
      '- secret_env.A: A is set by env_vars[0] too. One of the two would be lost; remove or rename it.',
    ]);
  });

  test.each(['A=1\nhunter2 x', '{A: [hunter2]}', 'A: *hunter2', '[hunter2]', 'A: b: hunter2'])(
    '%j without a word of its values',
    text => expect(refusal({ env_vars: text }).text).not.toContain('hunter2'),
  );
});

describe('a variable without a value', () => {
  const warnings = (text: string) => planned({ env_vars: text }, { own }).warnings;

  test.each([
    ['in a mapping', 'MY_VALUE:', 'env_vars.MY_VALUE'],
    ['in a mapping, by null', '{MY_VALUE: null}', 'env_vars.MY_VALUE'],
    ["in a mapping, by YAML's tilde", '{MY_VALUE: ~}', 'env_vars.MY_VALUE'],
    ['in a list, by null', '[{name: X, value: x}, {name: MY_VALUE, value: null}]', 'env_vars[1]'],
  ])('is empty, with a warning: %s', (_, text, place) => {
    expect(variables(text)).toContainEqual({ name: 'MY_VALUE', value: '' });
    expect(warnings(text)).toEqual([
      `${place} has no value: the variable MY_VALUE will be empty. Write "" if that is meant.`,
    ]);
  });

  test.each(['{A: ""}', "A: ''", 'A=', 'EMPTY', '[{name: A, value: ""}]', '[{name: A}]'])(
    'is empty without a warning where that is meant: %s',
    text => {
      expect(variables(text)).toEqual([{ name: expect.any(String), value: '' }]);
      expect(warnings(text)).toEqual([]);
    },
  );
});

describe('sources of many variables', () => {
  test('come together from all the inputs that name them, behind those of a template', () => {
    const given = {
      env_from: '[{config_map_ref: {name: a}, prefix: A_}, {secretRef: {name: b, optional: true}}]',
      configmaps: 'c, d',
      secrets: '[{deploy_type: env, secret: e}]',
      pod_template_dict: '{spec: {containers: [{name: base, envFrom: [{configMapRef: {name: t}}]}]}}',
    };
    expect(baseOf(given).envFrom).toEqual([
      { configMapRef: { name: 't' } },
      { configMapRef: { name: 'a' }, prefix: 'A_' },
      { secretRef: { name: 'b', optional: true } },
      { configMapRef: { name: 'c' } },
      { configMapRef: { name: 'd' } },
      { secretRef: { name: 'e' } },
    ]);
  });

  test('are told by the input that names them', () => {
    const { plan } = planned({
      env_from: '[{secretRef: {name: a}}]',
      configmaps: 'b',
      secrets: '[{deploy_type: env, secret: c}]',
    });
    const places = [0, 1, 2].map(index => plan.originOf(`spec.containers[0].envFrom[${index}]`));
    expect(places).toEqual(['env_from[0]', 'configmaps[0]', 'secrets[0]']);
  });

  test.each([
    ['env_from', 'a', 'env_from: expected a list, found text.'],
    [
      'env_from',
      '[{configMapReff: {name: a}}]',
      'env_from[0].configMapReff: there is no such field. Did you mean configMapRef?',
    ],
    ['env_from', '[a]', 'env_from[0]: expected a mapping, found text.'],
    ['configmaps', '{a: b}', 'configmaps: expected a list of names, or names with commas between; found a mapping.'],
    ['configmaps', '[a, {nam: b}]', 'configmaps[1]: expected a name, or {name: settings}; found a mapping.'],
    ['configmaps', '[null]', 'configmaps[0]: expected a name, or {name: settings}; found nothing.'],
    [
      'pod_runtime_info_envs',
      '{name: POD_IP}',
      'pod_runtime_info_envs: expected a list, e.g. [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]; found a mapping.',
    ],
    [
      'pod_runtime_info_envs',
      '[{field_path: status.podIP}]',
      'pod_runtime_info_envs[0]: "" cannot be the name of a variable: it must not be empty, nor hold a =.',
    ],
  ])('of %s are refused: %s', (input, text, sentence) => expect(refusal({ [input]: text }).text).toBe(sentence));
});
