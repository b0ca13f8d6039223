import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Listing } from '../../../src/run/files/listing.ts';

const namesOf = (text: string) => {
  const listing = new Listing();
  const rest = listing.push(Buffer.from(text, 'latin1'));
  return { names: listing.names.map(name => name.toString('latin1')), isWhole: listing.isWhole, rest: rest.toString() };
};

test('any names come as they are, however they are cut, and what follows is left', async () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map(bytes => Buffer.from(bytes.map(byte => byte || 0x0a)))
    .filter(bytes => bytes.toString('latin1') !== '.' && !bytes.toString('latin1').startsWith('./'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { maxLength: 10 }),
      fc.uint8Array({ maxLength: 30 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      async (names, after, cuts) => {
        const zero = Buffer.from([0]);
        const sent = Buffer.concat([...names.flatMap(one => [Buffer.from('./'), one, zero]), zero, Buffer.from(after)]);
        const listing = new Listing();
        const rest: Buffer[] = [];
        for (let at = 0; at < sent.length; ) {
          const [cut = 1] = [...cuts.take(1)];
          // What is pushed may be overwritten afterwards.
          const piece = Buffer.from(sent.subarray(at, at + cut));
          rest.push(Buffer.from(listing.push(piece)));
          at += cut;
          expect(listing.isWhole).toBe(at >= sent.length - after.length);
        }
        await listing.whole;
        expect(listing.names.map(one => one.toString('hex'))).toEqual(names.map(one => one.toString('hex')));
        expect(Buffer.concat(rest)).toEqual(Buffer.from(after));
      },
    ),
  );
});

describe('names', () => {
  test.each<[what: string, sent: string, expected: object]>([
    ['are none', '\0', { names: [], isWhole: true, rest: '' }],
    ['are none but the folder itself', '.\0./\0\0', { names: [], isWhole: true, rest: '' }],
    ['lose one ./ and no more', '././a\0./..\0\0', { names: ['./a', '..'], isWhole: true, rest: '' }],
    ['may have none', 'a\0.b\0\0', { names: ['a', '.b'], isWhole: true, rest: '' }],
    ['may have newlines', './a\nb\0\0raw 1\n', { names: ['a\nb'], isWhole: true, rest: 'raw 1\n' }],
    ['are not all there', './a\0./b', { names: ['a'], isWhole: false, rest: '' }],
    ['end once', 'a\0\0b\0\0', { names: ['a'], isWhole: true, rest: 'b\0\0' }],
  ])('%s', (_, sent, expected) => expect(namesOf(sent)).toEqual(expected));
});

test('there may be no more of them than can be kept', () => {
  const listing = new Listing();
  const names = Buffer.alloc(2 ** 20, `./${'x'.repeat(1021)}\0`);
  expect(() => {
    for (let times = 0; times < 65; times++) listing.push(names);
  }).toThrow('there are more files in the pod’s workspace than can be looked through');
});
