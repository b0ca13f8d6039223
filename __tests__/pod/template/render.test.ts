import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isMapping } from '../../../src/github/inputs/reader.ts';
import { numberOrBoolean, plain, Scalar, type Tree } from '../../../src/github/yaml.ts';
import { dollars } from '../../../src/pod/template/marks.ts';
import { renderTemplate, type TemplateVariables } from '../../../src/pod/template/render.ts';

const variables: TemplateVariables = {
  ds: '2026-11-21',
  port: 8080,
  name: 'web',
  hostile: 'v\nhostNetwork: true',
  list: [1, 'a'],
  none_at_all: null,
  yes: true,
  vars: { my_value: 'example_value' },
  var: { value: { my_value: 'example_value' } },
  github: { event: { action: 'opened' }, workflow: 'etl' },
};

/** Without the marks of the dollar signs of values, which {@link dollars} takes out where the fields are known. */
const unmarked = (tree: Tree): Tree => {
  if (typeof tree === 'string') return dollars(tree, false);
  if (Array.isArray(tree)) return tree.map(unmarked);
  if (!isMapping(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, unmarked(value)]));
};

const render = (text: string, more: TemplateVariables = {}) => {
  const { documents, problems } = renderTemplate(text, 'k8s/pod.yaml', { ...variables, ...more });
  return { documents: documents.map(unmarked), problems };
};

function documentsOf(text: string, more: TemplateVariables = {}): Tree[] {
  const { documents, problems } = render(text, more);
  expect(problems).toEqual([]);
  return documents;
}

const readAs = (text: string, more: TemplateVariables = {}) => documentsOf(text, more).map(plain)[0];

/** What is wrong, without the file. */
const problemsOf = (text: string, more: TemplateVariables = {}) =>
  render(text, more).problems.map(problem => problem.replace('pod_template_file (k8s/pod.yaml, ', '('));

describe('a value', () => {
  test.each<[template: string, value: unknown]>([
    ['a: {{ ds }}', { a: '2026-11-21' }],
    ['a: {{ port }}', { a: 8080 }],
    ['a: "{{ port }}"', { a: '8080' }],
    ["a: '{{ port }}'", { a: '8080' }],
    ['a: !!str {{ port }}', { a: '8080' }],
    ['a: |-\n  {{ port }}', { a: '8080' }],
    ['a: 1{{ port }}', { a: 18080 }],
    ['a: {{ port }}Mi', { a: '8080Mi' }],
    ['a: {{ "0400" }}', { a: 256 }],
    ['a: {{ "1.10" }}', { a: 1.1 }],
    ['a: {{ yes }}', { a: true }],
    ['a: {{ "False" }}', { a: false }],
    ['a: {{ "yes" }}', { a: 'yes' }],
    ['a: {{ "null" }}', { a: 'null' }],
    ['a: {{ "~" }}', { a: '~' }],
    ['a: {{ "" }}', { a: '' }],
    ['a: {{ none_at_all }}', { a: '' }],
    ['a: nu{{ "ll" }}', { a: 'null' }],
    ['a: {{ ".inf" }}', { a: '.inf' }],
    ['a: {{ ".nan" }}', { a: '.nan' }],
    ['a: {{ 1.0 }}', { a: 1 }],
    ['a: {{ list }}', { a: '[1, "a"]' }],
    ['a: {{ github.event }}', { a: '{"action": "opened"}' }],
    ['a: {{ (1, 2) }}', { a: '[1, 2]' }],
    ['a: {{ hostile }}', { a: 'v\nhostNetwork: true' }],
    ['a: [{{ hostile }}, {b: {{ hostile }}}]', { a: ['v\nhostNetwork: true', { b: 'v\nhostNetwork: true' }] }],
    ['run: |\n  echo {{ hostile }}\n  exit', { run: 'echo v\nhostNetwork: true\nexit\n' }],
    ['a: 1 # {{ hostile }}', { a: 1 }],
    ['a: &x {{ hostile }}\nb: *x', { a: 'v\nhostNetwork: true', b: 'v\nhostNetwork: true' }],
    ['a: {{ {"b": {"c": "}}"}}["b"]["c"] }}', { a: '}}' }],
  ])('%j is %j', (template, value) => expect(readAs(template)).toEqual(value));

  test('that reads as a number keeps its text', () => {
    expect(documentsOf('a: {{ x }}', { x: '1.10' })).toEqual([{ a: new Scalar(1.1, '1.10') }]);
  });
});

