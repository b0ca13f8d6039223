import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { changedKubeconfig, type Kubeconfig } from '../support/account.ts';
import { cluster, Namespace, script } from '../support/cluster.ts';
import { ConnectProxy, type ConnectProxyOptions } from '../support/connect-proxy.ts';
import { SocksProxy } from '../support/socks-proxy.ts';
import type { StepResult } from '../support/step-runner.ts';
import { makeCertificate } from '../support/test-certificate.ts';
import { folderWith } from './files/tree.ts';

/** A name that only the proxies know: what goes past them arrives nowhere. */
const NAME = 'api.cluster.test';

let namespace: Namespace;
let server: URL;
/** The cluster's authority, PEM. */
let ca: string;
let token: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  const { clusters, users } = load(readFileSync(namespace.kubeconfig, 'utf8')) as Kubeconfig;
  server = new URL(String(clusters[0].cluster['server']));
  ca = Buffer.from(String(clusters[0].cluster['certificate-authority-data']), 'base64').toString();
  token = String(users[0].user['token']);
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const start = (options: ConnectProxyOptions = {}) => ConnectProxy.start({ hosts: { [NAME]: server }, ...options });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const messages = ({ annotations }: StepResult) => annotations.map(({ message }) => message);

/** The runner's, with the server under another address. @returns its path */
const kubeconfig = (host: string, change: Record<string, string> = {}) =>
  changedKubeconfig(namespace.kubeconfig, ({ clusters: [{ cluster }] }) => {
    Object.assign(cluster, { server: `https://${host}:${server.port}`, 'tls-server-name': 'kubernetes', ...change });
  });

/** Watched and followed for a while, with a result, a Secret of its own, events, and files both ways. */
const WHOLE_RUN = {
  ...script(
    'for i in 1 2 3; do echo "line $i"; sleep 0.5; done; echo "word: $PASSWORD"; cp given back; echo \'{"rows": 3}\' > "$RESULT_PATH"',
  ),
  ...{ do_xcom_push: 'true', secret_env: 'PASSWORD=correct horse' },
  ...{ workspace: 'upload', download: 'back', helper_image: cluster.images.shell },
};

/** More than one message of a WebSocket. */
const GIVEN = randomBytes(3_000_000);

async function expectWholeRun(inputs: Record<string, string>, env: Record<string, string> = {}): Promise<StepResult> {
  const workspace = folderWith({ given: GIVEN });
  const step = await namespace.run({ ...WHOLE_RUN, ...inputs }, { env, workspace });
  expect(step.annotations).toEqual([]);
  expect(step.outputs).toMatchObject({ state: 'succeeded', exit_code: '0', result: '{"rows": 3}' });
  expect(step.text.match(/^(line \d|word: .*)$/gm)).toEqual(['line 1', 'line 2', 'line 3', 'word: ***']);
  expect(readFileSync(join(workspace, 'back')).equals(GIVEN)).toBe(true);
  rmSync(workspace, { recursive: true });
  return step;
}

/** All that it was asked for, by whoever had the right to. */
function expectAllThrough(proxy: ConnectProxy, login?: string): void {
  const as = login === undefined ? undefined : `Basic ${base64(login)}`;
  expect(new Set(proxy.asked.map(asked => JSON.stringify(asked)))).toEqual(
    new Set([JSON.stringify({ host: `${NAME}:${server.port}`, as })]),
  );
}

