import { join } from 'node:path';
import { cluster, kubectl, type Namespace } from './cluster.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

/** Gives the runner what examples/rbac.yaml does. @returns a kubeconfig for somebody who may do that in this namespace and no more */
export const runnerKubeconfig = (namespace: Namespace): Promise<string> =>
  accountKubeconfig(namespace, 'rbac.yaml', 'github-runner');

/** The same for the sweep, and examples/sweep-rbac.yaml. */
export const sweepKubeconfig = (namespace: Namespace): Promise<string> =>
  accountKubeconfig(namespace, 'sweep-rbac.yaml', 'github-sweep');

async function accountKubeconfig(namespace: Namespace, example: string, account: string): Promise<string> {
  await namespace.kubectl(['apply', '-f', join(EXAMPLES, example)]);
  const token = await namespace.kubectl(['create', 'token', account]);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: await theCluster() }],
    users: [{ name: account, user: { token: token.trim() } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: account, namespace: namespace.name } }],
    'current-context': 'test',
  });
}

let found: Promise<object> | undefined;

/** Its address and authority, as the administrator's kubeconfig has them. */
function theCluster(): Promise<object> {
  found ??= kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']).then(view => {
    const { clusters } = JSON.parse(view) as { clusters: { cluster: object }[] };
    const [first] = clusters;
    if (first === undefined) throw new Error(`${cluster.kubeconfig} names no cluster.`);
    return first.cluster;
  });
  return found;
}