describe('tags', () => {
  test.each<[what: string, template: string, value: unknown]>([
    ['if', '{% if port > 80 %}\na: 1\n{% elif yes %}\na: 2\n{% else %}\na: 3\n{% endif %}', { a: 1 }],
    ['elif', '{% if port < 80 %}\na: 1\n{% elif yes %}\na: 2\n{% else %}\na: 3\n{% endif %}', { a: 2 }],
    [
      'for',
      '{% for x in list %}\n- {{ loop.index }}: no key\n{% endfor %}'.replace(': no', ' no'),
      ['1 no key', '2 no key'],
    ],
    ['for over pairs', '{% for k, v in [(1, 2), [3, 4]] %}\n- {{ k + v }}\n{% endfor %}', [3, 7]],
    ['for with a condition', '{% for x in range(5) if x is odd %}\n- {{ x }}\n{% endfor %}', [1, 3]],
    ['for without a turn', '{% for x in [] %}\n- {{ x }}\n{% else %}\n- none\n{% endfor %}', ['none']],
    ['set', '{% set x = name ~ "-1" %}a: {{ x }}', { a: 'web-1' }],
    [
      'a captured set',
      '{% set x %}a{{ hostile }}{% endset %}a: {{ x | upper }}\nb: {{ x | length }}',
      { a: 'AV\nHOSTNETWORK: TRUE', b: 20 },
    ],
    [
      'set in a namespace',
      '{% set n = namespace(x=1) %}{% set n.x %}{{ hostile }}!{% endset %}a: {{ n.x | length }}',
      { a: 20 },
    ],
    [
      'a macro as a value',
      '{% macro m(x, y=2) %}{{ x }}: {{ y }}{% endmacro %}a: {{ m(hostile) }}',
      { a: 'v\nhostNetwork: true: 2' },
    ],
    [
      'a macro as fields',
      '{% macro m(x) %}\n- name: {{ x }}\n{% endmacro %}{% call m(hostile) %}{% endcall %}{% call m(1) %}{% endcall %}',
      [{ name: 'v\nhostNetwork: true' }, { name: 1 }],
    ],
    [
      'a caller',
      '{% macro m() %}<{{ caller() }}>{% endmacro %}a: {% call m() %}{{ hostile }}{% endcall %}',
      { a: '<v\nhostNetwork: true>' },
    ],
    ['trimming', 'a: x\n   {{- ds -}}\n\n  y', { a: 'x2026-11-21y' }],
    ['trimming by statements', 'a: [\n{%- for x in list -%}  {{ x }},  {%- endfor -%}\n]', { a: [1, 'a'] }],
    ['comments', 'a: 1{# {{ x }} {% if %} #}\n{#- b: 2 -#}\n', { a: 1 }],
    ['raw', 'a: "{% raw %}{{ x }} {% if %}{% endraw %}"', { a: '{{ x }} {% if %}' }],
    ['raw that trims', 'a: "x {%- raw -%}  {{ y }}  {%- endraw -%} z"', { a: 'x{{ y }}z' }],
    ['a variable named namespace', '{% for x in [1] %}a: {{ namespace }}{% endfor %}', { a: 'etl' }],
  ])('%s', (_, template, value) => expect(readAs(template, { namespace: 'etl' })).toEqual(value));

  test('several documents, of which those without content do not count', () => {
    expect(documentsOf('---\na: {{ ds }}\n---\n---\n{{ ds }}\n--- # {{ ds }}\n')).toEqual([
      { a: '2026-11-21' },
      '2026-11-21',
    ]);
  });

  test.each(['', '\n', '# {{ ds }}', '{% if not yes %}a: 1{% endif %}'])('%j holds nothing', template => {
    expect(documentsOf(template)).toEqual([]);
  });
});

