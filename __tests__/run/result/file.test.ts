import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Conclusion } from '../../../src/run/result/conclusion.ts';
import { clearResultFile, filed } from '../../../src/run/result/file.ts';
import type { Result } from '../../../src/run/result/outputs.ts';

let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
});
afterEach(() => rmSync(workspace, { recursive: true }));

const result: Result = {
  text: '{"a": 1}',
  bytes: Buffer.from('\ufeff{"a": 1}\n'),
  outputs: [['result', '{"a": 1}']],
  warnings: [],
};
const inputs = (file?: string) => ({
  workspace,
  result: { mode: 'auto' as const, multiple: false, sidecarImage: 'x', ...(file !== undefined && { file }) },
});
const write = (conclusion: Conclusion, file?: string): Conclusion => filed(conclusion, inputs(file));

describe('a result is in its file', () => {
  test.each<[what: string, conclusion: Conclusion]>([
    ['a success', { state: 'succeeded', result }],
    ['a failure', { state: 'failed', reason: 'ExitCode', sentence: 's', result }],
    ['a step that was skipped', { state: 'skipped', result }],
  ])('after %s, byte by byte, in folders that were missing', (_, conclusion) => {
    expect(write(conclusion, 'build/out/r.json')).toEqual({
      ...conclusion,
      result: { ...result, file: 'build/out/r.json' },
    });
    expect(readFileSync(join(workspace, 'build/out/r.json'))).toEqual(result.bytes);
  });

  test('in place of another, which may be longer', () => {
    writeFileSync(join(workspace, 'r.json'), 'x'.repeat(10_000));
    write({ state: 'succeeded', result }, 'r.json');
    expect(readFileSync(join(workspace, 'r.json'))).toEqual(result.bytes);
  });

  test('where it is large, whole', () => {
    const bytes = Buffer.alloc(7_000_000, 'kube');
    write({ state: 'succeeded', result: { ...result, bytes } }, 'r.json');
    expect(readFileSync(join(workspace, 'r.json')).equals(bytes)).toBe(true);
  });
});

test.each<[what: string, conclusion: Conclusion, file: string | undefined]>([
  ['nobody asks for one', { state: 'succeeded', result }, undefined],
  ['there is no result', { state: 'succeeded' }, 'r.json'],
  ['the result cannot be used', { state: 'failed', reason: 'InvalidResult', sentence: 's' }, 'r.json'],
])('there is no file where %s', (_, conclusion, file) => {
  writeFileSync(join(workspace, 'r.json'), 'of an earlier step');
  expect(write(conclusion, file)).toBe(conclusion);
  expect(readFileSync(join(workspace, 'r.json'), 'utf8')).toBe('of an earlier step');
});

describe('what stands where a result is to be', () => {
  test('is removed before there is one, lest it pass for it', () => {
    writeFileSync(join(workspace, 'r.json'), 'of an earlier run');
    clearResultFile(inputs('r.json'));
    expect(readdirSync(workspace)).toEqual([]);
  });

  test('stays where no file is asked for', () => {
    writeFileSync(join(workspace, 'r.json'), 'of an earlier run');
    clearResultFile(inputs());
    expect(readdirSync(workspace)).toEqual(['r.json']);
  });

  test('stays where it cannot be removed, which the writing tells', () => {
    mkdirSync(join(workspace, 'r.json'));
    clearResultFile(inputs('r.json'));
    expect(readdirSync(workspace)).toEqual(['r.json']);
  });
});

describe('a file that cannot be written', () => {
  const hinder: [what: string, hinder: () => void, why: string][] = [
    [
      'has become a link meanwhile',
      () => {
        writeFileSync(join(workspace, 'target'), 'untouched');
        symlinkSync(join(workspace, 'target'), join(workspace, 'r.json'));
      },
      'is a symbolic link, to ',
    ],
    ['has become a folder meanwhile', () => mkdirSync(join(workspace, 'r.json')), 'is a folder;'],
    ['has lost its workspace', () => rmSync(workspace, { recursive: true }), 'cannot be written: no such file'],
  ];
  afterEach(() => void mkdirSync(workspace, { recursive: true }));

  test.each(hinder)('as it %s fails a success, whose outputs stay', (_, act, why) => {
    act();
    expect(write({ state: 'succeeded', result }, 'r.json')).toEqual({
      state: 'failed',
      reason: 'InvalidResult',
      title: 'Result not written',
      sentence: expect.stringMatching(new RegExp(`^result_file: "r\\.json" ${why}`)),
      remedy: 'See to the workspace.',
      result,
    });
  });

  test.each(hinder)('as it %s is a warning where the container has failed', (_, act, why) => {
    act();
    const failed: Conclusion = { state: 'failed', reason: 'OOMKilled', sentence: 's', result };
    expect(write(failed, 'r.json')).toEqual({
      ...failed,
      warning: expect.stringMatching(new RegExp(`^result_file: "r\\.json" ${why}.*\\. See to the workspace\\.$`)),
    });
  });

  test('leaves what a link leads to', () => {
    const [, act] = hinder[0] ?? [];
    act?.();
    write({ state: 'succeeded', result }, 'r.json');
    expect(readFileSync(join(workspace, 'target'), 'utf8')).toBe('untouched');
  });
});
