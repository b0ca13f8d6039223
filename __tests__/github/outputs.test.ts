import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { setOutput } from '../../src/github/outputs.ts';
import { parseKeyValueFile } from '../support/command-files.ts';

let folder: string;
let file: string;
const before = process.env['GITHUB_OUTPUT'];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outputs-'));
  file = join(folder, 'output');
  writeFileSync(file, '');
  process.env['GITHUB_OUTPUT'] = file;
});
afterEach(() => {
  jest.restoreAllMocks();
  if (before === undefined) delete process.env['GITHUB_OUTPUT'];
  else process.env['GITHUB_OUTPUT'] = before;
  rmSync(folder, { recursive: true });
});

const outputs = () => parseKeyValueFile(readFileSync(file, 'utf8'));

test.each([
  ['text', 'node_name', 'node-1', 'node-1'],
  ['a number', 'exit_code', 137, '137'],
  ['zero', 'exit_code', 0, '0'],
  ['empty text', 'reason', '', ''],
  ['a result of many lines', 'result', '{\n  "a": 1\n}', '{\n  "a": 1\n}'],
  [
    'a result that looks like the file',
    'result',
    'state=hacked\nstate<<EOF\nx\nEOF',
    'state=hacked\nstate<<EOF\nx\nEOF',
  ],
] as const)('an output that is %s', (_, name, value, expected) => {
  setOutput(name, value);
  expect(outputs()).toEqual({ [name]: expected });
});

test('an output that is set again has its last value', () => {
  setOutput('state', 'succeeded');
  setOutput('state', 'failed');
  expect(outputs()).toEqual({ state: 'failed' });
});

test('outside a workflow nothing is set, and nothing printed', () => {
  delete process.env['GITHUB_OUTPUT'];
  const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  setOutput('state', 'failed');
  expect(stdout).not.toHaveBeenCalled();
});
