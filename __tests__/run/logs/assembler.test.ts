import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LogAssembler } from '../../../src/run/logs/assembler.ts';
import { type Part, ServedLog } from './served-log.ts';

/** An assembler, and what has come out of it. */
class Assembled {
  /** Where lines are missing. */
  readonly gaps: [string, string | undefined][] = [];
  readonly log = new LogAssembler({
    emit: bytes => this.#pieces.push(Buffer.from(bytes)),
    gap: (from, to) => this.gaps.push([from, to]),
  });
  readonly #pieces: Buffer[] = [];

  /** One stream: all of `bytes`, in chunks of these sizes by turns. The chunks' memory is used again after each, as a transport's may be. */
  stream(bytes: Buffer, chunkSizes: readonly number[] = [bytes.length || 1]): this {
    this.log.begin();
    for (let from = 0, turn = 0; from < bytes.length; turn++) {
      const size = chunkSizes[turn % chunkSizes.length] ?? 1;
      const chunk = Buffer.from(bytes.subarray(from, from + size));
      this.log.push(chunk);
      chunk.fill('?');
      from += size;
    }
    return this;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }
}

const stamp = (fraction: string) => `2026-03-01T12:00:${fraction.padEnd(12, '0')}Z`;
const served = (...lines: [string, string][]) => lines.map(([fraction, text]) => `${stamp(fraction)} ${text}`).join('');
const assembled = (...streams: (string | Buffer)[]) => {
  const log = new Assembled();
  for (const stream of streams) log.stream(Buffer.from(stream as string, 'latin1'));
  return log;
};

describe('one stream', () => {
  test.each([
    ['nothing', '', ''],
    ['a line', served(['01.', 'hello\n']), 'hello\n'],
    ['spaces at both ends of a line', served(['01.', '  hello  \n']), '  hello  \n'],
    ['an empty line', served(['01.', '\n'], ['01.1', 'x\n']), '\nx\n'],
    ['an empty line whose stamp has no space behind it', `${stamp('01.')}\n${stamp('02.')} x\n`, '\nx\n'],
    ['zones', '2026-03-01T14:00:01.000000000+02:00 a\n2026-02-28T23:30:01.000000000-12:30 b\n', 'a\nb\n'],
    ['no final newline', served(['01.', 'a\n'], ['02.', 'prompt> ']), 'a\nprompt> '],
    ['CRLF', served(['01.', 'a\r\n'], ['02.', 'b\r\n']), 'a\r\nb\r\n'],
    ['a progress bar', served(['01.', '10%\r20%\r30%\n']), '10%\r20%\r30%\n'],
    ['NUL', served(['01.', 'a\0b\0\n']), 'a\0b\0\n'],
    ['bytes that are no UTF-8', served(['01.', 'a\xff\xfe\x80\n']), 'a\xff\xfe\x80\n'],
    ['text that looks like a stamp', served(['01.', `${stamp('09.')} x\n`]), `${stamp('09.')} x\n`],
    ['equal lines at one time', served(['01.', 'x\n'], ['01.', 'x\n'], ['01.', 'x\n']), 'x\nx\nx\n'],
    ['lines out of order', served(['02.', 'b\n'], ['01.999999', 'a\n']), 'b\na\n'],
  ])('%s', (_, stream, expected) => {
    for (const chunkSize of [1, 2, 7, 31, 1000]) {
      const log = new Assembled().stream(Buffer.from(stream, 'latin1'), [chunkSize]);
      log.log.finish();
      expect(log.text).toBe(expected);
      expect(log.log.foreign).toBe('');
    }
  });

  test.each([64 * 1024 - 32, 64 * 1024 - 31, 64 * 1024, 64 * 1024 + 1, 1024 * 1024])(
    'a line of %i bytes, in chunks of any size',
    length => {
      const line = Buffer.alloc(length, 'abcdefghij');
      const stream = Buffer.concat([Buffer.from(served(['01.', 'before\n'], ['02.', ''])), line, Buffer.from('\n')]);
      for (const chunkSizes of [[1024 * 1024 * 2], [65536], [16384, 1, 5], [4093], [64 * 1024 + 30]]) {
        const log = new Assembled().stream(stream, chunkSizes).stream(Buffer.from(served(['02.', ''])));
        log.stream(Buffer.concat([stream, Buffer.from(served(['02.', 'after\n']))]), chunkSizes);
        log.log.finish();
        const expected = Buffer.concat([Buffer.from('before\n'), line, Buffer.from('\nafter\n')]);
        expect(log.bytes.equals(expected)).toBe(true);
      }
    },
  );

  test('a line of 1 MiB is passed on as it comes, not held', () => {
    const log = new Assembled();
    log.log.begin();
    log.log.push(Buffer.from(served(['01.', ''])));
    for (let pieces = 0; pieces < 16; pieces++) log.log.push(Buffer.alloc(64 * 1024, 'x'));
    expect(log.bytes.length).toBe(1024 * 1024);
  });

  test('an unfinished line is held until it is whole', () => {
    const log = assembled(served(['01.', 'a\n'], ['02.', 'half']));
    expect(log.text).toBe('a\n');
    log.log.push(Buffer.from(' and half\n'));
    expect(log.text).toBe('a\nhalf and half\n');
  });
});

