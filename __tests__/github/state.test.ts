import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { PodRecord, podsLeftBehind, type SavedPod } from '../../src/github/state.ts';
import { parseKeyValueFile } from '../support/command-files.ts';

const pod: SavedPod = {
  server: 'https://k8s',
  namespace: 'etl',
  name: 'train-a1b2c3d4',
  nonce: 'line one\nEOF\n"quoted"',
  base: 'base',
  onFinishAction: 'delete_pod',
  onKillAction: 'keep_pod',
  skipOnExitCodes: [99],
};
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
  expect(podsLeftBehind()).toEqual([]);
});

test('the post step finds the pod that the main step planned', () => {
  new PodRecord().save(pod);
  handOver();
  expect(podsLeftBehind()).toEqual([pod]);
});

test('what is known later comes with it', () => {
  const record = new PodRecord();
  record.save(pod);
  record.save({ ...pod, uid: 'u' });
  handOver();
  expect(podsLeftBehind()).toEqual([{ ...pod, uid: 'u' }]);
});

test('the post step finds no pod where the main step was done with it', () => {
  const record = new PodRecord();
  record.save(pod);
  record.settle();
  handOver();
  expect(podsLeftBehind()).toEqual([]);
});

test('of several pods the post step finds those that the main step was not done with', () => {
  const records = ['first', 'second', 'third'].map(name => {
    const record = new PodRecord();
    record.save({ ...pod, name });
    return record;
  });
  records[1]?.settle();
  handOver();
  expect(podsLeftBehind().map(({ name }) => name)).toEqual(['first', 'third']);
});

test('outside a workflow nothing is saved, and nothing printed', () => {
  delete process.env['GITHUB_STATE'];
  const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  new PodRecord().save(pod);
  expect(stdout).not.toHaveBeenCalled();
});
