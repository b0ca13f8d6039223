import { readFileSync } from 'node:fs';
import type { KubeCluster, KubeUser } from '../kubeconfig.ts';
import type { CredentialSource } from './credential.ts';
import { type ExecCluster, type ExecConfig, ExecPlugin } from './exec-plugin.ts';
import { TokenFile } from './token-file.ts';

/** Ways to log in that kubectl has given up in favour of plugins. */
const GIVEN_UP: Record<string, string> = { gcp: 'gke-gcloud-auth-plugin', azure: 'kubelogin' };

/**
 * @returns where the credentials of a kubeconfig's user come from, where they do not stand in it
 * @throws Error with half a sentence, of what is wrong with the user's entry
 */
export function sourceOf(user: KubeUser, cluster: KubeCluster): CredentialSource | undefined {
  const { exec, authProvider, tokenFile, impersonation } = user;
  if ((user.token || tokenFile) && user.username)
    throw new Error('it has a token and a user name; one of them is meant');
  if (impersonation && !('Impersonate-User' in impersonation))
    throw new Error('it acts for groups, a uid or more (as-groups, as-uid, as-user-extra) without a user to act as');
  const provider = String(authProvider?.name ?? '');
  if (exec && authProvider) throw new Error('it has an exec and an auth-provider; one of them is meant');
  const plugin = GIVEN_UP[provider];
  if (plugin !== undefined)
    throw new Error(
      `its auth-provider ${provider} is one that kubectl does not know any more; ${plugin} has taken its place`,
    );
  if (exec) return new ExecPlugin(exec as ExecConfig, clusterInfo(cluster), process.cwd());
  // As in client-go the file wins over a token that stands beside it.
  return tokenFile === undefined ? undefined : new TokenFile(tokenFile);
}

/** As client-go tells it (clientauthentication.Cluster). */
function clusterInfo({
  server,
  tlsServerName,
  skipTLSVerify,
  caData,
  caFile,
  proxyUrl,
  execConfig,
}: KubeCluster): ExecCluster {
  const ca = caData ?? (caFile ? readFileSync(caFile).toString('base64') : undefined);
  return {
    server,
    ...(tlsServerName && { 'tls-server-name': tlsServerName }),
    ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
    ...(ca && { 'certificate-authority-data': ca }),
    ...(proxyUrl && { 'proxy-url': proxyUrl }),
    ...(execConfig !== undefined && { config: execConfig }),
  };
}
