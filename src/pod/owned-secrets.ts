import { posix } from 'node:path';
import type { Fragment } from './inputs/fragment.ts';
import type { OwnedSecretInputs } from './inputs/owned-secrets.ts';
import type { JsonObject } from './json.ts';
import { dnsLabel, hash } from './naming.ts';
import type { Script } from './run-script.ts';

/** A Secret that is made right after the pod, belongs to it, and goes with it. */
export interface OwnedSecret {
  name: string;
  type: 'Opaque' | 'kubernetes.io/dockerconfigjson';
  /** Clear text. */
  data: Record<string, string>;
  /** Whether it goes as soon as the init container has ended that it is for. */
  isPassing?: boolean;
}

export interface OwnedSecrets {
  secrets: OwnedSecret[];
  /** How the pod refers to them. */
  fragments: Fragment[];
  /** Name of the one with the job's token. */
  tokenSecret?: string;
}

/** Its only key. */
export const TOKEN_KEY = 'token';

/** Docker's own name for its hub in a pull Secret. */
const DOCKER_HUB = 'https://index.docker.io/v1/';
/** Readable by any user that the container may run as; in a tmpfs of the pod's own. */
const DEFAULT_MODE = 0o444;
/** Readable, and a program for those who take it for one. */
const SCRIPT_MODE = 0o555;
const SCRIPT_VOLUME = 'pod-step-script';
const LONGEST_NAME = 50;
/** What the API server takes for the values of a Secret together. */
const MOST_BYTES = 2 ** 20;

/**
 * The Secrets that the step's own secrets become.
 * Files are mounted one by one, so that what the image has beside them stays to be seen.
 * @param report takes a sentence for what is too large
 * @param podName their names begin with it, and end in a hash of `nonce`, so that a re-run finds no remains of the last
 */
export function planOwnedSecrets(
  { env, files, registry, script, token }: OwnedSecretInputs & { script?: Script; token?: string },
  image: string | undefined,
  podName: string,
  nonce: string,
  report: (sentence: string) => void = () => {},
): OwnedSecrets {
  const named = (what: string) => `${dnsLabel(podName, LONGEST_NAME)}-${what}-${hash(nonce, 8)}`;
  const secrets: OwnedSecret[] = [];
  const fragments: Fragment[] = [];
  if (env.length > 0) {
    const name = named('env');
    secrets.push({ name, type: 'Opaque', data: Object.fromEntries(env.map(({ name, value }) => [name, value])) });
    for (const variable of env) {
      const reference = { name: variable.name, valueFrom: { secretKeyRef: { name, key: variable.name } } };
      fragments.push({ from: variable.from, of: 'container', fields: { env: [reference] } });
    }
  }
  if (files.length > 0) {
    const name = named('files');
    const key = (index: number) => `file-${index}`;
    secrets.push({
      name,
      type: 'Opaque',
      data: Object.fromEntries(files.map(({ content }, at) => [key(at), content])),
    });
    const items = files.map(({ mode }, at) => ({ key: key(at), path: key(at), ...(mode !== undefined && { mode }) }));
    // A name that no volume of a template has.
    const volumeName = `secret-files-${hash(JSON.stringify(files.map(({ path }) => path)), 8)}`;
    const volume: JsonObject = { name: volumeName, secret: { secretName: name, defaultMode: DEFAULT_MODE, items } };
    fragments.push({ from: 'secret_files', of: 'spec', fields: { volumes: [volume] } });
    for (const [at, { path, from }] of files.entries()) {
      const mount = { name: volumeName, mountPath: path, subPath: key(at), readOnly: true };
      fragments.push({ from, of: 'container', fields: { volumeMounts: [mount] } });
    }
  }
  // Whoever writes a script may paste a secret into it: it is one of the pod's own, and not a part of it.
  if (script !== undefined) {
    const name = named('script');
    const key = posix.basename(script.path);
    secrets.push({ name, type: 'Opaque', data: { [key]: script.content } });
    const volume: JsonObject = { name: SCRIPT_VOLUME, secret: { secretName: name, defaultMode: SCRIPT_MODE } };
    const mount = { name: SCRIPT_VOLUME, mountPath: posix.dirname(script.path), readOnly: true };
    fragments.push({ from: script.from, of: 'spec', fields: { volumes: [volume] } });
    fragments.push({ from: script.from, of: 'container', fields: { volumeMounts: [mount] } });
  }
  if (registry !== undefined) {
    const name = named('registry');
    const { username, password } = registry;
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const auths = { [registry.server ?? registryOf(image)]: { username, password, auth } };
    secrets.push({
      name,
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': JSON.stringify({ auths }) },
    });
    fragments.push({ from: 'registry_username', of: 'spec', fields: { imagePullSecrets: [{ name }] } });
  }
  const tokenSecret = token === undefined ? undefined : named('token');
  if (tokenSecret !== undefined && token !== undefined)
    secrets.push({ name: tokenSecret, type: 'Opaque', data: { [TOKEN_KEY]: token }, isPassing: true });
  for (const secret of secrets) {
    const bytes = Object.values(secret.data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
    if (bytes > MOST_BYTES)
      report(
        `${inputOf(secret, script)}: holds ${bytes} bytes${secret.name === named('script') ? '' : ' together'}; a Secret takes ${MOST_BYTES}.`,
      );
  }
  return { secrets, fragments, ...(tokenSecret !== undefined && { tokenSecret }) };
}

function inputOf({ type, name }: OwnedSecret, script: Script | undefined): string {
  if (type !== 'Opaque') return 'registry_password';
  const what = /-(env|files|script|token)-[^-]+$/.exec(name)?.[1];
  if (what === 'token') return 'github_token';
  return what === 'script' ? (script?.from ?? 'run') : what === 'env' ? 'secret_env' : 'secret_files';
}

/** @returns the registry that an image comes from: the part before the first slash, if it can be a host (distribution/reference). */
export function registryOf(image = ''): string {
  const [host = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(host) || host === 'localhost') ? host : DOCKER_HUB;
}