describe('what is not defined', () => {
  test.each<[template: string, problem: string]>([
    ['a: {{ foo }}', '(line 1): {{ foo }} is not defined. Give it in template_vars.'],
    ['a:\n  b: {{ foo.bar.baz }}', '(line 2): {{ foo.bar.baz }} is not defined. Give it in template_vars.'],
    ['a: {{ foo["b"] }}', '(line 1): foo[\'b\'] in {{ foo["b"] }} is not defined. Give it in template_vars.'],
    [
      'a: {{ github.event.pull.number }}',
      '(line 1): {{ github.event.pull.number }} is not defined: there is no github.event.pull. Give it in template_vars.',
    ],
    ['a: {{ foo | upper }}', '(line 1): foo in {{ foo | upper }} is not defined. Give it in template_vars.'],
    [
      'a: {{ foo | upper | default("x") }}',
      '(line 1): foo in {{ foo | upper | default("x") }} is not defined. Give it in template_vars.',
    ],
    [
      'a: {{ name | replace("w", foo) }}',
      '(line 1): foo in {{ name | replace("w", foo) }} is not defined. Give it in template_vars.',
    ],
    ['a: {{ foo is none }}', '(line 1): foo in {{ foo is none }} is not defined. Give it in template_vars.'],
    ['a: {{ not foo }}', '(line 1): foo in {{ not foo }} is not defined. Give it in template_vars.'],
    ['a: {{ foo or 1 }}', '(line 1): foo in {{ foo or 1 }} is not defined. Give it in template_vars.'],
    ['a: {{ 1 in foo }}', '(line 1): foo in {{ 1 in foo }} is not defined. Give it in template_vars.'],
    ['a: {{ [foo] }}', '(line 1): foo in {{ [foo] }} is not defined. Give it in template_vars.'],
    ['a: {{ {"a": foo} }}', '(line 1): foo in {{ {"a": foo} }} is not defined. Give it in template_vars.'],
    ['a: {{ list[foo] }}', '(line 1): foo in {{ list[foo] }} is not defined. Give it in template_vars.'],
    ['a: {{ name[foo:] }}', '(line 1): foo in {{ name[foo:] }} is not defined. Give it in template_vars.'],
    ['a: {{ list[7] }}', '(line 1): {{ list[7] }} is not defined. Give it in template_vars.'],
    ['a: {{ 1 if foo else 2 }}', '(line 1): foo in {{ 1 if foo else 2 }} is not defined. Give it in template_vars.'],
    [
      'a: {{ 1 if not yes }}',
      '(line 1): {{ 1 if not yes }} has no value: the condition behind its "if" is false and there is no "else".',
    ],
    ['a: {{ foo() }}', '(line 1): foo in {{ foo() }} is not defined. Give it in template_vars.'],
    ['a: {{ range(foo) }}', '(line 1): foo in {{ range(foo) }} is not defined. Give it in template_vars.'],
    ['a: {{ [] | first }}', '(line 1): {{ [] | first }} has no value: the list is empty.'],
    [
      'a: {{ [{"b": 1}, {}] | map(attribute="b") }}',
      '(line 1): {{ [{"b": 1}, {}] | map(attribute="b") }} names a field that not all items have.',
    ],
    [
      '{% if foo %}a: 1{% else %}a: {{ bar }}{% endif %}',
      '(line 1): foo in {% if foo %} is not defined. Give it in template_vars.',
    ],
    [
      '{% if not yes %}\n{% elif foo %}\na: 1\n{% endif %}',
      '(line 2): foo in {% elif foo %} is not defined. Give it in template_vars.',
    ],
    [
      '{% for x in foo %}\n- 1\n{% endfor %}',
      '(line 1): foo in {% for x in foo %} is not defined. Give it in template_vars.',
    ],
    [
      '{% for x in list if foo %}\n- 1\n{% endfor %}',
      '(line 1): foo in {% for x in list if foo %} is not defined. Give it in template_vars.',
    ],
    ['{% set x = foo.bar %}\na: {{ x }}', '(line 2): foo.bar in {{ x }} is not defined. Give it in template_vars.'],
    [
      '{% macro m(x, y) %}\n{{ x }}{{ y }}\n{% endmacro %}\na: {{ m(1) }}',
      '(line 2): {{ y }} is not defined. Give it in template_vars.',
    ],
    ['{% call foo() %}{% endcall %}', '(line 1): foo in {% call foo() %} is not defined. Give it in template_vars.'],
  ])('%s', (template, problem) => expect(problemsOf(template)).toEqual([problem]));

  test('is told all at once, each once, in the order of the lines', () => {
    const template =
      'a: {{ uno }}\nb: {{ two ~ three }}\nc: {% for x in [1, 2] %}{{ four }}{% endfor %}\nd: {% if five %}{% endif %}';
    expect(problemsOf(template)).toEqual(
      [
        '1): {{ uno }}',
        '2): two in {{ two ~ three }}',
        '2): three in {{ two ~ three }}',
        '3): {{ four }}',
        '4): five in {% if five %}',
      ].map(start => `(line ${start} is not defined. Give it in template_vars.`),
    );
  });

  test.each<[template: string, value: unknown]>([
    ['a: {{ foo | default("y") }}', { a: 'y' }],
    ['a: {{ foo.bar.baz | default("y") }}', { a: 'y' }],
    ['a: {{ github.event.pull.number | d(7) }}', { a: 7 }],
    ['a: "{{ foo | default }}"', { a: '' }],
    ['a: {{ "" | default("y", true) }}', { a: 'y' }],
    ['a: {{ foo | default(bar) | default("z") }}', { a: 'z' }],
    [
      'a: {{ foo is defined }}\nb: {{ foo.x is not defined }}\nc: {{ name is defined }}',
      { a: false, b: true, c: true },
    ],
    ['{% if foo is defined and foo.x > 1 %}a: {{ foo }}{% else %}a: 1{% endif %}', { a: 1 }],
    ['a: {{ foo if foo is defined else 1 }}', { a: 1 }],
    ['{% set x = foo %}a: {{ x | default(1) }}', { a: 1 }],
    ['{% macro m(x) %}{{ x | default(1) }}{% endmacro %}a: {{ m(foo) }}', { a: 1 }],
    ['{% if not yes %}a: {{ foo }}{% endif %}b: 1', { b: 1 }],
    ['a: {{ yes or foo }}', { a: true }],
    ['{% macro m() %}{{ foo }}{% endmacro %}a: 1', { a: 1 }],
    ['{# {{ foo }} #}a: 1', { a: 1 }],
    ['a: {{ vars.get("foo", "y") }}', { a: 'y' }],
  ])('%s is Jinja as it should be', (template, value) => expect(readAs(template)).toEqual(value));

  test.each<[expression: string, remedy: string]>([
    ['var.value.owner', 'Give it in template_vars, e.g. `template_vars: ${{ toJSON(vars) }}`.'],
    ['vars.owner', 'Give it in template_vars, e.g. `template_vars: ${{ toJSON(vars) }}`.'],
    [
      'var.value.my_valeu',
      'Did you mean my_value? Give it in template_vars, e.g. `template_vars: ${{ toJSON(vars) }}`.',
    ],
    ['var.json.x', 'there is no var.json. Variables are var.value.NAME'],
    ['params.day', 'Give it in template_vars; there it is a name of its own.'],
    ['conn.my_db.password', 'Credentials do not go through a template'],
    ['secrets.PASSWORD', 'Credentials do not go through a template'],
    ['github.token', 'The token is never given to a template'],
    ['ti.xcom_pull("extract")', 'Give the output of the earlier step in template_vars'],
    ['task_instance.xcom_pull()', 'Give the output of the earlier step in template_vars'],
    ['dag_run.conf.day', 'What a run was started with is in inputs.'],
    ['dag.dag_id', 'The workflow, the job and the run are in github'],
    ['task.task_id', 'The workflow, the job and the run are in github'],
    ['ti.try_number', 'The workflow, the job and the run are in github'],
    ['macros.ds_add(ds, 1)', 'Compute it in an earlier step'],
    ['execution_date', 'A workflow run has no data interval: use ds or ts'],
    ['logical_date', 'A workflow run has no data interval: use ds or ts'],
    ['data_interval_start', 'A workflow run has no data interval: use ds or ts'],
    ['prev_ds', 'A workflow run has no data interval: use ds or ts'],
    ['next_ds_nodash', 'A workflow run has no data interval: use ds or ts'],
    ['steps.build.outputs.image', 'there are github, matrix and inputs here; give others in template_vars.'],
    ['inputs.day', 'inputs are those of workflow_dispatch'],
    ['github.workflwo', 'Did you mean workflow?'],
    ['nmae', 'Did you mean name?'],
  ])('{{ %s }} says what to use', (expression, remedy) => {
    const [problem, ...more] = problemsOf(`a: {{ ${expression} }}`, { inputs: {} });
    expect(more).toEqual([]);
    expect(problem).toContain(' is not defined');
    expect(problem).toContain(remedy);
  });

  test.each([
    'name.constructor.constructor("return process")()',
    'github.constructor',
    'github["__proto__"].x',
    'list.constructor',
    'list["__proto__"]',
    '__proto__',
    'constructor',
    'toString',
    'github.hasOwnProperty',
    'process.env',
    'globalThis',
    'name.value',
    'github.event.get.constructor',
    'range.call',
  ])('%s, which JavaScript has', expression => {
    expect(problemsOf(`a: {{ ${expression} }}`)).toEqual([expect.stringContaining('is not defined')]);
  });
});

