import type { JobLog } from '../github/commands.ts';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import { ApiClient, type ConnectionWatcher } from '../kubernetes/client.ts';
import { findCluster } from '../kubernetes/config.ts';

/**
 * Finds the cluster and makes its client. Every credential is masked before anything else is printed; nothing is sent yet.
 * @param outageSeconds how long the API server may be away, see {@link ApiClient}
 */
export function connect(inputs: ClusterInputs, log: JobLog, outageSeconds?: number): ApiClient {
  const target = findCluster(inputs, process.env);
  for (const secret of target.secrets) log.mask(secret);
  const warnings = new Set<string>();
  const watcher: ConnectionWatcher = {
    lost: (server, what, patienceSeconds) =>
      log.line(`The API server at ${server} is away (${what}); waiting for it for up to ${patienceSeconds} s.`),
    back: (server, seconds) => log.line(`The API server at ${server} is back after ${Math.round(seconds)} s.`),
    failing: (what, patienceSeconds) => log.line(`${what}. It is asked again for up to ${patienceSeconds} s.`),
    credential: secret => {
      if (!target.secrets.includes(secret)) log.mask(secret);
    },
    warned: text => {
      if (!warnings.has(text)) log.warning('From the cluster', text);
      warnings.add(text);
    },
    request: what => log.debug(what),
  };
  return new ApiClient(target, watcher, outageSeconds);
}
