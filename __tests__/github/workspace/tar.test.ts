import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { excluding, type IsExcluded } from '../../../src/github/workspace/exclude.ts';
import { FileChanged, PIECE_BYTES, tarOf } from '../../../src/github/workspace/tar.ts';

let folder: string;
/** What is packed. */
let root: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tar-')));
  chmodSync(folder, 0o755);
  root = join(folder, 'workspace');
  mkdirSync(root);
});
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', folder]);
  rmSync(folder, { recursive: true });
});

const at = (...path: string[]) => join(root, ...path);
const everything = excluding(undefined);
/** What unpacks in a pod, and the system's own. */
const UNPACKERS = [['tar'], ['busybox', 'tar']];
const isThere = ([program = '', ...args]: string[]) => spawnSync(program, [...args, '--help']).status === 0;
const isRoot = process.getuid?.() === 0;
const NOBODY = isRoot ? { uid: 65534, gid: 65534 } : {};

function file(path: string, content: string | Buffer = ''): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
}

async function piecesOf(isExcluded: IsExcluded): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of tarOf(root, isExcluded)) pieces.push(Buffer.from(piece));
  return pieces;
}

async function archive(isExcluded = everything): Promise<Buffer> {
  return Buffer.concat(await piecesOf(isExcluded));
}

/** @returns the folder that it was unpacked in */
function unpacked(bytes: Buffer, command: string[], user: { uid?: number; gid?: number } = {}): string {
  const into = mkdtempSync(join(folder, 'unpacked-'));
  chmodSync(into, 0o777);
  const [program = '', ...args] = command;
  const { status, stderr } = spawnSync(program, [...args, '-x', '-p', '-C', into, '-f', '-'], {
    ...user,
    input: bytes,
  });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  return into;
}

type Thing = { mode: string; content: string; seconds?: number };

/** Everything in the folder by the hexadecimal digits of its name. */
function contents(of: string): Record<string, Thing> {
  const things: Record<string, Thing> = {};
  const visit = (path: Buffer) => {
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      const inner = Buffer.concat([path, Buffer.from('/'), name]);
      const stats = lstatSync(inner);
      const mode = (stats.mode & 0o7777).toString(8);
      const key = inner.subarray(Buffer.byteLength(of) + 1).toString('hex');
      if (stats.isDirectory()) {
        things[key] = { mode, content: 'folder' };
        visit(inner);
      } else if (stats.isSymbolicLink())
        things[key] = { mode, content: `to ${readlinkSync(inner, { encoding: 'hex' })}` };
      else things[key] = { mode, content: readFileSync(inner, 'hex'), seconds: Math.floor(stats.mtimeMs / 1000) };
    }
  };
  visit(Buffer.from(of));
  return things;
}

