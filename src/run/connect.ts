import type { JobLog } from '../github/commands.ts';
import { withRemedy } from '../github/failure.ts';
import type { ClusterInputs } from '../github/inputs/cluster.ts';
import { ApiClient } from '../kubernetes/client.ts';
import { findCluster, type Target } from '../kubernetes/config.ts';
import type { ConnectionWatcher } from '../kubernetes/patience.ts';

/**
 * Finds the cluster and makes its client, and says which it is. Every credential is masked before anything is printed; nothing is sent yet.
 * @param outageSeconds how long the API server may be away, see {@link ApiClient}
 * @param quiet leaves out what is known from the main step
 */
export function connect(
  inputs: ClusterInputs,
  log: JobLog,
  { outageSeconds, quiet = false }: { outageSeconds?: number | undefined; quiet?: boolean } = {},
): ApiClient {
  const target = findCluster(inputs, process.env);
  for (const secret of target.secrets) log.mask(secret);
  if (!quiet) tellCluster(target, log);
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

/** Which cluster it is, and as whom, and what is not safe about that. */
function tellCluster(target: Target, log: JobLog): void {
  const { cluster, server, source, user, namespace, unverified, open, proxy } = target;
  const place = cluster === undefined ? `${server} (${source})` : `${cluster} (${server}), ${source}`;
  const through = proxy === undefined ? '' : `, through the proxy ${proxy.host}`;
  log.line(`Cluster ${place}${through}, ${user}, namespace ${namespace}.`);
  if (unverified)
    log.warning(
      'Server not verified',
      withRemedy(
        `${source}: insecure-skip-tls-verify is set for cluster ${cluster}, so whoever stands between the runner and the API server can read and change all that passes, the credentials among it.`,
        'Give the cluster its authority instead (certificate-authority-data).',
      ),
    );
  if (open)
    log.warning(
      'No credentials sent',
      withRemedy(
        `${source}: the API server’s address is plain http, over which anybody on the way could read them, so none are sent (nor does kubectl).`,
        'Use its https address.',
      ),
    );
}
