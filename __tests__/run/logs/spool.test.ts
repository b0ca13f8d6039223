import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Spool } from '../../../src/run/logs/spool.ts';

let folder: string;
const temp = process.env['RUNNER_TEMP'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-test-'));
  process.env['RUNNER_TEMP'] = folder;
});
afterEach(() => {
  if (temp === undefined) delete process.env['RUNNER_TEMP'];
  else process.env['RUNNER_TEMP'] = temp;
  rmSync(folder, { recursive: true, force: true });
});

const MEBIBYTE = 2 ** 20;

function all(spool: Spool): Buffer {
  const pieces: Uint8Array[] = [];
  for (let piece = spool.shift(); piece !== undefined; piece = spool.shift()) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('what goes in comes out, in order, whatever the sizes and whenever it is taken', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.nat(5) },
    { weight: 2, arbitrary: fc.integer({ min: 100_000, max: 700_000 }) },
    { weight: 3, arbitrary: fc.constant('take' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const spool = new Spool();
      const [written, read]: [Buffer[], Uint8Array[]] = [[], []];
      steps.forEach((size, index) => {
        if (size === 'take') {
          const bytes = spool.shift();
          if (bytes !== undefined) read.push(Uint8Array.from(bytes));
          return;
        }
        const bytes = Buffer.alloc(size, index + 1);
        written.push(Buffer.from(bytes));
        spool.push(bytes);
        // The caller's memory is the caller's.
        bytes.fill(0);
      });
      read.push(all(spool));
      expect(Buffer.concat(read).equals(Buffer.concat(written))).toBe(true);
      expect(spool.isEmpty).toBe(true);
      spool.close();
    }),
    { numRuns: 60 },
  );
});

test('what exceeds a mebibyte is on disk, in a file that has no name', () => {
  const spool = new Spool();
  const bytes = Buffer.alloc(MEBIBYTE, 'x');
  const before = process.memoryUsage().arrayBuffers;
  for (let times = 0; times < 64; times++) spool.push(bytes);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MEBIBYTE);
  expect(readdirSync(folder)).toEqual([]);
  expect(all(spool).length).toBe(64 * MEBIBYTE);
  spool.close();
});

test('where no file can be made, nothing is lost', () => {
  process.env['RUNNER_TEMP'] = join(folder, 'nowhere');
  const spool = new Spool();
  for (let byte = 1; byte <= 3; byte++) spool.push(Buffer.alloc(MEBIBYTE, byte));
  const bytes = all(spool);
  expect([bytes.length, bytes[0], bytes[MEBIBYTE], bytes[2 * MEBIBYTE]]).toEqual([3 * MEBIBYTE, 1, 2, 3]);
});