for (const command of UNPACKERS)
  (isThere(command) ? describe : describe.skip)(`${command.join(' ')} unpacks`, () => {
    test('contents, modes, times, links and empty folders', async () => {
      file('empty');
      file('d/run.sh', '#!/bin/sh\n');
      file('block', Buffer.alloc(512, 1));
      file('more', Buffer.alloc(513, 2));
      file('piece', Buffer.alloc(PIECE_BYTES, 3));
      file('large', Buffer.from(Array.from({ length: 3 * PIECE_BYTES + 7 }, (_, index) => index * 7 + (index >> 8))));
      file('-rf', 'not an option');
      mkdirSync(at('hollow/inner'), { recursive: true });
      chmodSync(at('d', 'run.sh'), 0o4751);
      chmodSync(at('hollow'), 0o1777);
      chmodSync(at('more'), 0o400);
      utimesSync(at('more'), 0, 1_000_000_000);
      symlinkSync('run.sh', at('d', 'link'));
      symlinkSync('../../elsewhere', at('d', 'outside'));
      symlinkSync('/etc/passwd', at('absolute'));
      symlinkSync('nowhere', at('dangling'));
      expectSame(unpacked(await archive(), command), command);
    });

    test('names and targets of any length and bytes', async () => {
      for (const length of [99, 100, 101, 255]) {
        file('f'.repeat(length), `${length}`);
        mkdirSync(at('d'.repeat(length)));
        if (length < 255) file(`${'p'.repeat(length - 2)}/x`);
      }
      file(`${`${'q'.repeat(250)}/`.repeat(5)}last`, 'deep');
      for (const length of [99, 100, 101, 255, 511, 512, 1500]) symlinkSync('t'.repeat(length), at(`to-${length}`));
      symlinkSync('t'.repeat(300), at('l'.repeat(200)));
      file('new\nline', 'n');
      file(' space ', 's');
      file('back\\slash', 'b');
      for (const bytes of [[0xff], [0xc3, 0x28], Array<number>(150).fill(0xfe)])
        writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]), 'any');
      symlinkSync(Buffer.alloc(120, 0xfd), at('to-bytes'));
      expectSame(unpacked(await archive(), command), command);
    });

    test('folders that cannot be written to, also as a user that is not root', async () => {
      file('shut/a', 'a');
      file('shut/inner/deep/b', 'b');
      file('shut.txt', 'beside');
      file('shutter/c', 'c');
      symlinkSync('../shut.txt', at('shut', 'link'));
      mkdirSync(at('hollow'));
      for (const [path, mode] of [
        ['shut/inner/deep', 0o500],
        ['shut/inner', 0o555],
        ['shut', 0o555],
        // Only root can look into one that may not be searched.
        ['shutter', isRoot ? 0o600 : 0o500],
        ['hollow', 0o500],
      ] as const)
        chmodSync(at(path), mode);
      const bytes = await archive();
      expectSame(unpacked(bytes, command), command);
      expect(withoutModes(unpacked(bytes, command, NOBODY))).toEqual(withoutModes(root));
    });

    test('any small tree', async () => {
      const name = fc
        .uint8Array({ minLength: 1, maxLength: 130 })
        .map(bytes => Buffer.from(bytes.map(byte => (byte === 0 || byte === 0x2f ? 0x78 : byte))))
        .filter(bytes => !['.', '..', '.git'].includes(bytes.toString('latin1')));
      const member = fc.record({
        path: fc.array(name, { minLength: 1, maxLength: 4 }),
        kind: fc.constantFrom('file', 'folder', 'link'),
        content: fc.uint8Array({ minLength: 1, maxLength: 1100 }),
        mode: fc.integer({ min: 0, max: 0o7777 }),
      });
      await fc.assert(
        fc
          .asyncProperty(fc.array(member, { maxLength: 12 }), async members => {
            for (const { path, kind, content, mode } of members) {
              const parts = [Buffer.from(root), ...path].flatMap(part => [part, Buffer.from('/')]).slice(0, -1);
              const place = Buffer.concat(parts);
              try {
                mkdirSync(Buffer.concat(parts.slice(0, -1)), { recursive: true });
                if (kind === 'folder') mkdirSync(place);
                else if (kind === 'file') writeFileSync(place, content, { flag: 'wx' });
                else symlinkSync(Buffer.from(content.map(byte => byte || 1)), place);
                if (kind !== 'link') chmodSync(place, isRoot ? mode : mode | 0o700);
              } catch (error) {
                // What is there already stays.
                expect(['EEXIST', 'ENOTDIR']).toContain((error as NodeJS.ErrnoException).code);
              }
            }
            expectSame(unpacked(await archive(), command), command);
          })
          .afterEach(() => {
            execFileSync('chmod', ['-R', 'u+rwX', folder]);
            for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
            mkdirSync(root);
          }),
        { numRuns: 40 },
      );
    });
  });

function expectSame(into: string, command: string[]): void {
  // To a user that is not root busybox gives the umask's modes, and leaves that of a folder that is there.
  if (isRoot || command[0] === 'tar') expect(contents(into)).toEqual(contents(root));
  else expect(withoutModes(into)).toEqual(withoutModes(root));
}

function withoutModes(of: string): string[] {
  const things = Object.entries(contents(of));
  return things.map(([name, { content, seconds }]) => `${name} ${content} ${seconds}`).sort();
}

