import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FILES_FOLDER } from '../../../src/pod/files-volume.ts';
import { UPLOAD_CONTAINER } from '../../../src/pod/workspace.ts';
import { Archive } from '../../../src/run/files/archive.ts';
import { Listing } from '../../../src/run/files/listing.ts';
import { framed as framedParts, LONGEST_PIECE, lastFrame } from '../../../src/run/files/pieces.ts';
import { CUT_SHORT, codeOfTar, receiving, releasing, sending } from '../../../src/run/files/programs.ts';
import { podOf } from '../../pod/planned.ts';

/** Programs that busybox has, and no others. */
const applets = mkdtempSync(join(tmpdir(), 'applets-'));
const hasBusybox = spawnSync('busybox', ['sh', '-c', 'exit 0']).status === 0;
if (hasBusybox) {
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    if (!name.startsWith('[')) symlinkSync(busybox, join(applets, name));
}
afterAll(() => rmSync(applets, { recursive: true }));
const SHELLS = [
  ...(hasBusybox ? [['busybox', applets] as const] : []),
  ...(spawnSync('dash', ['-c', 'exit 0']).status === 0 ? [['dash', process.env['PATH'] ?? ''] as const] : []),
];

let root: string;
let work: string;
let source: string;
let target: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'files-'));
  [work, source, target] = ['work', 'source', 'target folder'].map(name => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [work, source, target]) mkdirSync(folder);
});
afterEach(() => {
  for (const child of children.splice(0))
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  rmSync(root, { recursive: true, force: true });
});

/** A program as it runs in a container, as the leader of a group of its own. */
class Ran {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  readonly printed: Buffer[] = [];
  complaint = '';

  constructor(command: string[], path: string) {
    const [, ...args] = command.map(word => (word === FILES_FOLDER ? work : word));
    const shell = path === applets ? join(applets, 'sh') : 'dash';
    this.child = spawn(shell, args, { env: { PATH: path }, detached: true, stdio: 'pipe' });
    children.push(this.child);
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.on('data', bytes => this.printed.push(bytes));
    this.child.stderr?.on('data', bytes => {
      this.complaint += bytes;
    });
    this.#ended = once(this.child, 'close');
  }

  send(bytes: Buffer | string): this {
    this.child.stdin?.write(bytes);
    return this;
  }

  /** @returns its exit code, when nothing more comes */
  async ends(): Promise<number | null> {
    this.child.stdin?.end();
    await this.#ended;
    return this.child.exitCode;
  }
}

const tarOf = (folder: string) =>
  execFileSync('tar', ['-c', '-f', '-', '-C', folder, '.'], { maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'ignore'] });

const framed = async (piece: Buffer, compress: boolean) => Buffer.concat(await framedParts(piece, compress));

async function piecesOf(tar: Buffer, { compress = false, length = 5000, more = 0 } = {}) {
  const frames: Buffer[] = [];
  for (let at = 0; at < tar.length; at += length) frames.push(await framed(tar.subarray(at, at + length), compress));
  return Buffer.concat([...frames, lastFrame(frames.length + more)]);
}

/** What is in a folder: of each file its content, of each link where it leads. */
function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names.map(entry => {
      const path = join(entry.parentPath, entry.name);
      const what = entry.isDirectory()
        ? '/'
        : entry.isSymbolicLink()
          ? `-> ${readlinkSync(path)}`
          : readFileSync(path, 'latin1');
      return [path.slice(folder.length + 1), what];
    }),
  );
}

const ODD = [
  '-rf',
  '--checkpoint=1',
  '$(id)',
  '`id`',
  'a b',
  "it's",
  '"',
  '\\',
  'ä€😀',
  '*',
  '.hidden',
  '..a',
  'new\nline',
  '#',
];