describe('resumed streams', () => {
  test.each([
    [undefined, ''],
    [undefined, served(['05.', 'unfinished'])],
    ['2026-03-01T12:00:04Z', served(['05.999999999', 'a\n'])],
    ['2026-03-01T11:59:59Z', served(['00.', 'a\n'])],
    ['2026-03-01T12:00:04Z', served(['06.', 'b\n'], ['05.999', 'the last in the file\n'])],
    ['2026-03-01T12:00:04Z', '2026-03-01T14:00:05.000000000+02:00 a\n'],
  ])('go on from %s', (from, stream) => {
    expect(assembled(stream).log.resumeFrom).toBe(from);
  });

  test.each([
    [
      'repeat what was there',
      [served(['01.', 'a\n'], ['02.', 'b\n']), served(['01.', 'a\n'], ['02.', 'b\n'], ['03.', 'c\n'])],
      'a\nb\nc\n',
    ],
    [
      'bring a line that had broken off',
      [served(['01.', 'a\n'], ['02.', 'bro']), served(['01.', 'a\n'], ['02.', 'broken\n'])],
      'a\nbroken\n',
    ],
    [
      'have more equal lines than before',
      [served(['01.', 'x\n'], ['01.', 'x\n']), served(['01.', 'x\n'], ['01.', 'x\n'], ['01.', 'x\n'])],
      'x\nx\nx\n',
    ],
    [
      'bring a line that is older than the last',
      [served(['02.000001', 'b\n']), served(['02.000001', 'b\n'], ['02.', 'a\n'])],
      'b\na\n',
    ],
    [
      'begin two seconds before the newest line, when the last in the file is older than that',
      [
        served(['08.5', 'a\n'], ['10.', 'b\n'], ['09.999999', 'c\n']),
        served(['08.5', 'a\n'], ['10.', 'b\n'], ['09.999999', 'c\n'], ['10.1', 'd\n']),
      ],
      'a\nb\nc\nd\n',
    ],
    [
      'begin with the tail of a long line',
      [served(['01.9', 'head and tail\n'], ['03.', 'b\n']), `and tail\n${served(['03.', 'b\n'], ['03.', 'c\n'])}`],
      'head and tail\nb\nc\n',
    ],
    [
      'begin anew when no line had been whole',
      [served(['01.', 'unfin']), served(['01.', 'unfinished\n'], ['02.', 'b\n'])],
      'unfinished\nb\n',
    ],
    [
      'bring none of what was there, for it was rotated away',
      [served(['01.', 'a\n']), served(['02.', 'b\n'])],
      'a\nb\n',
    ],
  ])('%s', (_, streams, expected) => {
    const log = assembled(...streams);
    log.log.finish();
    expect(log.text).toBe(expected);
    expect(log.log.foreign).toBe('');
  });

  test('a line of 1 MiB that breaks off again and again comes once', () => {
    const line = Buffer.alloc(1024 * 1024, 'abcdefghijklmnopq');
    const whole = Buffer.concat([Buffer.from(served(['01.', 'a\n'], ['02.', ''])), line, Buffer.from('\n')]);
    const log = new Assembled();
    for (const cut of [100_000, 50, 300, 2000, 90_000, 500_000, 400_000, whole.length - 1, whole.length])
      log.stream(whole.subarray(0, cut), [16_384]);
    log.log.finish();
    expect(log.bytes.equals(Buffer.concat([Buffer.from('a\n'), line, Buffer.from('\n')]))).toBe(true);
  });

  test('of two long lines that begin alike at one time, the second goes on where it broke off', () => {
    const [first, second] = [Buffer.alloc(70_000, 'x'), Buffer.alloc(140_000, 'x')];
    const whole = Buffer.concat([
      Buffer.from(served(['01.', ''])),
      first,
      Buffer.from(`\n${served(['01.', ''])}`),
      second,
      Buffer.from('\n'),
    ]);
    const log = new Assembled().stream(whole.subarray(0, 170_000)).stream(whole);
    expect(log.bytes.equals(Buffer.concat([first, Buffer.from('\n'), second, Buffer.from('\n')]))).toBe(true);
  });
});

