import { describe, expect, test } from '@jest/globals';
import type { Conclusion } from '../../../src/run/result/conclusion.ts';
import type { SentFile } from '../../../src/run/result/frame.ts';
import { stepFilesOf, withStepFiles } from '../../../src/run/result/step-files.ts';

const file = (text: string): SentFile => ({ kind: 'file', bytes: Buffer.from(text), changedAt: 1, writtenAt: 1 });
const NONE: SentFile = { kind: 'none' };
const found = (output: SentFile, summary: SentFile = NONE) =>
  stepFilesOf(
    new Map([
      ['github_output', output],
      ['github_step_summary', summary],
    ]),
  );

describe('the files of a script', () => {
  test('are none where the pod has no script', () => {
    expect(stepFilesOf(new Map([['return.json', file('1')]]))).toBeUndefined();
  });

  test('are outputs, the last of a name, and a summary', () => {
    expect(found(file('a=1\nb<<E\nx\ny\nE\na=2\n'), file('# Hi\n'))).toEqual({
      outputs: [
        ['a', '2'],
        ['b', 'x\ny'],
      ],
      summary: '# Hi\n',
    });
  });

  test('may be removed', () => {
    expect(found(NONE)).toEqual({ outputs: [], summary: '' });
  });

  test.each<[string, SentFile, SentFile, RegExp]>([
    ['a line that is nothing', file('rubbish'), NONE, /^\$GITHUB_OUTPUT cannot be read: line 1, "rubbish"/],
    [
      'an output of the action’s own, in any case',
      file('Exit_Code=0'),
      NONE,
      /sets the output "Exit_Code", which is one of this action’s own/,
    ],
    [
      'more than GitHub takes',
      file(`a=${'x'.repeat(500_001)}`),
      NONE,
      /sets outputs of 500,002 characters, and GitHub takes about 500,000/,
    ],
    [
      'what cannot be read',
      { kind: 'unreadable', mode: '600', owner: '0', reader: '1' },
      NONE,
      /^\$GITHUB_OUTPUT cannot be read: it is of user 0/,
    ],
    [
      'what broke off',
      { kind: 'broken', why: 'of 9 bytes 3 came' },
      NONE,
      /^\$GITHUB_OUTPUT did not come as it was sent/,
    ],
    ['a summary that is a link', NONE, { kind: 'link' }, /^\$GITHUB_STEP_SUMMARY is a symbolic link/],
    ['a summary that GitHub would not show', NONE, file('x'.repeat(1_000_001)), /summary has 1,000,001 bytes/],
  ])('are told of: %s', (_, output, summary, sentence) => {
    expect(found(output, summary)?.fault?.sentence).toMatch(sentence);
  });

  test('of which one is no good leave the other', () => {
    expect(found(file('rubbish'), file('# Hi'))).toMatchObject({ outputs: [], summary: '# Hi' });
    expect(found(file('a=1'), { kind: 'link' })).toMatchObject({ outputs: [['a', '1']], summary: '' });
  });
});

describe('a conclusion', () => {
  const success: Conclusion = { state: 'succeeded' };
  const bad = found(file('rubbish'));

  test('is what it was without files, and with good ones', () => {
    expect(withStepFiles(success, undefined)).toBe(success);
    expect(withStepFiles(success, found(file('a=1')))).toMatchObject({
      state: 'succeeded',
      stepFiles: { outputs: [['a', '1']] },
    });
  });

  test('is a failure where a success has left what cannot be used', () => {
    expect(withStepFiles(success, bad)).toMatchObject({ state: 'failed', reason: 'InvalidResult', stepFiles: bad });
  });

  test('keeps its own reason where it is a failure', () => {
    const failed: Conclusion = { state: 'failed', reason: 'ExitCode' };
    expect(withStepFiles(failed, bad)).toMatchObject({
      state: 'failed',
      reason: 'ExitCode',
      warning: expect.stringContaining('rubbish'),
    });
  });
});
