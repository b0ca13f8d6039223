import { describe, expect, test } from '@jest/globals';
import { commandHints, commandLine } from '../../src/run/command-line.ts';

const GITHUB = `ghp_${'a'.repeat(36)}`;

describe('a command is shown', () => {
  test.each<[what: string, words: string[], line: string]>([
    ['as words', ['python', '-m', 'train', '--epochs=5'], 'python -m train --epochs=5'],
    ['with quotes where a shell needs them', ['sh', '-c', 'echo "$HOME"'], `sh -c 'echo "$HOME"'`],
    ['with quotes in quotes', ['echo', "it's"], `echo 'it'\\''s'`],
    ['with its empty words', ['a', ''], "a ''"],
    ['with the first line of a script', ['sh', '-c', '\necho 1\necho 2\n'], "sh -c 'echo 1' (and 1 line more)"],
    ['with the first line of a longer script', ['sh', '-c', 'a\nb\nc'], "sh -c 'a' (and 2 lines more)"],
    ['of nothing', [], ''],
    ['beyond ASCII', ['écho', '日本'], "'écho' '日本'"],
  ])('%s', (_, words, line) => expect(commandLine(words)).toBe(line));

  test.each<[what: string, words: string[], line: string]>([
    ['in an option', ['run', '--token=hunter2'], 'run --token=***'],
    ['behind an option', ['run', '--password', 'hunter2', '-v'], 'run --password *** -v'],
    ['in a variable', ['env', 'API_TOKEN=hunter2', 'run'], 'env API_TOKEN=*** run'],
    ['by its shape', ['git', 'clone', 'https://x:hunter2@github.com/a/b'], 'git clone ***'],
    ['by its shape, behind any option', ['run', '--auth', GITHUB], 'run --auth ***'],
    ['in a header', ['curl', '-H', 'Authorization: Bearer hunter2hunter2'], 'curl -H ***'],
    ['in a script', ['sh', '-c', 'export API_TOKEN=hunter2; run'], "sh -c 'export API_TOKEN=***; run'"],
    ['in a script, quoted', ['sh', '-c', 'run --password="hunter 2" x'], "sh -c 'run --password=*** x'"],
    ['at the start of a script', ['sh', '-c', 'PGPASSWORD=hunter2 psql'], 'sh -c PGPASSWORD=***'],
  ])('without a secret %s', (_, words, line) => expect(commandLine(words)).toBe(line));

  test.each<[what: string, words: string[]]>([
    ['a number', ['run', '--token', '5', '--max-tokens=100']],
    ['a path', ['run', '--password-file', '/run/secrets/x', '--token=/var/run/token']],
    ['a reference', ['run', '--token=$(TOKEN)'.replace('$(TOKEN)', '/a')]],
    ['an option by itself', ['run', '--use-tokens', 'yes', '--keys=a']],
  ])('with what is none: %s', (_, words) => expect(commandLine(words)).toBe(words.join(' ')));

  test('in part where it is long', () => {
    expect(commandLine(['echo', 'x'.repeat(1000)])).toBe('echo ... (1005 characters)');
    const line = commandLine(['sh', '-c', 'word '.repeat(100)]);
    expect(line).toMatch(/^sh -c '(word )+\.\.\. \(508 characters\)$/);
    expect(line.length).toBeLessThan(330);
  });

  test('without the secrets that the step was given, also where quotes or the cut would part them', () => {
    expect(commandLine(['echo', "pa'ss word"], ["pa'ss word"])).toBe('echo ***');
    expect(commandLine(['echo', 'x '.repeat(145), 'correct-horse-battery'], ['correct-horse-battery'])).not.toMatch(
      /corr/,
    );
    expect(commandLine(['cat', 'a\nline two\nb'], ['line one\nline two'])).toBe("cat 'a' (and 2 lines more)");
  });
});

describe('a hint is given', () => {
  test.each<[what: string, words: string[], hint: string]>([
    [
      'where a shell takes one word',
      ['bash', '-cx', 'echo', '10'],
      'bash -cx runs one word, echo: 10 only becomes $0. Put the whole command into one word.',
    ],
    [
      'where a shell takes one word, of more',
      ['/bin/sh', '-c', 'echo', 'a', 'b c'],
      "/bin/sh -c runs one word, echo: a 'b c' only become $0 and so on. Put the whole command into one word.",
    ],
    [
      'where a redirect needs a shell',
      ['python', '-c', "print('Hello, World!')", '>> /airflow/xcom/return.json'],
      `'>> /airflow/xcom/return.json' is passed to python as it is: redirects, pipes and && need a shell, e.g. cmds: [sh, -c], arguments: ["... >> /airflow/xcom/return.json"].`,
    ],
    [
      'where a pipe needs a shell',
      ['ls', '|', 'wc'],
      `'|' is passed to ls as it is: redirects, pipes and && need a shell, e.g. cmds: [sh, -c], arguments: ["... |"].`,
    ],
  ])('%s', (_, words, hint) => expect(commandHints(words)).toEqual([hint]));

  test.each(['>', '>>', '2>', '|', '&&', '||', '<', '> x', '2>&1', '>/tmp/x', '2>/dev/null', '>out/x.json'])(
    'where %s would need a shell',
    word => expect(commandHints(['run', 'a', word])).toHaveLength(1),
  );

  test.each<[what: string, words: string[]]>([
    ['a shell with one word', ['bash', '-c', 'echo 10 > /tmp/x']],
    ['a shell whose word takes the others', ['sh', '-c', 'exec "$0" "$@"', 'ls', '-l']],
    ['a shell with a script', ['bash', 'run.sh', 'a', 'b']],
    ['a shell with options before', ['bash', '-e', '-o', 'pipefail']],
    ['a program of another kind with -c', ['python', '-c', 'print(1)', 'a']],
    ['a comparison in a word', ['pip', 'install', 'numpy>=1.2', 'a>1']],
    ['a version', ['npm', 'install', '>1.2', '>=3']],
    ['a word that begins with a bar', ['grep', '|a|', 'file']],
    ['an arrow', ['echo', '->', '=>', '<html>']],
    ['markup', ['echo', '<br/>', '<a href=/x>']],
    ['nothing', []],
    ['arguments alone', ['--flag', 'x']],
  ])('but not for %s', (_, words) => expect(commandHints(words)).toEqual([]));
});