test.each([
  ['in a line that was to be repeated', [served(['01.', 'hello\n']), served(['01.', 'hel'])], 'hello\n'],
  ['in a new line', [served(['01.', 'hello\n'], ['02.', 'wor'])], 'hello\nwor'],
  [
    'and had more of the last line before',
    [served(['01.', 'a\n'], ['02.', 'unfinished']), served(['01.', 'a\n']), served(['01.', 'a\n'], ['02.', 'unf'])],
    'a\nunfinished',
  ],
  ['when nothing came any more', [served(['01.', 'a\n'], ['02.', 'unfinished']), ''], 'a\nunfinished'],
  ['in a new line behind those repeated', [served(['01.', 'a\n']), served(['01.', 'a\n'], ['02.', 'wor'])], 'a\nwor'],
])('given up %s', (_, streams, expected) => {
  const log = assembled(...streams);
  log.log.abandon();
  expect(log.text).toBe(expected);
  expect(log.gaps).toEqual([]);
});

test('a stamp of no existing day in the tail of a long line is text of the container', () => {
  const whole = served(['01.9', 'head 2026-13-41T12:00:07.123456789Z tail\n'], ['03.', 'b\n']);
  const log = assembled(whole, `2026-13-41T12:00:07.123456789Z tail\n${served(['03.', 'b\n'], ['03.1', 'c\n'])}`);
  expect(log.text).toBe('head 2026-13-41T12:00:07.123456789Z tail\nb\nc\n');
  expect(log.log.resumeFrom).toBe('2026-03-01T12:00:02Z');
});

describe('text that is no line of the log', () => {
  const error = 'unable to retrieve container logs for containerd://0123456789abcdef';

  test.each([
    ['alone', [error]],
    ['alone, with a newline', [`${error}\n`]],
    ['behind lines', [served(['01.', 'a\n']) + error]],
    ['between lines', [`${served(['01.', 'a\n'])}${error}\n${served(['02.', 'b\n'])}`]],
    ['at the start of the first stream', [`${error}\n${served(['01.', 'a\n'])}`]],
    ['behind the lines of a resumed stream', [served(['01.', 'a\n']), served(['01.', 'a\n']) + error]],
    ['all that a resumed stream brings', [served(['01.', 'a\n']), error]],
  ])('%s, is known and never passed on', (_, streams) => {
    const log = assembled(...streams);
    expect(log.log.foreign).toContain(error);
    log.log.finish();
    expect(log.text).toBe(log.text.replace(/[^ab\n]/g, ''));
  });

  test('is forgotten with the next stream', () => {
    const log = assembled(served(['01.', 'a\n']) + error, served(['01.', 'a\n'], ['02.', 'b\n']));
    expect(log.log.foreign).toBe('');
    expect(log.text).toBe('a\nb\n');
  });

  test('is not the half of a stamp only', () => {
    expect(assembled(`${served(['01.', 'a\n'])}2026-03-0`).log.foreign).toBe('2026-03-0');
  });
});