describe('what cannot be read', () => {
  test.each<[template: string, ...problems: string[]]>([
    ['a: 1\nb: {{ x', '(line 2): {{ is never closed: }} is missing.'],
    ['a: {{ x }\nb: {{ ds }}', '(line 1): {{ is never closed: }} is missing.'],
    ["a: {{ 'x }}\nb: {{ ds }}", '(line 1): {{ is never closed: }} is missing.'],
    ['a: {% if x', '(line 1): {% is never closed: %} is missing.'],
    ['a: {# x', '(line 1): {# is never closed: #} is missing.'],
    ['\n{% raw %}', '(line 2): {% raw %} is never closed: {% endraw %} is missing.'],
    ['{% fro x in y %}', '(line 1): {% fro x in y %}: there is no such tag. Did you mean for?'],
    ['{% include "x" %}', '(line 1): {% include "x" %}: there is no such tag.'],
    ['{% break %}', '(line 1): {% break %}: there is no such tag.'],
    [
      '{% filter upper %}',
      '(line 1): there is no tag {% filter %} here. Put the filter into the expression: {{ value | upper }}.',
    ],
    ['\n{% if yes %}', '(line 2): {% if yes %} is never closed: {% endif %} is missing.'],
    ['{% set x %}', '(line 1): {% set x %} is never closed: {% endset %} is missing.'],
    ['{% endif %}', '(line 1): {% endif %} closes nothing: nothing is open.'],
    ['{% if yes %}\n{% endfor %}', '(line 2): {% endfor %} closes nothing: {% if yes %} of line 1 is open.'],
    ['{% else %}', '(line 1): {% else %} belongs to no {% if %} or {% for %}.'],
    ['{% for x in list %}{% elif x %}{% endfor %}', '(line 1): {% elif x %} belongs to no {% if %}.'],
    ['a: {{ }}', '(line 1): {{ }} cannot be read as Jinja.'],
    [
      'a: {{ a b }}\nb: {{ (a }}',
      '(line 1): {{ a b }} cannot be read as Jinja.',
      '(line 2): {{ (a }} cannot be read as Jinja.',
    ],
    ['a: {{ 1, 2 }}', '(line 1): {{ 1, 2 }} cannot be read as Jinja.'],
    ['a: {{ $x }}', '(line 1): {{ $x }} cannot be read: $ is not expected there.'],
    ['{% if %}{% endif %}', '(line 1): {% if %} cannot be read as Jinja.'],
    ['{% for x %}{% endfor %}', '(line 1): {% for x %} cannot be read as Jinja.'],
    ['{% if x %}{% endif y %}', '(line 1): {% endif y %} cannot be read as Jinja.'],
    ['{% set x | upper %}{% endset %}', '(line 1): {% set x | upper %} cannot be read as Jinja.'],
    [
      'image: web:${{ github.sha }}',
      "(line 1): ${{ github.sha }} is a workflow's expression, which GitHub does not look for in files. Write {{ github.sha }}, or {{ '$' }}{{ github.sha }} where the dollar sign is meant.",
    ],
    [`a: {{ ${'x'.repeat(200)} + }}`, `(line 1): {{ ${'x'.repeat(71)} ... }} cannot be read as Jinja.`],
  ])('%s', (template, ...problems) => expect(problemsOf(template)).toEqual(problems));
});

