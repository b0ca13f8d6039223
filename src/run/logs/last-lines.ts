import type { ApiClient } from '../../kubernetes/client.ts';
import { openLog, type PodIdentity } from '../../kubernetes/pods.ts';
import { readStamp } from './stamp.ts';

/**
 * @param count how many; the node counts the pieces that it keeps a long line in, so of long ones there are fewer
 * @returns the last lines of a container's log, without time stamps; none while there is no log
 * @throws what went wrong with the request
 */
export async function lastLines(
  client: ApiClient,
  pod: PodIdentity,
  container: string,
  count: number,
  signal: AbortSignal,
): Promise<string[]> {
  const body = await openLog(client, pod, { container, follow: false, tailLines: count }, signal);
  const lines = Buffer.from((await body?.bytes()) ?? [])
    .toString('latin1')
    .replace(/\n$/, '')
    .split('\n');
  return lines
    .filter(line => line !== '')
    .map(line => Buffer.from(line, 'latin1'))
    .map(line => line.subarray(readStamp(line)?.length ?? 0).toString('utf8'));
}
