import { describe, expect, test } from '@jest/globals';
import { type FilesInputs, readFiles } from '../../../src/github/inputs/files.ts';
import { type Around, DEFAULTS_FILE, read, reading, refusal } from './given.ts';

const HELPER = 'public.ecr.aws/docker/library/busybox:1.37';
const SHA = 'ffac537e6cbbf934b08745a378932722df287a53';
const JOB = { GITHUB_REPOSITORY: 'octo/repo', GITHUB_SHA: SHA };
const upload = { workspace: 'upload' };
const checkout = { workspace: 'checkout' };
const none = { helperImage: HELPER };
const filesOf = (given: Record<string, string>, around: Around = {}) => read(given, { own: JOB, ...around }).files;
const path = '/github/workspace';
const git = {
  server: 'https://github.com',
  repository: 'octo/repo',
  commit: SHA,
  submodules: 'none',
  lfs: false,
  image: 'docker.io/alpine/git:v2.49.1',
};

test.each<[what: string, given: Record<string, string>, expected: Partial<FilesInputs>]>([
  ['nothing was said', {}, {}],
  ['nothing was said but that there is none', { workspace: 'none' }, {}],
  ['the job’s workspace is uploaded', upload, { workspace: { source: 'upload', path } }],
  [
    'some of it is left out',
    { ...upload, workspace_exclude: 'node_modules\n!keep\n' },
    { workspace: { source: 'upload', path }, exclude: 'node_modules\n!keep\n' },
  ],
  ['a volume is all there is', { workspace_volume: 'claim' }, { workspace: { source: 'empty', path } }],
  ['a volume is nothing', { workspace_volume: 'null' }, {}],
  ['nothing is fetched', { download: ' \n\n' }, {}],
  ['it is elsewhere', { ...upload, workspace_path: '/work/' }, { workspace: { source: 'upload', path: '/work' } }],
  [
    'the way there has detours',
    { ...upload, workspace_path: '//work/./a//b//' },
    { workspace: { source: 'upload', path: '/work/a/b' } },
  ],
  [
    'it is beside what is reserved',
    { ...upload, workspace_path: '/pod-steps' },
    { workspace: { source: 'upload', path: '/pod-steps' } },
  ],
  ['the helper is another', { helper_image: ' mirror/busybox ' }, { helperImage: 'mirror/busybox' }],
  ['a repository is checked out', checkout, { workspace: { source: 'checkout', path }, checkout: git as never }],
  [
    'a repository is checked out with all that can be said',
    {
      ...checkout,
      checkout_submodules: 'recursive',
      checkout_lfs: 'true',
      git_image: 'g:1',
      github_token: 't',
    },
    {
      workspace: { source: 'checkout', path },
      checkout: { ...git, submodules: 'recursive', lfs: true, image: 'g:1', token: 't' } as never,
    },
  ],
])('where %s, that is read', (_, given, expected) => {
  expect(filesOf(given)).toStrictEqual({ ...none, ...expected });
});

test.each([
  ['false', 'none'],
  ['True', 'direct'],
  ['true', 'direct'],
  ['recursive', 'recursive'],
])('with checkout_submodules: %s the submodules are %s', (checkout_submodules, expected) => {
  expect(filesOf({ ...checkout, checkout_submodules }).checkout?.submodules).toBe(expected);
});

test('a checkout takes its server from the job, without a slash at its end', () => {
  const own = { ...JOB, GITHUB_SERVER_URL: 'https://github.example//' };
  expect(filesOf(checkout, { own }).checkout?.server).toBe('https://github.example');
});

test('without a checkout no token is kept', () => {
  expect(JSON.stringify(filesOf({ ...upload, github_token: 'hunter2' }))).not.toContain('hunter2');
});

describe('what is fetched', () => {
  test('is said in lines, of which empty ones are none', () => {
    const { download, workspace } = filesOf({ download: '\r\n  dist/**  \r\n!dist/*.map\n\nreport.xml!\n' });
    expect(workspace).toEqual({ source: 'empty', path });
    const wants = ['dist/a.js', 'dist/a.map', 'report.xml', 'report.xml!', 'other'].filter(one =>
      download?.patterns.wants(one),
    );
    expect(wants).toEqual(['dist/a.js', 'report.xml']);
    expect([...(download?.patterns.open() ?? [])].map(({ pattern }) => [pattern.glob, pattern.required])).toEqual([
      ['dist/**', false],
      ['report.xml', true],
    ]);
  });

  test('does not change what the workspace begins with', () => {
    expect(filesOf({ ...upload, download: 'a' }).workspace?.source).toBe('upload');
    expect(filesOf({ ...checkout, download: 'a' }).workspace?.source).toBe('checkout');
  });

  test.each([
    ['', 2 ** 30],
    ['1', 1],
    ['500k', 500_000],
    ['500Ki', 512_000],
    ['500M', 500_000_000],
    ['500Mi', 524_288_000],
    ['2Gi', 2 ** 31],
    ['1.5G', 1_500_000_000],
    ['1.5Ki', 1536],
    ['1.0001k', 1000],
    ['3T', 3e12],
    ['1Ti', 2 ** 40],
    [' 7Mi ', 7 * 2 ** 20],
  ])('with download_limit: "%s" may be %d bytes', (download_limit, bytes) => {
    expect(filesOf({ download: 'a', download_limit }).download?.limitBytes).toBe(bytes);
  });
});