describe('what cannot be evaluated', () => {
  test.each<[template: string, problem: string]>([
    ['a: {{ ds() }}', '(line 1): {{ ds() }} calls text, which is no function.'],
    [
      'a: {{ ds | uper }}',
      '(line 1): {{ ds | uper }} uses the filter uper, which is not known here. Did you mean upper?',
    ],
    ['a: {{ port | upper }}', '(line 1): {{ port | upper }} uses the filter upper, which does not take a number.'],
    [
      'a: {{ ds is strnig }}',
      '(line 1): {{ ds is strnig }} uses the test strnig, which is not known here. Did you mean string?',
    ],
    ['a: {{ range }}', '(line 1): {{ range }} is a function: call it with ( ).'],
    ['a: {{ [range] }}', '(line 1): {{ [range] }} holds a function.'],
    [
      'a: {{ range("x") }}',
      '(line 1): {{ range("x") }} gives range() something else than one to three whole numbers, of which the step is not 0.',
    ],
    ['a: {{ ds ~ none }}', '(line 1): {{ ds ~ none }} cannot be evaluated: cannot perform operation on null values.'],
    [
      '{% for x in ds %}{% endfor %}',
      '(line 1): {% for x in ds %} cannot be evaluated: expected iterable or object type in for loop: got text.',
    ],
    [
      '{% for x, y in list %}{% endfor %}',
      '(line 1): {% for x, y in list %} cannot be evaluated: cannot unpack non-iterable type: a number.',
    ],
    [
      '{% set ds.x = 1 %}',
      '(line 1): {% set ds.x = 1 %} cannot be evaluated: cannot assign attribute on non-namespace object.',
    ],
    ['{% set ds() = 1 %}', '(line 1): {% set ds() = 1 %} cannot be evaluated.'],
    ['{% call range(3) %}{% endcall %}', '(line 1): {% call range(3) %} does not call a macro.'],
    [
      '{% set f = vars.get %}{% call f("my_value") %}{% endcall %}',
      '(line 1): {% call f("my_value") %} does not call a macro.',
    ],
    [
      '{% macro m() %}{% endmacro %}\na: {{ m(1) }}',
      "(line 2): {{ m(1) }} cannot be evaluated: macro 'm' takes not more than 0 argument(s).",
    ],
  ])('%s', (template, problem) => expect(problemsOf(template)).toEqual([problem]));

  test('and another fault are both told', () => {
    expect(problemsOf('{% set x = ds() %}\na: {{ x }}\nb: {{ foo }}\nc: {{ ds | nope }}')).toEqual([
      expect.stringContaining('(line 1): {% set x = ds() %}'),
      expect.stringContaining('(line 3): {{ foo }}'),
      expect.stringContaining('(line 4): {{ ds | nope }}'),
    ]);
  });
});

describe('values in the place of structure', () => {
  const inKey =
    "is in a field's name. Values do not name fields: write the name out, with {% if %} where it depends on something.";
  const inName = 'is in the name of an anchor, an alias or a tag. Write the name out.';
  const behindTag = 'has a YAML tag (!) before it. Quotes make it text, no quotes a number where it is one.';
  test.each<[template: string, ...problems: string[]]>([
    ['a: 1\n{{ ds }}: x', `(line 2): {{ ds }} ${inKey}`],
    ['"x-{{ ds }}": x\n{{ name }}: y', `(line 1): {{ ds }} ${inKey}`, `(line 2): {{ name }} ${inKey}`],
    ['? {{ ds }}\n: x', `(line 1): {{ ds }} ${inKey}`],
    ['{ {{ ds }}: x }', `(line 1): {{ ds }} ${inKey}`],
    ['[{{ ds }}: x]', `(line 1): {{ ds }} ${inKey}`],
    ['{ {{ ds }} }', `(line 1): {{ ds }} ${inKey}`],
    ['a: &x {{ ds }}\n*x : y', `(line 1): {{ ds }} ${inKey}`],
    ['a: &{{ ds }} x', `(line 1): {{ ds }} ${inName}`],
    ['a: *{{ ds }}', `(line 1): {{ ds }} ${inName}`],
    ['a: !!int {{ port }}', `(line 1): {{ port }} ${behindTag}`],
    ['a: ! {{ port }}', `(line 1): {{ port }} ${behindTag}`],
    ['a: !!null {{ "" }}', `(line 1): {{ "" }} ${behindTag}`],
    ['{% macro m(x) %}\n{{ x }}: 1\n{% endmacro %}\n{% call m(ds) %}{% endcall %}', `(line 2): {{ x }} ${inKey}`],
  ])('%s', (template, ...problems) => expect(problemsOf(template)).toEqual(problems));
});

