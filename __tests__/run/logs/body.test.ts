import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readBody } from '../../../src/run/logs/body.ts';

function read(more: (bytes: Buffer) => boolean = () => true) {
  const body = new PassThrough();
  const taken: string[] = [];
  const end = readBody(body, bytes => {
    taken.push(bytes.toString());
    return more(bytes);
  });
  end.catch(() => {});
  return { body, taken, end };
}
const soon = () => new Promise(resolve => setTimeout(resolve, 30));

describe('a body', () => {
  test('is taken whole', async () => {
    const { body, taken, end } = read();
    for (let line = 0; line < 1000; line++) body.write(`${line}\n`);
    body.end();
    await end;
    expect(taken.join('')).toBe(Array.from({ length: 1000 }, (_, line) => `${line}\n`).join(''));
  });

  test('is taken as it comes, where it comes slowly', async () => {
    const { body, taken } = read();
    for (const line of ['one\n', 'two\n', 'three\n']) {
      body.write(line);
      await soon();
      expect(taken.at(-1)).toBe(line);
    }
  });

  test('that breaks off has been taken up to there', async () => {
    const { body, taken, end } = read();
    body.write('one\n');
    body.write('tw');
    await new Promise(resolve => setImmediate(resolve));
    body.destroy(new Error('reset'));
    await expect(end).rejects.toThrow('reset');
    expect(taken.join('')).toBe('one\ntw');
  });

  test('of which no more is wanted is given up', async () => {
    const { body, taken, end } = read(() => false);
    body.write('one\n');
    await end;
    expect(body.destroyed).toBe(true);
    expect(taken).toEqual(['one\n']);
  });

  test('that cannot be taken fails with the reason', async () => {
    const { body, end } = read(() => {
      throw new Error('a bug');
    });
    body.write('one\n');
    await expect(end).rejects.toThrow('a bug');
    expect(body.destroyed).toBe(true);
  });

  test('that was closed already is at its end', async () => {
    const body = new PassThrough();
    body.destroy();
    await new Promise(resolve => setImmediate(resolve));
    await readBody(body, () => true);
  });

  test('that had broken off before anybody listened fails with the reason', async () => {
    const body = new PassThrough();
    body.on('error', () => {});
    body.destroy(new Error('reset'));
    await new Promise(resolve => setImmediate(resolve));
    await expect(readBody(body, () => true)).rejects.toThrow('reset');
  });
});
