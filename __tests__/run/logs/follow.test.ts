import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { followLog } from '../../../src/run/logs/follow.ts';
import { ObservedPod } from '../../../src/run/observe.ts';
import { type Connected, connectTo, podManifest, shortPauses } from '../../kubernetes/connected.ts';
import {
  type FakeApiServer,
  type FakePod,
  type FaultAction,
  replies,
  startFakeApiServer,
} from '../../support/fake-api-server.ts';

let server: FakeApiServer;
let connected: Connected;
let pod: FakePod;
let observed: ObservedPod;
let stop: AbortController;
/** What of the log has come so far. */
let text: string;
/** What was told besides: `incomplete: ...`, `gap`, `restart 1`. */
let told: string[];
let end: Promise<string[]>;

beforeEach(async () => {
  shortPauses();
  server = await startFakeApiServer();
  connected = connectTo(server);
  pod = server.addPod(podManifest());
  stop = new AbortController();
  text = '';
  told = [];
});
afterEach(async () => {
  observed.stop();
  stop.abort();
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

function follow(lastCall?: AbortSignal): void {
  observed = new ObservedPod(connected.client, structuredClone(pod.object) as unknown as V1Pod, { line: () => {} });
  end = followLog(
    connected.client,
    observed,
    'base',
    {
      emit: bytes => {
        text += Buffer.from(bytes).toString('latin1');
      },
      gap: (from, to) => told.push(`gap ${from} ${to}`),
      late: (from, seconds) => told.push(`late ${from} ${seconds}`),
      refused: why => told.push(`refused: ${why}`),
      incomplete: why => told.push(`incomplete: ${why}`),
      restarted: (before, restarts, unseen) => {
        told.push(`restart ${restarts} after ${before?.exitCode}, ${unseen} unseen`);
        text += `[restart ${restarts}]`;
      },
    },
    { signal: stop.signal, ...(lastCall && { lastCall }) },
  ).then(() => told);
  end.catch(() => {});
}

async function until(wanted: string): Promise<void> {
  while (text !== wanted) await new Promise(resolve => setTimeout(resolve, 5));
}

const logs = (follow: boolean) => server.matching({ verb: 'log', query: { follow: String(follow) } });
const complete: string[] = [];

describe('a log', () => {
  test('comes as it is written, and once', async () => {
    follow();
    pod.run().write('one');
    await until('one\n');
    pod.write('two');
    await until('one\ntwo\n');
    pod.write('rest', { newline: false }).terminate();
    expect(await end).toEqual(complete);
    expect(text).toBe('one\ntwo\nrest');
    // The follow's end counts as one of the two readings that have to agree; not where the pod's end was seen before it.
    expect([1, 2]).toContain(logs(false).length);
  });

  test('of a container that had ended before is read as well', async () => {
    pod.run().write('quick').terminate();
    follow();
    expect(await end).toEqual(complete);
    expect(text).toBe('quick\n');
  });

  test('that is empty is complete', async () => {
    pod.run().terminate();
    follow();
    expect(await end).toEqual(complete);
    expect(text).toBe('');
  });

  test('is not asked for before the container has started', async () => {
    follow();
    pod.schedule();
    await observed.until(view => view.pod.spec?.nodeName);
    expect(server.matching({ verb: 'log' })).toEqual([]);
    pod.run().write('x').terminate();
    expect(await end).toEqual(complete);
  });

  test.each<[string, () => void]>([
    ['is deleted', () => pod.remove()],
    [
      'is refused by its node',
      () => pod.patch(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'OutOfcpu' })),
    ],
  ])('of a pod that %s before it has started is none', async (_, happen) => {
    follow();
    happen();
    expect(await end).toEqual(complete);
    expect(text).toBe('');
    expect(server.matching({ verb: 'log' })).toEqual([]);
  });
});

