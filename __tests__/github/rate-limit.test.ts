import { describe, expect, test } from '@jest/globals';
import { limitSeconds, Patience } from '../../src/github/rate-limit.ts';

const NOW = 1_000_000;
const primary = (reset: number | string) => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) });
const SECONDARY = 'You have exceeded a secondary rate limit.';

test.each<[string, number, Record<string, string>, string, number | undefined]>([
  ['no limit: a 403 for want of rights', 403, { 'x-ratelimit-remaining': '900' }, 'Resource not accessible', undefined],
  ['no limit: 404, with the last request', 404, primary(NOW + 30), 'Not Found', undefined],
  ['no limit: 200, with the last request', 200, primary(NOW + 30), '', undefined],
  ['no limit: 503 with Retry-After', 503, { 'retry-after': '7' }, '', undefined],
  ['the primary one', 403, primary(NOW + 30), 'API rate limit exceeded', 30],
  ['the primary one, as 429', 429, primary(NOW + 30), '', 30],
  ['the primary one, over by our clock', 403, primary(NOW - 5), '', 1],
  ['the primary one, to a fraction of a second', 403, primary(NOW + 2.2), '', 3],
  ['a secondary one with a time', 403, { 'retry-after': '7', ...primary(NOW + 900) }, SECONDARY, 7],
  ['a secondary one with a time, as 429', 429, { 'retry-after': '0' }, '', 1],
  ['a secondary one without', 403, { 'x-ratelimit-remaining': '12' }, SECONDARY, 60],
  ['429 without anything', 429, {}, '', 60],
  ['429 with nonsense', 429, { 'retry-after': 'soon', ...primary('soon') }, '', 60],
])('%s', (_, status, headers, message, seconds) => {
  expect(limitSeconds(status, headers, message, NOW)).toBe(seconds);
});

describe('patience', () => {
  test('is for 60 s in all', () => {
    const patience = new Patience();
    expect(patience.limit(40, 0)).toBe(true);
    expect(patience.waitMs(10_000)).toBe(30_000);
    expect(patience.limit(20, 40_000)).toBe(true);
    expect(patience.over).toBe(false);
    expect(patience.limit(1, 60_000)).toBe(false);
    expect(patience.over).toBe(true);
  });

  test('counts once what several are told at the same time', () => {
    const patience = new Patience();
    expect([1, 2, 3, 4, 5].map(() => patience.limit(50, 1000))).toEqual([true, false, false, false, false]);
    expect(patience.over).toBe(false);
    expect(patience.waitMs(1000)).toBe(50_000);
  });

  test('is over at once where the limit is longer, and waits for nothing then', () => {
    const patience = new Patience();
    expect(patience.limit(61, 0)).toBe(false);
    expect(patience).toMatchObject({ over: true });
    expect(patience.waitMs(0)).toBe(0);
  });
});
