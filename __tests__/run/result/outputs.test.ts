import { describe, expect, test } from '@jest/globals';
import { outputsOf, type Result, type Unusable } from '../../../src/run/result/outputs.ts';

const VARIABLE = 131_000;
const MOST = 500_000;

const of = (text: string, asked: { file?: string; multiple?: boolean } = {}): Result | Unusable =>
  outputsOf(Buffer.from(text), { multiple: false, ...asked });

function result(text: string, asked: { file?: string; multiple?: boolean } = {}): Result {
  const found = of(text, asked);
  if ('sentence' in found) throw new Error(found.sentence);
  return found;
}

/** Text of so many bytes as JSON. */
const long = (bytes: number, letter = 'x') => `"${letter.repeat((bytes - 2) / Buffer.byteLength(letter))}"`;
/** An object with values of these lengths. */
const object = (...lengths: number[]) =>
  JSON.stringify(Object.fromEntries(lengths.map((length, index) => [`k${index}`, 'x'.repeat(length)])));
const lengths = ({ outputs }: Result) => outputs.map(([name, value]) => [name, value.length]);
const warning = (name: string, bytes: string) =>
  `Output "${name}" has ${bytes} bytes. It is whole, but a step that takes it in \`env:\` or in \`with:\` fails: Linux takes 128 KiB for a variable, its name included. \`result_file\` writes the result to the workspace instead.`;
const file = 'r.json';

describe('a result is', () => {
  test('an output as it stands, and bytes as they came', () => {
    const bytes = Buffer.from('\ufeff {"a": 1.10}\n');
    expect(outputsOf(bytes, { multiple: false })).toEqual({
      text: '{"a": 1.10}',
      bytes,
      outputs: [['result', '{"a": 1.10}']],
      warnings: [],
    });
  });

  test('an output for each key on top, where that is wanted', () => {
    expect(result('{"rows": 1, "path": "a b"}', { multiple: true }).outputs).toEqual([
      ['result', '{"rows": 1, "path": "a b"}'],
      ['rows', '1'],
      ['path', 'a b'],
    ]);
  });

  test('an output beside its file, as long as a step can take it', () => {
    expect(result('[1]', { file }).outputs).toEqual([['result', '[1]']]);
  });

  test.each<[what: string, text: string, asked: { multiple?: boolean }, expected: Unusable]>([
    [
      'what is no JSON',
      '{',
      {},
      {
        sentence:
          "What the container wrote to /airflow/xcom/return.json is not JSON: Expected property name or '}' at line 1, column 2: it ends after `{`.",
        remedy: 'It breaks off: was it whole when the container ended?',
      },
    ],
    [
      'no object, where its keys are wanted',
      '7',
      { multiple: true },
      {
        sentence: 'multiple_outputs makes an output of each key of an object; return.json is 7.',
        remedy: 'Have the container write an object, or leave out `multiple_outputs`.',
      },
    ],
    [
      'an object with a key that is ours',
      '{"Result": 7}',
      { multiple: true },
      {
        sentence: 'multiple_outputs: the key "Result" is an output of this action’s own, result.',
        remedy: 'Rename it, or leave out `multiple_outputs` and take the values from `result`.',
      },
    ],
  ])('none where it is %s', (_, text, asked, expected) => {
    expect(of(text, asked)).toMatchObject(expected);
    expect(of(text, { ...asked, file })).toMatchObject(expected);
  });

  test('nothing of what is no JSON', () => expect(of('{')).not.toHaveProperty('result'));

  test('still whole, for a file and for the output, where its keys cannot be outputs', () => {
    const whole = { text: '{"Result": 7}', outputs: [['result', '{"Result": 7}']] };
    expect(of('{"Result": 7}', { multiple: true })).toMatchObject({ result: whole });
  });

  test('without what is secret in a fault', () => {
    const found = outputsOf(Buffer.from('{"p": "ab"cd-TOP"}'), { multiple: false }, ['ab"cd-TOP']);
    expect(found).toMatchObject({ sentence: expect.stringMatching(/column 11: in `"\*{9}"`\.$/) });
  });
});

describe('what a variable cannot hold', () => {
  test.each<[what: string, text: string, warnings: string[]]>([
    ['begins where 128 KiB leave no room for a name', long(VARIABLE), []],
    ['is told with its size', long(VARIABLE + 1), [warning('result', '131,001')]],
    ['is counted in bytes', long(VARIABLE + 2, 'ä'), [warning('result', '131,002')]],
    ['is an output up to all that GitHub takes', long(MOST), [warning('result', '500,000')]],
  ])('%s', (_, text, warnings) => expect(result(text)).toMatchObject({ outputs: [['result', text]], warnings }));

  test.each<[what: string, text: string, names: string[]]>([
    ['is in its file alone', long(VARIABLE + 1), []],
    ['is beside its file up to there', long(VARIABLE), ['result']],
    ['is in its file alone, however long', long(7_000_000), []],
  ])('%s', (_, text, names) => {
    const found = result(text, { file });
    expect(found.outputs.map(([name]) => name)).toEqual(names);
    expect(found.warnings).toEqual([]);
    expect(found.text).toBe(text);
  });

  test('is told of each key', () => {
    const found = result(object(10, VARIABLE, VARIABLE + 1), { file, multiple: true });
    expect(lengths(found)).toEqual([
      ['k0', 10],
      ['k1', VARIABLE],
      ['k2', VARIABLE + 1],
    ]);
    expect(found.warnings).toEqual([warning('k2', '131,001')]);
  });
});

describe('what GitHub does not take for all outputs of a job', () => {
  test('is an error, which leads to the file', () => {
    expect(of(long(MOST + 1))).toEqual({
      sentence: 'return.json has 500,001 characters, and GitHub takes about 500,000 for all outputs of a job together.',
      remedy: 'Set `result_file`, which writes it to the workspace.',
    });
  });

  test('is counted in characters', () => {
    expect(result(long(2 * MOST - 2, 'ä')).outputs).toEqual([['result', expect.any(String)]]);
    expect(result(long(MOST)).outputs).toHaveLength(1);
  });

  test.each<[how: string, asked: { file?: string }, longest: number, outputs: string[]]>([
    ['once as a whole and once key by key', {}, 249_994, ['result', 'k0']],
    ['key by key alone, where a file has the whole', { file }, 499_998, ['k0']],
  ])('is counted %s', (how, asked, longest, outputs) => {
    const multiple = { ...asked, multiple: true };
    expect(result(object(longest), multiple).outputs.map(([name]) => name)).toEqual(outputs);
    const whole = { outputs: 'file' in asked ? [] : [['result', expect.any(String)]] };
    expect(of(object(longest + 1), multiple)).toMatchObject({
      result: whole,
      sentence: `With multiple_outputs return.json makes 500,001 characters of outputs${outputs.length > 1 ? `, ${how}` : ''}, and GitHub takes about 500,000 for all outputs of a job together.`,
      remedy: 'Leave out `multiple_outputs`, or have the container write less; `result_file` takes what is large.',
    });
  });
});
