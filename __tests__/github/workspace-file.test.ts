import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkWorkspacePath, isSameFile, WorkspaceFile } from '../../src/github/workspace-file.ts';

let root: string;
let workspace: string;
/** Where nothing is ever to be written. */
let elsewhere: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'workspace-file-')));
  workspace = join(root, 'workspace');
  elsewhere = join(root, 'elsewhere');
  mkdirSync(workspace);
  mkdirSync(elsewhere);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const posix = process.platform === 'win32' ? test.skip : test;
const bytes = (text: string) => Buffer.from(text);
const at = (...path: string[]) => join(workspace, ...path);
const check = (path: string) => checkWorkspacePath(path, workspace);

/** Writes to the path what a container would. */
function written(path: string): void {
  const file = WorkspaceFile.create(path, workspace);
  file.write(bytes('text'));
  file.close();
}

describe('a file in the workspace', () => {
  test('has what was written, from its first write on', () => {
    const file = WorkspaceFile.create('run.log', workspace);
    file.write(bytes('one\n'));
    expect(readFileSync(at('run.log'), 'utf8')).toBe('one\n');
    file.write(new Uint8Array(0));
    file.write(Buffer.from('..two..').subarray(2, 5));
    file.close();
    expect(readFileSync(at('run.log'), 'utf8')).toBe('one\ntwo');
  });

  test('is called what the user called it', () => {
    expect(WorkspaceFile.create('./logs/run.log', workspace).path).toBe('./logs/run.log');
  });

  test.each([
    'logs/of/today/run.log',
    './run.log',
    'logs//./run.log',
    'größe 🎉/a b.log',
    '.github/x',
    'a.git/x',
    '..x',
  ])('can be %s', path => {
    expect(check(path)).toBeUndefined();
    written(path);
    expect(readFileSync(at(path), 'utf8')).toBe('text');
  });

  test('can be told by an absolute path', () => {
    written(at('logs/run.log'));
    expect(readFileSync(at('logs/run.log'), 'utf8')).toBe('text');
  });

  test('is in folders that are there already too', () => {
    mkdirSync(at('logs'));
    written('logs/run.log');
    expect(readdirSync(at('logs'))).toEqual(['run.log']);
  });

  test('replaces the one that is there', () => {
    writeFileSync(at('run.log'), 'a long text of an earlier run');
    expect(check('run.log')).toBeUndefined();
    written('run.log');
    expect(readFileSync(at('run.log'), 'utf8')).toBe('text');
  });

  test('is nothing that another name leads to', () => {
    writeFileSync(join(elsewhere, 'precious'), 'precious');
    linkSync(join(elsewhere, 'precious'), at('run.log'));
    written('run.log');
    expect(readFileSync(join(elsewhere, 'precious'), 'utf8')).toBe('precious');
    expect(statSync(at('run.log')).nlink).toBe(1);
  });

  posix('can be executed by nobody', () => {
    written('run.log');
    expect(statSync(at('run.log')).mode & 0o111).toBe(0);
  });

  posix('may be in a workspace that is a link itself', () => {
    symlinkSync(workspace, join(root, 'link'));
    const file = WorkspaceFile.create('logs/run.log', join(root, 'link'));
    file.write(bytes('text'));
    file.close();
    expect(readFileSync(at('logs/run.log'), 'utf8')).toBe('text');
  });

  test('takes nothing more once it is closed, which it can be twice', () => {
    const file = WorkspaceFile.create('run.log', workspace);
    file.close();
    file.close();
    file.write(bytes('late'));
    expect(readFileSync(at('run.log'), 'utf8')).toBe('');
  });
});

describe('what is removed', () => {
  test('is the file that is there, and nothing else', () => {
    mkdirSync(at('out'));
    for (const name of ['out/r.json', 'out/other']) writeFileSync(at(name), 'of an earlier run');
    WorkspaceFile.remove('out/r.json', workspace);
    expect(readdirSync(at('out'))).toEqual(['other']);
  });

  test('is nothing where there is none, nor a folder to it', () => {
    WorkspaceFile.remove('out/r.json', workspace);
    expect(readdirSync(workspace)).toEqual([]);
  });

  posix('is nothing that a link leads to, nor the link, nor a folder, nor what is outside', () => {
    writeFileSync(join(elsewhere, 'file'), 'kept');
    symlinkSync(join(elsewhere, 'file'), at('link'));
    symlinkSync(elsewhere, at('folder-link'));
    mkdirSync(at('folder'));
    for (const path of ['link', 'folder-link/file', 'folder', '../elsewhere/file', join(elsewhere, 'file')])
      WorkspaceFile.remove(path, workspace);
    expect(readdirSync(workspace).sort()).toEqual(['folder', 'folder-link', 'link']);
    expect(readFileSync(join(elsewhere, 'file'), 'utf8')).toBe('kept');
  });
});

