import { describe, expect, test } from '@jest/globals';
import { CommandProcessor } from './command-processor.ts';
import { parseCommand, registeredCommands } from './workflow-commands.ts';

const registered = new Set<string>(registeredCommands);
const parse = (line: string) => parseCommand(line, registered);

describe('a line is a command', () => {
  test.each([
    ['V2', '::error::boom', { name: 'error', properties: {}, data: 'boom', form: 'v2' }],
    ['V2 after white space', ' \t\u00a0\u2003::error::boom', { name: 'error', data: 'boom' }],
    ['V2 in capitals', '::SET-Output name=a::1', { name: 'set-output', properties: { name: 'a' }, data: '1' }],
    [
      'V2 with properties',
      '::error file=a.ts,line=3,title=T x::m',
      { properties: { file: 'a.ts', line: '3', title: 'T x' }, data: 'm' },
    ],
    ['V2 with colons in its data', '::notice::a::b::c', { data: 'a::b::c' }],
    ['V2 escapes in data', '::notice::a%0D%0Ab%25%3A%2C', { data: 'a\r\nb%%3A%2C' }],
    ['V2 escapes in properties', '::notice title=a%3A%2C%0A%25::', { properties: { title: 'a:,\n%' }, data: '' }],
    ['V2 decodes %25 last', '::notice::%250A', { data: '%0A' }],
    ['V2 value with an equals sign', '::notice title=a=b::', { properties: { title: 'a=b' } }],
    ['V2 doubled equals signs', '::notice =title==a::', { properties: { title: 'a' } }],
    ['V2 property without a value', '::notice title=,file=x::', { properties: { file: 'x' } }],
    ['V2 key twice, in two cases', '::notice title=a,TITLE=b::', { properties: { title: 'b' } }],
    ['V1', '##[error]boom', { name: 'error', properties: {}, data: 'boom', form: 'v1' }],
    [
      'V1 in mid-line',
      'some text ##[set-output name=a]b',
      { name: 'set-output', properties: { name: 'a' }, data: 'b' },
    ],
    ['V1 with properties', '##[warning file=a;line=2]m', { properties: { file: 'a', line: '2' }, data: 'm' }],
    ['V1 escapes', '##[warning title=a%3B%5D%25]m%0A%5D%3B', { properties: { title: 'a;]%' }, data: 'm\n];' }],
    ['V1 behind an unknown V2', '::unknown::##[error]x', { name: 'error', data: 'x', form: 'v1' }],
    ['V2 holding a V1', '::debug::##[error]x', { name: 'debug', data: '##[error]x', form: 'v2' }],
  ])('%s', (_, line, expected) => expect(parse(line)).toMatchObject(expected));

  test.each([
    ['plain text', 'hello'],
    ['an empty line', ''],
    ['V2 in mid-line', 'x ::error::boom'],
    ['V2 behind a byte order mark', '\ufeff::error::boom'],
    ['V2 without its second ::', '::error boom'],
    ['an unknown V2', '::frobnicate::x'],
    ['V2 with a space before its name', ':: error::x'],
    ['an unknown V1', '##[frobnicate]x'],
    ['V1 without its bracket', '##[error x'],
    ['V1 behind an unknown V1', '##[section]a ##[error]b'],
    ['V1 with a space before its name', '##[ error]x'],
  ])('unless it is %s', (_, line) => expect(parse(line)).toBeUndefined());
});