describe('a log of which a stream', () => {
  const lines = ['one', 'two', 'two', '', 'five is somewhat longer'];
  const whole = lines.map(line => `${line}\n`).join('');
  const run = async (): Promise<string[]> => {
    pod.run();
    for (const line of lines) pod.write(line);
    follow();
    await new Promise(resolve => setTimeout(resolve, 50));
    pod.write('last', { newline: false }).terminate();
    return await end;
  };
  const kubeletError = 'unable to retrieve container logs for containerd://0123456789abcdef';

  const cuts = [0, 1, 10, 31, 34, 35, 40, 69, 70, 100, 140];
  test.each<[string, FaultAction]>([
    ...cuts.map((afterBytes): [string, FaultAction] => [
      `ends in the middle, at ${afterBytes}`,
      { kind: 'cleanEnd', afterBytes },
    ]),
    ...cuts.map((afterBytes): [string, FaultAction] => [
      `is reset in the middle, at ${afterBytes}`,
      { kind: 'reset', afterBytes },
    ]),
    ['is reset before it begins', { kind: 'reset' }],
    ['is 204', { kind: 'answer', reply: { code: 204 } }],
    ['is 404 of a kubelet that has just restarted', { kind: 'answer', reply: replies.logNotFound('p') }],
    [
      'is 400, waiting',
      {
        kind: 'answer',
        reply: replies.badRequest('container "base" in pod "p" is waiting to start: ContainerCreating'),
      },
    ],
    ['is 500, kubelet down', { kind: 'answer', reply: replies.kubeletDown('default', 'p', 'base') }],
    ['is 429', { kind: 'answer', reply: replies.tooManyRequests(1) }],
    ['is 401', { kind: 'answer', reply: replies.unauthorized() }],
    ['is 403', { kind: 'answer', reply: replies.forbidden('get', 'pods/log') }],
    ['is a page of a proxy', { kind: 'answer', reply: { code: 404, body: '<html>no such page</html>' } }],
    ['is a redirect to a login', { kind: 'answer', reply: { code: 302, body: 'Found' } }],
    ['has the kubelet’s error behind it', { kind: 'append', text: kubeletError }],
    ['has the kubelet’s error in it', { kind: 'append', text: kubeletError, afterBytes: 70 }],
    ['is nothing but the kubelet’s error', { kind: 'append', text: kubeletError, afterBytes: 0 }],
    ['goes quiet', { kind: 'quiet', afterBytes: 50 }],
  ])('%s, comes whole', async (_, action) => {
    const fault = server.fault({ match: { verb: 'log' }, action });
    expect(await run()).toEqual(complete);
    expect(text).toBe(`${whole}last`);
    expect(fault.hits).toBe(1);
  });

  test.each<[string, FaultAction]>([
    ['is reset in the middle', { kind: 'reset', afterBytes: 60 }],
    ['ends in the middle', { kind: 'cleanEnd', afterBytes: 60 }],
    ['has the kubelet’s error behind it', { kind: 'append', text: kubeletError }],
    ['is 500', { kind: 'answer', reply: replies.kubeletDown('default', 'p', 'base') }],
    ['is a page of a proxy', { kind: 'answer', reply: { code: 404, body: '<html>no such page</html>' } }],
  ])('read at the end %s, comes whole', async (_, action) => {
    const fault = server.fault({ match: { verb: 'log', query: { follow: 'false' } }, action });
    expect(await run()).toEqual(complete);
    expect(text).toBe(`${whole}last`);
    expect(fault.hits).toBe(1);
  });

  test.each<[string, FaultAction]>([
    ['in its first line', { kind: 'cleanEnd', afterBytes: 33 }],
    ['behind a line', { kind: 'cleanEnd', afterBytes: 35 }],
    ['in another line', { kind: 'cleanEnd', afterBytes: 68 }],
    ['with the kubelet’s error', { kind: 'append', text: kubeletError, afterBytes: 170 }],
    ['with nothing but the kubelet’s error', { kind: 'append', text: kubeletError, afterBytes: 0 }],
  ])('read at the end breaks off twice in the same place, %s, comes whole', async (_, action) => {
    const match = { verb: 'log', query: { follow: 'true' } } as const;
    server.fault({ match, action: { kind: 'reset', afterBytes: 140 } });
    server.fault({ match, times: 99, action: { kind: 'answer', reply: replies.unavailable() } });
    const ended = { match: { verb: 'log', query: { follow: 'false' } }, times: 2 } as const;
    const fault = server.fault({ ...ended, action });
    pod.run();
    for (const line of lines) pod.write(line);
    follow();
    // What has not been read before nobody can miss.
    await until('one\ntwo\ntwo\n\n');
    pod.write('last', { newline: false }).terminate();
    expect(await end).toEqual(complete);
    expect(text).toBe(`${whole}last`);
    expect(fault.hits).toBe(2);
  });

  test('is cut again and again comes whole', async () => {
    pod.run();
    follow();
    for (let line = 0; line < 30; line++) {
      pod.write(`line ${line}`);
      if (line % 3 === 0) {
        await server.request({ verb: 'log' }, line / 3 + 1);
        if (line % 2) server.cutStreams({ verb: 'log' });
        else server.endStreams({ verb: 'log' });
      }
    }
    pod.terminate();
    expect(await end).toEqual(complete);
    expect(text).toBe(Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join(''));
  });
});

