import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { SWEEP_INPUTS, SWEEP_OUTPUTS } from '../../src/github/sweep-contract.ts';

type Entries = Record<string, { description?: string; default?: string }>;
const file = (path: string) => load(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const action = file('sweep/action.yml') as { inputs: Entries; outputs: Entries; runs: Record<string, string> };

test('the inputs and outputs are those of sweep/action.yml, in its order', () => {
  expect(SWEEP_INPUTS).toEqual(Object.keys(action.inputs));
  expect(SWEEP_OUTPUTS).toEqual(Object.keys(action.outputs));
});

test.each(Object.entries({ ...action.inputs, ...action.outputs }))('it describes %s in a sentence', (_, entry) => {
  expect(entry.description).toMatch(/^\S.*\.$/);
});

test('it runs a program of its own, and has nothing to do afterwards', () => {
  expect(action.runs).toEqual({ using: 'node24', main: '../dist/sweep.js' });
});

test('what it has in common with the step is described as there', () => {
  const step = file('action.yml') as { inputs: Entries };
  for (const name of ['kubeconfig', 'config_file', 'cluster_context'])
    expect(action.inputs[name]?.description).toBe(step.inputs[name]?.description);
});

test('the example gives the right that it takes, and no input that there is not', () => {
  const workflow = file('examples/sweep.yml') as {
    on: { schedule: { cron: string }[] };
    permissions: Record<string, string>;
    jobs: Record<string, { steps: { uses?: string; with?: Record<string, unknown> }[] }>;
  };
  const steps = Object.values(workflow.jobs).flatMap(job => job.steps);
  const sweeps = steps.filter(({ uses }) => uses === './sweep');
  expect(sweeps.length).toBeGreaterThan(0);
  for (const { with: inputs = {} } of sweeps)
    expect(Object.keys(inputs).filter(name => !SWEEP_INPUTS.some(input => input === name))).toEqual([]);
  expect(workflow.permissions['actions']).toBe('read');
  expect(workflow.on.schedule.length).toBeGreaterThan(0);
});
