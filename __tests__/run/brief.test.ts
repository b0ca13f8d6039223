import { expect, test } from '@jest/globals';
import { brief } from '../../src/run/brief.ts';

test.each([
  ['several lines', 'first\r\n::error::x\n\n  last\n', 'first ::error::x last'],
  ['colours and other control', 'a \u001b[31mred\u001b[0m \u0007b', 'a red b'],
  ['what turns the order around', 'a\u202eb\u2028c', 'a\\u202eb\\u2028c'],
  [
    'a signed address',
    'Get "https://store.example/blob?sig=abc&X-Amz-Signature=def": refused',
    'Get "https://store.example/blob?…": refused',
  ],
  ['pages', 'x'.repeat(40_000), `${'x'.repeat(500)}…`],
])('%s', (_, text, expected) => expect(brief(text)).toBe(expected));
