import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Patterns, parsePatterns } from '../../../src/github/workspace/patterns.ts';

function patterns(...lines: string[]): Patterns {
  const { patterns: read, problems } = parsePatterns(lines);
  expect(problems).toEqual([]);
  return new Patterns(read);
}
const wanted = (lines: string[], paths: string[]) => paths.filter(path => patterns(...lines).wants(path));

describe('patterns', () => {
  test.each<[string, string[], string[], string[]]>([
    ['a name is that name', ['a.txt'], ['a.txt', './a.txt'], ['b/a.txt', 'a.txtx']],
    ['a star stays in its folder', ['*.log'], ['a.log', '.a.log'], ['b/a.log', 'a.log.gz']],
    ['two stars do not', ['r/**/*.xml'], ['r/a.xml', 'r/b/c/.d.xml'], ['a.xml', 's/r/a.xml']],
    ['a folder brings all in it', ['out'], ['out', 'out/a', 'out/b/.c'], ['outs', 'a/out']],
    ['a folder with a slash, too', ['./out/'], ['out', 'out/a'], ['outs']],
    ['a pattern of folders, too', ['*/out'], ['a/out', 'a/out/b/c'], ['out/a', 'a/b/out']],
    ['the workspace is a folder', ['.'], ['a', '.b/c'], []],
    ['braces, brackets and questions', ['{a,b}/[cd]?'], ['a/c1', 'b/dx/e'], ['c/c1', 'a/c']],
    ['an exclusion beats what is after it', ['!out/tmp', 'out'], ['out/a'], ['out/tmp', 'out/tmp/a']],
    ['an exclusion beats what is before it', ['out/**', '!**/*.o'], ['out/a'], ['out/a.o', 'out/x.o/y']],
    ['an exclusion of what begins with "!"', ['**', '!!a'], ['a'], ['!a']],
    ['a "!" at the end is no part of the name', ['a!'], ['a'], ['a!']],
    ['a backslash takes a meaning away', ['a\\*'], ['a*'], ['ab', 'a\\b']],
    ['quotes are characters', ['"a b"'], ['"a b"'], ['a b']],
    ['spaces around are not', ['  a b\t'], ['a b'], ['  a b']],
    ['letters have a case', ['A'], ['A'], ['a']],
    [
      'git is left out',
      ['**', 'x/**'],
      ['x/.gitignore', '.github/a'],
      ['.git', '.git/a', 'x/.GIT/a', 'GIT~1/a', 'x/.g\u200cit'],
    ],
    ['names can have line breaks', ['**', '!**/.env'], ['a\nb', 'c/d\ne/f'], ['a\nb/.env', 'c/d\n/.env']],
    ['nothing is above', ['**', '*/*'], ['a'], ['../a', 'a/../b', '..', '.', '']],
  ])('%s', (_, lines, does, doesNot) => {
    expect(wanted(lines, [...does, ...doesNot])).toEqual(does);
  });

  test('blank lines are none', () => expect(parsePatterns(['', '  ', '\t'])).toEqual({ patterns: [], problems: [] }));

  test('no patterns want nothing', () => {
    expect(new Patterns([]).wants('a')).toBe(false);
    expect(new Patterns([]).roots()).toEqual([]);
  });

  test.each([
    ['/etc/passwd', '"/etc/passwd" is absolute; expected a pattern relative to the workspace.'],
    ['/', '"/" is absolute; expected a pattern relative to the workspace.'],
    ['../a', '"../a" has ".." in it; expected a pattern of paths in the workspace.'],
    ['a/../b!', '"a/../b!" has ".." in it; expected a pattern of paths in the workspace.'],
    ['./..', '"./.." has ".." in it; expected a pattern of paths in the workspace.'],
    ['\\../a', '"\\../a" has ".." in it; expected a pattern of paths in the workspace.'],
    ['.git/config', '".git/config" is in .git, where a file can act on the job.'],
    ['sub/.GIT', '"sub/.GIT" is in .git, where a file can act on the job.'],
    ['a\nb', '"a\\nb" has a control character in it.'],
    [
      'a'.repeat(70_000),
      `"${'a'.repeat(100)}" is no pattern: Input length: 70000, exceeds maximum allowed length: 65536.`,
    ],
  ])('%.20s is a problem', (line, problem) => expect(parsePatterns([line]).problems).toEqual([problem]));

  test('an exclusion of nothing is a problem, as are exclusions of nothing but exclusions', () => {
    expect(parsePatterns(['a', '!']).problems).toEqual(['"!" has no pattern in it.']);
    expect(parsePatterns(['!a', '!b']).problems).toEqual([
      'every pattern excludes, so nothing is left to match; expected one without "!" in front.',
    ]);
  });

  test('every problem is told', () => expect(parsePatterns(['/a', '../b', 'c']).problems).toHaveLength(2));

  test('.git can be excluded by hand', () => expect(parsePatterns(['**', '!.git/**']).problems).toEqual([]));

  test('tell which of them must match', () =>
    expect(parsePatterns(['a/*.xml!', 'b', '!c!']).patterns).toEqual([
      { text: 'a/*.xml!', glob: 'a/*.xml', excludes: false, required: true },
      { text: 'b', glob: 'b', excludes: false, required: false },
      { text: '!c!', glob: 'c!', excludes: true, required: false },
    ]));

  test('tell which of them match nothing', () => {
    const some = patterns('a/*!', 'b', 'c', 'd/*', '!d/x', '.');
    const listing = ['a/x', 'b/x/y', 'd/x', '.git/c'];
    const unmatched = (paths: string[]) => {
      const open = some.open();
      for (const one of paths) some.note(one, open);
      return [...open].map(({ pattern }) => pattern.text);
    };
    expect(unmatched(listing)).toEqual(['c', 'd/*']);
    expect(unmatched([])).toEqual(['a/*!', 'b', 'c', 'd/*', '.']);
  });
});

