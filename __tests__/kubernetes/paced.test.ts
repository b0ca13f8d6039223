import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { paced } from '../../src/kubernetes/paced.ts';

let server: Server;
let agent: Agent;
/** What the answer is written by, once the request has come. */
let answer: Promise<ServerResponse>;
beforeEach(async () => {
  agent = new Agent();
  answer = new Promise(resolve => {
    server = createServer((_, response) => {
      response.flushHeaders();
      resolve(response);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await agent.destroy();
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

async function open(): Promise<{ body: Readable; pieces: string[]; response: ServerResponse }> {
  const { port } = server.address() as AddressInfo;
  const { body } = await request(`http://127.0.0.1:${port}/`, { dispatcher: paced(agent), bodyTimeout: 0 });
  const pieces: string[] = [];
  return { body: body.on('data', piece => pieces.push(String(piece))), pieces, response: await answer };
}
const flushed = (response: ServerResponse, text: string) =>
  new Promise<void>(resolve => response.write(text, () => resolve()));
const once = (body: Readable, event: string) => new Promise<unknown>(resolve => body.once(event, resolve));

describe('a paced answer', () => {
  test('comes whole, in few pieces though each line is sent by itself', async () => {
    const { body, pieces, response } = await open();
    const lines = Array.from({ length: 2000 }, (_, line) => `line ${line}\n`);
    for (const line of lines) await flushed(response, line);
    response.end();
    await once(body, 'end');
    expect(pieces.join('')).toBe(lines.join(''));
    expect(pieces.length).toBeLessThan(1000);
  });

  test('is there at once after a silence', async () => {
    const { body, pieces, response } = await open();
    for (const line of ['one\n', 'two\n', 'three\n']) {
      const next = once(body, 'data');
      response.write(line);
      await next;
      expect(pieces.at(-1)).toBe(line);
    }
  });

  test('comes as fast as it can where it is much', async () => {
    const { body, pieces, response } = await open();
    const whole = 'x'.repeat(20_000_000);
    response.end(whole);
    await once(body, 'end');
    expect(pieces.join('') === whole).toBe(true);
  });

  test('is held back while its reader wants nothing', async () => {
    const { body, pieces, response } = await open();
    body.pause();
    const whole = 'x'.repeat(20_000_000);
    response.end(whole);
    // Several pauses, in any of which it could be asked for more.
    for (let polls = 0; polls < 10; polls++) await new Promise(resolve => setTimeout(resolve, 10));
    expect(body.readableLength).toBeLessThan(1_000_000);
    body.resume();
    await once(body, 'end');
    expect(pieces.join('') === whole).toBe(true);
  });

  test('that breaks off brings what had come, and the error', async () => {
    const { body, pieces, response } = await open();
    const broken = once(body, 'error');
    await flushed(response, 'one\n');
    await flushed(response, 'tw');
    response.destroy();
    expect(await broken).toBeInstanceOf(Error);
    expect(pieces.join('')).toBe('one\ntw');
  });

  test('that nobody wants any more ends', async () => {
    const { body, response } = await open();
    const closed = once(body, 'close');
    await flushed(response, 'one\n');
    body.on('error', () => {}).destroy();
    await closed;
  });
});