describe.each(SHELLS)('with %s', (_, path) => {
  const uploaded = () => existsSync(join(work, 'uploaded'));
  const receive = (options = { clear: true, open: false }) => new Ran(receiving(target, options), path);

  describe('what is received', () => {
    test.each([
      [false, 5000],
      [true, 5000],
      [false, LONGEST_PIECE],
      [true, LONGEST_PIECE],
      [true, 300],
    ])('is all there, odd names and all (compressed: %s, in pieces of %d)', async (compress, length) => {
      for (const name of ODD) writeFileSync(join(source, name), `in ${name}`);
      mkdirSync(join(source, 'deep/er'), { recursive: true });
      writeFileSync(join(source, 'deep/er/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
      symlinkSync('deep/er', join(source, 'link'));
      if (length >= 5000) writeFileSync(join(source, 'large'), Buffer.alloc(3_000_000, 'some text\u0000\n'));
      const ran = receive().send(await piecesOf(tarOf(source), { compress, length }));
      expect({ code: await ran.ends(), complaint: ran.complaint }).toEqual({ code: 0, complaint: '' });
      expect(uploaded()).toBe(true);
      expect(contentOf(target)).toEqual(contentOf(source));
      expect(statSync(join(target, 'deep/er/run.sh')).mode & 0o777).toBe(0o755);
    });

    test('is not whole when it is cut, wherever that is', async () => {
      for (const name of ['a', 'b']) writeFileSync(join(source, name), name.repeat(3000));
      const whole = await piecesOf(tarOf(source), { compress: true, length: 4000 });
      const cuts = Array.from({ length: 24 }, (_, index) => Math.floor((index * whole.length) / 24));
      for (const cut of [...cuts, whole.length - 66, whole.length - 1]) {
        rmSync(work, { recursive: true });
        mkdirSync(work);
        const code = await receive().send(whole.subarray(0, cut)).ends();
        expect({ cut, code: code === 0, uploaded: uploaded() }).toEqual({ cut, code: false, uploaded: false });
      }
    });

    test('is not whole when there were more pieces', async () => {
      writeFileSync(join(source, 'a'), 'a');
      const stream = await piecesOf(tarOf(source), { more: 1 });
      expect(await receive().send(stream).ends()).toBe(CUT_SHORT);
      expect(uploaded()).toBe(false);
    });

    test.each(['junk\n', 'raw x\n', 'gzip 5\nhello'])('is not whole when it is %j', async junk => {
      writeFileSync(join(source, 'a'), 'a');
      const stream = Buffer.concat([Buffer.from(junk), await piecesOf(tarOf(source))]);
      expect(await receive().send(stream).ends()).not.toBe(0);
      expect(uploaded()).toBe(false);
    });

    test('may be nothing', async () => {
      expect(
        await receive()
          .send(await piecesOf(tarOf(source)))
          .ends(),
      ).toBe(0);
      expect(contentOf(target)).toEqual({});
    });

    test('has what an earlier try has left gone, where the folder is the pod’s own', async () => {
      writeFileSync(join(source, 'a'), 'a');
      for (const name of [...ODD, '...']) writeFileSync(join(target, name), 'old');
      mkdirSync(join(target, 'closed/in'), { recursive: true });
      writeFileSync(join(target, 'closed/in/f'), 'old');
      chmodSync(join(target, 'closed/in'), 0);
      expect(
        await receive({ clear: true, open: false })
          .send(await piecesOf(tarOf(source)))
          .ends(),
      ).toBe(0);
      expect(contentOf(target)).toEqual({ a: 'a' });
    });

    test('leaves what others have put there, where it is not', async () => {
      writeFileSync(join(source, 'a'), 'a');
      writeFileSync(join(target, 'theirs'), 'old');
      expect(
        await receive({ clear: false, open: false })
          .send(await piecesOf(tarOf(source)))
          .ends(),
      ).toBe(0);
      expect(contentOf(target)).toEqual({ a: 'a', theirs: 'old' });
    });

    test('is for all where the user is not known', async () => {
      mkdirSync(join(source, 'd'));
      for (const name of ['.hidden', 'd/f']) writeFileSync(join(source, name), '', { mode: 0o600 });
      writeFileSync(join(source, 'x'), '', { mode: 0o700 });
      expect(
        await receive({ clear: true, open: true })
          .send(await piecesOf(tarOf(source)))
          .ends(),
      ).toBe(0);
      const modes = ['.hidden', 'd/f', 'x', 'd'].map(name => (statSync(join(target, name)).mode & 0o777).toString(8));
      expect(modes).toEqual(['666', '666', '777', '777']);
    });

    test('is not unpacked again when it is there', async () => {
      writeFileSync(join(work, 'uploaded'), '');
      writeFileSync(join(target, 'mine'), '');
      expect(await receive().ends()).toBe(0);
      expect(contentOf(target)).toEqual({ mine: '' });
    });

    test('takes the place of an earlier connection’s, which still waits for more', async () => {
      writeFileSync(join(source, 'a'), 'a');
      const whole = await piecesOf(tarOf(source), { length: 3000 });
      const first = receive().send(whole.subarray(0, 3500));
      const gone = once(first.child, 'exit');
      while (!existsSync(join(work, 'session'))) await sleep(10);
      const second = receive().send(whole);
      expect(await second.ends()).toBe(0);
      expect((await gone)[1]).toBe('SIGKILL');
      expect(contentOf(target)).toEqual({ a: 'a' });
      expect(uploaded()).toBe(true);
    });
  });

  describe('the init container', () => {
    const waits = () => {
      const own = podOf({ workspace: 'upload' }).spec?.initContainers?.find(({ name }) => name === UPLOAD_CONTAINER);
      return new Ran([...(own?.command ?? []), ...(own?.args ?? [])], path);
    };

    test('waits until all is there, and no longer', async () => {
      writeFileSync(join(source, 'a'), 'a');
      const waiting = waits();
      const whole = await piecesOf(tarOf(source));
      expect(await receive().send(whole.subarray(0, -1)).ends()).not.toBe(0);
      expect(waiting.child.exitCode).toBeNull();
      expect(await receive().send(whole).ends()).toBe(0);
      expect(await waiting.ends()).toBe(0);
    });

    test('does not wait when all is there, as after a restart', async () => {
      writeFileSync(join(work, 'uploaded'), '');
      expect(await waits().ends()).toBe(0);
    });

    test('ends at once when the pod is deleted', async () => {
      const waiting = waits();
      while (!existsSync(join(work, 'told'))) await sleep(10);
      await sleep(50);
      waiting.child.kill('SIGTERM');
      await once(waiting.child, 'exit');
      expect(waiting.child.exitCode).toBe(143);
    });
  });

  describe('what is sent', () => {
    /** What comes of asking for some of what is listed. */
    async function fetch(roots: string[], wanted: (name: string) => boolean, { gzip = false } = {}) {
      const ran = new Ran(sending(source, roots, gzip ? 'gzip' : 'plain'), path);
      const [listing, taken] = [new Listing(), [] as Buffer[]];
      const archive = new Archive(gzip, async piece => void taken.push(piece));
      let reading = Promise.resolve();
      ran.child.stdout?.on('data', bytes => {
        const rest = listing.push(bytes);
        if (rest.length > 0) reading = reading.then(() => archive.push(rest));
      });
      await Promise.race([listing.whole, once(ran.child, 'close')]);
      const names = listing.names.filter(name => wanted(name.toString()));
      const asked = Buffer.concat(names.flatMap(name => [Buffer.from('./'), name, Buffer.from([0])]));
      for (let at = 0; at < asked.length; at += 50) ran.send(await framed(asked.subarray(at, at + 50), false));
      ran.send(lastFrame(Math.ceil(asked.length / 50)));
      // The connection stays open until the program has ended.
      await once(ran.child, 'close');
      await reading;
      await archive.end();
      const unpacked = join(root, 'unpacked');
      mkdirSync(unpacked);
      if (taken.length > 0) execFileSync('tar', ['-x', '-f', '-', '-C', unpacked], { input: Buffer.concat(taken) });
      return {
        ran,
        listed: listing.names.map(String).sort(),
        end: codeOfTar(ran.complaint),
        content: contentOf(unpacked),
      };
    }

    test.each([false, true])('is what is wanted of what is there (compressed: %s)', async gzip => {
      for (const name of ODD) writeFileSync(join(source, name), `in ${name}`);
      mkdirSync(join(source, 'd/e'), { recursive: true });
      writeFileSync(join(source, 'd/e/f'), Buffer.alloc(5_000_000, 'text\u0000'));
      writeFileSync(join(source, 'd/not'), '');
      symlinkSync('nowhere', join(source, 'd/link'));
      const { listed, end, content, ran } = await fetch(['.'], name => name !== 'd/not' && name !== 'd', { gzip });
      expect(listed).toEqual([...ODD, 'd', 'd/e', 'd/e/f', 'd/link', 'd/not'].sort());
      const { 'd/not': __, ...expected } = contentOf(source);
      expect(content).toEqual(expected);
      expect({ end, code: ran.child.exitCode }).toEqual({ end: 0, code: 0 });
    });

    test('is looked for in the folders that matter, be they there or not', async () => {
      for (const name of ['-d', 'a b', 'other']) {
        mkdirSync(join(source, name));
        writeFileSync(join(source, name, 'f'), name);
      }
      const { listed, content } = await fetch(['-d', 'a b', 'missing'], name => name.endsWith('f'));
      expect(listed).toEqual(['-d', '-d/f', 'a b', 'a b/f']);
      expect(content).toMatchObject({ '-d/f': '-d', 'a b/f': 'a b' });
    });

    test('is nothing where nothing is there', async () => {
      expect((await fetch(['missing'], () => true)).listed).toEqual([]);
    });

    test('says that there was something that could not be read', async () => {
      for (const name of ['a', 'b']) writeFileSync(join(source, name), name);
      // Root may read all; what has gone since it was listed it may not.
      const { end, content, ran } = await fetch(['.'], name => {
        if (name === 'b') rmSync(join(source, 'b'));
        return true;
      });
      expect(end).toBeGreaterThan(0);
      expect(ran.complaint).toContain('b: ');
      expect(content).toEqual({ a: 'a' });
    });

    test.each<[what: string, frames: (asked: Buffer) => Promise<Buffer>]>([
      ['cut', async asked => framed(asked, false)],
      ['cut in a piece', async asked => (await framed(asked, false)).subarray(0, -1)],
      ['junk', async () => Buffer.from('what?\n')],
    ])('is nothing where what is wanted is %s', async (_, frames) => {
      writeFileSync(join(source, 'a'), 'a');
      const ran = new Ran(sending(source, ['.'], 'plain'), path).send(await frames(Buffer.from('./a\0')));
      expect(await ran.ends()).toBe(CUT_SHORT);
      expect(Buffer.concat(ran.printed).toString()).not.toMatch(/ustar/);
    });

    test('is nothing where there is no workspace', async () => {
      rmSync(source, { recursive: true });
      const ran = new Ran(sending(source, ['.'], 'plain'), path);
      expect(await ran.ends()).not.toBe(0);
      expect(ran.complaint).toContain('source');
    });
  });

  describe('the pod is let go', () => {
    test('by a file', async () => {
      expect(await new Ran(releasing(), path).ends()).toBe(0);
      expect(readdirSync(work)).toEqual(['fetched']);
    });

    test('and what still sends ends', async () => {
      const ran = new Ran(sending(source, ['.'], 'plain'), path);
      const gone = once(ran.child, 'exit');
      while (ran.printed.length === 0) await sleep(10);
      expect(await new Ran(releasing(), path).ends()).toBe(0);
      expect((await gone)[1]).toBe('SIGKILL');
    });
  });
});
