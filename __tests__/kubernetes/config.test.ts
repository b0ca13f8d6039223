import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StepError } from '../../src/github/failure.ts';
import type { ClusterInputs } from '../../src/github/inputs/cluster.ts';
import { findCluster } from '../../src/kubernetes/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SECRETS = { token: 'T0k3n-s3cr3t-T0k3n', password: 'P4ssw0rd-s3cr3t', key: 'S2V5LXMzY3IzdC1LZXk=' };
const config = (name: string, { server = `https://${name}.example:6443`, current = name } = {}) => `apiVersion: v1
kind: Config
current-context: ${current}
clusters:
  - name: ${name}
    cluster:
      server: ${server}
contexts:
  - name: ${name}
    context: {cluster: ${name}, user: ${name}, namespace: ${name}-ns}
users:
  - name: ${name}
    user:
      token: ${SECRETS.token}
      client-key-data: ${SECRETS.key}
`;
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const find = (inputs: ClusterInputs, env: NodeJS.ProcessEnv = {}) => findCluster(inputs, env);
const fault = (inputs: ClusterInputs, env: NodeJS.ProcessEnv = {}): StepError => {
  try {
    find(inputs, env);
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
  throw new Error('There was no error.');
};

describe('what the inputs say of a cluster', () => {
  const ca = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----';
  const url = 'https://c.example:6443/';
  const identity = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://i', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' };

  test('is one, without a kubeconfig', () => {
    const { kubeConfig, ...found } = find({ url, ca, token: SECRETS.token });
    expect(found).toEqual({
      server: 'https://c.example:6443',
      source: 'cluster_url',
      user: 'user of cluster_token',
      login: expect.objectContaining({ what: 'cluster_token' }),
      unverified: false,
      open: false,
      namespace: 'default',
      secrets: [SECRETS.token],
    });
    expect(Buffer.from(kubeConfig.getCurrentCluster()?.caData ?? '', 'base64').toString()).toBe(ca);
  });

  test('wins over what the runner has', () => {
    const env = { KUBECONFIG: file('ambient', config('a')) };
    expect(find({ url, token: 't' }, env).server).toBe('https://c.example:6443');
  });

  test.each<[string, ClusterInputs]>([
    ['its address', { url }],
    ['a kubeconfig', { kubeconfig: config('a') }],
    ['a kubeconfig whose user there is not', { kubeconfig: config('a').replace('user: a', 'user: z') }],
  ])('may leave the user to the job itself: %s', (_, inputs) => {
    const { kubeConfig, credentials, secrets, user: who } = find({ ...inputs, oidcAudience: 'a' }, identity);
    expect(credentials).toBeDefined();
    expect(secrets).toEqual([]);
    expect(who).toBe('the job itself');
    const user = kubeConfig.getCurrentUser();
    expect([user?.token, user?.username, user?.keyData]).toEqual([undefined, undefined, undefined]);
  });

  test('is refused where the job may have no identity', () => {
    expect(fault({ url, oidcAudience: 'a' }).text).toMatch(/^oidc_audience: the job may ask GitHub for no ID token/);
  });

  test('is refused where the runner is in no cluster', () => {
    expect(fault({ inCluster: true }).text).toMatch(/^in_cluster: the runner is no pod/);
  });
});

const tokenOf = (sub: string) => `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x`;

describe('as whom it is', () => {
  const url = 'https://c.example:6443/';
  const context = (user: string) => ({
    kubeconfig: config('a').replace(/users:.*/s, `users: [{name: a, user: ${user}}]`),
  });
  test.each<[string, ClusterInputs, string]>([
    ['the kubeconfig’s name for the user', { kubeconfig: config('a') }, 'user a'],
    ['whom the user acts for', context('{token: t, as: jane}'), 'user a as jane'],
    [
      'the service account that the token is of',
      { url, token: tokenOf('system:serviceaccount:ci:runner') },
      'service account ci/runner',
    ],
    ['nothing of a token of somebody else', { url, token: tokenOf('octo@example.com') }, 'user of cluster_token'],
    [
      'nothing of what pretends to be one',
      { url, token: tokenOf('system:serviceaccount:ci:x\n::error::') },
      'user of cluster_token',
    ],
    ['nothing of what is no token of this kind', { url, token: 'a.b' }, 'user of cluster_token'],
  ])('%s', (_, inputs, expected) => {
    expect(find(inputs).user).toBe(expected);
  });
});

describe('over plain http', () => {
  const plain = (host: string, user = 'token: of-the-user') =>
    config('a', { server: `http://${host}:8080` }).replace(/users:.*/s, `users: [{name: a, user: {${user}}}]`);

  test.each([
    'token: of-the-user',
    'token: t, as: jane',
    'username: u, password: p',
    'tokenFile: /token',
    'exec: {command: plugin, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}',
  ])('nothing is sent of {%s}, as anybody on the way could read it', async user => {
    const target = find({ kubeconfig: plain('c.example', user) });
    expect(target).toMatchObject({ open: true, server: 'http://c.example:8080' });
    expect([target.credentials, target.impersonation]).toEqual([undefined, undefined]);
    const options = { headers: {} };
    await target.kubeConfig.applyToHTTPSOptions(options);
    expect(options).not.toHaveProperty('auth');
    expect(options.headers).toEqual({});
  });

  test('nor is the job’s own identity', () => {
    const identity = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://i', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' };
    expect(find({ url: 'http://c.example', oidcAudience: 'a' }, identity).credentials).toBeUndefined();
  });

  test('to this machine through a proxy there is somebody on the way', () => {
    const target = find({
      kubeconfig: plain('localhost').replace('server:', 'proxy-url: http://p:3128\n      server:'),
    });
    expect(target.open).toBe(true);
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('to %s there is nobody on the way', host => {
    expect(find({ kubeconfig: plain(host) })).toMatchObject({ open: false, secrets: ['of-the-user'] });
  });
});

test('a server that is not to be verified is known', () => {
  const text = config('a').replace('server:', 'insecure-skip-tls-verify: true\n      server:');
  expect(find({ kubeconfig: text }).unverified).toBe(true);
});

test('what is there twice is refused', () => {
  const text = config('a').replace(
    /users:.*/s,
    'users: [{name: a, user: {token: first}}, {name: a, user: {token: second}}]',
  );
  expect(fault({ kubeconfig: text }).text).toBe('kubeconfig: two of the kubeconfig’s users are called a.');
});

test('an authority is not given together with the word not to ask it', () => {
  const text = config('a').replace(
    'server:',
    'insecure-skip-tls-verify: true\n      certificate-authority-data: Y2E=\n      server:',
  );
  expect(fault({ kubeconfig: text }).text).toMatch(/cluster a has an authority and insecure-skip-tls-verify/);
});

test('files of KUBECONFIG that are not there are passed over, and one may lack what another has', () => {
  const [none, users, rest] = [
    join(folder, 'none'),
    file('users', 'users: [{name: a, user: {token: t}}]'),
    file('rest', config('a').replace(/users:.*/s, '')),
  ];
  expect(find({}, { KUBECONFIG: [none, users, rest].join(delimiter) })).toMatchObject({
    server: 'https://a.example:6443',
    secrets: ['t'],
  });
  expect(fault({}, { KUBECONFIG: none }).text).toMatch(/there is no such file\.$/);
});

describe('a token', () => {
  const url = 'https://c.example:6443/';
  test('has no line break at its end', () => {
    expect(find({ kubeconfig: config('a').replace(/token: .*/, 'token: "t0ken-of-a\\n"') }).secrets).toContain(
      't0ken-of-a',
    );
  });

  test.each<[string, ClusterInputs, RegExp]>([
    ['of cluster_token', { url, token: 'a b' }, /^cluster_token is no token: it has blanks, line breaks/],
    [
      'of a kubeconfig',
      { kubeconfig: config('a').replace(/token: .*/, 'token: "a\\nb"') },
      /^kubeconfig: the token of user a is no token/,
    ],
  ])('%s with something else in it is refused', (_, inputs, text) => {
    expect(fault(inputs).text).toMatch(text);
  });

  test.each([
    ['Bearer', 'Bearer,abc', 'it begins with Bearer, which is no part of the token'],
    ['one in base64', 'ZXlKaGJHY2lPaUpTVXpJMU5pSjk=', 'it is still in base64, as it stands in a Secret'],
    ['any other', 'abc', 'it has expired, was revoked, or belongs to another cluster'],
  ])('that the server refuses is told of: %s', (_, token, why) => {
    expect(find({ url, token }).login).toMatchObject({ what: 'cluster_token', why });
  });
});

test('all proxies’ passwords are masked, gone through or not', () => {
  const env = { HTTPS_PROXY: 'http://u:pass%20w0rd@proxy:3128', NO_PROXY: '*', ALL_PROXY: 'socks5://v:other@p' };
  const { proxy, secrets } = find({ kubeconfig: config('a') }, env);
  expect(proxy).toBeUndefined();
  expect(secrets).toEqual(
    expect.arrayContaining(['pass w0rd', 'pass%20w0rd', Buffer.from('u:pass w0rd').toString('base64'), 'other']),
  );
});

describe('the proxy', () => {
  const env = { HTTPS_PROXY: 'http://u:pass-w0rd@proxy:3128' };

  test('is the environment’s, its password masked', () => {
    const { proxy, secrets } = find({ kubeconfig: config('a') }, env);
    expect(proxy?.host).toBe('proxy:3128');
    expect(secrets).toContain('pass-w0rd');
  });

  test('is none where NO_PROXY names the server', () => {
    expect(find({ kubeconfig: config('a') }, { ...env, NO_PROXY: '.example' }).proxy).toBeUndefined();
  });

  test('is the kubeconfig’s where that has one, whatever NO_PROXY says', () => {
    const kubeconfig = config('a').replace('server:', 'proxy-url: http://own:8080\n      server:');
    expect(find({ kubeconfig }, { ...env, NO_PROXY: '*' }).proxy?.host).toBe('own:8080');
  });

  test('that is none is refused without quoting it', () => {
    const { text } = fault({ kubeconfig: config('a') }, { HTTPS_PROXY: 'socks4://u:pass-w0rd@proxy' });
    expect(text).toBe('HTTPS_PROXY is a SOCKS4 proxy, which is not supported: an HTTP or SOCKS5 proxy is needed.');
  });
});

describe('a user of a kubeconfig', () => {
  const withUser = (user: string) => config('a').replace(/user:\n {6}token.*/s, `user: {${user}}\n`);

  test.each([['exec: {command: c, apiVersion: client.authentication.k8s.io/v1beta1}'], ['tokenFile: /token']])(
    'whose credentials are obtained leaves them to us: %s',
    user => {
      const { kubeConfig, credentials, secrets } = find({ kubeconfig: withUser(user) });
      expect(credentials).toBeDefined();
      expect(secrets).toEqual([]);
      expect(kubeConfig.getCurrentUser()).not.toHaveProperty('exec.command');
    },
  );

  test('acts as another, with all that belongs to it', () => {
    const as = 'as: u, as-uid: "7", as-groups: [g, h], as-user-extra: {"a/b": [x, y]}';
    expect(find({ kubeconfig: withUser(as) }).impersonation).toEqual({
      'Impersonate-User': 'u',
      'Impersonate-Uid': '7',
      'Impersonate-Group': ['g', 'h'],
      'Impersonate-Extra-a%2Fb': ['x', 'y'],
    });
  });

  test.each([
    [
      'auth-provider: {name: gcp}',
      /user a cannot be used: its auth-provider gcp is one that kubectl does not know any more; gke-gcloud-auth-plugin has taken its place\.$/,
    ],
    ['auth-provider: {name: azure}', /kubelogin has taken its place\.$/],
    ['auth-provider: {name: oidc}, exec: {command: c}', /it has an exec and an auth-provider/],
    ['exec: {}', /its exec has no command\.$/],
    [
      'token: t, username: u, password: p',
      /user a cannot be used: it has a token and a user name; one of them is meant\.$/,
    ],
    ['as-groups: [g]', /without a user to act as\.$/],
  ])('is refused: %s', (user, sentence) => {
    expect(fault({ kubeconfig: withUser(user) }).text).toMatch(sentence);
  });

  test('finds its plugin beside the file of its kubeconfig', () => {
    const path = file(
      'with-plugin',
      withUser('exec: {command: ./plugin, apiVersion: client.authentication.k8s.io/v1beta1}'),
    );
    expect(find({ configFile: path }).credentials).toBeDefined();
  });
});

describe('a kubeconfig', () => {
  test('gives the server, the namespace, where they came from, and the secrets to mask', () => {
    expect(find({ kubeconfig: config('a', { server: 'https://a.example/prefix//' }) })).toMatchObject({
      server: 'https://a.example/prefix',
      namespace: 'a-ns',
      source: 'context a of kubeconfig',
      secrets: [SECRETS.token, SECRETS.key],
    });
  });

  test.each<[string, ClusterInputs, object]>([
    ['the namespace', { namespace: 'mine' }, { namespace: 'mine' }],
    ['the context', { context: 'a' }, { server: 'https://a.example:6443' }],
  ])('%s may be given besides', (_, inputs, expected) => {
    expect(find({ kubeconfig: config('a', { current: 'nothing' }), context: 'a', ...inputs })).toMatchObject(expected);
  });

  test('without a namespace means default', () => {
    expect(find({ kubeconfig: config('a').replace(', namespace: a-ns', '') }).namespace).toBe('default');
  });

  test('may be JSON', () => {
    const json = JSON.stringify({
      clusters: [{ name: 'a', cluster: { server: 'https://a' } }],
      users: [{ name: 'a', user: {} }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      'current-context': 'a',
    });
    expect(find({ kubeconfig: json })).toMatchObject({ server: 'https://a', secrets: [] });
  });

  test.each(['token: 1234567890', 'username: someone\n      password: 1234567890'])(
    '%j: digits alone are a secret in text',
    login => {
      const text = config('a').replace(/token: .*/, login);
      expect(find({ kubeconfig: text }).secrets).toContain('1234567890');
    },
  );

  test.each<[string, string, RegExp]>([
    ['no YAML', 'a: [', /^kubeconfig: this is not a kubeconfig: it is not valid YAML: .*\(line \d+, column \d+\)\.$/],
    ['nothing but text', 'hello', /it holds no mapping\.$/],
    ['a list', '- a\n- b', /it holds no mapping\.$/],
    ['another file', 'apiVersion: v1\nkind: Secret', /it has no list of clusters\.$/],
    ['no clusters', config('a').replace(/clusters:\n.*\n.*\n.*\n/, 'clusters: []\n'), /it has no list of clusters\.$/],
    ['no users', config('a').replace(/users:.*/s, ''), /context a names user a, which the kubeconfig does not have\.$/],
    ['a number of users', config('a').replace(/users:.*/s, 'users: 7'), /it has no list of users\.$/],
    ['no contexts', config('a').replace(/contexts:\n.*\n.*\n/, ''), /it has no list of contexts\.$/],
    ['clusters that are none', config('a').replace(/clusters:\n.*\n.*\n.*\n/, 'clusters: [7]\n'), /not a kubeconfig: /],
    [
      'no current context',
      config('a').replace(/current-context.*\n/, ''),
      /^kubeconfig: the kubeconfig has no current context\.$/,
    ],
    [
      'a current context that it does not have',
      config('abc', { current: 'abd' }),
      /does not have its current context abd\. It has: abc\. Did you mean abc\?$/,
    ],
    [
      'a cluster that it does not have',
      config('a').replace('{cluster: a', '{cluster: z'),
      /context a names cluster z, which the kubeconfig does not have\.$/,
    ],
    [
      'a user that it does not have',
      config('a').replace('user: a', 'user: z'),
      /context a names user z, which the kubeconfig does not have\.$/,
    ],
    [
      'a server that is no address',
      config('a', { server: 'a.example:6443' }),
      /the server of cluster a is not an http\(s\) address\.$/,
    ],
    [
      'a proxy that is none of those that are taken',
      config('a').replace('server:', 'proxy-url: socks4://p:1080\n      server:'),
      /the proxy-url of cluster a is a SOCKS4 proxy, which is not supported: an HTTP or SOCKS5 proxy is needed\.$/,
    ],
  ])('that has %s is refused', (_, kubeconfig, message) => {
    const error = fault({ kubeconfig });
    expect(error.reason).toBe('InvalidKubeconfig');
    expect(error.message).toMatch(message);
  });

  test('an unknown context lists those there are', () => {
    const two = config('prod').replace(
      'contexts:\n',
      'contexts:\n  - name: staging\n    context: {cluster: prod, user: prod}\n',
    );
    expect(fault({ kubeconfig: two, context: 'stagin' }).message).toBe(
      'kubeconfig: the kubeconfig does not have context stagin (cluster_context). It has: staging, prod. Did you mean staging?',
    );
  });

  test('is never quoted in an error, whatever is wrong with it', () => {
    const lines = config('a').split('\n');
    const damage = fc.record({
      at: fc.nat(lines.length - 1),
      what: fc.constantFrom(
        'delete',
        'indent',
        'outdent',
        'tab',
        'quote',
        'brace',
        'colon',
        'tag',
        'anchor',
        'repeat',
        'number',
      ),
    });
    const hurt: Record<string, (line: string) => string> = {
      delete: () => '',
      indent: line => `   ${line}`,
      outdent: line => line.replace(/^ {2}/, ''),
      tab: line => `\t${line}`,
      quote: line => line.replace(/: /, ': "'),
      brace: line => line.replace(/: /, ': {'),
      colon: line => line.replace(/:/, ''),
      tag: line => line.replace(/: /, ': !secret '),
      anchor: line => line.replace(/: /, ': *'),
      repeat: line => `${line}\n${line}`,
      number: line => line.replace(/: .*/, ': 7'),
    };
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), damages => {
        const text = [...lines];
        for (const { at, what } of damages) text[at] = hurt[what]?.(text[at] ?? '') ?? '';
        try {
          find({ kubeconfig: text.join('\n') });
        } catch (error) {
          expect(error).toBeInstanceOf(StepError);
          const { text: shown, stack, cause } = error as StepError;
          for (const secret of Object.values(SECRETS))
            expect([shown, stack, String(cause)].join()).not.toContain(secret);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('a file', () => {
  test('is read, and paths in it are relative to it', () => {
    mkdirSync(join(folder, 'keys'), { recursive: true });
    writeFileSync(join(folder, 'keys', 'a.key'), 'a key');
    const path = file('relative.yaml', config('a').replace(/client-key-data: .*/, 'client-key: keys/a.key'));
    const target = find({ configFile: path });
    expect(target.source).toBe(`context a of config_file ${path}`);
    expect(target.kubeConfig.getCurrentUser()?.keyFile).toBe(join(folder, 'keys/a.key'));
  });

  test.each([
    ['certificate-authority', 'the certificate-authority of cluster a'],
    ['client-key', 'the client-key of user a'],
    ['client-certificate', 'the client-certificate of user a'],
  ])('that it names by %s has to be there', (field, what) => {
    const named =
      field === 'certificate-authority'
        ? config('a').replace('server:', 'certificate-authority: nope.pem\n      server:')
        : config('a').replace(/client-key-data: .*/, `${field}: nope.pem`);
    const error = fault({ configFile: file('names.yaml', named) });
    expect(error.text).toBe(
      `config_file ${join(folder, 'names.yaml')}: ${what} is the file ${join(folder, 'nope.pem')}, which is not on the runner. Have the kubeconfig hold it: kubectl config view --raw --minify --flatten.`,
    );
  });

  test.each(['DATA+OMITTED', 'REDACTED'])('whose secrets were left out is known: %s', word => {
    const text = config('a').replace(/token: .*/, `token: ${word}`);
    expect(fault({ kubeconfig: text }).text).toBe(
      'kubeconfig: the secrets of this kubeconfig were left out when it was printed. Make it by kubectl config view --raw --minify --flatten.',
    );
  });

  test('that is not there is named, with the folder it was looked for in', () => {
    const error = fault({ configFile: 'nowhere/config' });
    expect(error.message).toBe('config_file: cannot read nowhere/config: there is no such file.');
    expect(error.remedy).toContain(process.cwd());
  });

  test('that is a folder is named', () => {
    expect(fault({ configFile: folder }).message).toContain(`config_file: cannot read ${folder}: `);
  });
});

describe('KUBECONFIG', () => {
  test('names files of which the first that has a name wins', () => {
    const [first, second] = [file('1.yaml', config('a')), file('2.yaml', config('b'))];
    const third = file('3.yaml', config('a', { server: 'https://other.example' }));
    const env = { KUBECONFIG: [first, second, third].join(':') };
    expect(find({}, env)).toMatchObject({ server: 'https://a.example:6443', namespace: 'a-ns' });
    expect(find({ context: 'b' }, env)).toMatchObject({ server: 'https://b.example:6443', namespace: 'b-ns' });
    expect(find({}, env).source).toBe(`context a of KUBECONFIG ${env.KUBECONFIG}`);
    expect(find({}, { KUBECONFIG: [second, first].join(':') }).server).toBe('https://b.example:6443');
  });

  test('the current context is that of the first file that has one', () => {
    const first = file('4.yaml', config('a').replace(/current-context.*\n/, ''));
    const second = file('5.yaml', config('b'));
    expect(find({}, { KUBECONFIG: `${first}:${second}` }).server).toBe('https://b.example:6443');
  });

  test('is of no account when an input says which cluster', () => {
    const env = { KUBECONFIG: file('6.yaml', config('b')) };
    expect(find({ kubeconfig: config('a') }, env).server).toBe('https://a.example:6443');
    expect(find({ configFile: file('7.yaml', config('c')) }, env).server).toBe('https://c.example:6443');
  });

  test('a fault in one of its files names the file', () => {
    const broken = file('8.yaml', 'a: [');
    const error = fault({}, { KUBECONFIG: `${file('9.yaml', config('a'))}:${broken}` });
    expect(error.message).toContain(`KUBECONFIG ${broken}: this is not a kubeconfig: it is not valid YAML`);
  });
});

test('plain http is left to the user', () => {
  const target = find({ kubeconfig: config('a', { server: 'http://localhost:8080' }) });
  expect(target.server).toBe('http://localhost:8080');
});

test('nothing to go by is an error with the way out', () => {
  const home = process.env['HOME'];
  process.env['HOME'] = folder;
  try {
    const error = fault({}, { KUBERNETES_SERVICE_HOST: '' });
    expect(error.title).toBe('No cluster given');
    expect(error.remedy).toContain('secrets.KUBECONFIG');
  } finally {
    process.env['HOME'] = home;
  }
});
