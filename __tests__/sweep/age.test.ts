import { expect, test } from '@jest/globals';
import { ageInWords } from '../../src/sweep/age.ts';

test.each([
  [30, '30 s'],
  [600, '10 min'],
  [5400, '1 h 30 min'],
  [47 * 3600, '47 h'],
  [2 * 86_400, '2 d'],
  [400.9 * 86_400, '400 d'],
])('%d s is %s', (seconds, words) => {
  expect(ageInWords(seconds)).toBe(words);
});
