import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { JobLog } from '../../src/github/commands.ts';
import { jobLogText, plainText } from '../../src/github/terminal.ts';
import { CommandProcessor, type ExecutedCommand } from '../support/command-processor.ts';
import { OutputLines } from '../support/output-lines.ts';

let log: JobLog;
/** All that was written to stdout. */
let written: string;

function startLog(): void {
  log = new JobLog();
  written = '';
}

beforeEach(() => {
  startLog();
  jest.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
    written += text;
    done?.();
    return true;
  }) as typeof process.stdout.write);
});
afterEach(() => {
  jest.restoreAllMocks();
  delete process.env['RUNNER_DEBUG'];
});

/** What the runner makes of it. */
function processed(debug = false): { runner: CommandProcessor; executed: ExecutedCommand[]; shown: string[] } {
  const lines = new OutputLines();
  const runner = new CommandProcessor({ debug });
  const results = [...lines.push(Buffer.from(written)), ...lines.end()].map(line => runner.line(line));
  const ours = (command: ExecutedCommand | undefined) =>
    command !== undefined && (command.name === 'stop-commands' || command.name === token().toLowerCase());
  return {
    runner,
    executed: runner.commands.filter(command => !ours(command)),
    shown: results.filter(({ command }) => !ours(command)).flatMap(({ shown }) => shown),
  };
}

function token(): string {
  return /^::stop-commands::(.*)$/m.exec(written)?.[1] ?? 'no token';
}

/** stdout without the fence lines' token, which is another one each time. */
function fenced(): string {
  return written.replaceAll(token(), 'TOKEN');
}

describe('text', () => {
  test('goes out inside the fence, which is set once', () => {
    log.line('one');
    log.output('two\nthr');
    log.output('ee\n');
    expect(fenced()).toBe('::stop-commands::TOKEN\none\ntwo\nthree\n');
  });

  test('of a line starts on a line of its own', () => {
    log.output('unfinished');
    log.line('a line');
    expect(fenced()).toBe('::stop-commands::TOKEN\nunfinished\na line\n');
  });

  test('of no length prints nothing', () => {
    log.output('');
    expect(written).toBe('');
  });

  test('of many lines stays many lines', () => {
    log.line('a\nb\r\nc');
    expect(fenced()).toBe('::stop-commands::TOKEN\na\nb\nc\n');
  });

  test('loses its terminal control, not its colours', () => {
    log.line('\u001b[31mred\u001b[0m\u001b[2J\u001b]0;title\u0007');
    expect(fenced()).toBe('::stop-commands::TOKEN\n\u001b[31mred\u001b[0m\n');
  });

  test('is fenced by a token of 48 characters, another one for each log', () => {
    log.line('x');
    const first = token();
    startLog();
    log.line('x');
    expect(first).toMatch(/^[0-9a-f]{48}$/);
    expect(token()).not.toBe(first);
  });
});

describe('commands', () => {
  test('before any text need no fence', () => {
    log.error('Title', 'Message');
    expect(written).toBe('::error title=Title::Message\n');
  });

  test('stand outside the fence, and what follows inside again', () => {
    log.line('before');
    log.error('Title', 'Message');
    log.line('after');
    expect(fenced()).toBe(
      '::stop-commands::TOKEN\nbefore\n::TOKEN::\n::error title=Title::Message\n::stop-commands::TOKEN\nafter\n',
    );
  });

  test('start on a line of their own after unfinished output', () => {
    log.output('unfinished');
    log.warning('Title', 'Message');
    expect(fenced()).toBe('::stop-commands::TOKEN\nunfinished\n::TOKEN::\n::warning title=Title::Message\n');
  });

  test('in a row lift the fence once', () => {
    log.line('x');
    log.notice('A', 'a');
    log.notice('B', 'b');
    expect(fenced().match(/TOKEN/g)).toHaveLength(2);
  });

  test.each(['error', 'warning', 'notice'] as const)('%s is an annotation with title and message', level => {
    log[level]('Title', 'Message\nof two lines');
    expect(processed().runner.annotations).toEqual([
      { level, title: 'Title', message: 'Message\nof two lines', properties: { title: 'Title' } },
    ]);
  });

  test.each([
    ['a comma and another property', 'Title,file=a.ts,line=1', 'Message'],
    ['the end of the properties', 'Title::Message', 'Message'],
    ['a line end and a command', 'Title\n::set-output name=a::b', 'Message'],
    ['a percent code', 'Title%0A%2Cfile=a.ts', 'Message'],
    ['a line end in the message', 'Title', 'Message\r\n::add-mask::a'],
    ['percent codes in the message', 'Title', 'Message%0A%25::add-mask::a'],
    ['an old command in the message', 'Title', '##[set-env name=a]b'],
  ])('with %s in it stay one annotation of that title and message', (_, title, message) => {
    log.error(title, message);
    const expected = { level: 'error', title, message: plainText(message), properties: { title } };
    const { executed, runner } = processed();
    expect(runner.annotations).toEqual([expected]);
    expect(executed).toHaveLength(1);
  });

  test('of an annotation lose their terminal control', () => {
    log.error('\u001b[2JTitle\u0007', '\u001b]0;x\u0007Message');
    expect(written).toBe('::error title=Title::Message\n');
  });

  test('for debugging are printed when the workflow was started so', () => {
    process.env['RUNNER_DEBUG'] = '1';
    log.debug('detail\n::warning::x');
    expect(processed(true)).toMatchObject({
      shown: ['##[debug]detail\n::warning::x'],
      executed: [{ name: 'debug', data: 'detail\n::warning::x' }],
    });
  });

  test('for debugging are not printed else, and do not lift the fence', () => {
    log.line('x');
    log.debug('detail');
    expect(fenced()).toBe('::stop-commands::TOKEN\nx\n');
  });

  test('mask each line of a secret', () => {
    log.mask('first line\r\nsecond line\n');
    log.line('this is the second line');
    expect(processed()).toMatchObject({ runner: { masks: ['first line', 'second line'] }, shown: ['this is the ***'] });
  });

  test('mask a secret as it is shown, without the control characters that never reach the log', () => {
    log.mask('top\u0001secret\u0002value');
    log.line('top\u0001secret\u0002value');
    expect(processed().shown).toEqual(['***']);
  });

  test('mask no line that is next to nothing, for it would be hidden everywhere', () => {
    log.mask('{\n  "key": "value"\n}\n');
    log.line('{"a": 1}');
    expect(processed()).toMatchObject({ runner: { masks: ['  "key": "value"'] }, shown: ['{"a": 1}'] });
  });

  test.each(['', ' ', '\n'])('mask nothing for %j, which the runner warns about', secret => {
    log.mask(secret);
    expect(written).toBe('');
  });
});

