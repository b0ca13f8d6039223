import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { REASONS, StepError, withRemedy } from '../../src/github/failure.ts';

test('an error says what happened and behind it what to do', () => {
  const error = new StepError('ImagePull', 'Image cannot be pulled', 'The image x does not exist.', {
    remedy: 'Check its name.',
  });
  expect(error.text).toBe('The image x does not exist. Check its name.');
});

test('an error without a remedy says what happened', () => {
  const error = new StepError('NodeLost', 'Lost', 'The node is gone.');
  expect(error).toMatchObject({ text: 'The node is gone.', message: 'The node is gone.', remedy: undefined });
});

test('an error carries its reason, title and cause', () => {
  const cause = new Error('socket hang up');
  const error = new StepError('Unreachable', 'No answer', 'The API server did not answer.', { cause });
  expect(error).toMatchObject({ name: 'StepError', reason: 'Unreachable', title: 'No answer', cause });
  expect(error).toBeInstanceOf(Error);
});

test('an error without a cause has none', () => {
  expect('cause' in new StepError('Bug', 'Bug', 'Oh.')).toBe(false);
});

test.each([
  ['a full stop', 'No node.', 'No node. Add one.'],
  ['a question mark', 'No node?', 'No node? Add one.'],
  ['a full stop and a line end', 'No node.\n', 'No node.\n Add one.'],
  ['no full stop', 'no node', 'no node. Add one.'],
  ['a full stop in brackets', 'No node (none at all.)', 'No node (none at all.) Add one.'],
])('a remedy follows a sentence that ends in %s', (_, sentence, expected) => {
  expect(withRemedy(sentence, 'Add one.')).toBe(expected);
});

test.each(Object.entries(REASONS))('reason %s is one word and explained in a sentence', (reason, explanation) => {
  expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
  expect(explanation).toMatch(/^[A-Z].*\.$/);
});

test('docs/reasons.md explains the reasons there are', () => {
  const page = readFileSync(new URL('../../docs/reasons.md', import.meta.url), 'utf8');
  expect(Object.keys(REASONS).filter(reason => !page.includes(`\`${reason}\``))).toEqual([]);
});