describe('the folders to look in', () => {
  test.each([
    [['reports/**/*.xml'], ['reports']],
    [['*.log'], ['.']],
    [['./out/a.txt!'], ['out/a.txt']],
    [
      ['out', 'out/a', 'out/*', 'outs/b/?'],
      ['out', 'outs/b'],
    ],
    [['a/b/*', 'a/*', 'a/*.xml'], ['a']],
    [['a', '**'], ['.']],
    [['{a,b}/c'], ['.']],
    [['x/{a/b,c}/d'], ['x']],
    [['x/a|b'], ['.']],
    [['x/+(a)/b'], ['x']],
    [['a\\*/b'], ['.']],
    [['x/c++/a'], ['x']],
    [['a', '!b/c'], ['a']],
  ])('%j', (lines, roots) => expect(patterns(...lines).roots()).toEqual(roots));

  test('have all that could match', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      '/',
      '*',
      '**',
      '?',
      '{a,b}',
      '{',
      '}',
      '(',
      ')',
      '|',
      '[',
      ']',
      '!',
      '+',
      '@',
      '\\',
      '"',
      ',',
      'a/b',
      '/**/',
    );
    const line = fc.array(piece, { minLength: 1, maxLength: 7 }).map(pieces => pieces.join(''));
    const name = fc.array(fc.constantFrom('a', 'b', '.', '!', '+', '"', '|', '('), { minLength: 1, maxLength: 3 });
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.map(one => one.join('')).join('/'));
    fc.assert(
      fc.property(line, fc.array(path, { minLength: 20, maxLength: 40 }), (one, paths) => {
        const { patterns: read, problems } = parsePatterns([one]);
        fc.pre(problems.length === 0);
        const some = new Patterns(read);
        const roots = some.roots();
        for (const place of paths.filter(each => some.wants(each)))
          expect(
            roots.some(root => root === '.' || normal(place) === root || normal(place).startsWith(`${root}/`)),
          ).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  function normal(path: string): string {
    return path
      .split('/')
      .filter(name => name !== '.')
      .join('/');
  }
});
