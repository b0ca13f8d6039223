import type { IncomingMessage } from 'node:http';
import { verbOf } from './fake-routes.ts';
import type { RecordedRequest } from './faults.ts';

/** Reads a whole request; `undefined` when the client goes away before its end. */
export async function recordRequest(incoming: IncomingMessage, atMs: number): Promise<RecordedRequest | undefined> {
  const body = await readBody(incoming);
  return body && recordOf(incoming, body, atMs);
}

/** @returns all of it; `undefined` when the client goes away before its end. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

export function recordOf(incoming: IncomingMessage, body: Buffer, atMs: number): RecordedRequest {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const query = Object.fromEntries(url.searchParams);
  const method = incoming.method ?? 'GET';
  return {
    method,
    path: url.pathname,
    query,
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: parse(body.toString()),
    verb: verbOf(method, url.pathname, query),
    atMs,
    ended: false,
  };
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface Access {
  server: string;
  token: string;
  namespace: string;
  /** Certificate to trust, PEM; without one none is checked. */
  ca: string | undefined;
}

export function kubeconfigFor({ server, token, namespace, ca }: Access): string {
  const trust =
    ca === undefined
      ? 'insecure-skip-tls-verify: true'
      : `certificate-authority-data: ${Buffer.from(ca).toString('base64')}`;
  return `apiVersion: v1
kind: Config
current-context: fake
clusters:
  - name: fake
    cluster:
      server: ${server}
      ${trust}
contexts:
  - name: fake
    context:
      cluster: fake
      user: fake
      namespace: ${namespace}
users:
  - name: fake
    user:
      token: ${token}
`;
}
