import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader, type SentFile } from '../../../src/run/result/frame.ts';
import { fileLines, frame } from './frames.ts';

const AT = 1_772_366_405;

function read(...texts: string[]): FrameReader {
  const reader = new FrameReader();
  for (const text of texts) reader.push(Buffer.from(text, 'latin1'));
  return reader;
}

const found = (...texts: string[]): SentFile | undefined => read(...texts).files?.get('return.json');
const file = (text: string) => ({ kind: 'file', bytes: Buffer.from(text), changedAt: AT, writtenAt: AT });
const one = (text: string) => fileLines(Buffer.from(text), { changedAt: AT });

test('any bytes arrive as they were, however they are cut', () => {
  const content = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(
      content,
      content,
      fc.constantFrom(4, 76, 8000),
      fc.infiniteStream(fc.nat({ max: 400 })),
      (bytes, other, width, cuts) => {
        const sent = frame(
          fileLines(bytes, { width }),
          fileLines(other, { name: 'other', width, changedAt: 7, writtenAt: 5 }),
        );
        const reader = new FrameReader();
        for (let at = 0; at < sent.length; ) {
          expect(reader.files).toBeUndefined();
          const [cut = 1] = [...cuts.take(1)];
          reader.push(Buffer.from(sent.slice(at, at + cut)));
          at += cut;
        }
        expect(reader.files).toEqual(
          new Map([
            ['return.json', { kind: 'file', bytes: Buffer.from(bytes), changedAt: AT, writtenAt: AT }],
            ['other', { kind: 'file', bytes: Buffer.from(other), changedAt: 7, writtenAt: 5 }],
          ]),
        );
        expect(reader.stray).toEqual([]);
      },
    ),
  );
});

test('millions of bytes arrive, in the pieces of a network', () => {
  const bytes = Buffer.alloc(7_000_000, 'k\u0000\n\ufffd');
  const sent = Buffer.from(frame(fileLines(bytes)));
  const reader = new FrameReader();
  for (let at = 0; at < sent.length; at += 65_536) reader.push(sent.subarray(at, at + 65_536));
  const file = reader.files?.get('return.json');
  expect(file?.kind === 'file' && file.bytes.equals(bytes)).toBe(true);
});

describe('a line of content', () => {
  test.each(['end', 'sum', 'none', 'file', 'frame', 'link', 'pipe', 'long', 'other', 'closed', 'folder'])(
    'may begin with %s',
    word => {
      const bytes = Buffer.from(word.padEnd(8, 'A'), 'base64');
      expect(fileLines(bytes)).toContain(`\n${word}A`);
      expect(found(frame(fileLines(bytes)))).toMatchObject({ kind: 'file', bytes });
    },
  );

  test.each(['none', 'file', 'link', 'pipe', 'long'])('may be %s', word => {
    const bytes = Buffer.from(`AAAA${word}AAAA`, 'base64');
    expect(fileLines(bytes, { width: 4 })).toContain(`\n${word}\n`);
    expect(found(frame(fileLines(bytes, { width: 4 })))).toMatchObject({ kind: 'file', bytes });
  });
});

describe('of what is no file it says what it is:', () => {
  test.each<[line: string, expected: SentFile]>([
    ['none return.json', { kind: 'none' }],
    ['long return.json 20971520', { kind: 'long', size: 20_971_520 }],
    ['unreadable return.json 600 1000 65532', { kind: 'unreadable', mode: '600', owner: '1000', reader: '65532' }],
    ['closed return.json 700 1000 65532', { kind: 'closed', mode: '700', owner: '1000', reader: '65532' }],
    ['folder return.json', { kind: 'folder' }],
    ['link return.json', { kind: 'link' }],
    ['pipe return.json', { kind: 'pipe' }],
    ['other return.json', { kind: 'other' }],
  ])('%s', (line, expected) => expect(found(frame(`${line}\n`))).toEqual(expected));

  test('between files', () => {
    const { files } = read(frame('none a\n', one('[1]'), 'link b\n', fileLines(Buffer.from('x'), { name: 'c' })));
    expect([...(files ?? [])].map(([name, { kind }]) => `${name}: ${kind}`)).toEqual([
      'a: none',
      'return.json: file',
      'b: link',
      'c: file',
    ]);
  });

  test('an empty file is a file', () => expect(found(frame(one('')))).toEqual(file('')));

  test('a frame may have no files', () => expect(read('frame 0\nend\n').files).toEqual(new Map()));
});

