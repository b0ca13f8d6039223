import { describe, expect, test } from '@jest/globals';
import { INPUTS } from '../../../src/github/contract.ts';
import { didYouMean, InputReader } from '../../../src/github/inputs/reader.ts';

describe('the nearest spelling', () => {
  test.each([
    ['imgae', ' Did you mean image?'],
    ['IMAGE', ' Did you mean image?'],
    ['envvars', ' Did you mean env_vars?'],
    ['env_var', ' Did you mean env_vars?'],
    ['arguements', ' Did you mean arguments?'],
    ['container_resource', ' Did you mean container_resources?'],
    ['kube_config', ' Did you mean kubeconfig?'],
    ['service_account', ' Did you mean service_account_name?'],
    ['on_finish', ' Did you mean on_finish_action?'],
    ['poll_interval', ''],
    ['x', ''],
    ['', ''],
  ])('of %j', (word, expected) => expect(didYouMean(word, INPUTS)).toBe(expected));

  test('differs in case alone rather than in letters', () => {
    expect(didYouMean('always', ['Alway', 'Always'])).toBe(' Did you mean Always?');
  });
});

describe('a word', () => {
  test.each([
    ['a', 'a'],
    [' a \n', 'a'],
    ['""', undefined],
    ["''", undefined],
    ['null', undefined],
    ['', undefined],
    ['  ', undefined],
    [undefined, undefined],
  ])('%j is read as %j', (value, expected) => {
    expect(new InputReader({ INPUT_NAME: value }).word('name')).toBe(expected);
  });

  test.each(['""', "''"])('%s is text that is explicitly empty', value => {
    expect(new InputReader({ INPUT_NAME: value }).text('name')).toBe('');
  });
});

test('variables that are no inputs are no concern', () => {
  const reader = new InputReader({ PATH: '/bin', MY_INPUT_X: 'x', input_x: 'x', INPUT_IMAGE: 'x' });
  reader.unknownInputs();
  expect(reader.problems).toEqual([]);
});
