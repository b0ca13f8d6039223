import type { JobLog } from '../../github/commands.ts';
import { TerminalFilter } from '../../github/terminal.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import type { ObservedPod } from '../observe.ts';
import { followLog } from './follow.ts';

/** Prints one container's log as it is written, and says so if part of it may be missing. */
export async function showContainer(
  client: ApiClient,
  pod: ObservedPod,
  container: string,
  log: JobLog,
  signal: AbortSignal,
): Promise<void> {
  // A character can be split between two chunks; what is no UTF-8 becomes U+FFFD.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const filter = new TerminalFilter();
  const print = (bytes: Uint8Array) => log.output(filter.push(decoder.decode(bytes, { stream: true })));
  const end = await followLog(client, pod, container, print, signal);
  log.output(filter.push(decoder.decode()) + filter.end());
  if (!end.complete) log.warning('Log may be incomplete', `Lines of container ${container} may be missing. ${end.why}`);
}