describe('a whole run passes', () => {
  test('a plain proxy', async () => {
    await using proxy = await start();
    const step = await expectWholeRun({ config_file: kubeconfig(NAME) }, { HTTPS_PROXY: proxy.url });
    expectAllThrough(proxy);
    expect(step.text).toContain(`through the proxy ${proxy.host}`);
    expect(await namespace.pods()).toEqual([]);
  });

  test('one behind TLS, with a password', async () => {
    const tls = makeCertificate({ name: 'proxy' });
    const login = 'someone:pass word';
    await using proxy = await start({ tls, login });
    const file = kubeconfig(NAME, { 'certificate-authority-data': base64(`${ca}\n${tls.cert}`) });
    const step = await expectWholeRun({ config_file: file }, { HTTPS_PROXY: proxy.url });
    expectAllThrough(proxy, login);
    expect(step.masks).toContain('pass word');
    expect(step.lines.filter(({ stream }) => stream === 'stderr')).toEqual([]);
  });

  test('the one of the kubeconfig’s proxy-url', async () => {
    const login = 'someone:pass word';
    await using proxy = await start({ login });
    const file = kubeconfig(NAME, { 'proxy-url': proxy.url });
    await expectWholeRun({ config_file: file });
    expectAllThrough(proxy, login);
  });

  test.each([
    ['one that speaks SOCKS5', undefined, 'socks5://'],
    ['one that speaks SOCKS5 and asks for a password', 'someone:pass word', 'socks5h://someone:pass%20word@'],
  ])('%s', async (_, login, before) => {
    await using proxy = await SocksProxy.start({ [NAME]: server }, login);
    const env = { HTTPS_PROXY: `${before}${proxy.host}` };
    await expectWholeRun({ config_file: kubeconfig(NAME) }, env);
    expect(new Set(proxy.asked)).toEqual(new Set([`${NAME}:${server.port}`]));
    expect(new Set(proxy.logins)).toEqual(new Set(login === undefined ? [] : [login]));
    const byUrl = kubeconfig(NAME, { 'proxy-url': env.HTTPS_PROXY });
    await expectWholeRun({ config_file: byUrl });
  });

  test('one that inspects TLS, with a token and its authority in cluster_ca', async () => {
    const authority = makeCertificate({ name: 'Inspection Ltd', isAuthority: true });
    await using proxy = await start({ inspects: { authority, trust: ca } });
    const inputs = {
      ...{ config_file: '', cluster_url: `https://${NAME}:${server.port}`, cluster_token: token },
      cluster_ca: authority.cert,
    };
    await expectWholeRun(inputs, { HTTPS_PROXY: proxy.url });
    expectAllThrough(proxy);
    expect(proxy.read.length).toBeGreaterThan(4);
  });

  test('one that goes away and comes back under it: every line once', async () => {
    await using proxy = await start();
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);
    const step = namespace.start(
      {
        ...script('i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done'),
        config_file: kubeconfig(NAME),
      },
      { env: { HTTPS_PROXY: proxy.url } },
    );
    try {
      await step.line(/^line 5$/, 30_000);
      await proxy.close();
      await step.line(/ is away \(/, 30_000);
      await proxy.listen();
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'succeeded' });
      expect(result.text.match(/^line \d+$/gm)).toEqual(lines);
      expect(result.text.match(/is away|is back/g)).toEqual(['is away', 'is back']);
    } finally {
      await step.dispose();
    }
  }, 60_000);
});

describe('NO_PROXY', () => {
  /** This machine, under an address that is not by itself no matter for proxies. */
  const HERE = '0.0.0.0';

  test.each([
    ['names the server', '0.0.0.0/8', true],
    ['names others', '10.0.0.0/8,.test', false],
  ])('%s', async (_, NO_PROXY, isDirect) => {
    await using proxy = await start({ hosts: { [HERE]: server } });
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY };
    await expectWholeRun({ config_file: kubeconfig(HERE) }, env);
    expect(proxy.asked.length > 0).toBe(!isDirect);
  });
});

