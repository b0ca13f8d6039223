import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { podLeftBehind, savePod, saveTidy } from '../../src/github/state.ts';
import { parseKeyValueFile } from '../support/command-files.ts';

const pod = { server: 'https://k8s', namespace: 'etl', name: 'train-a1b2c3d4', nonce: 'line one\nEOF\n"quoted"' };
let folder: string;
const before = { ...process.env };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-'));
  const file = join(folder, 'state');
  writeFileSync(file, '');
  process.env['GITHUB_STATE'] = file;
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...before };
  rmSync(folder, { recursive: true });
});

/** As the runner does between the main and the post step. */
function handOver(): void {
  const saved = parseKeyValueFile(readFileSync(join(folder, 'state'), 'utf8'));
  for (const [name, value] of Object.entries(saved)) process.env[`STATE_${name}`] = value;
}

test('a step that has saved nothing has left no pod', () => {
  handOver();
  expect(podLeftBehind()).toBeUndefined();
});

test('the post step finds the pod that the main step planned', () => {
  savePod(pod);
  handOver();
  expect(podLeftBehind()).toEqual(pod);
});

test('the post step finds no pod where the main step was done with it', () => {
  savePod(pod);
  saveTidy();
  handOver();
  expect(podLeftBehind()).toBeUndefined();
});

test('outside a workflow nothing is saved, and nothing printed', () => {
  delete process.env['GITHUB_STATE'];
  const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  savePod(pod);
  expect(stdout).not.toHaveBeenCalled();
});