describe('YAML that is not valid is told with the line of the template', () => {
  const colon =
    'this is not valid YAML: bad indentation of a mapping entry, or text with a colon in it that needs quotes.';
  test.each<[what: string, template: string, problem: string]>([
    ['as it is', 'x: 1\na: b: c', `(line 2, column 5): ${colon}`],
    ['behind a loop', '{% for x in range(9) %}\n\n{% endfor %}\na: b: c', `(line 4, column 5): ${colon}`],
    ['behind what is left out', '{% if not yes %}\na: 1\nb: 1\n{% endif %}\na: b: c', `(line 5, column 5): ${colon}`],
    ['behind a value of many lines', 'x: {{ hostile }}\na: b: c', `(line 2, column 5): ${colon}`],
    ['behind a tag of many lines', 'x: {{ hostile\n\n}}\na: b: c', `(line 4, column 5): ${colon}`],
    ['behind a value in the line', 'x: {{ ds }}: c', `(line 1): ${colon}`],
    ['behind a tag in the line', '\n{% if yes %}a: b: c{% endif %}', `(line 2): ${colon}`],
    ['behind trimmed lines', '{%- if yes -%}\n\n\na: 1\n{%- endif %}\nb: c: d', `(line 6, column 5): ${colon}`],
    [
      'in a macro',
      '{% macro m() %}\na: b: c\n{% endmacro %}\n\n{% call m() %}{% endcall %}',
      `(line 2, column 5): ${colon}`,
    ],
    ['in raw', '{% raw %}\nx: 1\na: b: c{% endraw %}', `(line 3, column 5): ${colon}`],
    ['with Windows line ends', 'x: 1\r\na: b: c\r\n', `(line 2, column 5): ${colon}`],
    ['at the end', 'x: 1\na: "b\n', '(line 2): this is not valid YAML: deficient indentation.'],
    [
      'next to what is not defined',
      'x: {{ foo }}\na: b: c',
      '(line 1): {{ foo }} is not defined. Give it in template_vars.',
    ],
  ])('%s', (_, template, problem) => expect(problemsOf(template)[0]).toBe(problem));

  test('a fault of the whole names the file alone', () => {
    expect(render('a: &x [*x]').problems).toEqual([
      'pod_template_file (k8s/pod.yaml): this is not valid YAML: an alias refers to what it is part of.',
    ]);
  });
});

describe('a template that would not end, or eat all memory, is stopped', () => {
  const steps = 'it takes more than 500000 steps. Is there a loop over a large range, or one in another?';
  const large = 'it makes more than 4194304 characters of text, or a list of more than 100000 items.';
  const deep = 'calls go more than 60 deep. Does a macro call itself without an end?';
  const nested = 'it is nested too deeply.';
  const doubled = (start: string, step: string) =>
    `{% set n = namespace(x=${start}) %}{% for i in range(60) %}{% set n.x = ${step} %}{% endfor %}`;
  test.each<[what: string, template: string, sentence: string]>([
    ['a large range', 'a: {{ range(10 ** 9) }}', large],
    ['a large range to loop over', '{% for x in range(10 ** 9) %}{% endfor %}', large],
    ['loops in loops', '{% for x in range(9999) %}{% for y in range(9999) %}{{ y }}{% endfor %}{% endfor %}', steps],
    ['empty loops in loops', '{% for x in range(99999) %}{% for y in range(99999) %}{% endfor %}{% endfor %}', steps],
    ['an endless macro', '{% macro m() %}{{ m() }}{% endmacro %}a: {{ m() }}', deep],
    ['an endless call', '{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}', deep],
    [
      'two macros',
      '{% macro a() %}{{ b() }}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}x: {{ a() }}',
      deep,
    ],
    [
      'a macro that calls itself twice',
      '{% macro m(n) %}{% if n > 0 %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}a: {{ m(50) }}',
      steps,
    ],
    ['much text', `{% for x in range(99999) %}${'x'.repeat(1000)}{% endfor %}`, large],
    ['many large values', `{% set x = "${'x'.repeat(9000)}" %}{% for i in range(999) %}{{ x }}{% endfor %}`, large],
    ['doubled text', doubled('"xx"', 'n.x ~ n.x'), large],
    ['a doubled list', doubled('[1, 2]', 'n.x + n.x'), steps],
    ['lists in lists', `${doubled('[1]', '[n.x, n.x]')}a: {{ n.x }}`, steps],
    ['lists in lists as JSON', `${doubled('[1]', '[n.x, n.x]')}a: {{ n.x | tojson }}`, steps],
    ['lists in lists as text', `${doubled('[1]', '[n.x, n.x]')}a: {{ n.x ~ "" }}`, steps],
    ['a namespace in itself', '{% set n = namespace() %}{% set n.x = n %}a: {{ n }}', nested],
    ['replaced text', `{% set x = "${'x'.repeat(9000)}" %}a: {{ x | replace("x", x) }}`, large],
    ['replaced text by a method', `{% set x = "${'x'.repeat(9000)}" %}a: {{ x.replace("", x) }}`, large],
    ['a large indent', 'a: {{ ds | indent(10 ** 9, true) }}', large],
    ['a large indent of JSON', 'a: {{ list | tojson(indent=10 ** 9) }}', large],
    [
      'text looked through again and again',
      `{% set x = "${'x'.repeat(4000)}" %}{% set y = x | replace("x", x[:900]) %}{% for i in range(99999) %}{{ y | upper == 1 }}{% endfor %}`,
      steps,
    ],
    ['brackets', `a: {{ ${'('.repeat(3000)}1${')'.repeat(3000)} }}`, 'cannot be read as Jinja.'],
    ['operators', `a: {{ 1${'+1'.repeat(4500)} }}`, nested],
    ['branches', `{% if 0 %}${'{% elif 0 %}'.repeat(50_000)}{% endif %}`, nested],
    ['blocks', '{% if yes %}'.repeat(9000) + '{% endif %}'.repeat(9000), nested],
    ['a long tag', `a: {{ ${' '.repeat(20_000)} }}`, 'a tag is longer than 10000 characters.'],
    ['a long template', '#'.repeat(2 ** 20 + 1), 'a template has at most 1048576 characters; this has 1048577.'],
    [
      'aliases of aliases',
      `a: &a [x, x, x, x, x, x, x, x]\n${'bcdefgh'.replace(/./g, (c, i) => `${c}: &${c} [${`*${'abcdefg'[i]}, `.repeat(8)}]\n`)}`,
      'this is not valid YAML: it holds more than 100000 values.',
    ],
    [
      'aliases of a large value',
      `{% set x = "${'x'.repeat(9000)}" %}a: &a {{ x }}\nb: [${'*a, '.repeat(2000)}]`,
      '16777216 characters of text.',
    ],
  ])('%s', (_, template, sentence) => {
    const start = performance.now();
    const { documents, problems } = render(template);
    expect(documents).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(sentence)]);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

/** Text that is something to YAML, to Jinja or to the marks in between. */
const piece = fc.constantFrom(
  ...[
    '\n',
    '\r\n',
    ': ',
    ' #',
    '#',
    '- ',
    '? ',
    '"',
    "'",
    '\\',
    '{{ v }}',
    '{% if %}',
    '#}',
    '}}',
    '%}',
    '{',
    '}',
    '[',
    ']',
    ',',
  ],
  ...[
    '*a',
    '&a ',
    '!!int ',
    '!',
    '---',
    '...',
    '\n---\n',
    '\0',
    '\t',
    ' ',
    '\u0085',
    '\ufeff',
    '\ufdd0',
    '\ufdd1',
    '\ufdd2',
    '\ufdd3',
    '\ud800',
  ],
  ...[
    'null',
    '~',
    'true',
    '1',
    '0400',
    '.inf',
    '<<',
    '|',
    '>',
    '%',
    '@',
    '`',
    '$',
    'hostNetwork: true',
    '$&',
    '$1',
    '__proto__',
  ],
);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join('')),
);