describe('is refused:', () => {
  const absolute = (found: string) =>
    `workspace_path: expected an absolute path in the container, e.g. /github/workspace; found ${JSON.stringify(found)}.`;
  const inUse = (folder: string, taken: string) =>
    `workspace_path: ${folder} cannot be the workspace: ${taken} is in use. Choose another.`;
  const noMount = (found: string) =>
    `workspace_path: ${JSON.stringify(found)} has a character in it that no mount can have.`;

  test.each<[workspace_path: string, sentence: string]>([
    ['work', absolute('work')],
    ['./work', absolute('./work')],
    ['/work/../etc', absolute('/work/../etc')],
    ['/..', absolute('/..')],
    ['/', absolute('/')],
    ['//', absolute('//')],
    ['/./', absolute('/./')],
    ['/a:b', noMount('/a:b')],
    ['/a\u0007b', noMount('/a\u0007b')],
    ['/a\nb', noMount('/a\nb')],
    ['/a\u0085b', noMount('/a\u0085b')],
    ['/pod-step', inUse('/pod-step', '/pod-step')],
    ['/pod-step/files/', inUse('/pod-step/files', '/pod-step')],
    ['/airflow', inUse('/airflow', '/airflow/xcom')],
    ['/airflow/xcom', inUse('/airflow/xcom', '/airflow/xcom')],
    ['/airflow//xcom/./a', inUse('/airflow/xcom/a', '/airflow/xcom')],
    ['/proc', inUse('/proc', '/proc')],
    ['/sys/fs', inUse('/sys/fs', '/sys')],
    ['/dev/shm', inUse('/dev/shm', '/dev')],
  ])('workspace_path: %j', (workspace_path, sentence) => {
    for (const given of [upload, { workspace_volume: 'claim' }, { download: 'a' }])
      expect(refusal({ ...given, workspace_path }).message).toBe(sentence);
  });

  test.each<[what: string, given: Record<string, string>, sentence: string]>([
    [
      'another source',
      { workspace: 'clone' },
      'workspace: expected none, upload or checkout, found "clone". Did you mean none?',
    ],
    [
      'submodules in another word',
      { ...checkout, checkout_submodules: 'all' },
      'checkout_submodules: expected false, true or recursive, found "all".',
    ],
    ['LFS in another word', { ...checkout, checkout_lfs: 'yes' }, 'checkout_lfs: expected true or false, found "yes".'],
    [
      'an image of two words',
      { helper_image: 'busybox 1.37' },
      'helper_image: "busybox 1.37" is no image: it holds white space.',
    ],
    [
      'an image of two lines',
      { ...checkout, git_image: 'a\nb' },
      'git_image: "a\\nb" is no image: it holds white space.',
    ],
    [
      'an absolute pattern',
      { download: 'a\n/etc/passwd' },
      'download: "/etc/passwd" is absolute; expected a pattern relative to the workspace.',
    ],
    [
      'a pattern that leads out',
      { download: 'a/../b' },
      'download: "a/../b" has ".." in it; expected a pattern of paths in the workspace.',
    ],
    [
      'a pattern of .git',
      { download: '.git/hooks' },
      'download: ".git/hooks" is in .git, where a file can act on the job.',
    ],
    ['a pattern without one', { download: '!' }, 'download: "!" has no pattern in it.'],
    ['a control character', { download: 'a\u0000b' }, 'download: "a\\u0000b" has a control character in it.'],
    [
      'exclusions alone',
      { download: '!a\n!b' },
      'download: every pattern excludes, so nothing is left to match; expected one without "!" in front.',
    ],
  ])('%s', (_, given, sentence) => expect(refusal(given, { own: JOB }).text).toContain(sentence));

  test.each(['0', '0.5', '0Mi', '-1', '1.', '.5G', '1e9', '1 Mi', '5K', '5ki', '5i', '5mi', '5MB', 'Mi', 'all', '5Pi'])(
    'download_limit: %s',
    download_limit => {
      expect(refusal({ download: 'a', download_limit }).message).toBe(
        `download_limit: expected a size, e.g. 500Mi or 2Gi; found ${JSON.stringify(download_limit)}.`,
      );
    },
  );

  test.each<[own: Record<string, string>, missing: string]>([
    [{ GITHUB_REPOSITORY: 'octo/repo' }, 'GITHUB_SHA'],
    [{ GITHUB_REPOSITORY: 'octo/repo', GITHUB_SHA: '' }, 'GITHUB_SHA'],
    [{ GITHUB_SHA: SHA }, 'GITHUB_REPOSITORY'],
    [{}, 'GITHUB_REPOSITORY'],
  ])('a checkout with nothing but %j', (own, missing) => {
    expect(refusal(checkout, { own }).message).toBe(
      `workspace: checkout takes the job's repository and commit, and the runner has no ${missing}.`,
    );
  });

  test('all of it at once', () => {
    const given = { ...upload, workspace_path: 'a', download: '/b\n../c', download_limit: 'x', helper_image: 'a b' };
    expect(refusal(given).title).toBe('5 invalid inputs');
  });
});