describe('the position', () => {
  const whole = served(['01.', 'a\n'], ['02.', 'b\n'], ['03.', 'last']);
  const positionAfter = (...streams: string[]) => assembled(...streams).log.position;

  test('is the same after two readings of the whole log, one of them a followed first one', () => {
    expect(positionAfter(whole, whole)).toBe(positionAfter(whole));
    expect(positionAfter(whole, whole, whole)).toBe(positionAfter(whole));
  });

  test('is the same when the log is longer than what is repeated of it', () => {
    const [before, rest] = [served(['01.', 'a\n'], ['05.', 'b\n']), served(['06.', 'c\n'])];
    const log = assembled(before + rest);
    const { position } = log.log;
    expect(log.stream(Buffer.from(served(['05.', 'b\n']) + rest)).log.position).toBe(position);
  });

  test.each(Array.from({ length: whole.length }, (_, cut) => cut))('differs for a stream that was cut at %i', cut => {
    expect(positionAfter(whole, whole.slice(0, cut))).not.toBe(positionAfter(whole));
    expect(positionAfter(whole.slice(0, cut), whole)).not.toBe(positionAfter(whole.slice(0, cut)));
  });
});

describe('a clock that is set back', () => {
  const before = Array.from({ length: 30 }, (_, line): [string, string] => [`${10 + line}.`, `line ${line}\n`]);
  const after: [string, string][] = [
    ['20.5', 'set back\n'],
    ['20.6', 'more\n'],
  ];
  const all = served(...before, ...after);
  /** What the kubelet serves from the second 19 on, for each line by itself. */
  const resumed = served(...before.slice(9), ...after);

  test('by many seconds repeats nothing, though what comes again has long been forgotten line by line', () => {
    const log = assembled(all, `${resumed}${served(['21.', 'new\n'])}`);
    expect(log.text).toBe(served(...before, ...after, ['21.', 'new\n']).replace(/^\S+ /gm, ''));
    expect(log.gaps).toEqual([]);
  });

  test('comes again and again, cut anywhere', () => {
    const written = all.replace(/^\S+ /gm, '');
    for (let cut = 0; cut <= resumed.length; cut += 7) {
      const log = assembled(all, resumed.slice(0, cut), resumed, resumed);
      expect(log.text).toBe(written);
    }
  });

  test('has new lines in the same old seconds', () => {
    const twice = served(
      ...before,
      ['15.5', 'again\n'],
      ['16.5', 'and again\n'],
      ['30.5', 'later\n'],
      ['34.', 'far\n'],
      ['14.', 'back\n'],
    );
    const rest = served(
      ...before.slice(3),
      ['15.5', 'again\n'],
      ['16.5', 'and again\n'],
      ['30.5', 'later\n'],
      ['34.', 'far\n'],
      ['14.', 'back\n'],
      ['15.', 'new\n'],
    );
    expect(assembled(twice, rest).text).toBe(`${twice}${served(['15.', 'new\n'])}`.replace(/^\S+ /gm, ''));
  });
});

