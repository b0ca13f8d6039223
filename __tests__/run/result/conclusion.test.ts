import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { ResultInputs } from '../../../src/github/inputs/result.ts';
import type { Outcome } from '../../../src/run/end/outcome.ts';
import { type Conclusion, conclude } from '../../../src/run/result/conclusion.ts';
import type { Found } from '../../../src/run/result/found.ts';
import { ended } from '../pods.ts';

const none: Found = { kind: 'none' };
const content = (text: string): Found => ({ kind: 'content', bytes: Buffer.from(text) });
const words = (message: string): Found => ({ kind: 'message', message });
const unusable: Found = { kind: 'unusable', sentence: 'It is a folder.', remedy: 'Write a file.' };

const succeeded = (message?: string): Outcome => ({
  state: 'succeeded',
  ended: ended(0, 'Completed', message).terminated,
});
const failed = (message?: string, reason: 'ExitCode' | 'StartError' | 'OOMKilled' = 'ExitCode'): Outcome => ({
  state: 'failed',
  reason,
  sentence: 's',
  ended: ended(3, 'Error', message).terminated,
});

const POD: V1Pod = { spec: { containers: [{ name: 'base' }] } };

interface Asked extends Partial<Pick<ResultInputs, 'mode' | 'multiple' | 'file'>> {
  by?: 'message' | 'sidecar' | undefined;
  skip?: number[];
  pod?: V1Pod;
}

function concluded(outcome: Outcome, found: Found, asked: Asked = {}): Conclusion {
  const { by, skip = [], pod = POD, ...result } = { by: 'message' as const, ...asked };
  return conclude(
    outcome,
    found,
    pod,
    { base: 'base', ...(by && { resultIn: by }) },
    { result: { mode: 'auto', multiple: false, sidecarImage: 'x', ...result }, skipOnExitCodes: skip },
  );
}

const list = { text: '[1]', outputs: [['result', '[1]']] };

test.each<[what: string, outcome: Outcome, found: Found, expected: object]>([
  ['a success with a result', succeeded(), content('[1]'), { state: 'succeeded', result: list }],
  ['a failure with a result', failed(), content('[1]'), { state: 'failed', reason: 'ExitCode', result: list }],
  ['a failure with last words', failed(), words('oops'), { reason: 'ExitCode', message: 'oops' }],
  [
    'a success with what is no JSON is none',
    succeeded(),
    content('oops'),
    {
      state: 'failed',
      reason: 'InvalidResult',
      title: 'Unusable result',
      sentence: expect.stringMatching(
        /^What the container wrote to \/airflow\/xcom\/return\.json is not JSON: .*`oops`\.$/,
      ),
      remedy: expect.stringContaining('do_xcom_push: false'),
    },
  ],
  [
    'a success with what cannot be taken is none',
    succeeded(),
    unusable,
    {
      state: 'failed',
      reason: 'InvalidResult',
      title: 'Unusable result',
      sentence: 'It is a folder.',
      remedy: 'Write a file.',
    },
  ],
])('%s', (_, outcome, found, expected) => {
  for (const by of ['message', 'sidecar'] as const)
    expect(concluded(outcome, found, { by })).toMatchObject({ ended: outcome.ended, ...expected });
});

test.each<[what: string, found: Found, asked: Asked, warning: string]>([
  ['that cannot be taken', unusable, {}, 'It is a folder. Write a file.'],
  [
    'that is no JSON',
    content('{'),
    { by: 'sidecar' },
    "What the container wrote to /airflow/xcom/return.json is not JSON: Expected property name or '}' at line 1, column 2: it ends after `{`. It breaks off: was it whole when the container ended?",
  ],
  [
    'that is no object, where its keys are wanted',
    content('[]'),
    { multiple: true },
    'multiple_outputs makes an output of each key of an object; return.json is a list. Have the container write an object, or leave out `multiple_outputs`.',
  ],
])('a failure with a result %s keeps its own reason, and a warning tells of it', (_, found, asked, warning) => {
  expect(concluded(failed(), found, asked)).toMatchObject({ ...failed(), warning });
});

test.each<[what: string, outcome: Outcome, found: Found]>([
  ['a success that left nothing', succeeded(), none],
  ['a failure that left nothing', failed(), none],
])('%s stays as it is', (_, outcome, found) => {
  expect(concluded(outcome, found)).toEqual(outcome);
});

test('each key of a result becomes an output where that is wanted', () => {
  expect(concluded(succeeded(), content('{"a": "b"}'), { multiple: true }).result?.outputs).toEqual([
    ['result', '{"a": "b"}'],
    ['a', 'b'],
  ]);
});

