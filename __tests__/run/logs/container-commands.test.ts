import * as core from '@actions/core';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type AnnotationProperties,
  type ContainerCommand,
  ContainerCommands,
  parseContainerCommand,
} from '../../../src/run/logs/container-commands.ts';
import { CommandProcessor } from '../../support/command-processor.ts';
import { parseCommand, registeredCommands } from '../../support/workflow-commands.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

function error(message: string, properties: AnnotationProperties = {}): ContainerCommand {
  return { kind: 'annotation', level: 'error', message, properties };
}

describe('a command is', () => {
  test.each<[string, string, ContainerCommand]>([
    ['an error', '::error::text', error('text')],
    ['a warning', '::warning::text', { ...error('text'), level: 'warning' } as ContainerCommand],
    ['a notice', '::notice::text', { ...error('text'), level: 'notice' } as ContainerCommand],
    ['a group', '::group::The name', { kind: 'group', name: 'The name' }],
    ['a group without a name', '::group::', { kind: 'group', name: '' }],
    ['the end of a group', '::endgroup::', { kind: 'endgroup' }],
    ['the end of a group, with a text', '::endgroup::text', { kind: 'endgroup' }],
    ['one in capitals', '::ERROR::text', error('text')],
    ['one behind blanks', ' \t\u00a0::error::text', error('text')],
    ['one with its line end', '::error::text\n', error('text')],
    ['one with a space and no properties', '::error ::text', error('text')],
    ['one with colons in its text', '::error::a::b', error('a::b')],
    ['one with three colons', '::error:::a', error(':a')],
    ['one with the older form in its text', '::error::##[add-mask]a', error('##[add-mask]a')],
  ])('%s', (_, line, expected) => expect(parseContainerCommand(line)).toEqual(expected));

  test('an annotation with all its properties', () => {
    const line = '::error file=a.py,line=1,endLine=2,col=3,endColumn=4,title=T::message';
    const properties = { file: 'a.py', startLine: 1, endLine: 2, startColumn: 3, endColumn: 4, title: 'T' };
    expect(parseContainerCommand(line)).toEqual(error('message', properties));
  });

  test.each<[string, string, AnnotationProperties]>([
    ['in any case', 'FILE=a,Line=1,ENDLINE=2', { file: 'a', startLine: 1, endLine: 2 }],
    ['with blanks around them all', '  file=a,title=T ', { file: 'a', title: 'T' }],
    ['with = in them', 'title=a=b', { title: 'a=b' }],
    ['with = doubled', '=title==a', { title: 'a' }],
    ['with = behind a blank', 'title= =a', { title: 'a' }],
    ['escaped', 'title=a%2Cb%3Ac%25d', { title: 'a,b:c%d' }],
    ['with an escape that is escaped', 'title=%252C', { title: '%2C' }],
    ['with a : in them', 'file=C:/a.py', { file: 'C:/a.py' }],
    ['with zeros in front', 'line=007', { startLine: 7 }],
    ['twice, of which the last counts', 'line=1,line=2', { startLine: 2 }],
  ])('told properties %s', (_, properties, expected) =>
    expect(parseContainerCommand(`::error ${properties}::m`)).toEqual(error('m', expected)),
  );

  test.each([
    ['that have no value', 'title,file=,line'],
    ['that there are not', 'name=a,subject=b,__proto__=c'],
    ['behind a blank, as the runner does', 'x=1, title=T'],
    ['that are empty when plain', 'title=%0A \u001b[31m'],
    ['that are no numbers', 'line=one,col=-1,endLine=1.5,endColumn=1e3'],
    ['that are 0', 'line=0'],
    ['that are too large', 'line=12345678901'],
    ['that no path can have', 'file=a%0Ab'],
    ['that no path can have, hidden', 'file=a\u0000b'],
    ['whose path is too long', `file=${'x'.repeat(1025)}`],
  ])('without properties %s', (_, properties) =>
    expect(parseContainerCommand(`::error ${properties}::m`)).toEqual(error('m')),
  );
});

