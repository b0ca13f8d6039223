import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { NetworkError, NoTunnel } from './network-error.ts';
import { basicLogin, hostOf } from './proxy.ts';

/** How a connection to an address is made: TLS options, the time for it in milliseconds, keep-alive. */
export type Connect = buildConnector.BuildOptions & { timeout: number; ca?: ConnectionOptions['ca'] };

const SOCKS_PORT = 1080;

/**
 * @param proxy what everything goes through, see {@link proxyFor}
 * @returns what sends requests to one address, over connections that it keeps. HTTP/2 would put every stream on one of them: logs ran 15 % slower [measured].
 */
export function dispatcherThrough(proxy: URL | undefined, given: Connect): Dispatcher {
  // Node's own word not to verify (NODE_TLS_REJECT_UNAUTHORIZED) is not about this server.
  const options = { rejectUnauthorized: true, ...given };
  if (proxy === undefined) return new Agent({ connect: options, allowH2: false });
  if (proxy.protocol.startsWith('socks5')) return throughSocks(proxy, options);
  return new ProxyAgent({
    uri: proxy.href,
    requestTls: options,
    clientFactory: origin => tunnels(origin, options),
    allowH2: false,
  });
}

/**
 * @param proxy what everything goes through, see {@link proxyFor}
 * @returns what makes a connection to an address, for a protocol that takes it over: it is the caller's to close
 */
export function connectorThrough(proxy: URL | undefined, given: Connect): buildConnector.connector {
  const options = { rejectUnauthorized: true, ...given };
  if (proxy === undefined) return buildConnector({ ...options, allowH2: false });
  if (proxy.protocol.startsWith('socks5')) return socksConnector(proxy, options);
  const secure = buildConnector({ ...options, allowH2: false });
  const login = basicLogin(proxy);
  const authorization = login === undefined ? {} : { 'proxy-authorization': `Basic ${login}` };
  return (target, callback) => {
    const pool = tunnels(new URL(proxy.origin), options);
    const address = `${target.hostname.includes(':') ? `[${target.hostname}]` : target.hostname}:${portOf(target)}`;
    // Else undici takes the proxy for who is behind it, and its certificate for a wrong one.
    const servername = hostOf(proxy);
    const asked = { path: address, servername, headers: { host: address, ...authorization } };
    pool.connect(asked).then(
      ({ statusCode, socket }) => {
        // The socket is no longer the pool's.
        void pool.close();
        if (statusCode !== 200) {
          socket.on('error', () => {}).destroy();
          return callback(new Error(`Proxy response (${statusCode}) !== 200 when HTTP Tunneling`), null);
        }
        secured(secure, target, socket as Socket, callback);
      },
      (error: Error) => {
        void pool.destroy();
        callback(error, null);
      },
    );
  };
}

/**
 * A proxy behind TLS is known by the cluster's authority, as to every Go program, or by one that everybody trusts.
 * @returns connections to a proxy. Where none comes about through it, nothing was sent to what is behind it, whatever the fault looks like.
 */
function tunnels(origin: URL, { ca, timeout }: Connect): Pool {
  const authorities = ca && { ca: [...rootCertificates, String(ca)] };
  const connector = buildConnector({ rejectUnauthorized: true, ...authorities, timeout, allowH2: false });
  const pool = new Pool(origin, {
    // Addresses are no names to TLS (RFC 6066), which Node says on stderr.
    connect: ({ servername = '', ...target }, callback) =>
      connector({ ...target, servername: isIP(servername) === 0 ? servername : '' }, callback),
    // It has as long to make a connection as one takes without it.
    headersTimeout: timeout,
  });
  const connect = pool.connect.bind(pool) as (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;
  const explained = (options: Dispatcher.ConnectOptions) =>
    connect(options).catch((error: unknown) => {
      const { failing, what } = new NetworkError(error);
      if (failing === 'not sent') throw error;
      throw new NoTunnel(failing === 'hopeless' ? 'untrusted' : 'failed', what);
    });
  return Object.assign(pool, { connect: explained as Pool['connect'] });
}

/** undici's own agent for it is experimental, and says so on stderr. */
function throughSocks(proxy: URL, options: Connect): Agent {
  return new Agent({ allowH2: false, connect: socksConnector(proxy, options) });
}

function socksConnector(proxy: URL, options: Connect): buildConnector.connector {
  const secure = buildConnector({ ...options, allowH2: false });
  return (target, callback) => {
    socksTunnel(proxy, hostOf(target), portOf(target), options).then(
      socket => secured(secure, target, socket, callback),
      (error: Error) => callback(error, null),
    );
  };
}

function portOf({ port, protocol }: buildConnector.Options): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

/** Speaks TLS over a connection that has been made, where the address asks for it. */
function secured(
  secure: buildConnector.connector,
  target: buildConnector.Options,
  socket: Socket,
  callback: buildConnector.Callback,
): void {
  try {
    if (target.protocol === 'https:') secure({ ...target, httpSocket: socket }, callback);
    else callback(null, socket);
  } catch (error) {
    // A certificate or key that cannot be read.
    socket.destroy();
    callback(error as Error, null);
  }
}

/** @returns a connection to a name, which the proxy looks up, as with Go's socks5 and socks5h. */
async function socksTunnel(
  proxy: URL,
  host: string,
  port: number,
  { timeout, keepAliveInitialDelay }: Connect,
): Promise<Socket> {
  const { SocksClient } = await import('socks');
  const at = { host: hostOf(proxy), port: Number(proxy.port) || SOCKS_PORT };
  const server = await connected(at.port, at.host, timeout);
  const login = { userId: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) };
  try {
    const { socket } = await SocksClient.createConnection({
      proxy: { ...at, type: 5, ...(proxy.username !== '' && login) },
      command: 'connect',
      destination: { host, port },
      timeout,
      existing_socket: server,
    });
    return socket.setKeepAlive(true, keepAliveInitialDelay ?? undefined);
  } catch (error) {
    server.destroy();
    throw noTunnel((error as Error).message);
  }
}

/** @param message of the library's, e.g. `Socks5 proxy rejected connection - NotAllowed` */
function noTunnel(message: string): NoTunnel {
  const why = message.replace(/^.* - /, '');
  if (/auth/i.test(message)) return new NoTunnel('login', 'SOCKS5');
  if (/initial handshake/i.test(message)) return new NoTunnel('stranger', 'SOCKS5');
  return new NoTunnel(why === 'NotAllowed' ? 'refused' : 'failed', why);
}

function connected(port: number, host: string, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host });
    const late = setTimeout(() => {
      const error = new Error('no connection in time');
      socket.destroy(Object.assign(error, { code: 'UND_ERR_CONNECT_TIMEOUT' }));
    }, timeout);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(late)).once('connect', () => clearTimeout(late));
  });
}