describe('is told in one sentence:', () => {
  const failed = async (inputs: Record<string, string>, env: Record<string, string>) => {
    const step = await namespace.run({ cmds: 'true', outage_timeout_seconds: '2', ...inputs }, { env });
    expect(step.outputs).toMatchObject({ state: 'failed' });
    return messages(step);
  };

  test('a proxy that inspects TLS, whose authority was not given', async () => {
    const authority = makeCertificate({ name: 'Inspection Ltd', isAuthority: true });
    await using proxy = await start({ inspects: { authority, trust: ca } });
    const url = `https://${NAME}:${server.port}`;
    const env = { HTTPS_PROXY: proxy.url };
    const inputs = { config_file: '', cluster_url: url, cluster_ca: ca, cluster_token: token };
    expect(await failed(inputs, env)).toEqual([
      `The API server at ${url} cannot be trusted: its certificate is not signed by the authority that was given. It is reached through the proxy ${proxy.host}: one that inspects TLS shows a certificate of its own. Then add the proxy’s authority to \`cluster_ca\`, or to the kubeconfig’s \`certificate-authority-data\`, and log in by a token; else check the authority, \`tls-server-name\` and the server’s address.`,
    ]);
    expect(proxy.read).toEqual([]);
  });

  test('one that inspects TLS, and does not pass on a client certificate', async () => {
    const authority = makeCertificate({ name: 'Inspection Ltd', isAuthority: true });
    const { key, cert } = makeCertificate({ name: 'somebody' });
    await using proxy = await start({ inspects: { authority, trust: ca } });
    const file = changedKubeconfig(kubeconfig(NAME), ({ clusters: [{ cluster }], users: [entry] }) => {
      Object.assign(cluster, { 'certificate-authority-data': base64(authority.cert) });
      delete cluster['tls-server-name'];
      entry.user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    });
    expect(await failed({ config_file: file }, { HTTPS_PROXY: proxy.url })).toEqual([
      `The API server does not take the client certificate, or has not seen it: it is reached through the proxy ${proxy.host}, and one that inspects TLS does not pass it on. Log in by a token, or have the proxy let this server through unread.`,
    ]);
  });

  test.each([
    ['upload', { workspace: 'upload' }],
    ['download', { workspace: 'none', download: 'x' }],
  ])('one that inspects TLS, and knows no WebSockets, of %s', async (_, files) => {
    const authority = makeCertificate({ name: 'Inspection Ltd', isAuthority: true });
    await using proxy = await start({ inspects: { authority, trust: ca }, noUpgrades: true });
    const inputs = {
      ...{ config_file: '', cluster_url: `https://${NAME}:${server.port}`, cluster_ca: authority.cert },
      ...{ cluster_token: token, helper_image: cluster.images.shell, cmds: '[sleep, "300"]', ...files },
    };
    expect((await failed(inputs, { HTTPS_PROXY: proxy.url })).at(-1)).toBe(
      'Something between this runner and the API server does not let WebSockets through, by which files go: the server was asked without `Upgrade`. See to proxies that inspect TLS and to load balancers, or have NO_PROXY name the server. `workspace: checkout` and a claim do without.',
    );
    expect(await namespace.pods()).toEqual([]);
  });

  test('one that wants a password', async () => {
    await using proxy = await start({ login: 'someone:pass word' });
    const HTTPS_PROXY = proxy.url.replace('someone:', 'somebody:');
    expect(await failed({ config_file: kubeconfig(NAME) }, { HTTPS_PROXY })).toEqual([
      `The API server at https://${NAME}:${server.port} did not answer: the proxy ${proxy.host} asks for a user name and password, or for others (407). Check the proxy’s address (the kubeconfig’s proxy-url, HTTPS_PROXY), or have NO_PROXY name the server.`,
    ]);
  });

  test.each([
    ['another password', 'someone:wr0ng', 'asks for a user name and password, or for others (SOCKS5)'],
    ['no password', '', 'asks for a user name and password, or for others (SOCKS5)'],
    ['a server that it does not let through', 'someone:pass', 'lets nobody through to it (NotAllowed)'],
  ])('one that speaks SOCKS5, and %s', async (what, login, says) => {
    const hosts = what.startsWith('a server') ? {} : { [NAME]: server };
    await using proxy = await SocksProxy.start(hosts, 'someone:pass');
    const HTTPS_PROXY = `socks5://${login === '' ? '' : `${login}@`}${proxy.host}`;
    expect(await failed({ config_file: kubeconfig(NAME) }, { HTTPS_PROXY })).toEqual([
      `The API server at https://${NAME}:${server.port} did not answer: the proxy ${proxy.host} ${says}. Check the proxy’s address (the kubeconfig’s proxy-url, HTTPS_PROXY), or have NO_PROXY name the server.`,
    ]);
  });

  test('one that does not speak SOCKS5', async () => {
    await using proxy = await start();
    const HTTPS_PROXY = proxy.url.replace('http:', 'socks5:');
    expect(await failed({ config_file: kubeconfig(NAME) }, { HTTPS_PROXY })).toEqual([
      expect.stringContaining(`the proxy ${proxy.host} does not speak SOCKS5.`),
    ]);
  });

  test('a certificate that cannot be read, behind SOCKS5 too', async () => {
    await using proxy = await SocksProxy.start({ [NAME]: server });
    const file = changedKubeconfig(kubeconfig(NAME), ({ users: [entry] }) => {
      entry.user = { 'client-certificate-data': base64('no certificate'), 'client-key-data': base64('no key') };
    });
    expect(await failed({ config_file: file }, { HTTPS_PROXY: `socks5://${proxy.host}` })).toEqual([
      expect.stringMatching(/^A certificate or key of the kubeconfig cannot be used: /),
    ]);
  });

  test('one that is not there', async () => {
    const proxy = await start();
    const { url, host } = proxy;
    await proxy.close();
    expect(await failed({ config_file: kubeconfig(NAME) }, { HTTPS_PROXY: url })).toEqual([
      expect.stringMatching(
        new RegExp(
          `^The API server at https://${NAME}:\\d+ did not answer through the proxy ${host} within \\d+ s: connection refused\\. Check the proxy’s address`,
        ),
      ),
    ]);
  });
});