describe('what is not as it was sent is broken:', () => {
  const bytes = Buffer.from('[1, 2, 3]');
  const without = (pattern: RegExp) => frame(one('[1, 2, 3]').replace(pattern, ''));
  const cut = 'of 9 bytes 0 came';
  const other = 'its checksum is another';

  test.each<[what: string, sent: string, why: string]>([
    ['bytes too few', frame(fileLines(bytes, { size: 10 })), 'of 10 bytes 9 came'],
    ['bytes too many', frame(fileLines(bytes, { size: 8 })), 'of 8 bytes 9 came'],
    ['other bytes', frame(fileLines(bytes, { sum: '0'.repeat(64) })), other],
    ['without a sum', without(/sum.*\n/), other],
    ['with an empty sum', frame(fileLines(bytes, { sum: '' })), other],
    ['without content', without(/^WzE.*\n/m), cut],
    ['with a size that is none', frame(fileLines(bytes).replace(' 9 ', ' x ')), 'of NaN bytes 9 came'],
    ['content behind its sum', frame(`${without(/^WzE.*\n|frame.*\n|end\n/gm)}WzEsIDIsIDNd\n`), cut],
  ])('%s', (_, sent, why) => expect(found(sent)).toEqual({ kind: 'broken', why }));

  test('a line that is lost is missed, and so is what is left of one', () => {
    const long = fileLines(Buffer.alloc(300, 'x'), { width: 76 });
    const lines = long.split('\n');
    expect(found(frame(lines.toSpliced(2, 1).join('\n')))).toEqual({ kind: 'broken', why: 'of 300 bytes 243 came' });
    expect(found(frame(lines.with(2, lines[2]?.slice(40) ?? '').join('\n')))).toEqual({
      kind: 'broken',
      why: 'of 300 bytes 270 came',
    });
  });

  test('and the files beside it are not', () => {
    const { files } = read(frame(fileLines(bytes, { size: 1 }), fileLines(bytes, { name: 'b' })));
    expect([...(files ?? [])].map(([, { kind }]) => kind)).toEqual(['broken', 'file']);
  });
});

describe('a frame that breaks off', () => {
  const whole = frame(one('[2]'));

  test.each(Array.from({ length: whole.length }, (_, at) => at))('is none after %i characters', at => {
    expect(read(whole.slice(0, at)).files).toBeUndefined();
  });

  test.each(Array.from({ length: whole.length }, (_, at) => at))(
    'after %i characters gives way to one that is sent anew',
    at => {
      const first = frame(one('[1]')).slice(0, at);
      expect(found(first === '' || first.endsWith('\n') ? first : `${first}\n`, whole)).toEqual(file('[2]'));
    },
  );

  test('leaves what came before it', () => {
    expect(found(whole, frame(one('[3]')).slice(0, -2))).toEqual(file('[2]'));
  });
});

test('of two whole frames the last one counts', () => {
  expect(found(frame(one('[1]')), frame(one('[2]')))).toEqual(file('[2]'));
  expect(found(frame(one('[1]')), frame('none return.json\n'))).toEqual({ kind: 'none' });
});

/** What is in use, and not what waits to be collected: when that is done is V8's to choose. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What the first frees outside of the heap is given back beside the program's own work, which the second waits for.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('no more is kept than can be of use', () => {
  const reader = read('frame 1\nfile return.json 3 1\n');
  const before = usedBytes();
  const line = Buffer.from(`${'QUJD'.repeat(2000)}\n`);
  for (let lines = 0; lines < 5000; lines++) reader.push(line);
  const endless = Buffer.alloc(65_536, 'x');
  for (let pieces = 0; pieces < 500; pieces++) reader.push(endless);
  expect(usedBytes() - before).toBeLessThan(20e6);
  reader.push(Buffer.from('\nsum x\nend\n'));
  expect(reader.files?.get('return.json')).toEqual({ kind: 'broken', why: 'of 3 bytes 30000000 came' });
});

test('what has come of frames is counted, and nothing else', () => {
  const reader = read('noise\n');
  expect(reader.taken).toBe(0);
  let taken = 0;
  for (const line of frame(one('[1]'))
    .split('\n')
    .filter(line => line !== '')) {
    reader.push(Buffer.from(`noise!\n${line}\n`));
    expect(reader.taken).toBeGreaterThan(taken);
    taken = reader.taken;
  }
  reader.push(Buffer.from('noise\n'));
  expect(reader.taken).toBe(taken);
});

describe('lines that are no part of a frame', () => {
  const complaints = ['sh: base64: not found', 'stat: illegal option -- c'];

  test.each<[where: string, sent: string]>([
    ['before it', `${complaints.join('\n')}\n${frame(one('[1]'))}`],
    ['in it', frame(`${complaints[0]}\n`, one('[1]'), `${complaints[1]}\n`)],
    ['in a file', frame(one('[1]').replace('\nsum', `\n${complaints.join('\n')}\nsum`))],
    ['behind it', `${frame(one('[1]'))}${complaints.join('\n')}\n`],
  ])('are kept, and harm nothing, %s', (_, sent) => {
    const reader = read(sent);
    expect(reader.stray).toEqual(complaints);
    expect(reader.files?.get('return.json')).toEqual(file('[1]'));
  });

  test('are what is like a frame where none has begun', () => {
    const reader = read('end\nfile return.json 0 1\nsum x\nnone return.json\n');
    expect(reader.files).toBeUndefined();
    expect(reader.stray).toEqual(['end', 'file return.json 0 1', 'sum x']);
  });

  test('are kept but for the first ones, and of each the beginning', () => {
    const reader = read(`${'x'.repeat(1000)}!\n`, ...Array.from({ length: 1000 }, (_, index) => `line ${index}\n`));
    expect(reader.stray).toEqual(['x'.repeat(300), 'line 0', 'line 1']);
  });

  test('are empty ones not', () => expect(read('\n\n', frame('\n')).stray).toEqual([]));
});
