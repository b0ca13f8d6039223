import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { cluster, type Namespace } from './cluster.ts';

/** @returns the path of the cluster's kubeconfig, in this folder, with its user changed */
export async function kubeconfig(folder: string, change: (user: Record<string, unknown>) => void): Promise<string> {
  const config = load(await readFile(cluster.kubeconfig, 'utf8')) as { users: { user: Record<string, unknown> }[] };
  for (const { user } of config.users) change(user);
  const file = join(folder, `kubeconfig-${randomUUID()}`);
  writeFileSync(file, dump(config));
  return file;
}

/** Makes a service account that may do nothing. @returns the path of its kubeconfig */
export async function serviceAccount(namespace: Namespace, name: string, folder: string): Promise<string> {
  await namespace.kubectl(['create', 'serviceaccount', name]);
  const token = (await namespace.kubectl(['create', 'token', name])).trim();
  return kubeconfig(folder, user => {
    for (const key of Object.keys(user)) delete user[key];
    user['token'] = token;
  });
}