describe('it is told of what nothing uses:', () => {
  const warnings = (given: Record<string, string>, around: Around = {}) => {
    const reader = reading(given, { own: JOB, ...around });
    readFiles(reader);
    return [...reader.warnings];
  };

  test.each<[given: Record<string, string>, warning: string]>([
    [
      { workspace_path: '/work' },
      'workspace_path: nothing here uses it: workspace_path goes with workspace, workspace_volume or download.',
    ],
    [
      { workspace_exclude: 'a' },
      'workspace_exclude: nothing here uses it: workspace_exclude goes with workspace: upload.',
    ],
    [
      { ...checkout, workspace_exclude: 'a' },
      'workspace_exclude: nothing here uses it: workspace_exclude goes with workspace: upload.',
    ],
    [
      { ...upload, checkout_lfs: 'false' },
      'checkout_lfs: nothing here uses it: checkout_lfs goes with workspace: checkout.',
    ],
    [{ ...upload, download_limit: '1Gi' }, 'download_limit: nothing here uses it: download_limit goes with download.'],
    [
      { download: 'a', checkout_submodules: 'true', git_image: 'x' },
      'checkout_submodules, git_image: nothing here uses them: checkout_submodules goes with workspace: checkout, git_image goes with workspace: checkout.',
    ],
  ])('%j', (given, warning) => expect(warnings(given)).toEqual([warning]));

  test.each<[given: Record<string, string>]>([
    [{}],
    [{ helper_image: 'x' }],
    [{ workspace_path: 'null', download_limit: 'None' }],
    [{ ...upload, workspace_path: '/w', workspace_exclude: 'a' }],
    [{ workspace_volume: 'claim', workspace_path: '/w' }],
    [{ download: 'a', download_limit: '1', workspace_path: '/w' }],
    [{ ...checkout, checkout_lfs: 'true', checkout_submodules: 'true', git_image: 'x', workspace_path: '/w' }],
  ])('nothing with %j', given => expect(warnings(given)).toEqual([]));

  test('nothing of what the defaults of many steps have', () => {
    const defaults = 'workspace_path: /w\nworkspace_exclude: a\ngit_image: x\ndownload_limit: 1Gi\n';
    expect(warnings({}, { defaults })).toEqual([]);
  });
});

describe('the defaults of many steps', () => {
  const defaults =
    'workspace: upload\nworkspace_path: /w\nworkspace_exclude: |\n  a\n  b\ndownload: |\n  dist\n  !dist/x\ndownload_limit: 500Ki\n';

  test('count', () => {
    const { workspace, exclude, download } = filesOf({}, { defaults });
    expect({ workspace, exclude }).toEqual({ workspace: { source: 'upload', path: '/w' }, exclude: 'a\nb\n' });
    expect(download?.limitBytes).toBe(512_000);
    expect(['dist/a', 'dist/x'].map(one => download?.patterns.wants(one))).toEqual([true, false]);
  });

  test('count for less than the step’s own', () => {
    expect(filesOf({ workspace: 'none', download: 'null' }, { defaults })).toEqual(none);
    expect(filesOf({ workspace_path: '/mine' }, { defaults }).workspace?.path).toBe('/mine');
  });

  test('are named where they are wrong', () => {
    expect(refusal({}, { defaults: 'download: [a, b]\n' }).message).toBe(
      `defaults_file (${DEFAULTS_FILE}): download: expected text, found a list.`,
    );
    expect(refusal({}, { defaults: 'download: a\ndownload_limit: 0\n' }).message).toBe(
      `defaults_file (${DEFAULTS_FILE}): download_limit: expected a size, e.g. 500Mi or 2Gi; found "0".`,
    );
  });
});