test.each<[one: string, other: string, platform: NodeJS.Platform, same: boolean]>([
  ['a/b', 'a/./b', 'linux', true],
  ['a/b', 'A/b', 'linux', false],
  ['a/b', 'A/B', 'darwin', true],
  ['a/b', 'A/B', 'win32', true],
  ['a/b', 'a', 'linux', false],
])('%s and %s on %s: one file is %s', (one, other, platform, same) => {
  expect(isSameFile(one, other, workspace, platform)).toBe(same);
});

describe('refused, and nothing made, is', () => {
  test.each([
    ['nothing', '', 'found empty text'],
    ['blanks', '  ', 'found empty text'],
    ['a path to the outside', '../run.log', '"../run.log" is outside of the workspace, '],
    ['a longer one', 'a/../../run.log', '".." in it'],
    ['one that only takes a turn', 'a/../run.log', '"a/../run.log" has ".." in it'],
    ['one that ends in ..', 'a/..', '".." in it'],
    ['another place', '/etc/run.log', '"/etc/run.log" is outside of the workspace, '],
    ['the workspace', '.', '"." is a folder'],
    ['a folder by its slash', 'logs/', '"logs/" is a folder'],
    ['a folder by its dot', 'logs/.', 'is a folder'],
    ['NUL', 'run\u0000.log', '"run\\u0000.log" has a control character'],
    ['a line end', 'run.log\n::error::x', 'has a control character'],
    ['an escape', '\u001b[31mrun.log', 'has a control character'],
    ['a hook of git', '.git/hooks/pre-commit', 'is in .git, where a file can act on the job'],
    ['.git itself', '.git', 'is in .git'],
    ['.git in capitals', '.GIT/config', 'is in .git'],
    ['.git of a repository in it', 'sub/.Git/config', 'is in .git'],
    ['.git with what macOS skips', '.g\u200cit/config', 'is in .git'],
    ['.git with what Windows skips', '.git. ./config', 'is in .git'],
    ['.git by its short name', 'GIT~1/config', 'is in .git'],
  ])('%s', (_, path, expected) => {
    expect(check(path)).toContain(expected);
    expect(() => written(path)).toThrow(check(path));
    expect({ inside: readdirSync(workspace), outside: readdirSync(elsewhere) }).toEqual({ inside: [], outside: [] });
  });

  test('a neighbour of the workspace whose name begins alike', () => {
    expect(check(`${workspace}-2/run.log`)).toContain('is outside of the workspace');
  });

  test('the workspace by its absolute path', () => expect(check(workspace)).toContain('is a folder'));

  test.each([
    'CON',
    'con.log',
    'logs/Nul',
    'com1.txt',
    'LPT¹',
    'a:b',
    'a?',
    'a*.log',
    'run.log.',
    'run.log ',
    'a<b',
    'x|y',
  ])('%s on Windows', path => {
    expect(checkWorkspacePath(path, workspace, 'win32')).toMatch(/cannot be the name of a file on Windows/);
    expect(checkWorkspacePath(path, workspace, 'linux')).toBeUndefined();
  });

  test.each(['run.log', 'logs\\run.log', './console', 'com10', 'nul-1', '.hidden'])('not %s on Windows', path =>
    expect(checkWorkspacePath(path, workspace, 'win32')).toBeUndefined(),
  );

  test('.git behind a backslash on Windows', () =>
    expect(checkWorkspacePath('a\\.git\\config', workspace, 'win32')).toContain('is in .git'));
});

