import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SentFile } from '../../src/run/result/frame.ts';
import { SHELLS, type SidecarOptions, SidecarProcess } from './sidecar-process.ts';

let root: string;
let folder: string;
let file: string;
let asked: string;
let sidecar: SidecarProcess | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sidecar-'));
  // For another user, too.
  chmodSync(root, 0o755);
  folder = join(root, 'xcom');
  mkdirSync(folder);
  [file, asked] = [join(folder, 'return.json'), join(root, 'asked')];
});
afterEach(() => {
  sidecar?.kill();
  chmodSync(folder, 0o755);
  rmSync(root, { recursive: true });
});

function start(options: Partial<SidecarOptions> = {}): SidecarProcess {
  sidecar = new SidecarProcess({ folder, asked, ...options });
  return sidecar;
}

/** It is told once it waits; what it has sent then. */
async function sent(options: Partial<SidecarOptions> = {}): Promise<ReadonlyMap<string, SentFile> | undefined> {
  const own = start(options).listen();
  await own.waits();
  own.tell();
  expect(await own.ends()).toBe(0);
  expect(own.complaints).toBe('');
  expect(own.frames.stray).toEqual([]);
  return own.frames.files;
}

const frames = ({ printed }: SidecarProcess) => printed.match(/^(frame|end)\b.*$/gm);
/** Of large ones a comparison item by item would take seconds. */
const isWhole = (found: SentFile | undefined, bytes: Buffer) => found?.kind === 'file' && found.bytes.equals(bytes);

describe.each(SHELLS.map(shell => [shell.join(' '), shell] as const))('told by a signal, with %s,', (_, shell) => {
  test.each<[what: string, bytes: Buffer]>([
    ['a small file', Buffer.from('{"a": 1}\n')],
    ['a file without a newline', Buffer.from('7')],
    ['an empty file', Buffer.alloc(0)],
    ['300 kB of any bytes', randomBytes(300_000)],
    ['a file that fills a line', Buffer.alloc(6000, 1)],
    ['a file that looks like a frame', Buffer.from('end\nframe 1\nnone return.json\nend\n')],
  ])('it sends %s, as it is', async (_, bytes) => {
    writeFileSync(file, bytes);
    const found = (await sent({ shell }))?.get('return.json');
    expect(isWhole(found, bytes)).toBe(true);
    expect(found).toHaveProperty('changedAt', Math.floor(statSync(file).ctimeMs / 1000));
  });

  test.each<[what: string, make: () => void, expected: SentFile]>([
    ['none', () => {}, { kind: 'none' }],
    ['a folder', () => mkdirSync(file), { kind: 'folder' }],
    ['a named pipe', () => void execFileSync('mkfifo', [file]), { kind: 'pipe' }],
    [
      'a link to a file',
      () => {
        writeFileSync(join(folder, 'target'), '[1]');
        symlinkSync('target', file);
      },
      { kind: 'link' },
    ],
    ['a link to the node’s own files', () => symlinkSync('/etc/passwd', file), { kind: 'link' }],
    ['a link to a folder', () => symlinkSync('/etc', file), { kind: 'link' }],
    ['a link that leads nowhere', () => symlinkSync('nowhere', file), { kind: 'link' }],
    ['a link to itself', () => symlinkSync('return.json', file), { kind: 'link' }],
  ])('it tells of %s', async (_, make, expected) => {
    make();
    expect(await sent({ shell })).toEqual(new Map([['return.json', expected]]));
  });

  test('it tells of a socket', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(file, resolve));
    try {
      expect(await sent({ shell })).toEqual(new Map([['return.json', { kind: 'other' }]]));
    } finally {
      server.close();
    }
  });

  test('it tells the size of a file that is too long, and sends one that is just not', async () => {
    const files = ['return.json', 'other'];
    writeFileSync(file, 'x'.repeat(11));
    writeFileSync(join(folder, 'other'), 'y'.repeat(10));
    expect(await sent({ shell, longest: 10, files })).toEqual(
      new Map<string, unknown>([
        ['return.json', { kind: 'long', size: 11 }],
        ['other', expect.objectContaining({ kind: 'file', bytes: Buffer.from('y'.repeat(10)) })],
      ]),
    );
  });

  describe('of what it may not read it tells the mode and the users:', () => {
    // Root may read all: then it is another user's process.
    const own = process.getuid?.() ?? 0;
    const uid = own === 0 ? 65_534 : own;
    const as: Partial<SidecarOptions> = own === 0 ? { uid } : {};
    const users = { owner: String(own), reader: String(uid) };
    // Of files of its own it may be kept from all of them alone.
    const [fileMode, folderMode] = own === 0 ? ([0o600, 0o700] as const) : ([0, 0o600] as const);

    test('a file', async () => {
      writeFileSync(file, '[1]', { mode: fileMode });
      expect(await sent({ shell, ...as })).toEqual(
        new Map([['return.json', { kind: 'unreadable', mode: fileMode.toString(8), ...users }]]),
      );
    });

    test('the folder', async () => {
      writeFileSync(file, '[1]');
      chmodSync(folder, folderMode);
      expect(await sent({ shell, ...as })).toEqual(
        new Map([['return.json', { kind: 'closed', mode: folderMode.toString(8), ...users }]]),
      );
    });
  });

  test('it sends nothing before', async () => {
    writeFileSync(file, '[1]');
    const own = start({ shell }).listen();
    await own.waits(3);
    expect(own.printed).toBe('');
    own.tell();
    await own.ends();
    expect(frames(own)).toEqual(['frame 1', 'end']);
  });
});

describe.each(SHELLS.map(shell => [shell.join(' '), shell] as const))('told by a file, with %s,', (_, shell) => {
  test('it sends once, goes on, and ends without another word', async () => {
    writeFileSync(file, '[1]');
    const own = start({ shell }).listen();
    await own.waits(2);
    expect(own.printed).toBe('');
    writeFileSync(asked, 'true');
    await own.sends();
    writeFileSync(file, '[2]');
    await own.waits(3);
    own.tell();
    expect(await own.ends()).toBe(0);
    expect(frames(own)).toEqual(['frame 1', 'end']);
    expect(own.frames.files?.get('return.json')).toMatchObject({ bytes: Buffer.from('[1]') });
  });

  test('it sends nothing while that is empty, as it is before there is an annotation', async () => {
    writeFileSync(asked, '');
    const own = start({ shell }).listen();
    await own.waits(3);
    expect(own.printed).toBe('');
    writeFileSync(asked, 'true');
    await own.sends();
    expect(own.frames.files).toEqual(new Map([['return.json', { kind: 'none' }]]));
  });

  test('it ends what it sends when the signal comes in its midst, and sends it but once', async () => {
    const bytes = randomBytes(1_000_000);
    for (const name of ['return.json', 'other']) writeFileSync(join(folder, name), bytes);
    writeFileSync(asked, 'true');
    const own = start({ shell, files: ['return.json', 'other'] });
    await own.prints();
    own.tell();
    own.listen();
    expect(await own.ends()).toBe(0);
    expect(frames(own)).toEqual(['frame 2', 'end']);
    for (const name of ['return.json', 'other']) expect(isWhole(own.frames.files?.get(name), bytes)).toBe(true);
  });
});
