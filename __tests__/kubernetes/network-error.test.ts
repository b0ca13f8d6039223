import { describe, expect, test } from '@jest/globals';
import { NetworkError, NoTunnel, unreachable, type Way } from '../../src/kubernetes/network-error.ts';

const failed = (code: string, message = `it is ${code}`) => Object.assign(new Error(message), { code });
const SERVER = 'https://k8s.example:6443';
const WAY = { hasAuthority: true };

test.each([
  ['ECONNREFUSED', 'not sent', 'connection refused'],
  ['EHOSTUNREACH', 'not sent', 'no route to the host'],
  ['ENETUNREACH', 'not sent', 'no route to the network'],
  ['ENETDOWN', 'not sent', 'it is ENETDOWN'],
  ['EAI_AGAIN', 'not sent', 'the name server does not answer'],
  ['UND_ERR_CONNECT_TIMEOUT', 'not sent', 'no connection in time'],
  ['ECONNRESET', 'unknown', 'connection reset'],
  ['EPIPE', 'unknown', 'connection closed'],
  ['ETIMEDOUT', 'unknown', 'it is ETIMEDOUT'],
  ['UND_ERR_SOCKET', 'unknown', 'connection closed'],
  ['UND_ERR_HEADERS_TIMEOUT', 'unknown', 'no answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'unknown', 'no answer in time'],
  ['HPE_INVALID_CONSTANT', 'unknown', 'what answers does not speak HTTP'],
  ['ENOTFOUND', 'hopeless', 'its host name does not exist'],
  ['UND_ERR_INVALID_ARG', 'hopeless', 'it is UND_ERR_INVALID_ARG'],
  ['EPROTO', 'hopeless', 'it is EPROTO'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'hopeless', 'what answers does not speak TLS'],
  ['CERT_HAS_EXPIRED', 'hopeless', 'its certificate has expired'],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'hopeless',
    'its certificate is self-signed, and not by the authority that was given',
  ],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'hopeless', 'its certificate is not signed by the authority that was given'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'hopeless', 'its certificate is for another host name'],
  [
    'INVALID_PURPOSE',
    'hopeless',
    'its certificate is not one for a server, or what it is signed by not one of an authority',
  ],
])('%s: %s, in words: %s', (code, failing, what) => {
  expect(new NetworkError(failed(code))).toMatchObject({ name: 'NetworkError', failing, what, message: what });
});

test.each([
  [407, 'hopeless', 'the proxy asks for a user name and password, or for others (407)'],
  [403, 'hopeless', 'the proxy lets nobody through to it (403)'],
  [502, 'not sent', 'the proxy gets no connection to it (502)'],
  [429, 'not sent', 'the proxy gets no connection to it (429)'],
])('a proxy that answers %d: %s, in words: %s', (code, failing, what) => {
  const error = new Error(`Proxy response (${code}) !== 200 when HTTP Tunneling`);
  expect(new NetworkError(Object.assign(error, { code: 'UND_ERR_ABORTED' }))).toMatchObject({ failing, what });
});

test.each([
  ['wrapped', new Error('fetch failed', { cause: failed('ECONNREFUSED') })],
  ['of several addresses', new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')])],
  ['of several addresses, with a code', Object.assign(new AggregateError([failed('x')]), { code: 'ECONNREFUSED' })],
  ['under undici’s own', Object.assign(new Error('x', { cause: failed('ECONNREFUSED') }), { code: 'UND_ERR' })],
])('the code is found: %s', (_, error) => {
  expect(new NetworkError(error).what).toBe('connection refused');
});

test.each([
  ['an error without a code', new Error('odd'), 'odd'],
  ['no error', 'odd', 'odd'],
])('%s is shown as it is', (_, error, what) => {
  expect(new NetworkError(error)).toMatchObject({ failing: 'unknown', what });
});

test.each([
  [
    'ECONNREFUSED',
    'The API server is out of reach',
    `The API server at ${SERVER} did not answer within 61 s: connection refused.`,
    /this runner can reach it/,
  ],
  [
    'ENOTFOUND',
    'The API server is out of reach',
    `The API server at ${SERVER} did not answer: its host name does not exist.`,
    /address in the kubeconfig/,
  ],
  [
    'CERT_HAS_EXPIRED',
    'The API server cannot be trusted',
    `The API server at ${SERVER} cannot be trusted: its certificate has expired.`,
    /^Renew the API server’s certificate\.$/,
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'The API server cannot be trusted',
    `The API server at ${SERVER} cannot be trusted: its certificate is for another host name.`,
    /tls-server-name/,
  ],
])('the end of patience with %s', (code, title, message, remedy) => {
  const absence = { seconds: 61.2, patienceSeconds: 60, contacted: false };
  const error = unreachable(SERVER, new NetworkError(failed(code)), absence, WAY);
  expect(error).toMatchObject({ reason: 'Unreachable', title, message });
  expect(error.remedy).toMatch(remedy);
});

test('the end of patience with a server that had answered names the input that is its measure', () => {
  const absence = { seconds: 3601.2, patienceSeconds: 3600, contacted: true };
  expect(unreachable(SERVER, new NetworkError(failed('ECONNREFUSED')), absence, WAY)).toMatchObject({
    message: `The API server at ${SERVER} has been away for 3601 s: connection refused.`,
    remedy: 'If it can be away for longer than 3600 s, raise outage_timeout_seconds.',
  });
});

describe('a server that cannot be trusted', () => {
  const absence = { seconds: 0, patienceSeconds: 60, contacted: false };
  const told = (code: string, way: Way) => unreachable(SERVER, new NetworkError(failed(code)), absence, way).text;

  test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])(
    'is so for want of an authority: %s',
    code => {
      expect(told(code, { hasAuthority: false })).toMatch(
        /and no other was given\. Give the cluster’s authority: `cluster_ca`/,
      );
      expect(told(code, { hasAuthority: true })).toMatch(/that was given.*Check the authority/);
    },
  );

  test('may be so for a proxy that inspects TLS', () => {
    expect(told('SELF_SIGNED_CERT_IN_CHAIN', { hasAuthority: true, proxy: 'p:3128' })).toMatch(
      /It is reached through the proxy p:3128: one that inspects TLS.*add the proxy’s authority to `cluster_ca`/,
    );
  });
});

test('a proxy is named where it is the reason', () => {
  const absence = { seconds: 3, patienceSeconds: 60, contacted: false };
  const way = { hasAuthority: true, proxy: 'p:3128' };
  const told = (error: unknown) => unreachable(SERVER, new NetworkError(error), absence, way).message;
  expect(told(new NoTunnel('failed', 'HostUnreachable'))).toBe(
    `The API server at ${SERVER} did not answer within 3 s: the proxy p:3128 gets no connection to it (HostUnreachable).`,
  );
  expect(told(new NoTunnel('stranger', 'SOCKS5'))).toBe(
    `The API server at ${SERVER} did not answer: the proxy p:3128 does not speak SOCKS5.`,
  );
  expect(told(failed('ECONNREFUSED'))).toBe(
    `The API server at ${SERVER} did not answer through the proxy p:3128 within 3 s: connection refused.`,
  );
});
