import { join } from 'node:path';
import { cluster, kubectl, type Namespace } from './cluster.ts';

const ROLE = join(import.meta.dirname, '../../examples/rbac.yaml');

/** Gives the runner what examples/rbac.yaml does. @returns a kubeconfig for somebody who may do that in this namespace and no more */
export async function runnerKubeconfig(namespace: Namespace): Promise<string> {
  await namespace.kubectl(['apply', '-f', ROLE]);
  const token = await namespace.kubectl(['create', 'token', 'github-runner']);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: await theCluster() }],
    users: [{ name: 'github-runner', user: { token: token.trim() } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'github-runner', namespace: namespace.name } }],
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
