import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { foundInMessage } from '../../../src/run/result/message.ts';

const containers = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `c${index}` }));
const pod = (count = 1): V1Pod => ({ spec: { containers: containers(count) } });
const none = { kind: 'none' };
const content = (text: string) => ({ kind: 'content', bytes: Buffer.from(text) });
const tooLong = (limit: number) => ({
  kind: 'unusable',
  sentence: expect.stringMatching(new RegExp(`^return\\.json is longer than the ${limit} bytes`)),
  remedy: 'Set `do_xcom_push: true`, which takes results of up to 7 MB.',
});
const digits = (length: number) => '7'.repeat(length);
const list = (bytes: number) => `["${'x'.repeat(bytes - 4)}"]`;

describe('a container that succeeded has left', () => {
  test.each<[what: string, message: string | undefined, expected: object]>([
    ['nothing', undefined, none],
    ['empty text', '', none],
    ['white space', ' \n\t', none],
    ['a byte order mark', '\ufeff', none],
    ['a mapping', '{"a": 1}', content('{"a": 1}')],
    ['a list in white space', '\n [1] \n', content('\n [1] \n')],
    ['a mapping behind a byte order mark', '\ufeff{}', content('\ufeff{}')],
    ['a number', '7\n', content('7\n')],
    ['text', '"seven"', content('"seven"')],
    ['null', 'null', content('null')],
    // What is wrong with it is for another to say.
    ['what is no JSON', 'seven', content('seven')],
    ['half a mapping', '{"a": ', content('{"a": ')],
  ])('%s', (_, message, expected) => {
    expect(foundInMessage(message, pod(), 'c0', false)).toEqual(expected);
  });
});

describe('the node keeps only so much of it:', () => {
  test.each<[what: string, message: string, containers: number, expected: object]>([
    ['a number one byte short of that is whole', digits(4095), 1, content(digits(4095))],
    ['a number that fills it may go on', digits(4096), 1, tooLong(4096)],
    ['a list that fills it is whole, for it is closed', list(4096), 1, content(list(4096))],
    ['a mapping that fills it, too', `{"a":"${'x'.repeat(4088)}"}`, 1, { kind: 'content' }],
    ['text that fills it may be the end of a longer one', `"${'x'.repeat(4094)}"`, 1, tooLong(4096)],
    ['a list that is cut is not', list(5000).slice(0, 4096), 1, tooLong(4096)],
    ['the end of a list is not', list(5000).slice(-4096), 1, tooLong(4096)],
    ['white space counts as well', `${digits(4095)}\n`, 1, tooLong(4096)],
    ['white space alone may hide what was before it', ' '.repeat(4096), 1, tooLong(4096)],
    ['white space alone that is shorter is all there is', ' '.repeat(4095), 1, none],
    ['a list behind white space may be the last of several', ` ${list(4095)}`, 1, tooLong(4096)],
    ['a list before white space may be the first of several', `${list(4095)}\n`, 1, tooLong(4096)],
    ['three containers have as much each', digits(4095), 3, { kind: 'content' }],
    ['of four containers each has less', digits(3072), 4, tooLong(3072)],
    ['of four containers, one byte short', digits(3071), 4, { kind: 'content' }],
    ['of seven containers, rounded down', digits(1755), 7, tooLong(1755)],
    ['bytes count, not characters', `"${'ä'.repeat(2047)}"`, 1, tooLong(4096)],
    ['bytes count, and here there are enough', `"${'ä'.repeat(2046)}"`, 1, { kind: 'content' }],
    ['half a character at the cut', `"${'x'.repeat(4092)}\ufffd`, 1, tooLong(4096)],
  ])('%s', (_, message, count, expected) => {
    expect(foundInMessage(message, pod(count), 'c0', false)).toMatchObject(expected);
  });

  test('init and ephemeral containers share it, and that is said', () => {
    const shared: V1Pod = {
      spec: { containers: containers(2), initContainers: containers(1), ephemeralContainers: containers(1) },
    };
    expect(foundInMessage(digits(3072), shared, 'c0', false)).toMatchObject({
      sentence:
        'return.json is longer than the 3072 bytes that the node keeps of it (4 containers of the pod share 12288), or just as long, so that it cannot be told whether it is whole.',
    });
  });

  test('one container shares it with none', () => {
    expect(foundInMessage(digits(4096), pod(), 'c0', false)).toMatchObject({
      sentence:
        'return.json is longer than the 4096 bytes that the node keeps of it, or just as long, so that it cannot be told whether it is whole.',
    });
  });
});

test.each<[what: string, message: string | undefined, expected: object]>([
  ['nothing', undefined, none],
  ['white space', ' \n', none],
  ['JSON', '{"rows": 0}', content('{"rows": 0}')],
  ['its last words', ' out of disk \n', { kind: 'message', message: 'out of disk' }],
  ['last words that begin like JSON', '{"a": oops', { kind: 'message', message: '{"a": oops' }],
  ['last words that are cut', `half a ${'x'.repeat(4089)}`, { kind: 'message', message: `… a ${'x'.repeat(4089)}` }],
  ['one word that is cut', 'x'.repeat(4096), { kind: 'message', message: '…' }],
  ['a number that may be cut', digits(4096), { kind: 'message', message: '…' }],
  [
    'what may be the end of a result',
    `${'x'.repeat(4094)} ]`,
    {
      kind: 'message',
      message: '… ]',
      warning:
        'return.json is longer than the 4096 bytes that the node keeps of it, so it is no result. Set `do_xcom_push: true`, which takes results of up to 7 MB.',
    },
  ],
])('a container that failed has left %s', (_, message, expected) => {
  expect(foundInMessage(message, pod(), 'c0', true)).toEqual(expected);
});

describe('where the node takes the end of the log for a message that is missing', () => {
  const withPolicy = (name: string): V1Pod => ({
    spec: { containers: [{ name, terminationMessagePolicy: 'FallbackToLogsOnError' }, { name: 'other' }] },
  });

  test.each<[what: string, message: string | undefined, expected: object]>([
    ['nothing', undefined, none],
    ['what may be a line of its log', '{"level": "error"}\n', { kind: 'message', message: '{"level": "error"}' }],
    ['its last words', 'oops', { kind: 'message', message: 'oops' }],
    [
      'the end of its log, which begins within a word',
      `secret ${'x'.repeat(2041)}`,
      { kind: 'message', message: `… ${'x'.repeat(2041)}` },
    ],
  ])('a container that failed has left %s', (_, message, expected) => {
    expect(foundInMessage(message, withPolicy('base'), 'base', true)).toEqual(expected);
  });

  test('one that succeeded has left a result, for of that the node takes none', () => {
    expect(foundInMessage('[1]', withPolicy('base'), 'base', false)).toEqual(content('[1]'));
  });

  test('but of another container, that is no matter', () => {
    expect(foundInMessage('[1]', withPolicy('sidecar'), 'other', true)).toEqual(content('[1]'));
  });
});
