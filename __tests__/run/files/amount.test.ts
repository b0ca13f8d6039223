import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { amount } from '../../../src/run/files/amount.ts';
import { counted } from '../../../src/run/numbers.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [812, '812 bytes'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [10_188, '9.9 KiB'],
  [10_189, '10 KiB'],
  [1023 * 1024, '1023 KiB'],
  [1023.5 * 1024, '1.0 MiB'],
  [4.2 * 2 ** 20, '4.2 MiB'],
  [128 * 2 ** 20, '128 MiB'],
  [2 ** 30, '1.0 GiB'],
  [3 * 2 ** 40, '3.0 TiB'],
  [5000 * 2 ** 40, '5000 TiB'],
])('%d is %s', (bytes, text) => expect(amount(bytes)).toBe(text));

test('what is said is never far from what is', () => {
  const units: Record<string, number> = { byte: 1, bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
  fc.assert(
    fc.property(fc.maxSafeNat(), bytes => {
      const [value, unit = ''] = amount(bytes).split(' ');
      const said = Number(value) * (units[unit] ?? Number.NaN);
      expect(Math.abs(said - bytes)).toBeLessThanOrEqual(0.051 * bytes);
      if (unit !== 'TiB') expect(Number(value)).toBeLessThan(1024);
    }),
  );
});

test.each([
  [counted(0, 'file'), '0 files'],
  [counted(1, 'file'), '1 file'],
  [counted(20_000, 'file'), '20,000 files'],
  [counted(1, 'socket', 'sockets and pipes'), '1 socket'],
  [counted(2, 'socket', 'sockets and pipes'), '2 sockets and pipes'],
])('%s', (said, text) => expect(said).toBe(text));