describe('what stands there already refuses', () => {
  posix.each<[string, string, () => void, string]>([
    ['a link at the end', 'run.log', () => link('precious', 'run.log'), '"run.log" is a symbolic link, to '],
    ['a link to nothing', 'run.log', () => link('none', 'run.log'), '"run.log" is a symbolic link, to '],
    ['a link to a folder at the end', 'run.log', () => link('.', 'run.log'), '"run.log" is a symbolic link, to '],
    ['a link on the way', 'logs/run.log', () => link('.', 'logs'), '"logs" is a symbolic link, to '],
    ['a link to nothing on the way', 'logs/run.log', () => link('none', 'logs'), '"logs" is a symbolic link, to '],
    ['a link in a folder', 'a/b/c/run.log', () => link('.', 'a/b'), '"a/b" is a symbolic link, to '],
    ['a link that stays inside', 'a/run.log', () => symlinkSync('.', at('a')), '"a" is a symbolic link, to "."'],
    ['a link in circles', 'a/run.log', () => symlinkSync('a', at('a')), '"a" is a symbolic link, to "a"'],
    ['a folder', 'logs', () => mkdirSync(at('logs')), '"logs" is a folder; expected the path of a file.'],
    ['a pipe', 'pipe', () => void execFileSync('mkfifo', [at('pipe')]), '"pipe" is a named pipe; expected'],
    ['a file on the way', 'a/run.log', () => writeFileSync(at('a'), ''), '"a" is a file, so nothing can be in it.'],
    ['a name of 300 characters', 'x'.repeat(300), () => {}, 'cannot be written: name too long (ENAMETOOLONG).'],
  ])('%s', (_, path, prepare, expected) => {
    writeFileSync(join(elsewhere, 'precious'), 'precious');
    prepare();
    const before = readdirSync(workspace);
    expect(check(path)).toContain(expected);
    expect(() => written(path)).toThrow(check(path));
    expect(readdirSync(workspace)).toEqual(before);
    expect(readdirSync(elsewhere)).toEqual(['precious']);
    expect(readFileSync(join(elsewhere, 'precious'), 'utf8')).toBe('precious');
  });

  posix('a socket', async () => {
    const server = createServer().listen(at('socket'));
    await new Promise(resolve => server.once('listening', resolve));
    expect(check('socket')).toContain('"socket" is a socket');
    await new Promise(resolve => server.close(resolve));
  });

  posix('a link whose name or target would act on the log', () => {
    symlinkSync('x\n::add-mask::y', at('run.log'));
    expect(check('run.log')).toContain('to "x\\n::add-mask::y"; nothing');
  });

  posix('a folder that must not be written to', () => {
    mkdirSync(at('kept'), { mode: 0o555 });
    chmodSync(root, 0o755);
    expect(asNobody('kept/run.log')).toEqual({
      check: '"kept/run.log" cannot be written: permission denied (EACCES).',
      create: '"kept/run.log" cannot be written: permission denied (EACCES).',
    });
    expect(asNobody('kept/logs/run.log').check).toBe(
      '"kept/logs/run.log" cannot be written: permission denied (EACCES).',
    );
    expect(readdirSync(at('kept'))).toEqual([]);
  });

  posix('a folder that must not be looked into', () => {
    mkdirSync(at('closed', 'logs'), { recursive: true });
    chmodSync(at('closed'), 0);
    chmodSync(root, 0o755);
    expect(asNobody('closed/logs/run.log').check).toContain('permission denied (EACCES)');
    chmodSync(at('closed'), 0o755);
  });

  test('a workspace that is not there', () => {
    expect(checkWorkspacePath('run.log', at('none'))).toContain('no such file or directory (ENOENT)');
    expect(existsSync(at('none'))).toBe(false);
  });
});

/** A link in the workspace to what is elsewhere. */
function link(target: string, path: string): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  symlinkSync(join(elsewhere, target), at(path));
}

/** What is said to a process that is not root, for root may do everything. */
function asNobody(path: string): { check: string; create: string } {
  const module = new URL('../../src/github/workspace-file.ts', import.meta.url);
  const script = `
    import { checkWorkspacePath, isSameFile, WorkspaceFile } from ${JSON.stringify(module.href)};
    const given = ${JSON.stringify([path, workspace])};
    if (process.getuid() === 0) process.setuid(65534);
    const create = () => { try { WorkspaceFile.create(...given); } catch (error) { return error.message; } };
    process.stdout.write(JSON.stringify({ check: checkWorkspacePath(...given), create: create() }));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

describe('a write that fails', () => {
  const full = existsSync('/dev/full') ? test : test.skip;

  full('is told once, in a sentence', () => {
    const file = new WorkspaceFile('logs/run.log', openSync('/dev/full', 'w'));
    expect(() => file.write(bytes('text'))).toThrow(
      '"logs/run.log" is not complete, for writing failed: no space left on device (ENOSPC).',
    );
    file.write(bytes('text'));
    file.close();
  });

  posix('leaves what came before', () => {
    // A process may write files of so many KiB: the write that crosses it is short, and the next one fails.
    const module = new URL('../../src/github/workspace-file.ts', import.meta.url);
    const script = `
      import { WorkspaceFile } from ${JSON.stringify(module.href)};
      process.on('SIGXFSZ', () => {});
      const file = WorkspaceFile.create('run.log', ${JSON.stringify(workspace)});
      try { for (let index = 0; index < 20; index++) file.write(Buffer.alloc(1000, 'x')); }
      catch (error) { process.stdout.write(error.message); }`;
    const run = `ulimit -f 8; exec "$0" --input-type=module -e "$1"`;
    const said = execFileSync('bash', ['-c', run, process.execPath, script], { encoding: 'utf8' });
    expect(said).toBe('"run.log" is not complete, for writing failed: file too large (EFBIG).');
    expect(statSync(at('run.log')).size).toBe(8192);
  });
});
