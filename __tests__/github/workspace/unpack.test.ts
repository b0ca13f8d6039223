import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TooMuch, type Unpacked, Unpacking } from '../../../src/github/workspace/unpack.ts';
import {
  archive,
  END,
  entry,
  file,
  folder,
  HOSTILE_TARS,
  hardLink,
  LIMIT_BYTES,
  link,
  longName,
  pax,
} from '../../support/hostile-tars.ts';

let root: string;
let workspace: string;
let scratch: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'unpack-')));
  workspace = join(root, 'all', 'workspace');
  scratch = join(root, 'all', 'scratch');
  for (const path of ['all/workspace/.git/hooks', 'all/workspace/folder', 'all/scratch', 'all/outside/deep', 'tmp'])
    mkdirSync(join(root, path), { recursive: true });
  for (const path of ['secret', 'all/secret', 'all/outside/secret', 'all/outside/deep/x', 'all/outside/x'])
    writeFileSync(join(root, path), `${path} is not for the container`);
  writeFileSync(join(workspace, '.git/config'), '[core]\n');
  writeFileSync(join(workspace, '.git/hooks/pre-commit'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(workspace, 'kept.txt'), 'kept');
  symlinkSync('../outside', join(workspace, 'outside'));
  symlinkSync('outside/secret', join(root, 'all/link'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const at = (...path: string[]) => join(workspace, ...path);
const text = (...path: string[]) => readFileSync(at(...path), 'utf8');
const all = { limitBytes: LIMIT_BYTES, wants: (_path: string) => true };

/** Every name below the folder, with what it is; by bytes, for names need not be UTF-8. */
function tree(top: string | Buffer, but: (path: string) => boolean = () => false): Map<string, string> {
  const found = new Map<string, string>();
  const look = (place: Buffer, path: string) => {
    for (const name of readdirSync(place, { encoding: 'buffer' })) {
      const inside = Buffer.concat([place, Buffer.from('/'), name]);
      const shown = `${path}${name.toString('latin1')}`;
      if (but(shown)) continue;
      const stats = lstatSync(inside);
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) found.set(shown, `-> ${readlinkSync(inside)}`);
      else if (stats.isDirectory()) {
        found.set(`${shown}/`, mode);
        look(inside, `${shown}/`);
      } else if (stats.isFile()) found.set(shown, `${mode} ${readFileSync(inside).toString('base64')}`);
      else found.set(shown, 'neither a file, nor a folder, nor a link');
    }
  };
  look(Buffer.from(top), '');
  return found;
}

/** What is new below the workspace. */
function news(before: Map<string, string>): string[] {
  const now = [...tree(workspace)].filter(([path]) => !before.has(path));
  return now.map(([path, what]) => (what.startsWith('-> ') ? `${path} ${what}` : path)).sort();
}

/** Takes a whole archive, in pieces of a length. */
async function unpack(tar: Buffer, options = all, pieceBytes = 100_000): Promise<Unpacked> {
  const unpacking = await Unpacking.begin(workspace, scratch, options);
  try {
    for (let begin = 0; begin < tar.length; begin += pieceBytes)
      await unpacking.write(tar.subarray(begin, begin + pieceBytes));
    return await unpacking.finish();
  } finally {
    await unpacking.discard();
  }
}

describe('a hostile archive', () => {
  test('has a name of its own', () => {
    expect(HOSTILE_TARS.length).toBeGreaterThan(50);
    expect(new Set(HOSTILE_TARS.map(({ name }) => name)).size).toBe(HOSTILE_TARS.length);
  });

  test.each(HOSTILE_TARS)('$name', async ({ tar, throws, refused = [], stands = [] }) => {
    const around = () => tree(root, path => path === 'all/workspace');
    const inGit = () => tree(at('.git'));
    const before = { around: around(), git: inGit(), workspace: tree(workspace) };

    const outcome = await unpack(tar()).catch((error: Error) => error);

    expect(around()).toEqual(before.around);
    expect(inGit()).toEqual(before.git);
    expect(Object.fromEntries(tree(workspace))).toMatchObject(Object.fromEntries(before.workspace));
    expect(news(before.workspace)).toEqual([...stands].sort());
    for (const [path, what] of tree(workspace)) {
      expect(what).not.toMatch(/^[1-7]\d{3}|neither/);
      if (what.startsWith('->') && path !== 'outside') expect(leadsTo(path)).toMatch(/^inside|nowhere/);
    }
    if (throws !== undefined) {
      expect(outcome).toBeInstanceOf(Error);
      expect((outcome as Error).message).toMatch(throws);
      expect(outcome instanceof TooMuch).toBe(throws.source.includes('more than the'));
    } else {
      const { refused: found, refusedCount } = outcome as Unpacked;
      expect(found?.map(({ why }) => why) ?? outcome).toEqual(refused.map(why => expect.stringMatching(why)));
      expect(refusedCount).toBe(refused.length);
    }
  });

  function leadsTo(path: string): string {
    try {
      const place = realpathSync(at(path));
      return place === workspace || place.startsWith(workspace + sep) ? 'inside' : place;
    } catch {
      return 'nowhere';
    }
  }

  test.each([1, 511, 512, 513])('is the same in pieces of %d bytes', async pieceBytes => {
    const tar = archive(
      longName('n'.repeat(200)),
      file('x', 'a'.repeat(700)),
      pax({ path: '../x' }),
      file('x'),
      link('z', 'x'),
    );
    const { refusedCount, files } = await unpack(tar, all, pieceBytes);
    expect({ refusedCount, files }).toEqual({ refusedCount: 1, files: 2 });
  });

  test('keeps its hands off after it was refused: further bytes and the end fail alike', async () => {
    const unpacking = await Unpacking.begin(workspace, scratch, all);
    const tar = archive({ ...file('x'), checksum: '1' });
    await expect(unpacking.write(tar)).rejects.toThrow('not a whole tar archive');
    await expect(unpacking.write(tar)).rejects.toThrow('not a whole tar archive');
    await expect(unpacking.finish()).rejects.toThrow('not a whole tar archive');
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('has at most 20 refusals told, and all counted', async () => {
    const tar = archive(...Array.from({ length: 33 }, (_, number) => file(`../${number}`)));
    const { refused, refusedCount } = await unpack(tar);
    expect([refused.length, refusedCount]).toEqual([20, 33]);
  });

  test('has a name that is not told in full', async () => {
    const { refused } = await unpack(archive(longName(`/${'n'.repeat(5000)}`), file('x')));
    expect(refused[0]?.name).toHaveLength(200);
  });
});

describe('an archive', () => {
  test('is nothing in the workspace before it is finished, and only for its owner meanwhile', async () => {
    const before = tree(workspace);
    const unpacking = await Unpacking.begin(workspace, scratch, all);
    await unpacking.write(archive(file('a'), file('.git/x'), folder('d/')));
    expect(tree(workspace)).toEqual(before);
    const [staging = ''] = readdirSync(scratch);
    expect(statSync(join(scratch, staging)).mode & 0o777).toBe(0o700);
    expect(await unpacking.finish()).toMatchObject({ files: 1, bytes: 7, refusedCount: 1 });
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('can be discarded at any time, more than once', async () => {
    const before = tree(workspace);
    const unpacking = await Unpacking.begin(workspace, scratch, all);
    await unpacking.write(entry(file('a', 'x'.repeat(5000))).subarray(0, 2000));
    await unpacking.discard();
    await unpacking.discard();
    await expect(unpacking.write(END)).rejects.toThrow('has ended');
    await expect(unpacking.finish()).rejects.toThrow('has ended');
    expect(tree(workspace)).toEqual(before);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('has its files, folders and links, with modes and times', async () => {
    const tool = { ...file('bin/tool', '#!'), mode: '0000755' };
    const kept = { ...folder('bin/'), mode: '0000500' };
    expect(await unpack(archive(kept, tool, hardLink('bin/same', 'bin/tool'), link('run', 'bin/tool')))).toEqual({
      files: 3,
      bytes: 2,
      refused: [],
      refusedCount: 0,
    });
    expect(statSync(at('bin/tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(at('bin/tool')).mtimeMs).toBe(0o14000000000 * 1000);
    expect(statSync(at('bin/same')).ino).toBe(statSync(at('bin/tool')).ino);
    expect(statSync(at('bin')).mode & 0o7777).toBe(0o700);
    expect(text('run')).toBe('#!');
  });

  test('brings only what is asked for', async () => {
    const wants = (path: string) => path.endsWith('.xml');
    const { files, refused } = await unpack(archive(file('./a/x.xml'), file('a/y')), { ...all, wants });
    expect(files).toBe(1);
    expect(refused).toEqual([{ name: 'a/y', why: 'it was not asked for' }]);
  });

  test('replaces files and links, which are not followed, and leaves a file its other names', async () => {
    symlinkSync('../outside/secret', at('leads'));
    symlinkSync('../outside/secret', at('h'));
    linkSync(join(root, 'all/outside/x'), at('linked'));
    await unpack(archive(file('leads'), file('linked'), file('kept.txt'), hardLink('h', 'kept.txt')));
    expect(lstatSync(at('leads')).isFile()).toBe(true);
    for (const name of ['leads', 'linked', 'kept.txt', 'h']) expect(text(name)).toBe('hostile');
    expect(readFileSync(join(root, 'all/outside/secret'), 'utf8')).toContain('not for the container');
    expect(readFileSync(join(root, 'all/outside/x'), 'utf8')).toContain('not for the container');
  });

  test('a link replaces a link, not what it leads to', async () => {
    await unpack(archive(link('outside', 'kept.txt')));
    expect(readlinkSync(at('outside'))).toBe('kept.txt');
    expect(existsSync(join(root, 'all/outside/secret'))).toBe(true);
  });

  test('leaves folders that are there as they are', async () => {
    chmodSync(at('folder'), 0o711);
    await unpack(archive(folder('folder/'), file('folder/x')));
    expect(statSync(at('folder')).mode & 0o777).toBe(0o711);
  });

  test('the last of a name wins', async () => {
    await unpack(archive(file('x', 'first'), hardLink('y', 'x'), file('x', 'last')));
    expect([text('x'), text('y')]).toEqual(['last', 'first']);
  });

  test('can be followed by others', async () => {
    const filling = Buffer.alloc(10_240);
    const tar = Buffer.concat([archive(file('a')), filling, archive(file('b')), filling, archive(hardLink('c', 'a'))]);
    expect(await unpack(tar)).toMatchObject({ files: 3, refusedCount: 0 });
  });

  test('can be empty', async () => expect(await unpack(END)).toMatchObject({ files: 0, refusedCount: 0 }));

  test('can have names that are no UTF-8', async () => {
    await unpack(archive(file('\xff\xfe'), pax({ path: 'größe' }), file('x'), link('\xf0', '\xff\xfe')));
    const names = [...tree(workspace).keys()];
    expect(names).toEqual(expect.arrayContaining(['\xff\xfe', Buffer.from('größe').toString('latin1'), '\xf0']));
    expect(readlinkSync(Buffer.from(`${workspace}/\xf0`, 'latin1'), 'latin1')).toBe('\xff\xfe');
  });

  test('a path that the system cannot have is refused, and no more', async () => {
    const long = `${'d'.repeat(203)}/`.repeat(20);
    const { files, refused } = await unpack(archive(longName(`${long}x`), file('x'), file('y')));
    expect(files).toBe(1);
    expect(refused[0]?.why).toContain('ENAMETOOLONG');
  });

  test('a limit is kept to the byte', async () => {
    const tar = archive(file('a', 'x'.repeat(60)), file('b', 'x'.repeat(40)));
    expect(await unpack(tar, { ...all, limitBytes: 100 })).toMatchObject({ bytes: 100 });
    await expect(unpack(tar, { ...all, limitBytes: 99 })).rejects.toThrow(TooMuch);
  });
});

const otherDisk = existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(tmpdir()).dev ? test : test.skip;

otherDisk('what is staged on another file system is copied', async () => {
  scratch = mkdtempSync('/dev/shm/unpack-');
  try {
    const body = randomBytes(300_000).toString('latin1');
    symlinkSync('../outside/secret', at('big'));
    const tar = archive({ ...file('big', body), mode: '0000400' }, hardLink('same', 'big'), link('z', 'big'));
    expect(await unpack(tar)).toMatchObject({ files: 3, bytes: 300_000 });
    expect(readFileSync(at('big'), 'latin1')).toBe(body);
    expect(statSync(at('big')).mode & 0o7777).toBe(0o400);
    expect(statSync(at('big')).mtimeMs).toBe(0o14000000000 * 1000);
    expect(statSync(at('same')).ino).toBe(statSync(at('big')).ino);
    expect(readFileSync(join(root, 'all/outside/secret'), 'utf8')).toContain('not for the container');
    expect(readdirSync(scratch)).toEqual([]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

interface Leaf {
  path: string[];
  bytes: Uint8Array;
  mode: number;
  kind: 'file' | 'link' | 'hard link' | 'folder';
}

const leaf: fc.Arbitrary<Leaf> = fc.record({
  path: fc.array(fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }), { minLength: 1, maxLength: 5 }),
  bytes: fc.uint8Array({ maxLength: 3000 }),
  mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444),
  kind: fc.constantFrom('file', 'file', 'link', 'hard link', 'folder'),
});

test.each(['gnu', 'pax'])('a tree that tar has packed as %s comes back equal', async format => {
  await fc.assert(
    fc.asyncProperty(fc.array(leaf, { maxLength: 15 }), async leaves => {
      const packed = mkdtempSync(join(root, 'packed-'));
      const target = mkdtempSync(join(root, 'target-'));
      plant(packed, leaves);
      const tar = execFileSync('tar', ['-C', packed, `--format=${format}`, '-cf', '-', '.'], { maxBuffer: 2 ** 26 });
      const unpacking = await Unpacking.begin(target, scratch, all);
      await unpacking.write(tar);
      expect((await unpacking.finish()).refused).toEqual([]);
      expect(tree(target)).toEqual(tree(packed));
    }),
    { numRuns: 40 },
  );
});

/** Makes what of it can be made in a folder. */
function plant(top: string, leaves: Leaf[]): void {
  let first: string | undefined;
  for (const { path, bytes, mode, kind } of leaves) {
    // U+FFFD in a pax header is a byte that was no UTF-8, for all that anybody can tell.
    const names = path
      .map(name => name.replaceAll(/[/\0\ufffd]/g, '_'))
      .map(name => (/^\.+$|git/i.test(name) ? 'n' : name));
    const place = join(top, ...names);
    try {
      mkdirSync(kind === 'folder' ? place : join(place, '..'), { recursive: true });
      if (kind === 'link') symlinkSync(`${'../'.repeat(names.length - 1)}x`, place);
      else if (kind === 'hard link' && first !== undefined) linkSync(first, place);
      else if (kind !== 'folder') {
        writeFileSync(place, bytes, { flag: 'wx' });
        chmodSync(place, mode);
        utimesSync(place, 1_600_000_000, 1_600_000_000);
        first ??= place;
      }
    } catch (error) {
      // Another one is in its way, or the name is too long.
      expect(['EEXIST', 'ENOTDIR', 'ENAMETOOLONG', 'EISDIR']).toContain((error as NodeJS.ErrnoException).code);
    }
  }
}