describe('what the node has thrown away', () => {
  const gapBefore = (to: string | undefined) => [[stamp('02.'), to]];
  const first = served(['01.', 'a\n'], ['02.', 'b\n']);

  test('is told before the line that follows, with both times', () => {
    const told: string[] = [];
    const log = new LogAssembler({
      emit: bytes => told.push(Buffer.from(bytes).toString()),
      gap: (from, to) => told.push(`gap ${from} ${to}`),
    });
    log.begin();
    log.push(Buffer.from(first));
    log.begin();
    log.push(Buffer.from(served(['05.', 'e\n'], ['06.', 'f\n'])));
    log.finish();
    expect(told).toEqual(['a\nb\n', `gap ${stamp('02.')} ${stamp('05.')}`, 'e\nf\n']);
  });

  test('is told once, and not by the streams that follow', () => {
    const rest = served(['05.', 'e\n']);
    const log = assembled(first, rest, rest, rest);
    log.log.finish();
    expect(log.gaps).toEqual(gapBefore(stamp('05.')));
    expect(log.text).toBe('a\nb\ne\n');
  });

  test('may be the end', () => {
    const log = assembled(first, '', '');
    log.log.finish();
    expect(log.gaps).toEqual(gapBefore(undefined));
  });

  test('may be what a stream has brought that came to the end', () => {
    const log = assembled(first, '', '');
    log.log.finish(true);
    expect(log.gaps).toEqual([]);
  });

  test('is nothing where only lines went that had been read', () => {
    const log = assembled(first, served(['02.', 'b\n'], ['03.', 'c\n']));
    log.log.finish();
    expect(log.gaps).toEqual([]);
    expect(log.text).toBe('a\nb\nc\n');
  });

  test('may be the rest of a long line, which ends where it is', () => {
    const long = `${served(['03.', ''])}${'x'.repeat(70_000)}`;
    const log = assembled(first + long, served(['05.', 'e\n']));
    expect(log.text).toBe(`a\nb\n${'x'.repeat(70_000)}\ne\n`);
    expect(log.gaps).toEqual(gapBefore(stamp('05.')));
  });

  test('is nothing where a long line goes on, be it all that is left', () => {
    const long = `${served(['03.', ''])}${'x'.repeat(70_000)}`;
    const log = assembled(first + long, `${long}yz\n${served(['05.', 'e\n'])}`);
    expect(log.text).toBe(`a\nb\n${'x'.repeat(70_000)}yz\ne\n`);
    expect(log.gaps).toEqual([]);
  });

  test('is not thought of a stream that is not trusted: it is another log, and nothing of it comes out', () => {
    const log = assembled(first);
    log.log.begin(false);
    log.log.push(Buffer.from(served(['05.', 'e\n'], ['06.', `${'x'.repeat(70_000)}`])));
    expect(log.log.unexpected).toBe(true);
    log.log.begin(false);
    log.log.push(Buffer.from(served(['02.', 'b\n'], ['05.', 'e\n'])));
    log.log.finish();
    expect(log.log.unexpected).toBe(false);
    expect(log.text).toBe('a\nb\ne\n');
    expect(log.gaps).toEqual([]);
  });
});

