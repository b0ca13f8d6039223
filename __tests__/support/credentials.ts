import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import type { StepResult } from './step-phase.ts';

/** What a shorter one is found in by chance. */
const SHORTEST = 8;
/** A JSON Web Token: of a service account, of GitHub, of an issuer of the tests. */
const JWT = /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bLS0tLS1CRUdJTi[\w+/]{20,}/;
/** The groups of a cluster's administrators: of every cluster, and of kubeadm's. */
const ADMINISTRATORS = /^O=(system:masters|kubeadm:cluster-admins)$/m;
/** Variables of a job, and inputs, that are a credential as they stand. */
const PLAIN = [
  'INPUT_CLUSTER_TOKEN',
  'INPUT_REGISTRY_PASSWORD',
  'INPUT_GITHUB_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'ACTIONS_RUNTIME_TOKEN',
];
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
/** Of a variable of a credential plugin's. */
const SECRET_NAME = /pass|secret|token|key|credential/i;

type Fields = Record<string, unknown>;

/**
 * The credentials that a step has, by whichever way it was given them.
 * @throws Error where it would be the administrator of a cluster: whatever a step does has to work with the rights that the docs name
 */
export function credentialsOf(env: Record<string, string>, workspace: string): string[] {
  const kubeconfigs = kubeconfigsOf(env, workspace);
  const users = kubeconfigs.flatMap(({ config, folder }) =>
    listOf(config['users']).flatMap(({ user }) => ofUser((user ?? {}) as Fields, folder)),
  );
  const proxies = [
    ...PROXIES.map(name => env[name]),
    ...kubeconfigs.flatMap(({ config }) =>
      listOf(config['clusters']).map(({ cluster }) => (cluster as Fields | undefined)?.['proxy-url']),
    ),
  ].flatMap(passwordOf);
  const all = [...users, ...proxies, ...PLAIN.map(name => env[name] ?? '')].map(text => text.trim());
  return [...new Set(all)].filter(text => text.length >= SHORTEST);
}

/**
 * No credential may be in what a step prints, writes or leaves, but in the command that has it masked.
 * @param files what it wrote, by name
 * @throws Error that says where it is
 */
export function refuseLeaks(known: readonly string[], lines: StepResult['lines'], files: Record<string, string>): void {
  const printed = (stream: string) =>
    lines
      .filter(line => line.stream === stream && line.command?.name !== 'add-mask')
      .map(({ raw }) => raw)
      .join('\n');
  const places = { stdout: printed('stdout'), stderr: printed('stderr'), ...files };
  for (const [place, text] of Object.entries(places)) {
    const found =
      known.find(secret => formsOf(secret).some(form => text.includes(form))) ??
      JWT.exec(text)?.[0] ??
      PRIVATE_KEY.exec(text)?.[0];
    if (found !== undefined) throw new Error(`A credential is in the step's ${place}: ${found.slice(0, 20)}…`);
  }
}

/** As it is, and as it would be after the transformations that texts go through. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, base64, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
}

function kubeconfigsOf(env: Record<string, string>, workspace: string): { config: Fields; folder: string }[] {
  const given = env['INPUT_KUBECONFIG'] ?? '';
  const files = [
    ...(env['INPUT_CONFIG_FILE'] ? [env['INPUT_CONFIG_FILE']] : []),
    ...(env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== ''),
    ...(env['HOME'] ? [join(env['HOME'], '.kube', 'config')] : []),
  ].map(file => resolve(workspace, file));
  return [
    ...[given, Buffer.from(given, 'base64').toString()].map(text => ({ text, folder: workspace })),
    ...files.filter(existsSync).map(file => ({ text: readFileSync(file, 'utf8'), folder: dirname(file) })),
  ].flatMap(({ text, folder }) => {
    try {
      const config = load(text);
      return typeof config === 'object' && config !== null ? [{ config: config as Fields, folder }] : [];
    } catch {
      return []; // the test may be about one that is broken
    }
  });
}

function ofUser(user: Fields, folder: string): string[] {
  const file = (name: string) => {
    const path = user[name];
    return typeof path === 'string' && existsSync(resolve(folder, path))
      ? readFileSync(resolve(folder, path), 'utf8')
      : '';
  };
  const data = (name: string) => Buffer.from(String(user[name] ?? ''), 'base64').toString();
  for (const certificate of [data('client-certificate-data'), file('client-certificate')])
    refuseAdministrator(certificate);
  const keys = [data('client-key-data'), file('client-key')].flatMap(key => key.match(/^[\w+/=]{40,}$/gm) ?? []);
  const variables = listOf((user['exec'] as Fields | undefined)?.['env']).flatMap(({ name, value }) =>
    SECRET_NAME.test(String(name)) ? [value] : [],
  );
  const texts = [user['token'], user['password'], file('tokenFile'), ...variables].map(text => String(text ?? ''));
  return [...texts, ...keys];
}

function refuseAdministrator(certificate: string): void {
  if (!certificate.includes('-----BEGIN CERTIFICATE-----')) return;
  let subject: string;
  try {
    ({ subject } = new X509Certificate(certificate));
  } catch {
    return;
  }
  if (ADMINISTRATORS.test(subject))
    throw new Error(
      'This step would be an administrator of the cluster: give it what examples/cluster/runner.yaml allows, see Namespace.kubeconfig and asRunner.',
    );
}

function passwordOf(proxy: unknown): string[] {
  const text = String(proxy ?? '');
  const [, name = '', password] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/@:]*):([^/@]*)@/i.exec(text) ?? [];
  if (password === undefined) return [];
  try {
    const [plainName, plain] = [name, password].map(decodeURIComponent);
    return [plain ?? '', password, Buffer.from(`${plainName}:${plain}`).toString('base64')];
  } catch {
    return [password];
  }
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(entry => typeof entry === 'object' && entry !== null) : [];
}
