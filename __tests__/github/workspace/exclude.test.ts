import { describe, expect, test } from '@jest/globals';
import { excluding } from '../../../src/github/workspace/exclude.ts';

/** A walk's answer: what is in an excluded folder is not asked about. A folder ends with `/`. */
function isLeftOut(patterns: string | undefined, path: string): boolean {
  const isExcluded = excluding(patterns);
  const parts = path.split('/').filter(part => part !== '');
  return parts.some((_, index) =>
    isExcluded(parts.slice(0, index + 1).join('/'), index < parts.length - 1 || path.endsWith('/')),
  );
}

// From gitignore(5), with the words that it has for them.
test.each<[string, string, string[], string[]]>([
  ['a blank line matches no files', '\n\n', ['a', '\n'], []],
  ['a line starting with # is a comment', '#a\na', ['#a'], ['a']],
  ['a backslash in front of the first hash', '\\#a', ['a'], ['#a']],
  ['trailing spaces are ignored', 'a  ', ['a  '], ['a']],
  ['unless they are quoted with a backslash', 'a\\ ', ['a'], ['a ']],
  ['! negates the pattern', '*.log\n!keep.log', ['keep.log', 'd/keep.log'], ['a.log', 'd/a.log']],
  ['a backslash in front of the first !', '\\!important!.txt', ['important!.txt'], ['!important!.txt']],
  ['it is not possible to re-include a file if a parent is excluded', 'd\n!d/a', ['a'], ['d/', 'd/a']],
  ['order counts: the last matching pattern decides', '!a\na', [], ['a']],
  ['a pattern without slash matches at any level', 'hello.*', ['hello'], ['hello.txt', 'a/hello.java']],
  ['/hello.* restricts it to the folder itself', '/hello.*', ['a/hello.java'], ['hello.txt', 'hello.c']],
  ['foo/ matches a folder and paths underneath it', 'foo/', ['foo'], ['foo/', 'foo/a', 'a/foo/']],
  ['doc/frotz and /doc/frotz have the same effect', 'doc/frotz', ['a/doc/frotz'], ['doc/frotz', 'doc/frotz/']],
  ['/doc/frotz', '/doc/frotz', ['a/doc/frotz'], ['doc/frotz']],
  ['doc/frotz/ matches doc/frotz, but not a/doc/frotz', 'doc/frotz/', ['a/doc/frotz/', 'doc/frotz'], ['doc/frotz/']],
  ['frotz/ matches frotz and a/frotz', 'frotz/', ['frotz'], ['frotz/', 'a/frotz/']],
  ['foo/* does not match across a slash', 'foo/*', ['foo/', 'a/foo/test.json'], ['foo/test.json', 'foo/bar/hello.c']],
  ['* matches anything except a slash', 'a*c/d', ['a/c/d'], ['abc/d', 'ac/d']],
  ['? matches any one character except /', 'a?c', ['ac', 'a/c'], ['abc']],
  ['[a-zA-Z] matches one of the characters', 'f[a-c]', ['fd', 'fA'], ['fa', 'fc']],
  ['**/foo matches anywhere', '**/foo', ['foobar'], ['foo', 'a/b/foo']],
  ['**/foo/bar', '**/foo/bar', ['foo/a/bar'], ['foo/bar', 'a/foo/bar']],
  ['abc/** matches all files inside', 'abc/**', ['abc/', 'a/abc/b'], ['abc/a', 'abc/a/b']],
  ['a/**/b matches zero or more folders', 'a/**/b', ['a/xb'], ['a/b', 'a/x/b', 'a/x/y/b']],
  [
    'all but one folder',
    '/*\n!/foo\n/foo/*\n!/foo/bar',
    ['foo/', 'foo/bar/', 'foo/bar/a'],
    ['a', 'b/', 'foo/a', 'foo/b/'],
  ],
  ['case counts', 'Build', ['build', 'BUILD/'], ['Build', 'a/Build/']],
  ["an input's lines can end as Windows' do", 'a\r\nb\r\n', ['c'], ['a', 'b']],
  ['names of any characters', '*.tmp', ['a\nb', 'tmp', '\ufffd'], ['a\nb.tmp', '\ufffd.tmp', '..tmp', '...tmp']],
  ['a pattern that git refuses, too', 'a\\\n[b', ['a', 'a\\', 'b', '[b'], []],
])('%s', (_, patterns, taken, leftOut) => {
  expect(taken.filter(path => isLeftOut(patterns, path))).toEqual([]);
  expect(leftOut.filter(path => !isLeftOut(patterns, path))).toEqual([]);
});

describe('.git', () => {
  test.each([undefined, '', '!.git\n!.git/\n!**/.git/**', '*.log'])('is never taken, with %j', patterns => {
    const isExcluded = excluding(patterns);
    for (const [name, isFolder] of [
      ['.git', true],
      ['.git', false],
      ['vendor/lib/.git', false],
      ['vendor/lib/.git', true],
      ['.git/config', false],
      ['a/.git/hooks/pre-commit', false],
    ] as const)
      expect([name, isExcluded(name, isFolder)]).toEqual([name, true]);
  });

  test.each(['.github', '.gitignore', '.gitattributes', 'a.git', 'git', '.git2'])('%s is another name', name => {
    expect(isLeftOut(undefined, `${name}/a`)).toBe(false);
  });
});

test('answers are the same however many names came before', () => {
  const isExcluded = excluding('*.log\n!keep.log');
  for (let index = 0; index < 25_000; index++) isExcluded(`d/${index}.txt`, false);
  expect(isExcluded('d/a.log', false)).toBe(true);
  expect(isExcluded('d/keep.log', false)).toBe(false);
  expect(isExcluded('d/1.txt', false)).toBe(false);
});