describe('the text of a command', () => {
  test.each([
    ['is unescaped', 'a%0Ab%25c%3Ad%2Ce', 'a\nb%c%3Ad%2Ce'],
    ['is unescaped once', '%250A%252525', '%0A%2525'],
    ['is unescaped in capitals alone, as by the runner', 'a%0ab', 'a%0ab'],
    ['has one kind of line end', 'a%0D%0Ab%0Dc', 'a\nb\nc'],
    ['has no colours', '\u001b[31mred\u001b[0m', 'red'],
    ['has no other terminal control', 'a\u001b]0;t\u0007b\u0000c\u009b1mb', 'abcb'],
    ['keeps its blanks and tabs', ' a\tb ', ' a\tb '],
  ])('%s', (_, text, expected) => expect(parseContainerCommand(`::error::${text}`)).toEqual(error(expected)));

  // Cut by us, half a secret would be left, which the runner does not mask.
  test.each([
    ['a message stays text', '::error::', 4096, (text: string) => error(text), undefined],
    ['a title is left out', '::error title=', 255, (text: string) => error('m', { title: text }), error('m')],
    ['the name of a group stays text', '::group::', 1024, (name: string) => ({ kind: 'group', name }), undefined],
  ])('is never cut: %s', (_, start, longest, whole, tooLong) => {
    const line = (text: string) => `${start}${text}${start.includes('title') ? '::m' : ''}`;
    const most = 'x'.repeat(longest);
    expect(parseContainerCommand(line(most))).toEqual(whole(most));
    expect(parseContainerCommand(line(`${most}x`))).toEqual(tooLong);
  });

  test('of a group is one line', () => {
    expect(parseContainerCommand('::group::%0Aa%0D%0A##[add-mask]b\tc%0A')).toEqual({
      kind: 'group',
      name: 'a ##[add-mask]b c',
    });
  });

  test('of a title is one line', () => {
    expect(parseContainerCommand('::error title=a%0Ab::m')).toEqual(error('m', { title: 'a b' }));
  });
});

describe('no command is', () => {
  test.each([
    ...[
      '',
      'text',
      '::',
      '::::',
      '::error',
      '::error:',
      ':error::text',
      'x::error::text',
      ':: error::text',
      ':::error::x',
    ],
    ...[
      '::error::',
      '::error:: ',
      '::error::%0A',
      '::error::\u001b[31m',
      '::errors::text',
      '::error-x::text',
      '::error\t::x',
    ],
    ...['::error,title=x::text', '::\u200berror::x', '\ufeff::error::x', '\u001b[31m::error::x'],
    ...[
      '##[error]text',
      '##[group]text',
      '##[endgroup]',
      '::debug::text',
      '::add-mask::text',
      '::set-output name=a::b',
    ],
    ...['::save-state name=a::b', '::set-env name=a::b', '::add-path::/', '::echo::on', '::stop-commands::x', '::x::'],
    ...['::add-matcher::a.json', '::remove-matcher owner=a::', '::noticeſ::x', '::__proto__::x', '::constructor::x'],
  ])('%j', line => expect(parseContainerCommand(line)).toBeUndefined());
});

describe('of a container’s commands', () => {
  const takeAll = (commands: ContainerCommands, line: string, times: number) =>
    Array.from({ length: times }, () => commands.take(line)).filter(command => command !== undefined).length;

  test('so many are carried out that the step’s own are still shown', () => {
    const commands = new ContainerCommands();
    expect(takeAll(commands, '::error::x', 20)).toBe(8);
    expect(takeAll(commands, '::warning::x\n', 20)).toBe(8);
    expect(takeAll(commands, '::notice::x', 20)).toBe(10);
    expect(commands.notShown).toBe(34);
  });

  test('none is counted that was no annotation', () => {
    const commands = new ContainerCommands();
    for (const line of ['text', '::error::', '::add-mask::x', '::endgroup::', '::group::x']) commands.take(line);
    expect(commands.notShown).toBe(0);
  });

  test('a group is open until its end', () => {
    const commands = new ContainerCommands();
    const open = (line: string) => [commands.take(line)?.kind, commands.openGroup];
    expect(open('text')).toEqual([undefined, false]);
    expect(open('::group::a')).toEqual(['group', true]);
    expect(open('::error::x')).toEqual(['annotation', true]);
    expect(open('::endgroup::')).toEqual(['endgroup', false]);
    expect(open('::endgroup::')).toEqual([undefined, false]);
  });

  test('a group in a group ends it, and has one end for each all the same', () => {
    const commands = new ContainerCommands();
    const open = (line: string) => [commands.take(line)?.kind, commands.openGroup];
    expect(open('::group::a')).toEqual(['group', true]);
    expect(open('::group::b')).toEqual(['group', true]);
    expect(open('::endgroup::')).toEqual(['endgroup', false]);
    expect(open('::endgroup::')).toEqual(['endgroup', false]);
    expect(open('::endgroup::')).toEqual([undefined, false]);
  });

  test('a thousand groups are made, and no more', () => {
    const commands = new ContainerCommands();
    for (let index = 0; index < 1000; index++) {
      commands.take('::group::x');
      commands.take('::endgroup::');
    }
    expect([commands.take('::group::x'), commands.take('::endgroup::'), commands.openGroup]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });
});

/** As `@actions/core` writes it, for the runner or for us. */
function issued(command: ContainerCommand): string {
  let written = '';
  jest.spyOn(process.stdout, 'write').mockImplementation(((text: string) => {
    written += text;
    return true;
  }) as typeof process.stdout.write);
  const issue = { error: core.error, warning: core.warning, notice: core.notice };
  if (command.kind === 'annotation') issue[command.level](command.message, command.properties);
  else if (command.kind === 'group') core.startGroup(command.name);
  else core.endGroup();
  jest.restoreAllMocks();
  return written;
}

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '::error::x',
      '::warning ',
      '::add-mask::x',
      '::group::',
      '::endgroup::',
      '::set-output name=a::b',
      '::',
      ':',
      ',',
    ],
    ...[
      '=',
      ' ',
      '\t',
      '%0A',
      '%0D',
      '%25',
      '%2C',
      '%3A',
      '%',
      '##[add-mask]x',
      ']',
      'title=',
      'file=',
      'line=1',
      'col=2',
    ],
    ...[
      '\u001b[31m',
      '\u001b',
      '\u0000',
      '\u0085',
      '\u2028',
      '\ufeff',
      '\u200b',
      '🎉',
      '\ud800',
      'text',
      '__proto__=x',
    ],
    ...['::stop-commands::mine', '::ERROR file=', 'x'.repeat(300), 'x'.repeat(5000)],
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const hostile = fc.array(fragment, { maxLength: 8 }).map(parts => parts.join(''));
/** Many of them commands. */
const line = fc
  .tuple(fc.constantFrom('', '', '::error', '::notice ', '::warning title=', '::group::', ' ::error file='), hostile)
  .map(parts => parts.join('').replace(/[\r\n]/g, ''));
