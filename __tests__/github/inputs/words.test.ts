import { describe, expect, test } from '@jest/globals';
import { refuseProblems } from '../../../src/github/inputs/inputs.ts';
import { readWords } from '../../../src/github/inputs/words.ts';
import { type Around, reading, refusalOf } from './given.ts';

describe.each(['cmds', 'arguments'] as const)('%s', input => {
  const words = (text: string, around: Around = {}) => {
    const reader = reading({ [input]: text }, around);
    const read = readWords(reader, input);
    refuseProblems(reader);
    return read;
  };
  const refusal = (text: string, around: Around = {}) => refusalOf(() => words(text, around)).text;

  test.each<[what: string, text: string, expected: string[] | undefined]>([
    ['one word', 'ls', ['ls']],
    ['words', 'python -m  train', ['python', '-m', 'train']],
    ['words on many lines', 'python\n  -m train\n', ['python', '-m', 'train']],
    ['a line that goes on', 'python \\\n  -m train', ['python', '-m', 'train']],
    ['double quotes', 'sh -c "echo  hello; ls"', ['sh', '-c', 'echo  hello; ls']],
    ['single quotes', 'sh -c \'echo "$A"\'', ['sh', '-c', 'echo "$A"']],
    ['quotes in a word', 'a"b c"\'d\'', ['ab cd']],
    ["a single quote in single quotes, the shell's way", "'it'\"'\"'s'", ["it's"]],
    ['an empty word', 'a "" \'\'', ['a', '', '']],
    ['only an empty word', '""', ['']],
    ['an escaped space', 'a\\ b', ['a b']],
    ['escapes in double quotes', '"a\\"b\\\\c\\n"', ['a"b\\c\\n']],
    ['escaped dollars in double quotes', '"\\$HOME \\`x\\`"', ['$HOME `x`']],
    ['backslashes in single quotes', "'a\\nb\\\\c'", ['a\\nb\\\\c']],
    ['backslashes in single quotes before double ones', '\'a\\\\\'"b"', ['a\\\\b']],
    ['escaped backslashes before double quotes', '\\\\\\\\"b"', ['\\\\b']],
    [
      'nothing is expanded',
      '$HOME ${A} $(x) `x` *.txt ~ {a,b} a;b|c&d>e',
      [...['$HOME', '${A}', '$(x)', '`x`', '*.txt', '~', '{a,b}', 'a;b|c&d>e']],
    ],
    ['nothing is expanded, not even by $ and quotes', '$\'a\\nb\' $"c"', ['$a\\nb', '$c']],
    ['# within a word', 'a#b "# c"', ['a#b', '# c']],
    ['words behind a comment', '# what it runs\npython -m train', ['python', '-m', 'train']],
    ['words that start with a dash', '-c x', ['-c', 'x']],
    ['YAML that is no list', 'command: x', ['command:', 'x']],
    ['text beyond ASCII', 'écho "日本 🎉"', ['écho', '日本 🎉']],
    ['a list', '[python, -c, "print(1)"]', ['python', '-c', 'print(1)']],
    ['a list of lines', '- python\n- -c\n- |-\n  print(1)\n  print(2)', ['python', '-c', 'print(1)\nprint(2)']],
    ['a list that is indented', '  - a\n  - b\n', ['a', 'b']],
    ['a list of CRLF lines', '- a\r\n- b\r\n', ['a', 'b']],
    ['a list over many lines', '[\n  a,\n  b\n]', ['a', 'b']],
    ['a list with a dash alone on its line', '-\n  a\n-\n  b', ['a', 'b']],
    ['a list behind a comment', '# what it runs\n- a', ['a']],
    ['a list behind an empty line', '\n- a\n- b', ['a', 'b']],
    ['a list behind a comment and an empty line', '# what it runs\n\n[a, b]', ['a', 'b']],
    ['a list in a document', '---\n- a', ['a']],
    ['JSON', '["sh", "-c", "echo \\"x\\""]', ['sh', '-c', 'echo "x"']],
    [
      'what a list has is text',
      '[sleep, 0.10, 0400, yes, true, 1e3, 2020-01-01]',
      [...['sleep', '0.10', '0400', 'yes', 'true', '1e3', '2020-01-01']],
    ],
    ['an empty word in a list', '[""]', ['']],
    ['an empty list', '[]', []],
    ['nothing, explicitly', 'null', undefined],
    ['nothing', '', undefined],
  ])('%s', (_, text, expected) => expect(words(text)).toEqual(expected));

  const unclosed =
    'a quotation mark is opened and never closed. Close it, or write the words as a YAML list, e.g. [sh, -c, "echo hello"].';

  test.each([
    ['an unclosed double quote', 'sh -c "a', `${input}: ${unclosed}`],
    ['an unclosed single quote', "it's", `${input}: ${unclosed}`],
    [
      'an unclosed list',
      '[a',
      `${input}: this is not valid YAML: unexpected end of the stream within a flow collection (line 1, column 3).`,
    ],
    ['a mapping', '{a: b}', `${input}: expected a list of words, or plain text; found a mapping.`],
    ['a list in the list', '[a, [b]]', `${input}[1]: expected a word, found a list. Quote it if it is meant as text.`],
    [
      'a mapping in the list',
      '- a\n- b: c',
      `${input}[1]: expected a word, found a mapping. Quote it if it is meant as text.`,
    ],
    ['nothing in the list', '[a, null]', `${input}[1]: expected a word, found nothing. Write "" for an empty word.`],
  ])('%s is refused', (_, text, expected) => expect(refusal(text)).toBe(expected));

  test.each<[what: string, defaults: string, expected: string[] | undefined]>([
    ['words', 'sh -c "a b"', ['sh', '-c', 'a b']],
    ['a block of words', '|\n  sh -c\n  "a b"', ['sh', '-c', 'a b']],
    ['a block that holds a list', '|\n  - sh\n  - -c', ['sh', '-c']],
    ['a list', '[sleep, 0.10]', ['sleep', '0.10']],
    ['a number', '0400', ['0400']],
    ['an empty list', '[]', []],
    ['nothing, explicitly', 'null', undefined],
  ])('of the defaults are read from %s', (_, defaults, expected) =>
    expect(words('', { defaults: `${input}: ${defaults}` })).toEqual(expected),
  );

  test.each([
    [
      'a mapping',
      '{a: b}',
      `defaults_file (defaults.yaml): ${input}: expected a list of words, or plain text; found a mapping.`,
    ],
    ['an unclosed quote', "'sh \"'", `defaults_file (defaults.yaml): ${input}: ${unclosed}`],
  ])('of the defaults are refused: %s', (_, defaults, expected) =>
    expect(refusal('', { defaults: `${input}: ${defaults}` })).toBe(expected),
  );

  test('a backslash at the end is refused as what it is', () => {
    expect(refusal('a \\')).toMatch(/^\w+: .*backslash/);
  });
});