describe('folded text', () => {
  test('is a group, fenced as all text is, and closed before anything else is printed', () => {
    log.line('before');
    log.folded('Title', 'one\n::endgroup::\n##[endgroup]\n::error::two');
    log.output('after\n');
    expect(fenced()).toBe(
      [
        ...['::stop-commands::TOKEN', 'before', '::TOKEN::', '::group::Title', '::stop-commands::TOKEN'],
        ...['one', '::endgroup::', '##[endgroup]', '::error::two', '::TOKEN::', '::endgroup::'],
        ...['::stop-commands::TOKEN', 'after', ''],
      ].join('\n'),
    );
    expect(processed().executed.map(({ name }) => name)).toEqual(['group', 'endgroup']);
  });

  test('ends a group that the container has opened, and opens none again', () => {
    log.group('of the container');
    log.output('a line\n');
    log.folded('Title', 'text');
    log.line('after');
    const names = processed().executed.map(({ name, data }) => `${name} ${data}`.trim());
    expect(names).toEqual(['group of the container', 'endgroup', 'group Title', 'endgroup']);
  });

  test('starts on a line of its own after unfinished output', () => {
    log.output('unfinished');
    log.folded('Title', 'text');
    expect(processed().shown).toEqual(['unfinished', '##[group]Title', 'text', '##[endgroup]']);
  });

  test('has a title of one line, without terminal control', () => {
    log.folded('\u001b[2JTitle\n::add-mask::x', 'text');
    expect(processed().executed.map(({ data }) => data)).toEqual(['Title\n::add-mask::x', '']);
  });
});

describe('the token', () => {
  /** Raises the fence, so that the token is known. */
  function knownToken(): string {
    log.line('x');
    return token();
  }

  test.each<[string, (token: string) => string[]]>([
    ['alone', token => [`${token}\n`]],
    ['as the end of the fence', token => [`::${token}::\n`]],
    ['in capitals', token => [`::${token.toUpperCase()}::\n`]],
    ['twice in a row', token => [`${token}${token}\n`]],
    ['in two pieces', token => [`::${token.slice(0, 20)}`, `${token.slice(20)}::\n`]],
    ['in two pieces of different case', token => [token.slice(0, 20).toUpperCase(), `${token.slice(20)}\n`]],
    ['cut before its last character', token => [token.slice(0, -1), `${token.slice(-1)}\n`]],
    ['cut after its first character', token => [token.slice(0, 1), `${token.slice(1)}\n`]],
    ['one character a piece', token => token.split('')],
    ['in pieces, with text around', token => [`a${token.slice(0, 9)}`, token.slice(9, 40), `${token.slice(40)}b\nc`]],
    ['after unfinished output', token => ['unfinished', `${token.slice(0, 5)}`, `${token.slice(5)}\n`]],
    [
      'in pieces behind a line end',
      token => [`a\n${token.slice(0, 30)}`, token.slice(30), `\n${token.slice(0, 3)}`, token.slice(3)],
    ],
    [
      'in pieces around a whole one',
      token => [token.slice(0, 24), `${token.slice(24)}${token.slice(0, 24)}`, token.slice(24)],
    ],
  ])('never gets out %s', (_, pieces) => {
    const secret = knownToken();
    for (const piece of pieces(secret)) log.output(piece);
    log.output('\n::error::executed');
    const text = written.slice(written.indexOf('\n') + 1);
    expect(text.toLowerCase()).not.toContain(secret);
    expect(processed().executed).toEqual([]);
  });

  test('never gets out of a line', () => {
    const secret = knownToken();
    log.line(`::${secret}::\n::error::executed`);
    expect(fenced()).toBe('::stop-commands::TOKEN\nx\n::***::\n::error::executed\n');
  });

  test('takes nothing else with it', () => {
    const secret = knownToken();
    log.output(`a ${secret.slice(0, 47)}`);
    log.output(' b\n');
    expect(processed().shown).toEqual(['x', `a ${secret.slice(0, 47)} b`]);
  });
});

