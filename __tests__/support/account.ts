import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { run } from '../../dev/cluster/command.ts';

/** A kubeconfig as far as tests change one. */
export interface Kubeconfig {
  clusters: [{ name: string; cluster: Record<string, unknown> }];
  users: [{ name: string; user: Record<string, unknown> }];
}

const BUNDLE = join(import.meta.dirname, '../../examples/cluster');

/** Runs kubectl as the cluster's administrator and returns what it prints. */
export async function kubectlOn(cluster: Cluster, args: string[], stdin?: string): Promise<string> {
  if (cluster.kubectl === undefined) throw new Error('The cluster tests need kubectl on the PATH.');
  return await run(
    cluster.kubectl,
    ['--kubeconfig', cluster.kubeconfig, ...args],
    stdin === undefined ? {} : { stdin },
  );
}

/** @returns the objects of a manifest in examples/cluster/, for this namespace */
export function bundled(manifest: 'runner.yaml' | 'sweep.yaml', namespace: string): object[] {
  const objects = loadAll(readFileSync(join(BUNDLE, manifest), 'utf8')) as { metadata: object }[];
  return objects.map(object => ({ ...object, metadata: { ...object.metadata, namespace } }));
}

/** Lets a step act on the cluster as somebody who may do what examples/cluster/runner.yaml allows, in this namespace, and no more. @returns the path of a kubeconfig, which goes with the process */
export async function asRunner(cluster: Cluster, namespace: string): Promise<string> {
  await applyAll(cluster, bundled('runner.yaml', namespace));
  return await runnerKubeconfig(cluster, namespace);
}

/** As {@link asRunner}, where the manifest has been applied. */
export const runnerKubeconfig = (cluster: Cluster, namespace: string): Promise<string> =>
  accountFile(cluster, namespace, 'github-runner');

/** @returns the path of a kubeconfig for a service account */
export async function accountFile(cluster: Cluster, namespace: string, account: string): Promise<string> {
  const file = join(kubeconfigsOf(cluster, namespace), account);
  mkdirSync(kubeconfigsOf(cluster, namespace), { recursive: true });
  writeFileSync(file, JSON.stringify(await accountKubeconfig(cluster, namespace, account)));
  return file;
}

/** The folder of the kubeconfigs for a namespace, which goes with the process at the latest. */
export const kubeconfigsOf = (cluster: Cluster, namespace: string): string =>
  join(folder(), `${cluster.name}-${namespace}`);

let made: string | undefined;
function folder(): string {
  if (made !== undefined) return made;
  const path = mkdtempSync(join(tmpdir(), 'kubeconfigs-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  made = path;
  return path;
}

/** @returns a kubeconfig for a service account */
export async function accountKubeconfig(cluster: Cluster, namespace: string, account: string): Promise<Kubeconfig> {
  const token = await kubectlOn(cluster, ['-n', namespace, 'create', 'token', account, '--duration', '24h']);
  const [{ name, cluster: address }] = await clusterOf(cluster);
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': account },
    clusters: [{ name, cluster: address }],
    users: [{ name: account, user: { token: token.trim() } }],
    ...{ contexts: [{ name: account, context: { cluster: name, user: account, namespace } }] },
  };
}

const found = new Map<string, Promise<Kubeconfig['clusters']>>();

/** Its address and authority, as the administrator's kubeconfig has them. */
function clusterOf(cluster: Cluster): Promise<Kubeconfig['clusters']> {
  const view = ['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'];
  const finding =
    found.get(cluster.kubeconfig) ?? kubectlOn(cluster, view).then(text => (JSON.parse(text) as Kubeconfig).clusters);
  found.set(cluster.kubeconfig, finding);
  return finding;
}

/** Creates objects, or changes those that there are, in one go. */
export async function applyAll(cluster: Cluster, objects: object[]): Promise<void> {
  await kubectlOn(cluster, ['apply', '-f', '-'], objects.map(object => JSON.stringify(object)).join('\n---\n'));
}

/** Writes a kubeconfig with a change of one that there is, in the same folder. @returns its path */
export function changedKubeconfig(file: string, change: (config: Kubeconfig) => void): string {
  const config = load(readFileSync(file, 'utf8')) as Kubeconfig;
  change(config);
  const changed = `${file}-${changes++}`;
  writeFileSync(changed, dump(config));
  return changed;
}
let changes = 0;