describe('a log that the node has rotated in the middle of a long line', () => {
  /** Text that does not repeat itself, from `from` on. */
  const text = (from: number, length: number) =>
    Array.from({ length: length / 8 }, (_, index) => String(from / 8 + index).padStart(8, '.')).join('');
  const [before, after] = [served(['01.', 'a\n']), served(['03.', 'b\n'], ['03.1', 'c\n'])];
  const long = (length: number) => `${served(['02.', ''])}${text(0, length)}`;
  /** The line's rest, which begins the new file under the time of its first fragment. */
  const rest = (from: number, to: number) => `${served(['02.5', ''])}${text(from, to - from)}`;

  test.each([16, 24, 96])(
    'has nothing twice when the line, which is the last but some, is read again from its %i. KiB on',
    kib => {
      const log = assembled(`${before}${long(102_400)}\n${after}`, `${rest(kib * 1024, 102_400)}\n${after}`);
      log.stream(Buffer.from(`${rest(kib * 1024, 102_400)}\n${after}`)).log.finish();
      expect(log.text === `a\n${text(0, 102_400)}\nb\nc\n`).toBe(true);
      expect(log.gaps).toEqual([]);
    },
  );

  test.each([102_400, 102_408, 98_312])(
    'nor when the line of %i bytes is the last, of which only the last fragment is left',
    length => {
      const end = `${rest(98_304, length)}\n`;
      const log = assembled(`${before}${long(length)}\n`, end, end);
      expect(log.log.isShort).toBe(false);
      log.stream(Buffer.from(`${end}${after}`)).log.finish();
      expect(log.text === `a\n${text(0, length)}\nb\nc\n`).toBe(true);
      expect(log.gaps).toEqual([]);
    },
  );

  test.each(['a\n', ''])('goes on where the line broke off, after %j', first => {
    const log = assembled(`${first && before}${long(80_000)}`, rest(65_536, 160_000), rest(65_536, 200_000));
    log.stream(Buffer.from(`${rest(163_840, 302_400)}\n${after}`), [1000]).log.finish();
    expect(log.text === `${first}${text(0, 302_400)}\nb\nc\n`).toBe(true);
    expect(log.gaps).toEqual([]);
  });

  test('has nothing twice when the rest is an empty fragment, by its time between two lines', () => {
    const log = assembled(`${before}${long(98_304)}\n${after}`, `${served(['02.5', '\n'])}${after}`);
    log.log.finish();
    expect(log.text === `a\n${text(0, 98_304)}\nb\nc\n`).toBe(true);
    expect(log.gaps).toEqual([]);
  });

  test('may have lost some of it, where the line repeats itself: that cannot be told', () => {
    const [line, end] = [`${served(['02.', 'x'.repeat(80_000)])}`, `${served(['02.5', 'x'.repeat(70_000)])}\n${after}`];
    const log = assembled(`${before}${line}`, end);
    expect(log.text === `a\n${'x'.repeat(80_000)}\n${'x'.repeat(70_000)}\nb\nc\n`).toBe(true);
    expect(log.gaps).toEqual([[stamp('01.'), stamp('02.5')]]);
  });

  test('may have lost some of it', () => {
    const log = assembled(`${before}${long(80_000)}`, `${rest(98_304, 102_400)}\n${after}`);
    expect(log.text === `a\n${text(0, 80_000)}\n${text(98_304, 4096)}\nb\nc\n`).toBe(true);
    expect(log.gaps).toEqual([[stamp('01.'), stamp('02.5')]]);
  });

  test('may have lost some of it, and that was the first line', () => {
    const log = assembled(long(80_000), `${rest(98_304, 102_400)}\n${after}`);
    expect(log.gaps).toEqual([[stamp('02.'), stamp('02.5')]]);
  });
});

describe('another run of the container', () => {
  test('begins anew, and repeats what an earlier stream has brought of it', () => {
    // The first stream was opened for a run that had printed nothing, and brought the next one's.
    const log = assembled(served(['05.', 'x\n'], ['05.', 'x\n'], ['06.', 'y\n']));
    log.log.nextInstance();
    expect(log.log.resumeFrom).toBeUndefined();
    log.stream(Buffer.from(served(['05.', 'x\n'], ['05.', 'x\n'], ['06.', 'y\n'], ['07.', 'z\n'])));
    log.log.finish();
    expect(log.text).toBe('x\nx\ny\nz\n');
    expect(log.gaps).toEqual([]);
  });

  test('that began in the second in which the one before ended is known again from its start', () => {
    const log = assembled(served(['02.', 'old\n']));
    log.log.nextInstance();
    const run = served(['02.5', 'x\n'], ['05.', 'y\n'], ['08.', 'z\n']);
    log.stream(Buffer.from(run));
    log.log.startOver();
    log.stream(Buffer.from(run));
    expect(log.text).toBe('old\nx\ny\nz\n');
  });

  test('ends a long line that the one before has left unfinished', () => {
    const log = assembled(`${served(['03.', ''])}${'x'.repeat(70_000)}`);
    log.log.begin();
    log.log.abandon();
    log.log.nextInstance();
    log.stream(Buffer.from(served(['05.', 'e\n'])));
    expect(log.text).toBe(`${'x'.repeat(70_000)}\ne\n`);
  });
});

