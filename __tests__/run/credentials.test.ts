import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { runStep, startStep } from '../support/step-runner.ts';

const hello = (pod: FakePod) => void pod.run().write('hello').finish();

let server: FakeApiServer;
let folder: string;
/** What a pod does. */
let life: (pod: FakePod) => void;
beforeEach(async () => {
  life = hello;
  folder = mkdtempSync(join(tmpdir(), 'credentials-test-'));
  server = await startFakeApiServer({ tls: {}, token: 'a-token-of-the-test', autoplay: pod => life(pod) });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const withUser = (user: string) => server.kubeconfig.replace(/token: .*/, () => user);

/** Whether a process is there and no zombie. */
function running(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A proxy that tunnels, and counts what it was asked for. */
async function tunnel(): Promise<{ proxy: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const end of [target, socket]) end.on('error', () => target.destroy());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  return { proxy, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

test('the kubeconfig’s proxy-url is gone through', async () => {
  const { proxy, url, asked } = await tunnel();
  try {
    const kubeconfig = server.kubeconfig.replace('    cluster:\n', `    cluster:\n      proxy-url: ${url}\n`);
    const step = await runStep({ inputs: { image: 'busybox', kubeconfig } });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.text).toContain('\nhello\n');
    expect(new Set(asked)).toEqual(new Set([new URL(server.url).host]));
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});

test('a tokenFile is read, relative to the kubeconfig, and its token masked', async () => {
  writeFileSync(join(folder, 'token'), 'a-token-of-the-test\n');
  writeFileSync(join(folder, 'kubeconfig'), withUser('tokenFile: token'));
  const step = await runStep({ inputs: { image: 'busybox', config_file: join(folder, 'kubeconfig') } });
  expect(step.outputs).toMatchObject({ state: 'succeeded' });
  expect(step.masks).toContain('a-token-of-the-test');
});

test('a credential plugin that hangs does not hold up a cancel', async () => {
  const step = startStep({
    inputs: {
      image: 'busybox',
      kubeconfig: withUser(
        'exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sleep, args: ["1000"]}',
      ),
    },
  });
  try {
    await step.line(/^Running busybox/);
    const result = await step.cancel();
    expect(result).toMatchObject({ signal: null, outputs: { state: 'cancelled' } });
    expect(server.requests).toEqual([]);
  } finally {
    await step.dispose();
  }
});

test('a credential plugin that hangs does not outlive a cancelled step, nor does what it has started', async () => {
  const pids = join(folder, 'pids');
  const script = `echo $$ > ${pids}; sleep 1000 & echo $! >> ${pids}; wait`;
  // Without the variable by which the runner finds what a step has left running.
  const args = ['-u', 'RUNNER_TRACKING_ID', 'sh', '-c', script];
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never', command: 'env', args };
  const step = startStep({ inputs: { image: 'busybox', kubeconfig: withUser(`exec: ${JSON.stringify(exec)}`) } });
  try {
    await step.line(/^Running busybox/);
    const limit = AbortSignal.timeout(20_000);
    let started: string[] = [];
    while (started.length < 2) {
      await setTimeout(10, undefined, { signal: limit });
      started = existsSync(pids) ? (readFileSync(pids, 'utf8').match(/\d+(?=\n)/g) ?? []) : [];
    }
    expect(started.map(running)).toEqual([true, true]);
    await step.cancel();
    // A killed process is gone only once the kernel has got to it.
    while (started.some(running)) await setTimeout(10, undefined, { signal: limit });
  } finally {
    await step.dispose();
  }
});

describe('credentials that end while the pod runs', () => {
  const token = () => join(folder, 'token');
  /** The user's plugin: prints what the file says, or fails where there is none. */
  const plugin = () => {
    const text = '{"kind": "ExecCredential", "apiVersion": "%s", "status": {"token": "%s"}}';
    const v1 = 'client.authentication.k8s.io/v1';
    const args = ['-c', `printf '${text}' ${v1} "$(cat "$0")"; test -e "$0" || exit 7`, token()];
    return `exec: ${JSON.stringify({ apiVersion: v1, interactiveMode: 'Never', command: 'sh', args })}`;
  };
  const begin = (kubeconfig: string) =>
    startStep({ inputs: { image: 'busybox', kubeconfig, outage_timeout_seconds: '2' } });

  beforeEach(() => {
    writeFileSync(token(), 'a-token-of-the-test');
    life = pod => void pod.run().write('hello');
  });

  test('are obtained anew, and nothing is seen of it', async () => {
    const step = begin(withUser(plugin()));
    try {
      await step.line(/^hello$/);
      writeFileSync(token(), 'another-token-of-the-test');
      server.changeToken('another-token-of-the-test');
      server.cutStreams({});
      server.pods[0]?.write('goodbye').finish();
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'succeeded' });
      expect(result.text.split('\n').filter(line => /^(hello|goodbye)$/.test(line))).toEqual(['hello', 'goodbye']);
      expect(result.annotations).toEqual([]);
      expect(result.masks).toEqual(expect.arrayContaining(['a-token-of-the-test', 'another-token-of-the-test']));
    } finally {
      await step.dispose();
    }
  });

  test.each<[what: string, user: () => string, why: RegExp]>([
    [
      'and cannot be renewed',
      plugin,
      /^The step’s credentials have ended and cannot be renewed: its credential plugin sh failed with exit code 7/,
    ],
    [
      'and stand in the kubeconfig',
      () => 'token: a-token-of-the-test',
      /^The API server does not accept the step’s credentials any more \(401 Unauthorized\)/,
    ],
  ])('%s end the step alone: the pod goes on, and the post step leaves it', async (_, user, why) => {
    const step = begin(withUser(user()));
    try {
      await step.line(/^hello$/);
      rmSync(token());
      server.changeToken('another-token-of-the-test');
      server.cutStreams({});
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'failed', reason: 'Credentials' });
      const pod = server.pods[0];
      expect(result.annotations.map(({ message }) => message)).toEqual([expect.stringMatching(why)]);
      expect(result.annotations.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          new RegExp(
            `Pod default/${pod?.name} was left as it is, and goes on, until \\S+Z at the latest .*\`attach: ${pod?.name}\`, \`pod_uid: ${pod?.object.metadata.uid}\``,
          ),
        ),
      ]);
      expect(pod?.removed).toBe(false);
      expect((await step.runPost()).text).toBe('');
      expect(pod?.removed).toBe(false);
    } finally {
      await step.dispose();
    }
  });
});

test('what a credential plugin prints in place of JSON is not repeated', async () => {
  const user =
    'exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: echo, args: ["tok-12345678"]}';
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig: withUser(user) } });
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'InvalidKubeconfig' });
  expect(step.annotations[0]?.message).toMatch(/its credential plugin echo printed no ExecCredential/);
  expect(step.text).not.toContain('tok-1234');
});

test.each([
  ['https://[', /is not an http\(s\) address/],
  ['https://user:hunter2@127.0.0.1:1', /holds a user name or password/],
  ['https://127.0.0.1:1/?a=b', /ends in a query/],
])('the server address %s is refused before anything is sent', async (address, sentence) => {
  const kubeconfig = server.kubeconfig.replace(/server: .*/, `server: '${address}'`);
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig } });
  expect(step.outputs).toMatchObject({ reason: 'InvalidKubeconfig' });
  expect(step.annotations.map(({ message }) => message)).toEqual([expect.stringMatching(sentence)]);
  expect(step.text).not.toContain('hunter2');
});