describe('a container that is started again', () => {
  beforeEach(() => {
    pod = server.addPod({ ...podManifest('again'), spec: { ...podManifest().spec, restartPolicy: 'OnFailure' } });
  });
  const restarts = (...lines: string[]) => lines.map(line => expect.stringMatching(line));

  test('has each of its logs shown, the old one whole before the new one', async () => {
    pod.run().write('one').write('half', { newline: false });
    follow();
    await until('one\n');
    pod.restart();
    pod.write('two').terminate({ exitCode: 0 });
    expect(await end).toEqual(restarts('restart 1 after 1, 0 unseen'));
    expect(text).toBe('one\nhalf[restart 1]two\n');
    expect(server.matching({ verb: 'log', query: { previous: 'true' } }).length).toBeGreaterThan(0);
  });

  test('and was not looked at before, has both', async () => {
    pod.run().write('one');
    pod.restart().write('two').terminate({ exitCode: 0 });
    follow();
    expect(await end).toEqual(restarts('restart 1 after 1, 0 unseen'));
    expect(text).toBe('one\n[restart 1]two\n');
  });

  test('is waited for while it backs off', async () => {
    pod.run().write('one');
    follow();
    await until('one\n');
    pod.terminate({ exitCode: 1 });
    pod.backOff();
    await server.request({ verb: 'log', query: { follow: 'false' } });
    expect(told).toEqual([]);
    pod.restart().write('two').terminate({ exitCode: 0 });
    expect(await end).toEqual(restarts('restart 1 after 1, 0 unseen'));
    expect(text).toBe('one\n[restart 1]two\n');
  });

  test('more often than it was looked at, says so', async () => {
    pod.run().write('one');
    follow();
    await until('one\n');
    // Neither the watch nor the log is to be had meanwhile.
    const reply = replies.kubeletDown('default', 'again', 'base');
    const log = server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply } });
    const away = { kind: 'answer', reply: replies.unavailable() } as const;
    const watch = server.fault({ match: { verb: 'watch' }, times: 99, action: away });
    const get = server.fault({ match: { verb: 'get' }, times: 99, action: away });
    server.cutStreams();
    await server.request({ verb: 'get' }, 3);
    pod.restart().restart().restart().write('four').terminate({ exitCode: 0 });
    for (const fault of [log, watch, get]) fault.clear();
    const all = await end;
    expect(all).toEqual([
      expect.stringMatching(/^incomplete: .*more than once/),
      'restart 2 after undefined, 1 unseen',
      'restart 3 after 1, 0 unseen',
    ]);
    expect(text).toBe('one\n[restart 2][restart 3]four\n');
  });

  test('whose old log is not to be had at once, is not taken for having no status yet', async () => {
    pod.run().write('one');
    follow();
    await until('one\n');
    const away = { kind: 'answer', reply: replies.kubeletDown('default', 'again', 'base') } as const;
    server.fault({ match: { verb: 'log', query: { previous: 'true' } }, action: away });
    pod.restart('base', { unreported: true }).write('two');
    server.cutStreams({ verb: 'log' });
    await server.request({ verb: 'log' }, 2);
    while (server.open({ verb: 'log' }).length > 0) await new Promise(resolve => setTimeout(resolve, 5));
    pod.report().terminate({ exitCode: 0 });
    expect(await end).toEqual(restarts('restart 1 after 1, 0 unseen'));
    expect(text).toBe('one\n[restart 1]two\n');
    // The wait for a status that tells of another run would be longer.
  }, 6000);

  test('and of which nobody waits for more is not waited for', async () => {
    const lastCall = new AbortController();
    pod.run().write('one');
    follow(lastCall.signal);
    await until('one\n');
    pod.terminate({ exitCode: 1 });
    pod.backOff();
    lastCall.abort();
    expect(await end).toEqual([]);
    expect(text).toBe('one\n');
  });
});

