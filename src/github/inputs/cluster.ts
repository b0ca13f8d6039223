import type { InputName } from '../contract.ts';
import { defined } from '../defined.ts';
import type { InputReader } from './reader.ts';

/** The inputs that say which cluster, and as whom. */
export interface ClusterInputs {
  /** The content of a kubeconfig, decoded. */
  kubeconfig?: string;
  configFile?: string;
  context?: string;
  /** The API server's URL. */
  url?: string;
  /** Certificates of the authorities that the API server's is signed by, PEM. */
  ca?: string;
  token?: string;
  /** Whether the runner's own service account is meant, whatever else there is. */
  inCluster?: boolean;
  /** For whom the job's own identity is vouched, where that is what the step logs in with. */
  oidcAudience?: string;
  namespace?: string | undefined;
}

/** Each says where the cluster is; more than one of them is an error. */
const SOURCES = ['kubeconfig', 'config_file', 'cluster_url', 'in_cluster'] as const;

/** Reads which cluster is meant; also for the post step, which is not to fail over an input that the main step has refused. */
export function readCluster(reader: InputReader): ClusterInputs {
  const kubeconfig = reader.raw('kubeconfig');
  const configFile = reader.word('config_file');
  const url = readUrl(reader);
  const ca = reader.raw('cluster_ca');
  const token = reader.word('cluster_token');
  const inCluster = reader.boolean('in_cluster') || undefined;
  const oidcAudience = reader.word('oidc_audience');
  const given = [kubeconfig, configFile, url, inCluster];
  const [first, ...more] = SOURCES.filter((_, index) => given[index] !== undefined);
  for (const other of more) reader.problem(first as InputName, `${other} is given too. Keep the one that is meant.`);
  if (token !== undefined && oidcAudience !== undefined)
    reader.problem('cluster_token', 'oidc_audience is given too. Keep the one that is meant.');
  const context = reader.word('cluster_context');
  if (url !== undefined && context !== undefined)
    reader.problem(
      'cluster_context',
      'it chooses among the contexts of a kubeconfig, and with cluster_url there is none.',
    );
  if (url === undefined) {
    if (ca !== undefined) reader.problem('cluster_ca', 'it goes with cluster_url, which is not given.');
    if (token !== undefined) reader.problem('cluster_token', 'it goes with cluster_url, which is not given.');
  } else if (token === undefined && oidcAudience === undefined)
    reader.problem('cluster_url', 'it takes cluster_token or oidc_audience beside it, to log in with.');
  return defined({
    kubeconfig: kubeconfig === undefined ? undefined : decodeKubeconfig(reader, kubeconfig),
    configFile,
    context,
    url,
    ca: ca === undefined ? undefined : decodeCertificates(reader, ca),
    token,
    inCluster,
    oidcAudience,
    namespace: readNamespace(reader),
  });
}

/** @returns the address, once it can be one of an API server's */
function readUrl(reader: InputReader): string | undefined {
  const url = reader.word('cluster_url');
  if (url === undefined) return undefined;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    reader.problem('cluster_url', `expected an address that begins with https://, found ${JSON.stringify(url)}.`);
  else if (/\/(api|apis|version|healthz)(\/.*)?$/.test(new URL(url).pathname))
    reader.problem(
      'cluster_url',
      `expected the address of the API server alone, without the path ${new URL(url).pathname}.`,
    );
  return url;
}

/** @returns PEM, which may be given in base64, as it stands in a kubeconfig */
function decodeCertificates(reader: InputReader, value: string): string | undefined {
  const isPem = (text: string) => text.includes('-----BEGIN CERTIFICATE-----');
  const decoded = isPem(value) ? value : Buffer.from(value.replace(/\s/g, ''), 'base64').toString('utf8');
  if (isPem(decoded)) return decoded;
  reader.problem(
    'cluster_ca',
    'expected certificates in PEM (-----BEGIN CERTIFICATE-----), plain or base64; this is neither.',
  );
  return undefined;
}

/** A kubeconfig in plain text holds a `:` in its first lines; base64 knows no such character. */
function decodeKubeconfig(reader: InputReader, value: string): string | undefined {
  const compact = value.replace(/\s/g, '');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(compact);
  if (!isBase64 && /[:{]/.test(value)) return value;
  const decoded = Buffer.from(compact, 'base64').toString('utf8');
  if (isBase64 && /[:{]/.test(decoded) && !decoded.includes('\ufffd')) return decoded;
  reader.problem(
    'kubeconfig',
    'expected the content of a kubeconfig, plain or base64; this is neither. (For the path of a file there is config_file.)',
  );
  return undefined;
}

/** Whether Kubernetes takes the text for a namespace. */
export function isNamespace(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}

/** Whether Kubernetes takes the text for the name of an object: of a pod, of a claim (RFC 1123). */
export function isObjectName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text);
}

function readNamespace(reader: InputReader): string | undefined {
  const namespace = reader.word('namespace');
  if (namespace === undefined || isNamespace(namespace)) return namespace;
  reader.problem(
    'namespace',
    `"${namespace}" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.`,
  );
  return undefined;
}
