import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { Exec, type Program } from '../../src/kubernetes/exec.ts';
import { NetworkError } from '../../src/kubernetes/network-error.ts';
import { ApiError } from '../../src/kubernetes/status.ts';
import { connectTo } from './connected.ts';
import { ExecServer, exited, type Played } from './exec-server.ts';

const POD = { namespace: 'etl', name: 'p' };
const MIB = 2 ** 20;

let server: ExecServer;
let client: ApiClient;
let abort: AbortController;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(async () => {
  server = await ExecServer.start();
  ({ client } = connectTo(server));
  abort = new AbortController();
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  await server.close();
  await client.close();
  await sleep(20);
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});

const start = (program: Partial<Program> = {}) =>
  Exec.start(client, POD, { container: 'base', command: ['sh'], ...program }, abort.signal);
const until = async (holds: () => boolean) => {
  while (!holds()) await sleep(5);
};
/** Pings alone are a matter of time here. */
const fakeIntervals = () =>
  jest.useFakeTimers({
    doNotFake: [
      ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
      ...(['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
/** What a promise comes to, within the time of a test. */
const failure = (promise: Promise<unknown>) =>
  promise.then(
    value => {
      throw new Error(`it came to ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
/** Starts a program, with what it prints. */
async function printing(program: Partial<Program> = {}): Promise<{ exec: Exec; printed: () => string }> {
  const taken: Buffer[] = [];
  const exec = await start({ stdout: bytes => void taken.push(Buffer.from(bytes)), ...program });
  return { exec, printed: () => Buffer.concat(taken).toString() };
}

describe('a program', () => {
  test('is asked for with all it needs', async () => {
    const exec = await start({ container: 'a b', command: ['sh', '-c', 'echo "$1" & true', '?', 'ä=/'] });
    await exec.ended();
    const { url, headers } = server.programs[0]?.request ?? {};
    const { pathname, searchParams } = new URL(url ?? '', 'http://x');
    expect(pathname).toBe('/api/v1/namespaces/etl/pods/p/exec');
    expect([...searchParams]).toEqual([
      ['container', 'a b'],
      ['stdin', 'true'],
      ['stdout', 'true'],
      ['stderr', 'true'],
      ...['sh', '-c', 'echo "$1" & true', '?', 'ä=/'].map(word => ['command', word]),
    ]);
    expect(headers).toMatchObject({
      authorization: 'Bearer T',
      'sec-websocket-protocol': 'v5.channel.k8s.io,v4.channel.k8s.io',
    });
  });

  test('may be one of an older server', async () => {
    server.protocol = 'v4.channel.k8s.io';
    expect(await (await start()).ended()).toMatchObject({ exitCode: 0, complaint: '' });
  });

  test('has what it printed taken in order, and its complaint kept', async () => {
    server.play = program => {
      program.print('');
      program.print('a');
      program.complain('oh ');
      program.print('b');
      program.complain('no\n');
      program.say(9, 'what nobody knows');
      program.socket.send(Buffer.alloc(0));
      program.print('c');
      program.end(exited(3));
    };
    const { exec, printed } = await printing();
    expect(await exec.ended()).toMatchObject({ exitCode: 3, complaint: 'oh no' });
    expect(printed()).toBe('abc');
  });

  test('may complain for long: the beginning is kept', async () => {
    server.play = program => {
      program.complain('cause ');
      for (let times = 0; times < 100; times++) program.complain('x'.repeat(1000));
      program.end(exited(1));
    };
    const { complaint } = await (await start()).ended();
    expect(complaint).toHaveLength(4096);
    expect(complaint).toMatch(/^cause x/);
  });

  test('gets what it is sent, in order', async () => {
    server.play = async program => {
      await until(() => Buffer.concat(program.input).length >= 7);
      program.end();
    };
    const exec = await start();
    await exec.send(Buffer.from('one'));
    await exec.send(new Uint8Array([0, 255]));
    await exec.send(Buffer.from('23'));
    await exec.ended();
    expect(Buffer.concat(server.programs[0]?.input ?? []).toString('latin1')).toBe('one\u0000ÿ23');
  });

  test('has not ended before all is taken, though its end has come', async () => {
    server.play = program => {
      program.print('a');
      program.print('b');
      program.end();
    };
    const taken: string[] = [];
    const exec = await start({
      stdout: async bytes => {
        await sleep(50);
        taken.push(bytes.toString());
      },
    });
    await exec.ended();
    expect(taken).toEqual(['a', 'b']);
  });

  test('has what it printed taken, though the end has overtaken it', async () => {
    server.play = async program => {
      program.print('a');
      program.say(3, JSON.stringify(exited(5)));
      program.print('b');
      await sleep(20);
      program.print('c');
      program.complain('no');
      program.socket.close();
    };
    const { exec, printed } = await printing();
    expect(await exec.ended()).toMatchObject({ exitCode: 5, complaint: 'no' });
    expect(printed()).toBe('abc');
  });

  test('has ended, though the server leaves the connection open', async () => {
    server.play = program => program.say(3, JSON.stringify(exited(6)));
    expect(await (await start()).ended()).toMatchObject({ exitCode: 6 });
    await until(() => server.connections === 0);
  });

  test('is heard from its first byte, which may come with the connection', async () => {
    server.atOnce = true;
    server.play = program => {
      program.print('first');
      program.end(exited(4));
    };
    const { exec, printed } = await printing();
    expect(await exec.ended()).toMatchObject({ exitCode: 4, complaint: '' });
    expect(printed()).toBe('first');
  });
});

test.each<[what: string, status: object, expected: object]>([
  ['a success', { status: 'Success' }, { exitCode: 0, complaint: 'said' }],
  ['its exit code', exited(90), { exitCode: 90, complaint: 'said' }],
  ['the signal that ended it', exited(137), { exitCode: 137, complaint: 'said' }],
  [
    'that it could not be started',
    { status: 'Failure', reason: 'InternalError', message: 'exec: "sh": executable file not found', code: 500 },
    { exitCode: 126, complaint: 'exec: "sh": executable file not found' },
  ],
  [
    'that it could not be started, for no reason',
    { status: 'Failure' },
    { exitCode: 126, complaint: 'it could not be started' },
  ],
  [
    'an exit code that is none',
    { ...exited(1), details: { causes: [{ reason: 'ExitCode', message: 'x' }] } },
    { exitCode: 126, complaint: 'command terminated with non-zero exit code: exit status 1' },
  ],
])('the end says %s', async (_, status, expected) => {
  server.play = program => {
    program.complain('said\n');
    program.end(status);
  };
  expect(await (await start()).ended()).toMatchObject(expected);
});

test.each(['', 'null', '{"status":', '[]x'])('an end that cannot be read (%j) is none', async text => {
  server.play = program => program.say(3, text);
  expect(await failure((await start()).ended())).toBeInstanceOf(NetworkError);
});

describe('what is refused', () => {
  const status = (code: number, reason: string, message: string) =>
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });

  test.each<[code: number, reason: string, message: string]>([
    [403, 'Forbidden', 'pods "p" is forbidden: User "x" cannot create resource "pods/exec" in API group ""'],
    [404, 'NotFound', 'pods "p" not found'],
    [400, 'BadRequest', 'container base is not valid for pod p'],
    [500, 'InternalError', 'error dialing backend'],
  ])('is an answer of the API: %i', async (code, reason, message) => {
    server.refuse = response =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end(status(code, reason, message));
    const error = await failure(start());
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code, status: { reason, message } });
    await until(() => server.connections === 0);
  });

  test('is one of the server’s even without words of Kubernetes', async () => {
    server.refuse = response => void response.writeHead(503, { 'retry-after': '7' }).end('x'.repeat(200_000));
    const error = await failure(start());
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 503, retryAfterSeconds: 7 });
    expect((error as ApiError).status.message).toHaveLength(300);
  });

  test('is what is no API server', async () => {
    server.refuse = response => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>');
    expect(await failure(start())).toMatchObject({ title: 'Not a Kubernetes API server' });
  });

  test('is a server that speaks none of the protocols', async () => {
    server.protocol = undefined;
    expect(await failure(start())).toBeInstanceOf(NetworkError);
  });
});

describe('a connection that is gone', () => {
  const hello = (program: Played) => {
    program.print('a');
    setTimeout(() => server.cut(), 20);
  };

  test('before the program’s end tells nothing of it', async () => {
    server.play = hello;
    const { exec, printed } = await printing();
    expect(await failure(exec.ended())).toMatchObject({ name: 'NetworkError', what: 'connection closed' });
    expect(printed()).toBe('a');
    expect(await failure(exec.send(Buffer.from('x')))).toBeInstanceOf(NetworkError);
  });

  test('is one that the server has closed without a word of the end', async () => {
    server.play = program => program.socket.close(1011);
    expect(await failure((await start()).ended())).toBeInstanceOf(NetworkError);
  });

  test('is one that says what is no WebSocket', async () => {
    server.play = ({ socket }) => void (socket as unknown as { _socket: NodeJS.WritableStream })._socket.write('HTTP?');
    expect(await failure((await start()).ended())).toBeInstanceOf(NetworkError);
  });

  test('leaves nothing unhandled where nobody waits for it', async () => {
    server.play = hello;
    await start();
    await until(() => server.connections === 0);
  });

  test('is closed from here, too', async () => {
    server.play = () => {};
    const exec = await start();
    exec.close(new Error('enough'));
    exec.close();
    await expect(exec.ended()).rejects.toThrow('enough');
    await until(() => server.connections === 0);
    await expect(exec.send(Buffer.from('x'))).rejects.toThrow('enough');
  });

  test('is missed when it is silent', async () => {
    server.play = ({ socket }) => {
      (socket as unknown as { _autoPong: boolean })._autoPong = false;
    };
    fakeIntervals();
    const exec = await start();
    jest.advanceTimersByTime(15_000);
    await sleep(20);
    expect(server.connections).toBe(1);
    jest.advanceTimersByTime(15_000);
    await expect(exec.ended()).rejects.toMatchObject({ name: 'NetworkError', what: 'no sign of life' });
    await until(() => jest.getTimerCount() === 0);
  });

  test('is not one that answers, however little it has to say', async () => {
    server.play = () => {};
    fakeIntervals();
    const exec = await start();
    for (let times = 0; times < 5; times++) {
      jest.advanceTimersByTime(15_000);
      await sleep(20);
    }
    server.programs[0]?.end();
    expect(await exec.ended()).toMatchObject({ exitCode: 0 });
    await until(() => jest.getTimerCount() === 0);
  });

  test('is not one that has much to say, whose answer waits behind it', async () => {
    server.play = ({ socket }) => {
      (socket as unknown as { _autoPong: boolean })._autoPong = false;
    };
    fakeIntervals();
    const { exec, printed } = await printing();
    for (let times = 0; times < 4; times++) {
      jest.advanceTimersByTime(15_000);
      server.programs[0]?.print('x');
      await until(() => printed().length > times);
    }
    server.programs[0]?.end();
    expect(await exec.ended()).toMatchObject({ exitCode: 0 });
  });

  test('is not one that is slow to take what it is sent, for a while', async () => {
    server.play = ({ socket }) => socket.pause();
    fakeIntervals();
    const exec = await start();
    for (let times = 0; times < 24; times++) void exec.send(Buffer.alloc(MIB)).catch(() => {});
    await sleep(100);
    jest.advanceTimersByTime(8 * 15_000);
    await sleep(20);
    expect(server.connections).toBe(1);
    jest.advanceTimersByTime(15_000);
    await expect(exec.ended()).rejects.toMatchObject({ what: 'no sign of life' });
  });
});

describe('who takes what is printed', () => {
  test('and is slow stops the flow, so that little waits here', async () => {
    const all = 48;
    server.play = ({ socket }) => {
      for (let times = 0; times < all; times++) socket.send(Buffer.alloc(MIB, 1));
    };
    let go = () => {};
    const held = new Promise<void>(resolve => {
      go = resolve;
    });
    let taken = 0;
    const exec = await start({
      stdout: async bytes => {
        await held;
        taken += bytes.length;
      },
    });
    const { socket } = server.programs[0] as Played;
    await sleep(500);
    // What is not here waits there, but for what is in the system's buffers.
    expect(socket.bufferedAmount).toBeGreaterThan((all - 32) * MIB);
    go();
    await until(() => taken === all * (MIB - 1));
    server.programs[0]?.end();
    expect(await exec.ended()).toMatchObject({ exitCode: 0, complaint: '' });
  });

  test('and is slow is not taken for a connection that is gone', async () => {
    server.play = ({ socket }) => {
      for (let times = 0; times < 8; times++) socket.send(Buffer.alloc(MIB, 1));
    };
    fakeIntervals();
    const takes: (() => void)[] = [];
    const exec = await start({ stdout: () => new Promise<void>(resolve => void takes.push(resolve)) });
    await until(() => takes.length > 0);
    await sleep(100);
    jest.advanceTimersByTime(45_000);
    let count = 0;
    while (count < 8) {
      await until(() => takes.length > 0);
      takes.shift()?.();
      count++;
      // At the very moment that it listens again.
      await sleep(0);
      if (count === 5) jest.advanceTimersByTime(15_000);
    }
    server.programs[0]?.end();
    expect(await exec.ended()).toMatchObject({ exitCode: 0, complaint: '' });
  });

  test('and throws ends it, and is given no more', async () => {
    server.play = program => {
      for (const text of ['a', 'b', 'c']) program.print(text);
      program.end();
    };
    const taken: string[] = [];
    const exec = await start({
      stdout: async bytes => {
        taken.push(bytes.toString());
        await sleep(50);
        throw new Error('disk full');
      },
    });
    await expect(exec.ended()).rejects.toThrow('disk full');
    await until(() => server.connections === 0);
    await sleep(150);
    expect(taken).toEqual(['a']);
  });

  test('and throws at once ends it', async () => {
    server.play = program => program.print('a');
    const exec = await start({
      stdout: () => {
        throw new Error('disk full');
      },
    });
    await expect(exec.ended()).rejects.toThrow('disk full');
    await until(() => server.connections === 0);
  });

  test('and never comes to an end does not hold up an abort', async () => {
    server.play = ({ socket }) => {
      for (let times = 0; times < 8; times++) socket.send(Buffer.alloc(MIB, 1));
    };
    let begun = false;
    const exec = await start({
      stdout: () => {
        begun = true;
        return new Promise<void>(() => {});
      },
    });
    await until(() => begun);
    abort.abort(new Error('cancelled'));
    await expect(exec.ended()).rejects.toThrow('cancelled');
    await until(() => server.connections === 0);
  });
});

describe('what is sent', () => {
  test('is the caller’s again at once, and is sent as it was', async () => {
    const lengths = [MIB, 3, 2 * MIB, MIB + 1, 0, 100_000, 70_000];
    const pieces = Array.from({ length: 60 }, (_, at) => randomBytes(lengths[at % lengths.length] ?? 0));
    const all = pieces.reduce((sum, { length }) => sum + length, 0);
    const received = () => server.programs[0]?.input.reduce((sum, { length }) => sum + length, 0) ?? 0;
    server.play = async program => {
      program.socket.pause();
      await sleep(100);
      program.socket.resume();
      await until(() => received() === all);
      program.end();
    };
    const exec = await start();
    const memory = Buffer.alloc(2 * MIB);
    for (const piece of pieces) {
      const half = piece.length >> 1;
      memory.set(piece);
      const sent = exec.send(memory.subarray(0, half), memory.subarray(half, piece.length));
      memory.fill(0);
      await sent;
    }
    await exec.ended();
    expect(Buffer.concat(server.programs[0]?.input ?? []).equals(Buffer.concat(pieces))).toBe(true);
  });

  test('waits when too much is on its way, and goes on when it has gone', async () => {
    server.play = ({ socket }) => socket.pause();
    const exec = await start();
    const piece = Buffer.alloc(MIB);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 40; sent++) await exec.send(piece);
    })();
    await sleep(300);
    expect(sent).toBeLessThan(30);
    expect(exec.waiting).toBeLessThan(7 * MIB);
    server.programs[0]?.socket.resume();
    await sending;
    await until(() => (server.programs[0]?.input.length ?? 0) === 40);
    server.programs[0]?.end();
    await exec.ended();
  });

  test('and waits is told when the connection is gone', async () => {
    server.play = ({ socket }) => socket.pause();
    const exec = await start();
    const sending = (async () => {
      for (;;) await exec.send(Buffer.alloc(MIB));
    })();
    const failed = failure(sending);
    await sleep(200);
    abort.abort(new Error('cancelled'));
    await expect(failed).resolves.toMatchObject({ message: 'cancelled' });
  });

  test('to a program that ends meanwhile does not hide how that ended', async () => {
    server.play = async program => {
      await until(() => program.input.length > 2);
      program.say(3, JSON.stringify(exited(7)));
      await sleep(30);
      program.socket.terminate();
    };
    const exec = await start();
    const sending = (async () => {
      for (;;) await exec.send(Buffer.alloc(100_000));
    })();
    sending.catch(error => exec.close(error));
    expect(await exec.ended()).toMatchObject({ exitCode: 7 });
    expect(await failure(sending)).toBeInstanceOf(NetworkError);
  });

  test('by one who gives up does not hide how it ended', async () => {
    server.play = program => program.say(3, JSON.stringify(exited(7)));
    const exec = await start();
    await sleep(50);
    exec.close(new Error('gave up'));
    expect(await exec.ended()).toMatchObject({ exitCode: 7 });
  });

  test('to a program that has ended is refused', async () => {
    const exec = await start();
    await exec.ended();
    expect(await failure(exec.send(Buffer.from('x')))).toBeInstanceOf(NetworkError);
  });
});

describe('an abort', () => {
  test('before it is begun ends it', async () => {
    abort.abort(new Error('cancelled'));
    await expect(start()).rejects.toThrow('cancelled');
    expect(server.programs).toEqual([]);
  });

  test('while it is begun ends it', async () => {
    server.refuse = () => {};
    const starting = start();
    await until(() => server.connections > 0);
    abort.abort(new Error('cancelled'));
    await expect(starting).rejects.toThrow('cancelled');
    await until(() => server.connections === 0);
  });

  test('while it runs ends it', async () => {
    server.play = program => program.print('a');
    const exec = await start();
    abort.abort(new Error('cancelled'));
    await expect(exec.ended()).rejects.toThrow('cancelled');
    await expect(exec.send(Buffer.from('x'))).rejects.toThrow('cancelled');
    await until(() => server.connections === 0);
  });

  test('after its end changes nothing', async () => {
    const exec = await start();
    await exec.ended();
    abort.abort(new Error('cancelled'));
    expect(await exec.ended()).toMatchObject({ exitCode: 0, complaint: '' });
  });
});