describe('the termination message of a failed container', () => {
  test.each<[what: string, asked: Asked]>([
    ['without results', { by: undefined, mode: 'none' }],
    ['where a result could have no place', { by: undefined }],
    ['with a sidecar for the result', { by: 'sidecar', mode: 'required' }],
  ])('is told %s', (_, asked) => {
    expect(concluded(failed(' oops\n'), none, asked)).toEqual({ ...failed(' oops\n'), message: 'oops' });
  });

  test('is told beside its result', () => {
    expect(concluded(failed('oops'), content('[1]'), { by: 'sidecar' })).toMatchObject({
      message: 'oops',
      result: list,
    });
  });

  test.each<[what: string, outcome: Outcome, asked: Asked]>([
    ['is the result itself, or no words', failed('[1]'), { by: 'message' }],
    ['is in the sentence where it could not be started', failed('exec: no', 'StartError'), { by: 'sidecar' }],
    ['has no words', failed(' \n'), { by: 'sidecar' }],
    ['succeeded', succeeded('all is well'), { by: 'sidecar' }],
  ])('is not told where it %s', (_, outcome, asked) => {
    expect(concluded(outcome, none, asked)).toEqual(outcome);
  });
});

test('what may have been a result of a container that failed is a warning beside its last words', () => {
  expect(concluded(failed(), { kind: 'message', message: '…}', warning: 'It was longer.' })).toMatchObject({
    message: '…}',
    warning: 'It was longer.',
  });
});

test('of the last words of a container the first, which may be cut, is not shown', () => {
  const long = `half a ${'x'.repeat(4089)}`;
  expect(concluded(failed(long), none, { by: 'sidecar' }).message).toBe(`… a ${'x'.repeat(4089)}`);
});

describe('without the result that has to be there', () => {
  const asked: Asked = { mode: 'required', by: 'sidecar' };

  test('a success is a failure', () => {
    expect(concluded(succeeded(), none, asked)).toMatchObject({
      state: 'failed',
      reason: 'InvalidResult',
      title: 'No result',
      sentence: 'The container succeeded, but wrote nothing to /airflow/xcom/return.json, and do_xcom_push is true.',
      remedy: 'Have it write JSON there, or set do_xcom_push to auto, which takes a result if there is one.',
    });
  });

  test('a command that looks like shell, and is given to none, is what to see to', () => {
    const pod: V1Pod = {
      spec: { containers: [{ name: 'base', command: ['echo', '7'], args: ['>', '/airflow/xcom/return.json'] }] },
    };
    expect(concluded(succeeded(), none, { ...asked, pod }).remedy).toMatch(/need a shell/);
  });

  test('what is there and does not count is told', () => {
    expect(concluded(succeeded(), { kind: 'none', why: 'return.json is old' }, asked).sentence).toBe(
      'The container succeeded, but wrote nothing to /airflow/xcom/return.json, and do_xcom_push is true: return.json is old.',
    );
  });

  test('a variable of the step’s own that leads elsewhere is what to see to', () => {
    const withPath = (value: string): V1Pod => ({
      spec: { containers: [{ name: 'base', env: [{ name: 'RESULT_PATH', value }] }] },
    });
    expect(concluded(succeeded(), none, { ...asked, pod: withPath('/tmp/x') }).remedy).toBe(
      'The container’s variable RESULT_PATH is the step’s own, and leads elsewhere: give it another name.',
    );
    expect(concluded(succeeded(), none, { ...asked, pod: withPath('/airflow/xcom/return.json') }).remedy).toMatch(
      /^Have it write JSON there/,
    );
  });

  test('a failure keeps its own reason', () => {
    expect(concluded(failed(), none, asked)).toEqual(failed());
  });
});

describe('skip_on_exit_code', () => {
  const skipped = (outcome: Outcome) => ({
    state: 'skipped',
    ended: outcome.ended,
    title: 'Skipped',
    sentence: 'Container base exited with code 3, which skip_on_exit_code takes for having had nothing to do.',
  });

  test.each<[what: string, found: Found, asked: Asked, expected: object]>([
    ['its result', content('[1]'), {}, { result: expect.objectContaining(list) }],
    ['its last words', words('nothing new'), {}, { message: 'nothing new' }],
    ['what is wrong with its result', unusable, {}, { warning: 'It is a folder. Write a file.' }],
    ['nothing, even where there has to be a result', none, { mode: 'required' }, {}],
  ])('makes no failure of its code, and keeps %s', (_, found, asked, expected) => {
    expect(concluded(failed(), found, { ...asked, skip: [3, 99] })).toEqual({ ...skipped(failed()), ...expected });
  });

  test.each<[what: string, outcome: Outcome, skip: number[]]>([
    ['another code', failed(), [98]],
    ['a container out of memory, whatever its code', failed(undefined, 'OOMKilled'), [3]],
    ['a success', succeeded(), [0]],
  ])('says nothing of %s', (_, outcome, skip) => {
    expect(concluded(outcome, none, { skip })).toEqual(outcome);
  });

  test('says nothing of a result that cannot be used', () => {
    expect(concluded(succeeded(), unusable, { skip: [0, 3] })).toMatchObject({
      state: 'failed',
      reason: 'InvalidResult',
    });
  });
});