describe('a line is known', () => {
  const log = assembled(served(['01.', 'a\n'], ['02.', 'b\n'], ['03.', 'unfin'])).log;
  test.each([
    ['that has come', served(['02.', 'b\n']), true],
    ['that has begun to come', served(['03.', 'unfinished\n']), true],
    ['that has not', served(['02.', 'c\n']), false],
    ['that is later', served(['04.', 'b\n']), false],
    ['that is none', 'rpc error', true],
    ['that is nothing', '', true],
  ])('%s: %s is %s', (_, line, known) => {
    expect(log.knows(Buffer.from(line))).toBe(known);
  });
});

test('a progress bar is passed on before its line has an end, once it is long enough to be known again', () => {
  const bar = Array.from({ length: 300 }, (_, step) => `${step} %`).join('\r');
  const stream = served(['01.', bar]);
  const log = assembled(stream.slice(0, 900));
  expect(log.text).toBe('');
  log.stream(Buffer.from(stream)).stream(Buffer.from(`${stream}\n${served(['02.', 'done\n'])}`), [50]);
  expect(log.text).toBe(`${bar}\ndone\n`);
});

describe('property', () => {
  /** Around the turn of a second, where time stamps out of order fall into different ones. */
  const fraction = fc.constantFrom(0n, 1n, 80n, 500_000_000n, 999_999_930n, 999_999_999n);
  const time = fc.record({
    seconds: fc.oneof({ weight: 5, arbitrary: fc.constant(0n) }, fc.constantFrom(1n, 2n, 3n, 60n)),
    fraction,
    lateness: fc.constantFrom(0n, 0n, 1n, 90n, 2000n),
  });
  const length = fc.oneof(
    { weight: 20, arbitrary: fc.nat(6) },
    { weight: 2, arbitrary: fc.integer({ min: 980, max: 1040 }) },
    { weight: 1, arbitrary: fc.integer({ min: 65_490, max: 65_560 }) },
    { weight: 1, arbitrary: fc.integer({ min: 120_000, max: 300_000 }) },
  );
  const content = fc.record({ byte: fc.constantFrom(0x61, 0x62, 0x00, 0x0d, 0xff, 0xc3), length });
  const line = fc.record({ time, content, parts: fc.array(time, { maxLength: 2 }) });
  const cut = fc.oneof(fc.nat(400), fc.nat(1_000_000), fc.constant(Number.POSITIVE_INFINITY));
  const scenario = fc.record({
    lines: fc.array(line, { maxLength: 14 }),
    zone: fc.constantFrom('Z', '+05:30', '-08:00'),
    finalNewline: fc.boolean(),
    cuts: fc.array(cut, { maxLength: 6 }),
    chunkSizes: fc.array(fc.constantFrom(1, 3, 40, 1000, 16_384, 65_536, 300_000), { minLength: 1, maxLength: 4 }),
  });

  /** The longer a chunk list takes, the more bytes it may be slow for. */
  const fitting = (sizes: readonly number[], bytes: number) =>
    bytes > 20_000 ? sizes.map(size => Math.max(size, 1000)) : sizes;

  function logOf({ lines, zone, finalNewline }: typeof scenario extends fc.Arbitrary<infer S> ? S : never): ServedLog {
    let now = BigInt(Date.UTC(2026, 2, 1, 12)) * 1_000_000n;
    const next = (step: { seconds: bigint; fraction: bigint; lateness: bigint }): bigint => {
      const then = (now / 1_000_000_000n + step.seconds) * 1_000_000_000n + step.fraction;
      if (then > now) now = then;
      return now - step.lateness;
    };
    const partsOf = ({ time, content, parts }: (typeof lines)[number]): Part[] => {
      const bytes = Buffer.alloc(content.length, content.byte);
      const splits = [0, ...parts.map((_, index) => Math.floor((bytes.length * (index + 1)) / (parts.length + 1)))];
      // Lines overtake each other (stdout and stderr), the parts of one do not.
      let before = 0n;
      return [time, ...parts].map((step, index) => {
        const at = next(step);
        if (at > before) before = at;
        return { at: before, bytes: bytes.subarray(splits[index], splits[index + 1] ?? bytes.length) };
      });
    };
    // The kubelet knows no line that has neither text nor an end.
    const empty = lines.at(-1)?.content.length === 0;
    return new ServedLog(lines.map(partsOf), { zone, finalNewline: finalNewline || empty });
  }

  const isPrefix = (bytes: Buffer, whole: Buffer) => whole.subarray(0, bytes.length).equals(bytes);

  test('cut anywhere, resumed, and read twice at the end, the log is what the container wrote', () => {
    fc.assert(
      fc.property(scenario, given => {
        const server = logOf(given);
        const { written } = server;
        const log = new Assembled();
        for (const cut of given.cuts) {
          const bytes = server.since(log.log.resumeFrom);
          log.stream(bytes.subarray(0, cut), fitting(given.chunkSizes, bytes.length));
          expect(isPrefix(log.bytes, written)).toBe(true);
        }
        const positions = [1, 2, 3].map(() => {
          const bytes = server.since(log.log.resumeFrom);
          return log.stream(bytes, fitting(given.chunkSizes, bytes.length)).log.position;
        });
        expect(new Set(positions).size).toBe(1);
        log.log.finish();
        expect(log.bytes.equals(written)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  test('rotated anywhere within what has been read, be it in the middle of a line, the log is whole and no gap is told', () => {
    const lengths = fc.array(fc.oneof(fc.nat(60), fc.integer({ min: 16_000, max: 120_000 })), { maxLength: 6 });
    const rotated = fc.record({
      lengths,
      read: fc.nat(),
      cut: fc.nat(40_000),
      fileStart: fc.nat(),
      perSecond: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(rotated, ({ lengths, read, cut, fileStart, perSecond }) => {
        let [word, part] = [0, 0];
        const bytesOf = (length: number) =>
          Buffer.from(
            Array.from({ length: Math.ceil(length / 8) }, () => String(word++).padStart(8, '.'))
              .join('')
              .slice(0, length),
          );
        const lines = lengths.map((length): Part[] => {
          const bytes = bytesOf(length);
          return Array.from({ length: Math.max(1, Math.ceil(length / 16_384)) }, (_, index) => ({
            at:
              BigInt(Date.UTC(2026, 2, 1, 12)) * 1_000_000n + BigInt(Math.floor((part++ * 1_000_000_000) / perSecond)),
            bytes: bytes.subarray(index * 16_384, (index + 1) * 16_384),
          }));
        });
        const server = new ServedLog(lines);
        const whole = server.since(undefined);
        const first = new ServedLog(lines.slice(0, read % (lines.length + 1))).since(undefined);
        const log = new Assembled().stream(whole.subarray(0, first.length + cut));
        // Of what has been passed on, the last part at least is still there.
        let passed = 0;
        const parts = lines.flatMap(line =>
          line.map(({ bytes }, number) => (passed += bytes.length + (number === line.length - 1 ? 1 : 0))),
        );
        const gone = parts.filter(end => end < log.bytes.length).length;
        for (let readings = 0; readings < 2; readings++)
          log.stream(server.since(log.log.resumeFrom, gone === 0 ? 0 : fileStart % (gone + 1)));
        log.log.finish();
        expect(log.bytes.equals(server.written)).toBe(true);
        expect(log.gaps).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('given up at any point, what was passed on is the beginning of what the container wrote', () => {
    fc.assert(
      fc.property(scenario, given => {
        const server = logOf(given);
        const log = new Assembled();
        for (const cut of given.cuts) {
          const bytes = server.since(log.log.resumeFrom);
          log.stream(bytes.subarray(0, cut), fitting(given.chunkSizes, bytes.length));
        }
        log.log.abandon();
        expect(isPrefix(log.bytes, server.written)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
