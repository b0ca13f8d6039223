import type { ApiClient, ApiRequest } from './client.ts';
import { NetworkError } from './network-error.ts';
import type { Asked } from './status.ts';

/** One event of a watch. `BOOKMARK` only moves the resource version on. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T & { code?: number };
}

/** The server is asked to end a watch itself now and then, so that a stale one does not live for ever. */
const WATCH_SECONDS = 270;

/** What to watch: a collection, and which of it. */
export interface WatchQuery extends Pick<ApiRequest, 'path'> {
  asked: Asked & { verb: 'watch' };
  fieldSelector: string;
  /** Where to go on; an expired one gives an ERROR event of code 410 in a 200 answer [measured]. */
  resourceVersion: string | undefined;
}

/**
 * Watches objects, until the server ends the stream.
 * @throws ApiError where the server refuses, NetworkError where the connection breaks, the signal's reason
 */
export async function* watchObjects<T>(
  client: ApiClient,
  { path, asked, fieldSelector, resourceVersion }: WatchQuery,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const body = await client.open(
    {
      method: 'GET',
      path,
      query: { watch: true, fieldSelector, allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS, resourceVersion },
      asked,
    },
    signal,
  );
  if (body === undefined) return;
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent<T>;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new NetworkError(error);
  }
}
