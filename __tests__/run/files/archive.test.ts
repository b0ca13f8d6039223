import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Archive } from '../../../src/run/files/archive.ts';

const splits = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 20 });

test.each([false, true])('any bytes come as they were, however they are cut (compressed: %s)', async isCompressed => {
  await fc.assert(
    fc.asyncProperty(splits, async pieces => {
      const whole = Buffer.concat(pieces);
      const way = isCompressed ? gzipSync(whole) : whole;
      const taken: Buffer[] = [];
      const archive = new Archive(isCompressed, async bytes => void taken.push(Buffer.from(bytes)));
      for (let at = 0; at < way.length; at += 7) await archive.push(way.subarray(at, at + 7));
      await archive.end();
      expect(Buffer.concat(taken).equals(whole)).toBe(true);
      expect(archive.bytes).toBe(way.length);
    }),
    { numRuns: 50 },
  );
});

test.each([false, true])('a taker that refuses ends it (compressed: %s)', async isCompressed => {
  const archive = new Archive(isCompressed, async () => {
    throw new Error('no more');
  });
  const way = Buffer.alloc(3_000_000, 'text');
  const push = async () => {
    for (let times = 0; times < 50; times++) await archive.push(isCompressed && times === 0 ? gzipSync(way) : way);
    await archive.end();
  };
  await expect(push()).rejects.toThrow('no more');
});

test('what was compressed and breaks off is told', async () => {
  const archive = new Archive(true, async () => {});
  await archive.push(gzipSync(Buffer.alloc(100_000, 'text')).subarray(0, -10));
  await expect(archive.end()).rejects.toThrow(/unexpected end/);
});

test('a bomb is taken piece by piece', async () => {
  let [most, all] = [0, 0];
  const archive = new Archive(true, async bytes => {
    most = Math.max(most, bytes.length);
    all += bytes.length;
  });
  await archive.push(gzipSync(Buffer.alloc(50_000_000)));
  await archive.end();
  expect(all).toBe(50_000_000);
  expect(most).toBeLessThan(1_000_000);
});
