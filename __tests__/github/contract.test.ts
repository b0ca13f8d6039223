import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { INPUTS, OUTPUTS } from '../../src/github/contract.ts';
import { AIRFLOW_PARAMETERS } from '../../src/github/inputs/airflow.ts';

type Entries = Record<string, { description?: string; default?: string }>;
const action = load(readFileSync(new URL('../../action.yml', import.meta.url), 'utf8')) as {
  inputs: Entries;
  outputs: Entries;
  runs: Record<string, string>;
};

test('the inputs are those of action.yml, in its order', () => {
  expect(INPUTS).toEqual(Object.keys(action.inputs));
});

test('the outputs are those of action.yml, in its order', () => {
  expect(OUTPUTS).toEqual(Object.keys(action.outputs));
});

test.each(Object.entries({ ...action.inputs, ...action.outputs }))(
  'action.yml describes %s in a sentence',
  (_, entry) => {
    expect(entry.description).toMatch(/^\S.*\.$/);
  },
);

test("inputs have no default, for absent and empty are the same to the runner; only the job's own facts come by one", () => {
  const defaults = Object.entries(action.inputs).flatMap(([name, input]) =>
    'default' in input ? [[name, input.default]] : [],
  );
  expect(defaults).toEqual([
    ['github_token', '${{ github.token }}'],
    ['matrix', '${{ toJSON(matrix) }}'],
  ]);
});

test("a parameter of Airflow's that is told to be none of the inputs is none", () => {
  expect(Object.keys(AIRFLOW_PARAMETERS).filter(name => name in action.inputs)).toEqual([]);
});

test.each(Object.entries(AIRFLOW_PARAMETERS))(
  'what is said of %s is a sentence that names inputs there are',
  (_, { say }) => {
    expect(say).toMatch(/^[a-z].*\.$/);
    const names = [...say.matchAll(/\b(?:use|called|Use|or|by|and) ([a-z]+_[a-z_]+)/g)].map(([, name = '']) => name);
    expect(names.filter(name => !(name in action.inputs))).toEqual([]);
  },
);

test('the main and the post step are two programs: nothing that a step can set makes the one of the other', () => {
  expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/post.js' });
});
