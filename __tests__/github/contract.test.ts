import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { INPUTS, OUTPUTS } from '../../src/github/contract.ts';

type Entries = Record<string, { description?: string }>;
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

test('inputs have no default: absent and empty are the same to the runner', () => {
  expect(Object.values(action.inputs).filter(input => 'default' in input)).toEqual([]);
});

test('the main and the post step are one program', () => {
  expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/index.js' });
});