test('a container of which nobody waits for more is read up to there', async () => {
  const lastCall = new AbortController();
  pod.run().write('one');
  follow(lastCall.signal);
  await until('one\n');
  pod.write('two').write('unfin', { newline: false });
  lastCall.abort();
  expect(await end).toEqual([]);
  expect(text).toBe('one\ntwo\nunfin');
});

test('what the node rotated away between two streams is told, with its times', async () => {
  pod.run().write('one', { at: '2026-03-01T12:00:05.000000001Z' });
  follow();
  await until('one\n');
  const reply = replies.kubeletDown('default', 'p', 'base');
  const down = server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply } });
  server.cutStreams({ verb: 'log' });
  await server.request({ verb: 'log' }, 3);
  pod.write('lost').rotateLog().write('three', { at: '2026-03-01T12:00:09.000000003Z' });
  down.clear();
  await until('one\nthree\n');
  pod.write('four', { at: '2026-03-01T12:00:10.000000004Z' }).terminate();
  expect(await end).toEqual(['gap 2026-03-01T12:00:05.000000001Z 2026-03-01T12:00:09.000000003Z']);
  expect(text).toBe('one\nthree\nfour\n');
});

test('what the node rotated away after it had been read is not missing, though nothing is left to be read', async () => {
  const line = 'x'.repeat(100_000);
  // A follow ends by itself half a second after the container.
  pod.logLagMs = 500;
  pod.run();
  follow();
  await server.request({ verb: 'log' });
  pod.write(line);
  await until(`${line}\n`);
  pod.rotateLog().terminate();
  expect(await end).toEqual(complete);
  expect(text).toBe(`${line}\n`);
});

describe('a first look', () => {
  test.each([
    [9, []],
    [10, ['late 2026-03-01T12:00:10.000000000Z 10']],
  ])('at a log whose first line came %i s after the start', async (seconds, expected) => {
    pod.run().write('x', { at: `2026-03-01T12:00:${String(seconds).padStart(2, '0')}.000000000Z` });
    pod.terminate();
    follow();
    expect(await end).toEqual(expected);
    expect(text).toBe('x\n');
  });

  test('that comes in time is not late, however long the container keeps silent', async () => {
    pod.run();
    follow();
    await server.request({ verb: 'log' });
    // What is there within half a second of the opening had been there before.
    await new Promise(resolve => setTimeout(resolve, 600));
    pod.write('x', { at: '2026-03-01T12:05:00.000000000Z' }).terminate();
    expect(await end).toEqual([]);
  });
});

test('a log that may not be read is told of while the container runs, once', async () => {
  const reply = replies.forbidden('get', 'pods/log');
  server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply } });
  pod.run().write('x');
  follow();
  while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
  expect(told).toEqual([expect.stringMatching(/^refused: .*pods\/log/)]);
  pod.terminate();
  expect(await end).toHaveLength(1);
  expect(text).toBe('');
}, 20_000);

