import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readRegularFile } from '../../src/github/files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file is read as UTF-8', () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'größe\n');
  expect(readRegularFile(path)).toBe('größe\n');
});

test('a folder is refused', () => expect(() => readRegularFile(folder)).toThrow('it is a folder'));

test('what is not there is told by its code', () =>
  expect(() => readRegularFile(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' })));

const posix = process.platform === 'win32' ? test.skip : test;

posix('a pipe is refused, and not waited for', () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  expect(() => readRegularFile(path)).toThrow('it is no regular file');
});

posix('a device is refused', () => expect(() => readRegularFile('/dev/zero')).toThrow('it is no regular file'));
