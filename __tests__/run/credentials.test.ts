import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { runStep, startStep } from '../support/step-runner.ts';
import { makeCertificate } from '../support/test-certificate.ts';

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

/** A proxy that tunnels to this machine, whatever the name, and notes what it was asked for, and with which password. */
async function tunnel(tls?: { key: string; cert: string }): Promise<{
  proxy: Server;
  url: string;
  asked: { host: string; as: string | undefined }[];
}> {
  const asked: { host: string; as: string | undefined }[] = [];
  const proxy = tls ? (createTlsServer(tls) as unknown as Server) : createServer();
  proxy.on('connect', (request, socket) => {
    asked.push({ host: request.url ?? '', as: request.headers['proxy-authorization'] });
    const { port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const end of [target, socket]) end.on('error', () => target.destroy());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return { proxy, url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, asked };
}

describe('HTTPS_PROXY is gone through', () => {
  const named = (ca = '') => {
    const { host, port } = new URL(server.url);
    const added = server.kubeconfig.replace(/certificate-authority-data: (\S+)/, (_, data: string) => {
      const both = Buffer.from(`${Buffer.from(data, 'base64')}\n${ca}`).toString('base64');
      return `certificate-authority-data: ${both}\n      tls-server-name: localhost`;
    });
    return {
      kubeconfig: added.replace(`https://${host}`, `https://cluster.test:${port}`),
      host: `cluster.test:${port}`,
    };
  };

  test.each([
    ['as it is', false, ''],
    ['behind TLS, with a password', true, 'someone:pass%20word@'],
  ])('%s', async (_, behindTls, login) => {
    const tls = behindTls ? makeCertificate({ name: 'proxy' }) : undefined;
    const { proxy, url, asked } = await tunnel(tls);
    try {
      const { kubeconfig, host } = named(tls?.cert);
      const env = { HTTPS_PROXY: url.replace('://', `://${login}`) };
      const step = await runStep({ inputs: { image: 'busybox', kubeconfig }, env });
      expect(step.annotations).toEqual([]);
      expect(step.outputs).toMatchObject({ state: 'succeeded' });
      expect(new Set(asked.map(({ host }) => host))).toEqual(new Set([host]));
      const basic = login && `Basic ${Buffer.from('someone:pass word').toString('base64')}`;
      expect(new Set(asked.map(({ as = '' }) => as))).toEqual(new Set([basic]));
      if (login) expect(step.masks).toContain('pass word');
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test('not to what NO_PROXY names, nor to this machine', async () => {
    const { proxy, url, asked } = await tunnel();
    try {
      const env = { HTTPS_PROXY: url, NO_PROXY: 'other.example,.test' };
      const { kubeconfig } = named();
      const away = await runStep({ inputs: { image: 'busybox', kubeconfig }, env });
      expect(away.outputs).toMatchObject({ state: 'failed', reason: 'Unreachable' });
      const here = await runStep({ inputs: { image: 'busybox', kubeconfig: server.kubeconfig }, env });
      expect(here.outputs).toMatchObject({ state: 'succeeded' });
      expect(asked).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

describe('a proxy that takes connections and says nothing', () => {
  const silent = async () => {
    const proxy = createServer();
    proxy.on('connect', (_, socket) => socket.on('error', () => {}));
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    return { proxy, url: `http://127.0.0.1:${port}` };
  };
  const through = (url: string) =>
    server.kubeconfig.replace('    cluster:\n', `    cluster:\n      proxy-url: ${url}\n`);

  test('is waited for as long as any server', async () => {
    const { proxy, url } = await silent();
    try {
      const kubeconfig = through(url);
      const step = await runStep({ inputs: { image: 'busybox', kubeconfig, outage_timeout_seconds: '5' } });
      expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Unreachable' });
      expect(step.annotations.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          / did not answer within 1\d s: the proxy 127\.0\.0\.1:\d+ gets no connection to it \(no answer in time\)\./,
        ),
      ]);
      expect(step.durationMs).toBeLessThan(20_000);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  }, 40_000);

  test('does not hold up a cancel', async () => {
    const { proxy, url } = await silent();
    const step = startStep({ inputs: { image: 'busybox', kubeconfig: through(url) } });
    try {
      await step.line(/^Running busybox/);
      expect(await step.cancel()).toMatchObject({ signal: null, outputs: { state: 'cancelled' } });
    } finally {
      await step.dispose();
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

test('a server that cannot be trusted is not taken, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  const kubeconfig = server.kubeconfig.replace(/certificate-authority-data: .*/, '');
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig }, env });
  expect(step.annotations.map(({ title }) => title)).toEqual(['The API server cannot be trusted']);
  expect(server.requests).toEqual([]);
});

test('the kubeconfig’s proxy-url is gone through', async () => {
  const { proxy, url, asked } = await tunnel();
  try {
    const kubeconfig = server.kubeconfig.replace('    cluster:\n', `    cluster:\n      proxy-url: ${url}\n`);
    const step = await runStep({ inputs: { image: 'busybox', kubeconfig } });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.text).toContain('\nhello\n');
    expect(new Set(asked.map(({ host }) => host))).toEqual(new Set([new URL(server.url).host]));
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
      /^The step’s credentials have ended and cannot be renewed: the credential plugin sh failed with exit code 7/,
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
  expect(step.annotations[0]?.message).toMatch(/the credential plugin echo printed no ExecCredential/);
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
