import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { excluding } from '../../../src/github/workspace/exclude.ts';
import { entriesOf, type Survey, surveyOf, type TreeEntry } from '../../../src/github/workspace/tree.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tree-')));
  chmodSync(root, 0o755);
});
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', root]);
  rmSync(root, { recursive: true });
});

const at = (...path: string[]) => join(root, ...path);
const everything = excluding(undefined);

function file(path: string, content = ''): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
}

async function entries(isExcluded = everything, of = root): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  for await (const entry of entriesOf(of, isExcluded)) found.push(entry);
  return found;
}

const names = async (patterns?: string) => (await entries(excluding(patterns))).map(({ name }) => name.toString());

describe('what is in a folder', () => {
  test('comes in the order of its bytes, a folder before what is in it', async () => {
    for (const path of ['b/z', 'b/a/x', 'b.txt', 'a', 'B', 'é', 'ｚ', '😀', 'c/.hidden']) file(path);
    expect(await names()).toEqual([
      ...['B', 'a', 'b', 'b/a', 'b/a/x', 'b/z', 'b.txt', 'c', 'c/.hidden'],
      ...['é', 'ｚ', '😀'],
    ]);
  });

  test('comes with what is known of it', async () => {
    file('d/run.sh', 'echo');
    symlinkSync('../nowhere', at('d', 'link'));
    chmodSync(at('d', 'run.sh'), 0o4751);
    chmodSync(at('d'), 0o1775);
    utimesSync(at('d', 'run.sh'), 0, 1234.9);
    utimesSync(at('d'), 0, new Date(-1500));
    const [folder, link, script] = await entries();
    expect(folder).toEqual({ name: Buffer.from('d'), kind: 'folder', mode: 0o1775, mtimeSeconds: -2, size: 0 });
    expect(link).toMatchObject({ kind: 'link', size: 0, target: Buffer.from('../nowhere') });
    expect(script).toMatchObject({ kind: 'file', mode: 0o4751, mtimeSeconds: 1234, size: 4 });
  });

  test('can have names and targets of any bytes', async () => {
    const name = Buffer.from([0x61, 0xff, 0x0a, 0xc3]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), '');
    symlinkSync(name, at('link'));
    const [found, link] = await entries();
    expect(found?.name).toEqual(name);
    expect(link?.target).toEqual(name);
  });

  test('is nothing in an empty folder', async () => {
    expect(await entries()).toEqual([]);
  });

  test('is not what links lead to', async () => {
    file('d/a');
    symlinkSync('d', at('to-folder'));
    symlinkSync('/', at('to-root'));
    symlinkSync('loop', at('loop'));
    expect(await names()).toEqual(['d', 'd/a', 'loop', 'to-folder', 'to-root']);
  });

  test('is not what was excluded, nor sockets, pipes and devices', async () => {
    for (const path of ['.git/config', 'sub/.git', 'sub/a.log', 'sub/keep.log', 'out/a', 'out/keep.log']) file(path);
    execFileSync('mkfifo', [at('pipe')]);
    expect(await names('*.log\n!keep.log\n/out/')).toEqual(['sub', 'sub/keep.log']);
  });

  test('what is in an excluded folder is not looked at', async () => {
    file('out/a/b');
    const asked: string[] = [];
    await entries(name => asked.push(name) > 0);
    expect(asked).toEqual(['out']);
  });

  test('what disappears meanwhile is passed over', async () => {
    for (const path of ['a', 'b', 'c/d', 'e']) file(path);
    const seen: string[] = [];
    for await (const { name } of entriesOf(root, everything)) {
      seen.push(name.toString());
      if (seen.length > 1) continue;
      rmSync(at('b'));
      rmSync(at('c'), { recursive: true });
    }
    expect(seen).toEqual(['a', 'e']);
  });

  test('a folder that disappears before it is listed has nothing in it', async () => {
    for (const path of ['c/d', 'e']) file(path);
    const seen: string[] = [];
    for await (const { name } of entriesOf(root, everything)) {
      seen.push(name.toString());
      rmSync(at('c'), { recursive: true, force: true });
      writeFileSync(at('c'), '');
    }
    expect(seen).toEqual(['c', 'e']);
  });

  test('others get their turn', async () => {
    for (let index = 0; index < 50; index++) mkdirSync(at(`f${index}`));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    // Each name takes 2 ms to decide on.
    await entries(() => {
      for (const end = performance.now() + 2; performance.now() < end; );
      return true;
    });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('a survey', () => {
  const none: Survey = { files: 0, folders: 0, links: 0, bytes: 0, leftOut: 0, unreadable: [], unreadableCount: 0 };

  test('counts what would be taken', async () => {
    for (const path of ['a', 'd/b', 'd/e/c', 'out/x', '.git/config']) file(path, path);
    symlinkSync('a', at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    file('large');
    truncateSync(at('large'), 9 * 2 ** 30);
    const expected = { files: 4, folders: 2, links: 1, bytes: 9 * 2 ** 30 + 1 + 3 + 5, leftOut: 1 };
    expect(await surveyOf(root, excluding('out'))).toEqual({ ...none, ...expected });
  });

  test('names what cannot be read, as one line each', () => {
    for (const path of ['a', 'closed/a', 'unsearchable/a', 'unsearchable/b', 'secret\n1', 'open']) file(path, 'x');
    for (let index = 0; index < 20; index++) {
      file(`z/${index}`);
      chmodSync(at('z', `${index}`), 0);
    }
    chmodSync(at('closed'), 0);
    chmodSync(at('unsearchable'), 0o444);
    chmodSync(at('secret\n1'), 0o200);
    const { survey, error } = asNobody();
    expect(survey).toMatchObject({ files: 23, folders: 3, unreadableCount: 23 });
    expect(survey.unreadable.slice(0, 4)).toEqual(['closed', 'secret\\n1', 'unsearchable', 'z/0']);
    expect(survey.unreadable).toHaveLength(10);
    expect(error).toBe(
      `"closed" cannot be read: permission denied (EACCES). Let the runner's user read it, or exclude it.`,
    );
  });

  test('needs a folder', async () => {
    const missing = '"." cannot be read: no such file or directory (ENOENT).';
    await expect(surveyOf(at('none'), everything)).rejects.toThrow(missing);
    await expect(entries(everything, at('none'))).rejects.toThrow(missing);
  });
});

/** What a process is told that is not root, for root may read everything. */
function asNobody(): { survey: Survey; error: string } {
  const module = new URL('../../../src/github/workspace/tree.ts', import.meta.url);
  const script = `
    import { entriesOf, surveyOf } from ${JSON.stringify(module.href)};
    const given = [${JSON.stringify(root)}, () => false];
    if (process.getuid() === 0) process.setuid(65534);
    const survey = await surveyOf(...given);
    let error;
    try { for await (const _ of entriesOf(...given)); } catch ({ message }) { error = message; }
    process.stdout.write(JSON.stringify({ survey, error }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}
