import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { type ClientOptions, WebSocket } from 'ws';
import { hostOf } from './proxy.ts';

/** An answer in place of a WebSocket. */
export interface Refused {
  statusCode: number;
  headers: IncomingMessage['headers'];
  text: string;
}

export interface Opening {
  headers: Record<string, string | string[]>;
  /** Makes the connection. */
  connector: buildConnector.connector;
  /** Time for an answer, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** What a refusal is read of, in bytes: the API server's says it in one line. */
const LONGEST_REFUSAL = 64 * 1024;
/** Of a message that comes, in bytes; the server's own have 32 KiB. */
const LONGEST_MESSAGE = 32 * 1024 * 1024;

/**
 * Opens a WebSocket.
 * A mask of zeros is none: masks guard proxies against what scripts in a browser send, and cost a copy.
 * @param protocols in order of preference; the server takes one of them
 * @returns a WebSocket that is paused: who listens to it resumes it
 * @throws whatever the connection fails with
 */
export function openWebSocket(
  address: URL,
  protocols: string[],
  { headers, connector, timeoutMs, signal }: Opening,
): Promise<WebSocket | Refused> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, protocols, {
      headers: headers as NonNullable<ClientOptions['headers']>,
      handshakeTimeout: timeoutMs,
      perMessageDeflate: false,
      maxPayload: LONGEST_MESSAGE,
      generateMask: mask => mask.fill(0),
      // Node takes a connection by callback where none is returned (net.Agent's createConnection).
      createConnection: ((_: unknown, made: (error: Error | null, socket?: Socket) => void) =>
        connector(targetOf(address), (error, connection) =>
          error ? made(error) : made(null, connection ?? undefined),
        )) as unknown as NonNullable<ClientOptions['createConnection']>,
    });
    const abort = () => socket.terminate();
    signal.addEventListener('abort', abort, { once: true });
    const over = () => signal.removeEventListener('abort', abort);
    socket.on('unexpected-response', (request, response: IncomingMessage) => {
      over();
      textOf(response).then(
        text => resolve({ statusCode: response.statusCode ?? 0, headers: response.headers, text }),
        reject,
      );
      response.once('close', () => request.destroy());
    });
    socket.once('open', () => {
      over();
      // What has come with the answer would be told before anybody can listen.
      socket.pause();
      resolve(socket);
    });
    // Also of one that is open: without a listener it would end the process. Its end is told by `close`.
    socket.on('error', error => {
      over();
      reject(error);
    });
    if (signal.aborted) abort();
  });
}

function targetOf(address: URL): buildConnector.Options {
  const { protocol, host, port } = address;
  return { protocol, host, hostname: hostOf(address), port };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > LONGEST_REFUSAL) break;
  }
  return Buffer.concat(pieces).toString();
}
