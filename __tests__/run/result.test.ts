import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { conclude, readResult } from '../../src/run/result.ts';
import { ended } from './pods.ts';

const containers = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `c${index}` }));
const pod = (count = 1): V1Pod => ({ spec: { containers: containers(count) } });
const invalid = (sentence: RegExp) => ({ kind: 'invalid', sentence: expect.stringMatching(sentence) });
const tooLong = (limit: number) => invalid(new RegExp(`^return\\.json is longer than the ${limit} bytes`));
const digits = (length: number) => '7'.repeat(length);
const list = (bytes: number) => `["${'x'.repeat(bytes - 4)}"]`;

describe('a container that succeeded has left', () => {
  test.each<[string, string | undefined, object]>([
    ['nothing', undefined, { kind: 'none' }],
    ['empty text', '', { kind: 'none' }],
    ['white space', ' \n\t', { kind: 'none' }],
    ['a mapping', '{"a": 1}', { kind: 'json', json: '{"a": 1}' }],
    ['a list in white space', '\n [1] \n', { kind: 'json', json: '[1]' }],
    ['a number', '7\n', { kind: 'json', json: '7' }],
    ['text', '"seven"', { kind: 'json', json: '"seven"' }],
    ['null', 'null', { kind: 'json', json: 'null' }],
    ['what is no JSON', 'seven', invalid(/is not JSON: .*seven/)],
    ['two JSON texts', '{}{}', invalid(/is not JSON/)],
    ['half a mapping', '{"a": ', invalid(/is not JSON/)],
    ['NaN', 'NaN', invalid(/is not JSON/)],
  ])('%s', (_, message, expected) => {
    expect(readResult(message, pod(), false)).toMatchObject(expected);
  });
});

describe('the node keeps only so much of it:', () => {
  test.each<[string, string, number, object]>([
    ['a number one byte short of that is whole', digits(4095), 1, { kind: 'json' }],
    ['a number that fills it may go on', digits(4096), 1, tooLong(4096)],
    ['a list that fills it is whole, for it is closed', list(4096), 1, { kind: 'json', json: list(4096) }],
    ['a mapping that fills it, too', `{"a":"${'x'.repeat(4088)}"}`, 1, { kind: 'json' }],
    ['a list that is cut is not', list(5000).slice(0, 4096), 1, tooLong(4096)],
    ['the end of a list is not', list(5000).slice(-4096), 1, tooLong(4096)],
    ['white space counts as well', `${digits(4095)}\n`, 1, tooLong(4096)],
    ['three containers have as much each', digits(4095), 3, { kind: 'json' }],
    ['of four containers each has less', digits(3072), 4, tooLong(3072)],
    ['of four containers, one byte short', digits(3071), 4, { kind: 'json' }],
    ['of seven containers, rounded down', digits(1755), 7, tooLong(1755)],
    ['bytes count, not characters', `"${'ä'.repeat(2047)}"`, 1, tooLong(4096)],
    ['bytes count, and here there are enough', `"${'ä'.repeat(2046)}"`, 1, { kind: 'json' }],
    ['half a character at the cut', `"${'x'.repeat(4092)}\ufffd`, 1, tooLong(4096)],
  ])('%s', (_, message, count, expected) => {
    expect(readResult(message, pod(count), false)).toMatchObject(expected);
  });

  test('init and ephemeral containers share it, and that is said', () => {
    const shared: V1Pod = {
      spec: { containers: containers(2), initContainers: containers(1), ephemeralContainers: containers(1) },
    };
    expect(readResult(digits(3072), shared, false)).toMatchObject({
      sentence:
        'return.json is longer than the 3072 bytes that the node keeps of it (4 containers of the pod share 12288).',
    });
  });
});

test.each<[string, string | undefined, object]>([
  ['nothing', undefined, { kind: 'none' }],
  ['JSON', '{"rows": 0}', { kind: 'json', json: '{"rows": 0}' }],
  ['its last words', ' out of disk \n', { kind: 'message', message: 'out of disk' }],
  ['last words that are cut', 'x'.repeat(4096), { kind: 'message', message: 'x'.repeat(4096) }],
  ['a number that may be cut', digits(4096), { kind: 'message', message: digits(4096) }],
])('a container that failed has left %s', (_, message, expected) => {
  expect(readResult(message, pod(), true)).toEqual(expected);
});

describe('the conclusion', () => {
  const succeeded = (message?: string) =>
    ({ state: 'succeeded', ended: ended(0, 'Completed', message).terminated }) as const;
  const failed = (message?: string, reason: 'ExitCode' | 'StartError' = 'ExitCode') =>
    ({ state: 'failed', reason, sentence: 's', ended: ended(1, 'Error', message).terminated }) as const;

  test.each([
    ['a success with a result', succeeded('[1]'), true, { state: 'succeeded', result: '[1]' }],
    [
      'a success with a result that cannot be used is none',
      succeeded('oops'),
      true,
      {
        state: 'failed',
        reason: 'InvalidResult',
        title: 'Unusable result',
        remedy: expect.stringContaining('do_xcom_push'),
      },
    ],
    ['a failure with a result', failed('[1]'), true, { state: 'failed', reason: 'ExitCode', result: '[1]' }],
    ['a failure with last words', failed('oops'), true, { reason: 'ExitCode', message: 'oops' }],
    ['a failure with last words, without results', failed(' oops\n'), false, { reason: 'ExitCode', message: 'oops' }],
  ])('%s', (_, outcome, wanted, expected) => {
    expect(conclude(outcome, pod(), { resultInMessage: wanted, base: 'base' }, 'auto')).toMatchObject(expected);
  });

  test.each([
    ['a success, without results', succeeded('[1]'), false],
    ['a success that left nothing', succeeded(), true],
    ['a failure that left nothing', failed(), false],
    [
      'a command that could not be started: the kubelet’s words are in the sentence',
      failed('exec: no', 'StartError'),
      true,
    ],
  ])('%s, stays as it is', (_, outcome, wanted) => {
    expect(conclude(outcome, pod(), { resultInMessage: wanted, base: 'base' }, 'auto')).toEqual(outcome);
  });

  test('a success without the result that was asked for is a failure', () => {
    expect(conclude(succeeded(), pod(), { resultInMessage: true, base: 'base' }, 'required')).toMatchObject({
      state: 'failed',
      reason: 'InvalidResult',
      sentence: 'The container succeeded, but wrote nothing to /airflow/xcom/return.json, and do_xcom_push is true.',
      remedy: expect.stringContaining('do_xcom_push to auto'),
    });
  });

  test('a failure without the result that was asked for keeps its own reason', () => {
    expect(conclude(failed(), pod(), { resultInMessage: true, base: 'base' }, 'required')).toEqual(failed());
  });
});
