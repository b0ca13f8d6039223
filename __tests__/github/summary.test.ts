import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { appendSummary } from '../../src/github/summary.ts';
import { StepFolders } from '../support/step-folders.ts';

let folders: StepFolders;
let path: string;
beforeEach(() => {
  folders = new StepFolders();
  path = join(folders.temp, 'summary');
  writeFileSync(path, 'there already');
});
afterEach(() => folders.remove());

test('is added to what is there, as a block of its own', () => {
  appendSummary('one', path);
  appendSummary('two', path);
  expect(readFileSync(path, 'utf8')).toBe('there already\n\none\n\n\ntwo\n');
});

test('that GitHub might not take is not written at all', () => {
  expect(() => appendSummary('é'.repeat(2 ** 19), path)).toThrow('it would have 1048592 bytes');
  expect(readFileSync(path, 'utf8')).toBe('there already');
});

test('goes nowhere outside a workflow', () => expect(() => appendSummary('x', '')).not.toThrow());