describe('an archive', () => {
  test('of nothing is its end', async () => {
    expect(await archive()).toEqual(Buffer.alloc(1024));
  });

  test('says who it is for: GNU format, of root, whole seconds', async () => {
    file('a', 'text');
    chmodSync(at('a'), 0o640);
    utimesSync(at('a'), 0, new Date(-100_000));
    const bytes = await archive();
    expect(bytes).toHaveLength(4 * 512);
    const text = (from: number, to: number) => bytes.toString('latin1', from, to);
    expect(text(0, 3)).toBe('a\0\0');
    expect(text(100, 148)).toBe('0000640\x000000000\x000000000\x0000000000004\x0000000000000\0');
    expect(text(156, 157)).toBe('0');
    expect(text(257, 265)).toBe('ustar  \0');
    expect(bytes.subarray(265, 512).every(byte => byte === 0)).toBe(true);
    expect(text(512, 516)).toBe('text');
  });

  test('can have a file larger than what octal digits can say', async () => {
    file('large');
    truncateSync(at('large'), 9 * 2 ** 30);
    const pieces = tarOf(root, everything);
    const { value: first } = await pieces.next();
    await pieces.return(undefined);
    expect(first.toString('hex', 124, 136)).toBe('800000000000000240000000');
    // GNU's reads it as well: it is told of the rest that is missing.
    expect(spawnSync('tar', ['-tv', '-f', '-'], { input: first }).stdout.toString()).toContain(` ${9 * 2 ** 30} `);
  });

  test('repeats no folder but those that cannot be filled, after what is in them', async () => {
    for (const path of ['a/b/c', 'a/d', 'e/f', 'a.txt']) file(path);
    chmodSync(at('a', 'b'), 0o500);
    chmodSync(at('a'), 0o555);
    const listed = spawnSync('tar', ['-tv', '-f', '-'], { input: await archive() }).stdout.toString();
    const lines = listed.trim().split('\n');
    expect(lines.map(line => [line.slice(0, 10), line.split(' ').at(-1)].join(' '))).toEqual([
      'drwxr-xr-x a/',
      'drwx------ a/b/',
      '-rw-r--r-- a/b/c',
      'dr-x------ a/b/',
      '-rw-r--r-- a/d',
      'dr-xr-xr-x a/',
      '-rw-r--r-- a.txt',
      'drwxr-xr-x e/',
      '-rw-r--r-- e/f',
    ]);
  });

  test('comes in pieces that stay as they are', async () => {
    file('a', Buffer.alloc(PIECE_BYTES - 100, 1));
    for (let index = 0; index < 300; index++) file(`d/${index}`, Buffer.alloc(10_000, index));
    const pieces = await piecesOf(everything);
    expect(pieces.slice(0, -1).map(({ length }) => length)).toEqual(Array(pieces.length - 1).fill(PIECE_BYTES));
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
    expect(contents(unpacked(Buffer.concat(pieces), ['tar']))).toEqual(contents(root));
  });

  test('has not what was excluded', async () => {
    for (const path of ['a', 'out/b', '.git/config']) file(path);
    expect(Object.keys(contents(unpacked(await archive(excluding('/out')), ['tar'])))).toEqual(['61']);
  });
});

describe('a file that changes while it is read', () => {
  /** Acts once the first piece is there: what is in it was read by then. */
  async function withChange(change: () => void): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of tarOf(root, everything)) if (pieces.push(Buffer.from(piece)) === 1) change();
    return Buffer.concat(pieces);
  }

  test('and becomes shorter ends the archive', async () => {
    file('large\n.bin', Buffer.alloc(3 * PIECE_BYTES));
    const ended = withChange(() => truncateSync(at('large\n.bin'), 2 * PIECE_BYTES));
    await expect(ended).rejects.toThrow(FileChanged);
    await expect(ended).rejects.toThrow(
      '"large\\n.bin" became shorter while it was read: 2097152 of 3145728 bytes were there. Let nothing write to it meanwhile, or exclude it.',
    );
  });

  test('and grows is taken as it was', async () => {
    file('large', Buffer.alloc(3 * PIECE_BYTES, 1));
    file('next', 'after');
    const bytes = await withChange(() => appendFileSync(at('large'), 'more'));
    const into = unpacked(bytes, ['tar']);
    expect(readFileSync(join(into, 'large')).equals(Buffer.alloc(3 * PIECE_BYTES, 1))).toBe(true);
    expect(readFileSync(join(into, 'next'), 'utf8')).toBe('after');
  });

  test.each<[string, (path: string) => void]>([
    ['a link', path => symlinkSync('/etc/passwd', path)],
    ['a folder', path => mkdirSync(path)],
    ['a pipe', path => execFileSync('mkfifo', [path])],
    ['nothing', () => {}],
  ])('or is %s by then is not taken', async (_, replace) => {
    for (const name of ['a', 'b', 'c']) file(name, name);
    // Whether to exclude it is asked after it was looked at, and before it is opened.
    const bytes = await archive(name => {
      if (name !== 'b') return false;
      unlinkSync(at('b'));
      replace(at('b'));
      return false;
    });
    expect(readdirSync(unpacked(bytes, ['tar']))).toEqual(['a', 'c']);
  });
});

test('a file that may not be read is named', () => {
  file('sub/secret', 'x');
  chmodSync(at('sub', 'secret'), 0);
  const module = new URL('../../../src/github/workspace/tar.ts', import.meta.url);
  // Root may read everything.
  const script = `
    import { tarOf } from ${JSON.stringify(module.href)};
    if (process.getuid() === 0) process.setuid(65534);
    try { for await (const _ of tarOf(${JSON.stringify(root)}, () => false)); }
    catch (error) { process.stdout.write(error.message); }`;
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe(
    `"sub/secret" cannot be read: permission denied (EACCES). Let the runner's user read it, or exclude it.`,
  );
});
