import { describe, expect, test } from '@jest/globals';
import { JobLog } from '../../../src/github/commands.ts';
import { type Appearance, ShownContainer } from '../../../src/run/logs/shown-container.ts';

/** What the job log was given: text as it is, and commands in brackets. */
class Recorded extends JobLog {
  text = '';
  override output(text: string): void {
    this.text += text;
  }
  override line(text: string): void {
    this.text += `<${text}>`;
  }
  override annotation(level: string, message: string, properties: object): void {
    this.text += `<${level} ${message} ${JSON.stringify(properties)}>`;
  }
  override group(name: string): void {
    this.text += `<group ${name}>`;
  }
  override endGroup(): void {
    this.text += '<endgroup>';
  }
}

/** Shows `text`, in chunks of all sizes; the same has to come out each time. */
function shown(text: string | Buffer, appearance: Partial<Appearance> = {}): string {
  const bytes = Buffer.from(text as string);
  const texts = [1, 2, 3, 7, 64, bytes.length || 1].map(size => {
    const log = new Recorded();
    const container = new ShownContainer(log, { prefix: '', alone: true, annotations: false, ...appearance });
    for (let from = 0; from < bytes.length; from += size) container.write(bytes.subarray(from, from + size));
    container.end(true);
    return log.text;
  });
  expect(new Set(texts).size).toBe(1);
  return texts[0] ?? '';
}

describe('a container alone is shown', () => {
  test.each([
    ['its text', 'one\n\ntwo\n', 'one\n\ntwo\n'],
    ['a last line without its end', 'one\ntwo', 'one\ntwo'],
    ['CRLF', 'one\r\ntwo\r\n', 'one\ntwo\n'],
    ['a progress bar', '1 %\r2 %\r100 %\n', '1 %\n2 %\n100 %\n'],
    ['characters of four bytes', '\u{1f680}\u{1f680}\n', '\u{1f680}\u{1f680}\n'],
    ['colours, and nothing else of a terminal', '\u001b[31mred\u001b[0m\u001b[2K\u0000\n', '\u001b[31mred\u001b[0m\n'],
    ['a byte order mark', '\ufeffx\n', '\ufeffx\n'],
    ['commands', '::error::x\n', '::error::x\n'],
  ])('with %s', (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('with what is no UTF-8 replaced', () => {
    expect(shown(Buffer.from([0xff, 0x41, 0xc3, 0x0a, 0xe2, 0x82]))).toBe('\ufffdA\ufffd\n\ufffd');
  });
});

describe('one of several is shown', () => {
  const beside = { prefix: '[base] ', alone: false };

  test.each([
    ['each line with its name', 'one\n\ntwo\n', '[base] one\n[base] \n[base] two\n'],
    ['its last line ended', 'one\ntwo', '[base] one\n[base] two\n'],
    ['a progress bar’s steps named', '1 %\r2 %\r\n', '[base] 1 %\n[base] 2 %\n'],
    ['nothing at all', '', ''],
  ])('%s', (_, text, expected) => {
    expect(shown(text, beside)).toBe(expected);
  });

  test('keeps nobody waiting for the end of a line that is a progress bar', () => {
    const log = new Recorded();
    const container = new ShownContainer(log, { ...beside, annotations: false });
    container.write(Buffer.from('1 %\r2 %\r3'));
    expect([log.text, container.midLine]).toEqual(['[base] 1 %\n[base] 2 %\n', false]);
    container.write(Buffer.alloc(70_000, 'x'));
    expect(container.midLine).toBe(true);
  });

  test('without names, with its last line ended all the same', () => {
    expect(shown('one\ntwo', { prefix: '', alone: false })).toBe('one\ntwo\n');
  });
});

test('one that is started again begins anew', () => {
  for (const alone of [true, false]) {
    const log = new Recorded();
    const container = new ShownContainer(log, { prefix: alone ? '' : '[base] ', alone, annotations: true });
    container.write(Buffer.from('half \u001b]0;title, \xc3'));
    container.end(false);
    expect(container.midLine).toBe(false);
    container.write(Buffer.from('new\n::notice::yes\n::group::never ended\nx'));
    container.end(false);
    container.write(Buffer.from('::notice::again\n'));
    container.end(true);
    const rest = alone
      ? 'half \nnew\n<notice yes {}><group never ended>x\n<endgroup><notice again {}>'
      : '[base] half \n[base] new\n<notice yes {}><group never ended>[base] x\n<endgroup><notice again {}>';
    expect(log.text).toBe(rest);
  }
});

describe('with annotations', () => {
  const annotations = { annotations: true };

  test('commands are carried out where they stand', () => {
    expect(shown('before\n::warning file=a.py,line=3::careful\nafter\n', annotations)).toBe(
      'before\n<warning careful {"file":"a.py","startLine":3}>after\n',
    );
  });

  test('a group that is left open ends with the log', () => {
    expect(shown('::group::rows\nx\n', annotations)).toBe('<group rows>x\n<endgroup>');
  });

  test('a last line without its end is a command too', () => {
    expect(shown('::notice::done', annotations)).toBe('<notice done {}>');
  });

  test('a command stands at the start of the container’s line, whose name is then not shown', () => {
    expect(shown('x\n::notice::done\ny\n', { ...annotations, prefix: '[base] ', alone: false })).toBe(
      '[base] x\n<notice done {}>[base] y\n',
    );
  });

  test('what is too much stays text, and is counted', () => {
    const text = shown('::error::x\n'.repeat(10), annotations);
    expect(text).toBe(
      `${'<error x {}>'.repeat(8)}${'::error::x\n'.repeat(2)}<2 more annotations of the container’s stayed text: GitHub shows ten of each kind for a step.>`,
    );
  });
});
