import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { framed, LONGEST_PIECE, lastFrame } from '../../../src/run/files/pieces.ts';

/** As the program in the pod reads it. */
function readFrame(parts: Buffer[]): { kind: string; content: Buffer } {
  const frame = Buffer.concat(parts);
  const end = frame.indexOf('\n');
  const [kind = '', size] = frame.subarray(0, end).toString().split(' ');
  const content = frame.subarray(end + 1);
  expect(content.length).toBe(Number(size));
  return { kind, content: kind === 'gzip' ? gunzipSync(content) : content };
}

test('any piece says what it is, compressed or not', async () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 5000 });
  await fc.assert(
    fc.asyncProperty(piece, fc.boolean(), async (bytes, compress) => {
      const { content } = readFrame(await framed(Buffer.from(bytes), compress));
      expect(content.equals(bytes)).toBe(true);
    }),
  );
});

test('nothing is compressed that does not get smaller by it', async () => {
  const random = createHash('sha512').update('seed').digest();
  expect(readFrame(await framed(random, true)).kind).toBe('raw');
  expect(readFrame(await framed(Buffer.alloc(LONGEST_PIECE), true)).kind).toBe('gzip');
  expect(readFrame(await framed(Buffer.alloc(LONGEST_PIECE), false)).kind).toBe('raw');
});

test('the end says how many there were', () => {
  expect(lastFrame(12).toString()).toBe('end 12\n');
});
