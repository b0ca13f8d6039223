import { describe, expect, test } from '@jest/globals';
import { proxyAddress, proxyFor } from '../../src/kubernetes/proxy.ts';

const https = { HTTPS_PROXY: 'http://proxy:3128' };
const found = (address: string, env: NodeJS.ProcessEnv) => proxyFor(new URL(address), env)?.href;

describe('the proxy of an address is', () => {
  test.each<[what: string, address: string, env: NodeJS.ProcessEnv, expected: string | undefined]>([
    ['none where none is set', 'https://a.example', {}, undefined],
    ['that for https', 'https://a.example', https, 'http://proxy:3128/'],
    ['that for https in small letters', 'https://a.example', { https_proxy: 'http://proxy' }, 'http://proxy/'],
    ['that in capitals of two', 'https://a.example', { ...https, https_proxy: 'http://other' }, 'http://proxy:3128/'],
    ['not that for http, for https', 'https://a.example', { HTTP_PROXY: 'http://proxy' }, undefined],
    ['that for http', 'http://a.example', { HTTP_PROXY: 'http://proxy' }, 'http://proxy/'],
    ['not that for https, for http', 'http://a.example', https, undefined],
    ['one behind TLS', 'https://a.example', { HTTPS_PROXY: 'https://proxy:8443' }, 'https://proxy:8443/'],
    ['one with a password', 'https://a.example', { HTTPS_PROXY: 'http://u:p@proxy' }, 'http://u:p@proxy/'],
    ['one by its name and port alone', 'https://a.example', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128/'],
    ['none for this machine', 'https://localhost:6443', https, undefined],
    ['none for this machine by its address', 'https://127.0.0.1:6443', https, undefined],
    ['none for this machine by its other addresses', 'https://127.8.0.1', https, undefined],
    ['none for this machine by IPv6', 'https://[::1]:6443', https, undefined],
  ])('%s', (_, address, env, expected) => expect(found(address, env)).toBe(expected));
});

describe('NO_PROXY', () => {
  // As golang.org/x/net/http/httpproxy has it in its documentation and its tests.
  test.each<[entry: string, address: string, direct: boolean]>([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['A.Example', 'https://a.example', true],
    ['a.example', 'https://b.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['.a.example', 'https://a.example', false],
    ['.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://a.example', false],
    ['a.example:6443', 'https://a.example:6443', true],
    ['a.example:6443', 'https://a.example', false],
    ['a.example:443', 'https://a.example', true],
    ['192.0.2.7', 'https://192.0.2.7:6443', true],
    ['192.0.2.7', 'https://192.0.2.8', false],
    ['192.0.2.7:6443', 'https://192.0.2.7:6443', true],
    ['192.0.2.7:6443', 'https://192.0.2.7', false],
    ['192.0.2.0/24', 'https://192.0.2.200:6443', true],
    ['192.0.2.0/24', 'https://192.0.3.1', false],
    ['192.0.2.0/24', 'https://a.example', false],
    ['192.0.2.0/33', 'https://192.0.2.1', false],
    ['2001:db8::/32', 'https://[2001:db8::7]:6443', true],
    ['2001:db8::/32', 'https://[2001:db9::7]', false],
    ['[2001:db8::7]:6443', 'https://[2001:db8::7]:6443', true],
    ['2001:db8::7', 'https://[2001:db8::7]', true],
    ['', 'https://a.example', false],
    [' , b.example , a.example ', 'https://a.example', true],
    ['a.example b.example', 'https://a.example', false],
  ])('%j, for %s: direct is %p', (entry, address, direct) => {
    const proxy = direct ? undefined : 'http://proxy:3128/';
    expect(found(address, { ...https, NO_PROXY: entry })).toBe(proxy);
    expect(found(address, { ...https, no_proxy: entry })).toBe(proxy);
  });
});

test.each([
  ['socks4://proxy:1080', 'HTTPS_PROXY is a SOCKS4 proxy, which is not supported: an HTTP or SOCKS5 proxy is needed'],
  ['ftp://u:hunter2@proxy', 'HTTPS_PROXY is not a proxy’s address: http://, https:// or socks5://'],
  ['http://u:100%@proxy', 'HTTPS_PROXY is not a proxy’s address: a % in its password has to be written %25'],
  ['http://u:%ff@proxy', 'HTTPS_PROXY is not a proxy’s address: a % in its password has to be written %25'],
  [
    `socks5://u:${'x'.repeat(256)}@proxy`,
    'HTTPS_PROXY has a longer user name or password than SOCKS5 can take, 255 bytes',
  ],
  ['http://', 'HTTPS_PROXY is not a proxy’s address: http://, https:// or socks5://'],
])('%s is refused, and not quoted', (address, why) => {
  expect(() => proxyAddress(address, 'HTTPS_PROXY')).toThrow(new Error(why));
});