describe('at the close', () => {
  test('the fence is lifted', async () => {
    log.line('x');
    await log.close();
    expect(fenced()).toBe('::stop-commands::TOKEN\nx\n::TOKEN::\n');
  });

  test('an unfinished line is ended', async () => {
    log.output('x');
    await log.close();
    expect(fenced()).toBe('::stop-commands::TOKEN\nx\n::TOKEN::\n');
  });

  test('a log that has said nothing says nothing', async () => {
    await log.close();
    expect(written).toBe('');
  });

  test('closing twice lifts the fence once', async () => {
    log.line('x');
    await Promise.all([log.close(), log.close()]);
    expect(fenced()).toBe('::stop-commands::TOKEN\nx\n::TOKEN::\n');
  });

  test('it waits until stdout has taken everything', async () => {
    let taken: (() => void) | undefined;
    jest.mocked(process.stdout.write).mockImplementation(((_: string, done?: () => void) => {
      taken = done;
      return true;
    }) as typeof process.stdout.write);
    log.line('x');
    const closed = log.close().then(() => 'closed');
    expect(await Promise.race([closed, Promise.resolve('open')])).toBe('open');
    taken?.();
    expect(await closed).toBe('closed');
  });
});

/** Marks where the token goes, which is known only when the log prints. */
const TOKEN = '<token>';
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['::error::x', '::set-output name=a::b', '::add-mask::x', '::stop-commands::mine', '::mine::', '::echo::on'],
        ...['##[error]x', '##[set-env name=a]b', 'text ##[add-mask]x', '::', '##[', ']', ',', '=', ':', '%0A', '%25'],
        ...['\n', '\r', '\r\n', ' ', '\t', '\u0085', '\u2028', '\ufeff', '\u001b[31m', '\u001b', '\u0000', 'text'],
        ...[TOKEN, `::${TOKEN}::`, `\n::${TOKEN}::\n`, 'title=x', ',file=a.ts'],
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 8 },
  )
  .map(parts => parts.join(''));
const action = fc.oneof(
  fc.record({ do: fc.constantFrom<'line' | 'output'>('line', 'output'), text: hostile }),
  fc.record({
    do: fc.constantFrom<'error' | 'warning' | 'notice'>('error', 'warning', 'notice'),
    title: hostile,
    text: hostile,
  }),
  fc.record({ do: fc.constant<'folded'>('folded'), title: hostile, text: hostile }),
  fc.record({ do: fc.constant<'mask'>('mask'), text: hostile }),
);

const masked = (secret: string) => {
  const lines = secret.split(/[\r\n]+/).filter(line => line.trim() !== '');
  const telling = lines.length > 1 ? lines.filter(line => line.trim().length > 3) : lines;
  const shown = telling.map(jobLogText).filter(line => line.trim().length > 3);
  return [...new Set([...telling, ...shown])];
};

test('whatever is printed, the runner executes our own commands and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 12 }), async actions => {
      startLog();
      log.line('the first line');
      const filled = (text: string) => text.replaceAll(TOKEN, token());
      const expected: { name: string; data: string; form: string }[] = [];
      for (const next of actions) {
        const text = filled(next.text);
        if ('title' in next) {
          const title = filled(next.title);
          log[next.do](title, text);
          if (next.do === 'folded')
            expected.push(
              { name: 'group', data: jobLogText(title), form: 'v2' },
              { name: 'endgroup', data: '', form: 'v2' },
            );
          else expected.push({ name: next.do, data: plainText(text), form: 'v2' });
        } else {
          log[next.do](text);
          if (next.do === 'mask')
            for (const data of masked(text)) expected.push({ name: 'add-mask', data, form: 'v2' });
        }
      }
      await log.close();

      const { runner, executed } = processed();
      expect(executed.map(({ name, data, form }) => ({ name, data, form }))).toEqual(expected);
      expect(executed.flatMap(({ properties }) => Object.keys(properties)).filter(key => key !== 'title')).toEqual([]);
      expect(executed.filter(({ error }) => error !== undefined)).toEqual([]);
      expect({ stopped: runner.stopped, failed: runner.failed }).toEqual({ stopped: false, failed: false });
    }),
    { numRuns: 1000 },
  );
});

test('whatever is printed, no line of it is lost', () => {
  const line = hostile.map(text => text.replaceAll(TOKEN, ''));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), lines => {
      startLog();
      for (const text of lines) log.line(text);
      expect(processed().shown).toEqual(lines.flatMap(text => jobLogText(text).split('\n')));
    }),
  );
});
