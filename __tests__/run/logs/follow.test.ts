import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { followLog, type LogEnd } from '../../../src/run/logs/follow.ts';
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
let end: Promise<LogEnd>;

beforeEach(async () => {
  shortPauses();
  server = await startFakeApiServer();
  connected = connectTo(server);
  pod = server.addPod(podManifest());
  stop = new AbortController();
  text = '';
});
afterEach(async () => {
  observed.stop();
  stop.abort();
  jest.restoreAllMocks();
  await connected.client.close();
  await server.close();
});

function follow(): void {
  observed = new ObservedPod(connected.client, structuredClone(pod.object) as unknown as V1Pod);
  end = followLog(
    connected.client,
    observed,
    'base',
    bytes => {
      text += Buffer.from(bytes).toString('latin1');
    },
    stop.signal,
  );
  end.catch(() => {});
}

async function until(wanted: string): Promise<void> {
  while (text !== wanted) await new Promise(resolve => setTimeout(resolve, 5));
}

const logs = (follow: boolean) => server.matching({ verb: 'log', query: { follow: String(follow) } });
const complete = { complete: true };

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
  const run = async (): Promise<LogEnd> => {
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
    expect(await end).toMatchObject({ complete: false, why: expect.stringContaining('not found') });
    expect(text).toBe('hello\n');
  });

  test('passes on what there is of the last line', async () => {
    pod.run().write('hello').write('wor', { newline: false });
    follow();
    await until('hello\n');
    pod.remove();
    expect(await end).toMatchObject({ complete: false });
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