describe('while commands are stopped', () => {
  const stoppedBy = (token: string): CommandProcessor => {
    const runner = new CommandProcessor();
    runner.line(`::stop-commands::${token}`);
    expect(runner.stopped).toBe(true);
    return runner;
  };

  test.each([
    '::set-output name=a::b',
    'x ##[set-output name=a]b',
    '::add-mask::b',
    '::stop-commands::other',
    '::other::',
  ])('%s is text', line => {
    const runner = stoppedBy('Tok3n');
    expect(runner.line(line)).toEqual({ shown: [line] });
    expect(runner).toMatchObject({ stopped: true, outputs: {}, masks: [] });
  });

  test.each(['::Tok3n::', '  ::TOK3N::rest', '::tok3n a=b::', '##[Tok3n]', 'in ##[TOK3N]mid-line'])(
    '%s resumes',
    line => {
      const runner = stoppedBy('Tok3n');
      expect(runner.line(line)).toMatchObject({ shown: [line], command: { name: 'tok3n' } });
      runner.line('::set-output name=a::b');
      expect(runner.outputs).toEqual({ a: 'b' });
    },
  );

  test.each(['::Tok3n', 'x ::Tok3n::', 'Tok3n', '::debug::##[Tok3n]', '##[x] ##[Tok3n]'])(
    '%s does not resume',
    line => {
      const runner = stoppedBy('Tok3n');
      runner.line(line);
      expect(runner.stopped).toBe(true);
    },
  );

  test('the token is no command once used', () => {
    const runner = stoppedBy('Tok3n');
    runner.line('::Tok3n::');
    expect(runner.line('::Tok3n::')).toEqual({ shown: ['::Tok3n::'] });
  });

  test('a token longer than six characters is masked, a shorter one is not', () => {
    expect(new CommandProcessor().line('::stop-commands::1234567').shown).toEqual(['::stop-commands::***']);
    expect(new CommandProcessor().line('::stop-commands::123456').shown).toEqual(['::stop-commands::123456']);
  });

  test.each(['', 'pause-logging', 'Pause-Logging', 'error', 'STOP-COMMANDS'])('"%s" is no token', token => {
    const runner = new CommandProcessor();
    runner.line(`::stop-commands::${token}`);
    expect(runner).toMatchObject({ stopped: false, failed: true });
    expect(runner.annotations).toHaveLength(2);
  });
});

describe('a command', () => {
  test.each([
    ['::error title=T::a%0Ab', ['##[error]a\nb']],
    ['::warning::w', ['##[warning]w']],
    ['::notice::n', ['##[notice]n']],
    ['::group::G', ['##[group]G']],
    ['::endgroup::', ['##[endgroup]']],
    ['::debug::d', []],
    ['::add-mask::m', []],
    ['::save-state name=a::b', []],
    ['##[section]x', ['##[section]x']],
  ])('%s shows as %j', (line, shown) => expect(new CommandProcessor().line(line).shown).toEqual(shown));

  test('debug shows in debug mode', () =>
    expect(new CommandProcessor({ debug: true }).line('::debug::d').shown).toEqual(['##[debug]d']));

  test('echo shows the commands after it, but not those with an output of their own', () => {
    const runner = new CommandProcessor();
    runner.line('::echo::on');
    expect(runner.line('::set-output name=a::b').shown).toEqual(['::set-output name=a::b']);
    expect(runner.line('::add-mask::secret').shown).toEqual(['::add-mask::***']);
    expect(runner.line('::warning::w').shown).toEqual(['##[warning]w']);
  });

  test('add-mask masks the value, each of its lines and their base64', () => {
    const runner = new CommandProcessor({ secrets: ['hunter2'] });
    runner.line('::add-mask::first line%0A  second');
    expect(runner.line('first line, second, hunter2, aHVudGVyMg==, hunter2hunter2').shown).toEqual([
      '***, ***, ***, ***, ***',
    ]);
    expect(runner.masks).toEqual(['first line\n  second']);
  });

  test.each(['set-env', 'add-path'])('%s is refused', name => {
    const runner = new CommandProcessor();
    expect(runner.line(`::${name} name=A::b`).command?.error).toMatch(/is disabled/);
    expect(runner).toMatchObject({ failed: true, env: {}, paths: [] });
  });

  test('set-env and add-path work where they are allowed', () => {
    const runner = new CommandProcessor({ allowUnsecureCommands: true });
    runner.line('::set-env name=A::b');
    runner.line('::add-path::/opt');
    expect(runner).toMatchObject({ failed: false, env: { A: 'b' }, paths: ['/opt'] });
  });

  test('set-output without a name fails the step', () => {
    const runner = new CommandProcessor();
    expect(runner.line('::set-output::b').shown[0]).toContain(
      "Unable to process command '::set-output::b' successfully.",
    );
    expect(runner.failed).toBe(true);
  });

  test('an annotation keeps its properties, and 4096 characters of its message', () => {
    const runner = new CommandProcessor();
    runner.line(`::error Title=T,line=3::${'x'.repeat(5000)}`);
    expect(runner.annotations).toEqual([
      { level: 'error', title: 'T', message: 'x'.repeat(4096), properties: { Title: 'T', line: '3' } },
    ]);
  });
});
