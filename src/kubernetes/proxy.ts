import { BlockList, isIP } from 'node:net';

/** A port that an address does not name. */
const PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' };

/** As Go has them; of socks5 it is always the proxy that looks up names. */
const PROXIES = ['http:', 'https:', 'socks5:', 'socks5h:'];

/**
 * The proxy that requests to an address go through, by the environment, as every Go program decides it, kubectl among them (golang.org/x/net/http/httpproxy): `HTTPS_PROXY` for https, `HTTP_PROXY` for http and not for https, names in capitals first; nothing for this machine itself, and nothing that `NO_PROXY` names.
 * @returns `undefined` where there is none
 * @throws Error with half a sentence, where what is set is no address of a proxy
 */
export function proxyFor(address: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const names = address.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const name = names.find(one => env[one]);
  if (name === undefined || isLocal(hostOf(address))) return undefined;
  const direct = env['NO_PROXY'] || env['no_proxy'] || '';
  if (direct.split(',').some(entry => matches(entry.trim().toLowerCase(), address))) return undefined;
  return proxyAddress(env[name] ?? '', name);
}

/**
 * @param text of a proxy's address; it is never quoted, for it may hold a password
 * @param origin what it was given as
 * @throws Error with half a sentence
 */
export function proxyAddress(text: string, origin: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/^socks4/i.test(whole))
    throw new Error(`${origin} is a SOCKS4 proxy, which is not supported: an HTTP or SOCKS5 proxy is needed`);
  const address = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!address || !PROXIES.includes(address.protocol) || address.hostname === '')
    throw new Error(`${origin} is not a proxy’s address: http://, https:// or socks5://`);
  const login = loginOf(address);
  if (login === undefined)
    throw new Error(`${origin} is not a proxy’s address: a % in its password has to be written %25`);
  if (address.protocol.startsWith('socks') && login.some(word => Buffer.byteLength(word) > 255))
    throw new Error(`${origin} has a longer user name or password than SOCKS5 can take, 255 bytes`);
  return address;
}

/** @returns every proxy of the environment, whether anything goes through it or not: its password is a secret all the same */
export function proxiesOf(env: NodeJS.ProcessEnv): URL[] {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap(name => [name, name.toLowerCase()]);
  return names.flatMap(name => {
    try {
      return env[name] ? [proxyAddress(env[name], name)] : [];
    } catch {
      return [];
    }
  });
}

/** @returns all forms in which a proxy's login may be seen */
export function secretsOf(proxy: URL): string[] {
  const [, password = ''] = loginOf(proxy) ?? [];
  if (password === '') return [];
  return [password, proxy.password, basicLogin(proxy) ?? ''];
}

/** @returns what follows `Basic` for an HTTP proxy that has a login */
export function basicLogin(proxy: URL): string | undefined {
  const login = loginOf(proxy) ?? [];
  return login.some(word => word !== '') ? Buffer.from(login.join(':')).toString('base64') : undefined;
}

/** @returns user name and password; nothing where a % in them is no escape */
function loginOf({ username, password }: URL): string[] | undefined {
  try {
    return [decodeURIComponent(username), decodeURIComponent(password)];
  } catch {
    return undefined;
  }
}

/** Without the brackets of an IPv6 address. */
export function hostOf({ hostname }: Pick<URL, 'hostname'>): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** @param entry of NO_PROXY: `*`, an address, a range of addresses, or a domain, with or without a port */
function matches(entry: string, address: URL): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const host = hostOf(address);
  const range = /^([\da-f.:]+)\/(\d+)$/.exec(entry);
  if (range) return isWithin(host, range[1] ?? '', Number(range[2]));
  const { name, port } = splitPort(entry);
  if (port !== undefined && port !== (address.port || PORTS[address.protocol])) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && isWithin(host, name, isIP(name) === 4 ? 32 : 128);
  // A domain is itself and what is below it; with a dot in front, or a star, only that.
  const below = name.startsWith('*.') ? name.slice(1) : name;
  return below.startsWith('.') ? host.endsWith(below) : host === below || host.endsWith(`.${below}`);
}

function isWithin(host: string, net: string, prefix: number): boolean {
  const [family, of] = [isIP(host), isIP(net)];
  if (family === 0 || family !== of || prefix > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(net, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function splitPort(entry: string): { name: string; port?: string } {
  const parts = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(entry);
  // An IPv6 address without brackets.
  if (parts === null) return { name: entry };
  const [, bracketed, plain = '', port] = parts;
  return { name: bracketed ?? plain, ...(port !== undefined && { port }) };
}
