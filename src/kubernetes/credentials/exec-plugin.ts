import { isAbsolute, resolve } from 'node:path';
import { proxiesOf, secretsOf } from '../proxy.ts';
import type { Credential, CredentialSource } from './credential.ts';
import { runPlugin } from './plugin-process.ts';

/** A kubeconfig's `exec`, as it stands there. */
export interface ExecConfig {
  apiVersion?: unknown;
  command?: unknown;
  args?: unknown;
  env?: unknown;
  installHint?: unknown;
  provideClusterInfo?: unknown;
  interactiveMode?: unknown;
}

/** What a plugin may be told of the cluster that it is for (KUBERNETES_EXEC_INFO, `spec.cluster`). */
export type ExecCluster = Record<string, unknown>;

const GROUP = 'client.authentication.k8s.io';
const VERSIONS = [`${GROUP}/v1`, `${GROUP}/v1beta1`];
const MOST_SECONDS = 60;
/** Of what a plugin has to say of its failure, in characters. */
const MOST_SAID = 500;

/** The runner's own for this step: its inputs and its state, which may be secret, and what its services can be asked with. */
const RUNNERS_OWN = /^(INPUT_.*|STATE_.*|ACTIONS_(RUNTIME|CACHE|RESULTS)_.*)$/i;

/**
 * The credential plugin that a kubeconfig names: a program that prints an ExecCredential (client-go's exec.go, KEP-541).
 *
 * It has no terminal and no stdin, a minute, and the environment without what is this step's alone.
 */
export class ExecPlugin implements CredentialSource {
  readonly #apiVersion: string;
  readonly #command: string;
  readonly #args: string[];
  readonly #env: [name: string, value: string][];
  readonly #installHint: string;
  readonly #cluster: ExecCluster | undefined;

  /**
   * @param folder that a relative command with a slash in it is relative to
   * @throws Error with half a sentence, of what is wrong with the entry, as kubectl finds it
   */
  constructor(exec: ExecConfig, cluster: ExecCluster, folder: string) {
    const { apiVersion, command, args, env, installHint, provideClusterInfo, interactiveMode } = exec;
    if (typeof command !== 'string' || command === '') throw new Error('its exec has no command');
    if (!VERSIONS.includes(String(apiVersion)))
      throw new Error(`the apiVersion of its exec is not one of ${VERSIONS.join(', ')}`);
    this.#apiVersion = String(apiVersion);
    if (interactiveMode === 'Always')
      throw new Error('its exec wants a terminal (interactiveMode: Always), which a step has not');
    if (apiVersion === VERSIONS[0] && !['Never', 'IfAvailable'].includes(String(interactiveMode)))
      throw new Error(`its exec needs an interactiveMode with ${VERSIONS[0]}: Never or IfAvailable`);
    this.#command = /[\\/]/.test(command) && !isAbsolute(command) ? resolve(folder, command) : command;
    this.#args = listOf(args).map(String);
    this.#env = listOf(env).map(entry => {
      const { name, value } = (entry ?? {}) as { name?: unknown; value?: unknown };
      if (!name) throw new Error('a variable of its exec has no name');
      return [String(name), String(value ?? '')];
    });
    this.#installHint = typeof installHint === 'string' ? installHint.trim() : '';
    this.#cluster = provideClusterInfo === true ? cluster : undefined;
  }

  async obtain(): Promise<Credential> {
    const limit = AbortSignal.timeout(1000 * MOST_SECONDS);
    const options = { env: this.#environment() };
    const { stdout, stderr, exitCode } = await runPlugin(this.#command, this.#args, options, limit).catch(error => {
      throw new Error(limit.aborted ? `${this.name} did not answer within ${MOST_SECONDS} s` : this.#notStarted(error));
    });
    if (exitCode !== 0) {
      const how = exitCode === null ? 'was ended by a signal' : `failed with exit code ${exitCode}`;
      throw new Error(`${this.name} ${how}${said(stderr, this.#secrets)}`);
    }
    return this.#read(stdout);
  }

  /** To people. */
  get name(): string {
    return `the credential plugin ${this.#command}`;
  }

  /** What it was given to log in with, by the names of its variables and options, and what proxies are asked with. */
  get #secrets(): string[] {
    const variables = this.#env.flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
    const options = this.#args.flatMap((word, index) => {
      const [, name = '', value] = /^--?([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
      if (!SECRET_NAME.test(name)) return [];
      return [value ?? this.#args[index + 1] ?? ''];
    });
    const proxies = proxiesOf(process.env).flatMap(secretsOf);
    return [...variables, ...options, ...proxies].filter(secret => secret.length >= SHORTEST);
  }

  #environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !RUNNERS_OWN.test(name));
    const spec = { interactive: false, ...(this.#cluster && { cluster: this.#cluster }) };
    const info = { kind: 'ExecCredential', apiVersion: this.#apiVersion, spec };
    return Object.fromEntries([...inherited, ...this.#env, ['KUBERNETES_EXEC_INFO', JSON.stringify(info)]]);
  }

  #notStarted(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint = this.#installHint === '' ? '' : `: ${this.#installHint}`;
    return code === 'ENOENT'
      ? `${this.name} is not on the runner${hint}`
      : `${this.name} cannot be started: ${message}`;
  }

  /** Nothing of what it has printed is quoted: it may be the credential itself. */
  #read(stdout: string): Credential {
    let printed: Printed;
    try {
      printed = JSON.parse(stdout) as Printed;
    } catch {
      throw new Error(`${this.name} printed no ExecCredential`);
    }
    const { apiVersion, kind, status } = printed ?? {};
    if (kind !== 'ExecCredential') throw new Error(`${this.name} printed no ExecCredential`);
    if (apiVersion !== this.#apiVersion)
      throw new Error(`${this.name} speaks another version than ${this.#apiVersion}, which the kubeconfig names`);
    const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = status ?? {};
    if (!token && !certificate && !key) throw new Error(`${this.name} printed neither a token nor a certificate`);
    if (!certificate !== !key) throw new Error(`${this.name} printed a certificate or a key without the other`);
    const expiresAt = expirationTimestamp ? Date.parse(expirationTimestamp) : undefined;
    if (Number.isNaN(expiresAt)) throw new Error(`${this.name} printed an expirationTimestamp that is no time`);
    return {
      ...(token && { token }),
      ...(certificate && key && { certificate, key }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }
}

interface Printed {
  apiVersion?: string;
  kind?: string;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A word as long as this, of the characters that tokens are made of, may be a part of one. */
const LIKE_A_TOKEN = /[\w+=~-]{32,}|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g;
/** A shorter one may be, where it is as mixed as few words and no paths are. */
const LIKE_A_KEY = /(?=[^\s"']*[A-Z])(?=[^\s"']*[a-z])(?=[^\s"']*\d)[\w+/=~.-]{20,}/g;
const SECRET_NAME = /pass|secret|token|key|credential/i;
/** In characters: what a shorter one is found in by chance. */
const SHORTEST = 6;

/** What of a plugin's own words is not to be shown. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  // The values of variables and options with such a name: `password=...`, `--token ...`.
  return known
    .replace(/((?:pass\w*|secret|token|api[-_]?key)["']?\s*[=:]\s*["']?)[^\s"',;]+/gi, '$1***')
    .replace(LIKE_A_TOKEN, '***')
    .replace(LIKE_A_KEY, '***');
}

function said(stderr: string, secrets: readonly string[]): string {
  const text = withoutSecrets(stderr.trim(), secrets);
  if (text === '') return ' without a word';
  return `: ${text.length > MOST_SAID ? `…${text.slice(-MOST_SAID)}` : text}`;
}