/** The tree with each scalar's text out of sight. */
function shapeOf(tree: Tree): unknown {
  if (typeof tree === 'string' || tree instanceof Scalar)
    return tree instanceof Scalar && tree.value === null ? null : 'scalar';
  return Array.isArray(tree) ? tree.map(shapeOf) : Object.entries(tree).map(([key, child]) => [key, shapeOf(child)]);
}

function scalarsOf(tree: Tree): (string | Scalar)[] {
  if (typeof tree === 'string' || tree instanceof Scalar) return [tree];
  return Object.values(tree).flatMap(scalarsOf);
}

/** A plain scalar of that text. */
function plainly(text: string): string | Scalar {
  const scalar = numberOrBoolean(text);
  return scalar === undefined || (typeof scalar.value === 'number' && !Number.isFinite(scalar.value)) ? text : scalar;
}

describe('whatever a value holds, it is that text and no more', () => {
  test.each<[place: string, template: string, expected: (value: string) => (string | Scalar)[]]>([
    ['plain', 'a: {{ v }}\nb: x', v => [plainly(v), 'x']],
    ['plain in longer text', 'a: x {{ v }} y\nb: x', v => [`x ${v} y`, 'x']],
    ['plain next to another', 'a: {{ v }}{{ v }}', v => [plainly(v + v)]],
    ['plain over lines', 'a: x\n  {{ v }}\n  y\nb: x', v => [`x ${v} y`, 'x']],
    ['in single quotes', "a: '{{ v }}'\nb: x", v => [v, 'x']],
    ['in single quotes in longer text', "a: 'it''s {{ v }}'", v => [`it's ${v}`]],
    ['in double quotes', 'a: "{{ v }}"\nb: x', v => [v, 'x']],
    ['in double quotes in longer text', 'a: "x\\t{{ v }}\\\n  y"', v => [`x\t${v}y`]],
    ['in a list', '- {{ v }}\n- x', v => [plainly(v), 'x']],
    ['in a mapping in a list', '- a: {{ v }}\n  b: x', v => [plainly(v), 'x']],
    ['in a flow list', 'a: [x, {{ v }}, {{ v }}]', v => ['x', plainly(v), plainly(v)]],
    ['in a flow mapping', 'a: {b: {{ v }}, c: x}', v => [plainly(v), 'x']],
    ['in JSON', '{"a": "{{ v }}", "b": ["{{ v }}"]}', v => [v, v]],
    ['in a literal block', 'a: |\n  {{ v }}\n  y\nb: x', v => [`${v}\ny\n`, 'x']],
    ['at the end of a literal block', 'a: |-\n  x\n  {{ v }}', v => [`x\n${v}`]],
    ['in a folded block', 'a: >-\n  x\n  {{ v }}\n  y\nb: x', v => [`x ${v} y`, 'x']],
    ['behind an anchor', 'a: &x {{ v }}\nb: *x', v => [plainly(v), plainly(v)]],
    ['in what is merged', 'a: &x {c: {{ v }}}\nb: {<<: *x}', v => [plainly(v), plainly(v)]],
    ['as a whole document', '--- {{ v }}\n--- x', v => [plainly(v), 'x']],
    ['at the start of a document', '{{ v }}', v => [plainly(v)]],
    ['in a comment', 'a: x # {{ v }}\n# {{ v }}\nb: x', () => ['x', 'x']],
    ['in a loop', '{% for x in [v, v] %}\n- {{ x }}\n{% endfor %}', v => [plainly(v), plainly(v)]],
    ['from a loop over a list of it', '{% for x in l %}\n- {{ x }}\n{% endfor %}', v => [plainly(v), plainly(v)]],
    ['from a macro', '{% macro m(x) %}<{{ x }}>{% endmacro %}a: {{ m(v) }}\nb: x', v => [`<${v}>`, 'x']],
    [
      'in a macro that makes fields',
      '{% macro m(x) %}\n- a: {{ x }}\n{% endmacro %}{% call m(v) %}{% endcall %}\n- x',
      v => [plainly(v), 'x'],
    ],
    [
      'from a caller',
      '{% macro m() %}- {{ caller() }}{% endmacro %}{% call m() %}{{ v }}{% endcall %}',
      v => [plainly(v)],
    ],
    [
      'captured',
      '{% set x %}<{{ v }}>{% endset %}a: {{ x }}\nb: {{ x | length }}',
      v => [`<${v}>`, plainly(String(v.length + 2))],
    ],
    ['set', '{% set x = v %}a: {{ x }}', v => [plainly(v)]],
    ['in an operation', 'a: {{ v ~ v }}', v => [plainly(v + v)]],
    ['as a default', 'a: {{ foo | default(v) }}', v => [plainly(v)]],
    ['in JSON text', 'a: {{ l }}', v => [`[${JSON.stringify(v)}, ${JSON.stringify(v)}]`]],
  ])('%s', (_, template, expected) => {
    const harmless = documentsOf(template, { v: 'harmless', l: ['harmless', 'harmless'] });
    fc.assert(
      fc.property(value, v => {
        const documents = documentsOf(template, { v, l: [v, v] });
        expect(shapeOf(documents)).toEqual(shapeOf(harmless));
        expect(scalarsOf(documents)).toEqual(expected(v));
      }),
      { numRuns: 100 },
    );
  });

  test('in any template at all', () => {
    const text = fc.constantFrom(
      ...[
        'a',
        'a: ',
        'b: ',
        ' ',
        '\n',
        '\n  ',
        '\n- ',
        '- ',
        '"',
        "'",
        '[',
        ']',
        '{',
        '}',
        ', ',
        ' # ',
        '\n---\n',
        '\\',
        '%',
      ],
      ...['&a ', '*a', '!!str ', '! ', '|\n  ', '>-\n  ', '? ', '<<: ', '1', '~', '\ufdd0'],
      ...['{{ v }}', '{{ v }}', '{{- v -}}', '{{ v | upper }}', '{{ x }}', '{{ m(v) }}'],
    );
    const { template } = fc.letrec<{ template: string }>(tie => {
      const within = (open: string, close: string) => tie('template').map(inner => `${open}${inner}${close}`);
      return {
        template: fc
          .array(
            fc.oneof(
              { weight: 20, arbitrary: text },
              within('{% if t %}', '{% endif %}'),
              within('{% for x in l %}', '{% endfor %}'),
              within('{% set x %}', '{% endset %}'),
              within('{% macro m(x) %}', '{% endmacro %}'),
              within('{% call m(v) %}', '{% endcall %}'),
            ),
            { maxLength: 10 },
          )
          .map(parts => parts.join('')),
      };
    });
    fc.assert(
      fc.property(template, value, (source, v) => {
        const own = { t: true, x: 'x' };
        const harmless = render(source, { ...own, v: 'harmless', l: ['harmless'] });
        const hostile = render(source, { ...own, v, l: [v] });
        expect(hostile.problems).toEqual(harmless.problems);
        expect(shapeOf(hostile.documents)).toEqual(shapeOf(harmless.documents));
      }),
      { numRuns: 3000 },
    );
  });
});

test('any text is rendered or refused', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          ...'{{|}}|{%|%}|{#|#}|-%}|{{-|if |elif |else|endif|for x in |endfor|set y|= |endset|macro m(x)|endmacro|call m(|endcall|raw|endraw|l|v|x|foo|.|[|]|(|)|,|~|+| - |==| is | not | in | and |defined|none|odd|first|map(attribute="a")|default|join|m(1)|range(3)|namespace(a=1)|*|**|1|"|\'|\\|:| |\n|a: '.split(
            '|',
          ),
          '|',
          '||',
        ),
        { maxLength: 30 },
      )
      .map(parts => parts.join('')),
  );
  fc.assert(
    fc.property(text, template => {
      const { problems } = render(template, { v: 'v', l: ['a', {}, null] });
      for (const problem of problems)
        expect(problem).toMatch(/^pod_template_file \(k8s\/pod\.yaml[^)]*\): [\s\S]+[.?]$/);
    }),
    { numRuns: 3000 },
  );
});