const NAMES = { annotation: undefined, group: 'group', endgroup: 'endgroup' } as const;

test('whatever a line says, it is one of the five commands that the runner would have read from it, or none', () => {
  fc.assert(
    fc.property(line, text => {
      const command = parseContainerCommand(text);
      if (command === undefined) return;
      const read = parseCommand(text, new Set(registeredCommands));
      const name = command.kind === 'annotation' ? command.level : NAMES[command.kind];
      expect(read).toMatchObject({ name, form: 'v2' });
    }),
    { numRuns: 5000 },
  );
});

test('issued again, it is that command to the runner and no other, and nothing fails', () => {
  fc.assert(
    fc.property(line, text => {
      const command = parseContainerCommand(text);
      if (command === undefined) return;
      const output = issued(command);
      expect(output.match(/[\r\n]/g)).toEqual(['\n']);
      const runner = new CommandProcessor();
      runner.line(output.slice(0, -1));
      expect(runner.commands).toHaveLength(1);
      expect({ failed: runner.failed, stopped: runner.stopped, masks: runner.masks }).toEqual({
        failed: false,
        stopped: false,
        masks: [],
      });
      if (command.kind !== 'annotation') expect(runner.commands[0]?.name).toBe(command.kind);
      else {
        const { title } = command.properties;
        expect(runner.annotations).toMatchObject([
          { level: command.level, message: command.message, ...(title !== undefined && { title }) },
        ]);
      }
    }),
    { numRuns: 3000 },
  );
});

test('issued again, it is read as what it was', () => {
  fc.assert(
    fc.property(line, text => {
      const command = parseContainerCommand(text);
      if (command === undefined) return;
      expect(parseContainerCommand(issued(command))).toEqual(command);
    }),
    { numRuns: 3000, examples: [['::error file=!\ufeff,::x']] },
  );
});

test('what a container means is what is read', () => {
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }).filter(text => /^\P{Cc}+$/u.test(text));
  const plainLine = words.map(text => text.replace(/\s+/g, ' ').trim()).filter(text => text !== '' && text[0] !== '=');
  const count = fc.integer({ min: 1, max: 999_999_999 });
  const properties = fc.record(
    { title: plainLine, file: plainLine, startLine: count, endLine: count, startColumn: count, endColumn: count },
    { requiredKeys: [] },
  );
  const message = fc
    .array(words, { minLength: 1 })
    .map(lines => lines.join('\n'))
    .filter(text => text.trim() !== '');
  fc.assert(
    fc.property(properties, message, (properties, message) => {
      const command = error(message, { ...properties });
      expect(parseContainerCommand(issued(command))).toEqual(command);
    }),
    { numRuns: 2000 },
  );
});

describe('commands that the container has stopped', () => {
  test('are text until it goes on', () => {
    const commands = new ContainerCommands();
    const taken = (line: string) => commands.take(line)?.kind;
    expect(taken('::notice::before')).toBe('annotation');
    expect(taken('::stop-commands::Pause-1\n')).toBeUndefined();
    expect(taken('::notice::of somebody else')).toBeUndefined();
    expect(taken('::other::')).toBeUndefined();
    expect(taken('::notice::of somebody else')).toBeUndefined();
    expect(taken('::pause-1::\n')).toBeUndefined();
    expect(taken('::notice::after')).toBe('annotation');
  });

  test.each(['::stop-commands::', '::stop-commands::  '])('are not where there is no token: %s', line => {
    const commands = new ContainerCommands();
    expect(commands.take(line)).toBeUndefined();
    expect(commands.take('::notice::x')?.kind).toBe('annotation');
  });
});
