import { expect, test } from '@jest/globals';
import { inWords } from '../../src/run/durations.ts';

test.each([
  [0, '0 s'],
  [30, '30 s'],
  [119.4, '119 s'],
  [120, '2 min'],
  [3599, '1 h'],
  [3600, '1 h'],
  [22_200, '6 h 10 min'],
  [432_600, '120 h 10 min'],
])('%d s are %s', (seconds, words) => expect(inWords(seconds)).toBe(words));