describe('a pod that is deleted while it prints', () => {
  test('has all that the open stream brings, and nothing is said to be missing', async () => {
    pod.onDelete = deleted => {
      deleted.write('terminating');
      deleted.stop(143);
    };
    pod.run().write('one');
    follow();
    await until('one\n');
    pod.delete();
    expect(await end).toEqual([]);
    expect(text).toBe('one\nterminating\n');
  });

  test('has all, too, where it had been silent before, and the stream ends a while after the deletion is told', async () => {
    const now = performance.now.bind(performance);
    let aheadSeconds = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 1000 * aheadSeconds);
    pod.logLagMs = 200;
    pod.run().write('one');
    follow();
    await until('one\n');
    aheadSeconds = 50;
    pod.stop(143);
    expect(await end).toEqual([]);
    expect(text).toBe('one\n');
  });

  test('has all, too, where the stream ends just before the deletion is told', async () => {
    pod.run().write('one');
    follow();
    await until('one\n');
    server.endStreams({ verb: 'log' });
    while (server.open({ verb: 'log' }).length > 0) await new Promise(resolve => setImmediate(resolve));
    pod.stop(143);
    expect(await end).toEqual([]);
    expect(text).toBe('one\n');
  });
});

describe('a log that cannot be read to its end', () => {
  test('because the pod is gone, says so and repeats nothing', async () => {
    pod.run().write('hello');
    // Read again at the end, the line breaks off; then the pod is gone.
    server.fault({ match: { verb: 'log', query: { follow: 'true' } }, action: { kind: 'reset', afterBytes: 37 } });
    server.fault({
      match: { verb: 'log', query: { follow: 'true' } },
      times: 99,
      action: { kind: 'answer', reply: replies.kubeletDown('default', 'p', 'base') },
    });
    server.fault({ match: { verb: 'log', query: { follow: 'false' } }, action: { kind: 'reset', afterBytes: 33 } });
    server.fault({
      match: { verb: 'log', query: { follow: 'false' } },
      times: 99,
      action: { kind: 'answer', reply: replies.podNotFound('p') },
    });
    follow();
    await until('hello\n');
    pod.terminate();
    expect(await end).toEqual([expect.stringMatching(/^incomplete: .*not found/)]);
    expect(text).toBe('hello\n');
  });

  test('because the pod is gone, is not read from another of that name', async () => {
    pod.run().write('hello');
    follow();
    await until('hello\n');
    pod.remove();
    await observed.until(view => view.gone || undefined);
    server.addPod(podManifest()).run().write('not ours').finish();
    server.cutStreams({ verb: 'log' });
    await end;
    expect([text, told.filter(what => what.startsWith('gap'))]).toEqual(['hello\n', []]);
  });

  test('passes on what there is of the last line', async () => {
    pod.run().write('hello').write('wor', { newline: false });
    follow();
    await until('hello\n');
    server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply: replies.podNotFound('p') } });
    server.cutStreams({ verb: 'log' });
    pod.remove();
    expect(await end).toEqual([expect.stringMatching(/^incomplete: /)]);
    expect(text).toBe('hello\nwor');
  });
});

describe('cancelled', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['before the start', () => server.request({ verb: 'watch' })],
    [
      'while it follows',
      async () => {
        pod.run().write('x');
        await until('x\n');
      },
    ],
    [
      'in the pause between two streams',
      async () => {
        const reply = replies.kubeletDown('default', 'p', 'base');
        server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply } });
        pod.run();
        await server.request({ verb: 'log' }, 3);
        await new Promise(resolve => setTimeout(resolve, 20));
      },
    ],
    [
      'in the pause between two readings of the end',
      async () => {
        const reply = replies.kubeletDown('default', 'p', 'base');
        server.fault({ match: { verb: 'log' }, times: 99, action: { kind: 'answer', reply } });
        pod.run().terminate();
        await server.request({ verb: 'log', query: { follow: 'false' } }, 2);
        await new Promise(resolve => setTimeout(resolve, 20));
      },
    ],
  ])('%s, it rejects with the reason', async (_, situation) => {
    follow();
    await situation();
    const reason = new Error('cancelled');
    stop.abort(reason);
    await expect(end).rejects.toBe(reason);
  });
});
