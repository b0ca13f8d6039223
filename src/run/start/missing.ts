import type { V1Pod } from '@kubernetes/client-node';
import { type Reference, referencesOf } from '../../pod/references.ts';

/** Something that is not there, or lacks a key, and who asks for it. */
export interface Missing {
  kind: Reference['kind'];
  name: string;
  /** Set when the object is there and this key of it is not. */
  key?: string;
  askedFor: Reference[];
}

/** One sentence for what is missing, and the way out. */
export interface MissingExplained {
  title: string;
  sentence: string;
  remedy: string;
}

/**
 * The words of kubelet and scheduler for what is missing, as Kubernetes 1.36 has them. Several may stand in one text: a projected volume names all at once.
 * A volume's Secret that lacks a key goes without its name.
 */
const MISSING: readonly [kind: Reference['kind'], pattern: RegExp][] = [
  ['Secret', /\bsecrets? "(?<name>[^"]+)" not found/g],
  ['ConfigMap', /\bconfigmaps? "(?<name>[^"]+)" not found/g],
  ['PersistentVolumeClaim', /\bpersistentvolumeclaims? "(?<name>[^"]+)" not found/g],
  ['Secret', /couldn't find key (?<key>\S+) in Secret [^/\s]+\/(?<name>[^\s,\]]+)/g],
  ['ConfigMap', /couldn't find key (?<key>\S+) in ConfigMap [^/\s]+\/(?<name>[^\s,\]]+)/g],
  ['Secret', /references non-existent secret key: (?<key>[^\s,\]]+)/g],
  ['ConfigMap', /configmap references non-existent config key: (?<key>[^\s,\]]+)/g],
];

/**
 * Reads what is missing out of a text of the cluster. Only what the pod asks for counts, by its own spec: the rest of such a text may be anybody's.
 * @param references what the plan asks for
 * @param pod as it stands in the cluster: webhooks and the service account add to it
 * @param volume the one that the text is about
 */
export function missingIn(text: string, references: readonly Reference[], pod: V1Pod, volume?: string): Missing[] {
  const added = (): Reference[] => referencesOf(pod, path => `${path}, which the cluster added to the pod,`);
  return MISSING.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].flatMap(({ groups: { name, key } = {} }) => {
      const asks = (reference: Reference): boolean =>
        reference.kind === kind &&
        reference.optional !== true &&
        (key === undefined || reference.key === key) &&
        // Without a name the volume has to say whose key it is; with one, whoever else asks for it lacks it too.
        (name === undefined ? reference.volume === volume : reference.name === name);
      const planned = references.filter(asks);
      const askedFor = planned.length > 0 ? planned : added().filter(asks);
      const [first] = askedFor;
      // A key that two Secrets of one volume are asked for does not say which of them lacks it.
      if (first === undefined || askedFor.some(other => other.name !== first.name)) return [];
      return [{ kind, name: first.name, ...(key !== undefined && { key }), askedFor }];
    }),
  );
}

/** @returns the image pull secrets that the kubelet could not find, by its event FailedToRetrieveImagePullSecret. */
export function missingPullSecrets(message: string, references: readonly Reference[], pod: V1Pod): Missing[] {
  const names = /image pull secrets \(([^)]*)\)/.exec(message)?.[1]?.split(', ') ?? [];
  const inPod = (pod.spec?.imagePullSecrets ?? []).map(({ name }) => name);
  return names
    .filter(name => inPod.includes(name))
    .map(name => {
      const askedFor = references.filter(reference => reference.pull && reference.name === name);
      const path = `spec.imagePullSecrets[${inPod.indexOf(name)}]`;
      const origin = `${path}, which the cluster added to the pod,`;
      return {
        kind: 'Secret',
        name,
        askedFor: askedFor.length > 0 ? askedFor : [{ kind: 'Secret', name, path, origin, pull: true }],
      };
    });
}

/** @returns nothing where nothing is missing. */
export function explainMissing(missing: readonly Missing[], namespace: string): MissingExplained | undefined {
  const once = [...new Map(missing.map(one => [causeOf(one), one])).values()];
  const [first] = once;
  if (first === undefined) return undefined;
  const ways = once.map(one => wayOut(one, namespace));
  const commands = ways.flatMap(({ create }) => create ?? []);
  return {
    title: once.length > 1 ? 'Something is missing' : `${first.key === undefined ? WORDS[first.kind] : 'Key'} missing`,
    sentence: once.map(one => missingSentence(one, namespace)).join(' '),
    remedy: [
      ...(commands.length > 0 ? [`Create ${commands.length > 1 ? 'them' : 'it'}: ${commands.join('; ')}`] : []),
      ...new Set(ways.flatMap(({ advice }) => advice ?? [])),
    ].join('. '),
  };
}

/** @returns what tells one missing thing from another. */
export function causeOf({ kind, name, key }: Missing): string {
  return [kind, name, key].join(' ');
}

const WORDS: Record<Reference['kind'], string> = {
  Secret: 'Secret',
  ConfigMap: 'ConfigMap',
  PersistentVolumeClaim: 'PersistentVolumeClaim',
  ServiceAccount: 'Service account',
};

/** E.g. `Secret "db-secret" does not exist in namespace etl; secrets[0] asks for it.` */
export function missingSentence({ kind, name, key, askedFor }: Missing, namespace: string): string {
  const word = askedFor.some(({ pull }) => pull) ? 'Image pull secret' : WORDS[kind];
  const what =
    key === undefined
      ? `${word} "${name}" does not exist in namespace ${namespace}`
      : `${word} "${name}" exists in namespace ${namespace}, but has no key "${key}"`;
  const who = [...new Set(askedFor.map(({ origin }) => origin))];
  return who.length === 0 ? `${what}.` : `${what}; ${and(who)} ${who.length > 1 ? 'ask' : 'asks'} for it.`;
}

/** A command that makes it, or what else there is to do. */
function wayOut(missing: Missing, namespace: string): { create?: string; advice?: string } {
  const { kind, name, key, askedFor } = missing;
  const kubectl = `kubectl -n ${namespace}`;
  // Kubernetes checks not every name that a pod asks for, and none may become an option of kubectl.
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || !/^[a-z0-9-]+$/.test(namespace))
    return { advice: 'No object can have that name: correct it' };
  if (key !== undefined)
    return {
      advice: `Add the key, or name another. Those that it has: ${kubectl} describe ${kind.toLowerCase()} ${name}`,
    };
  switch (kind) {
    case 'Secret':
      return askedFor.some(({ pull }) => pull)
        ? {
            create: `${kubectl} create secret docker-registry ${name} --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD`,
          }
        : { create: `${kubectl} create secret generic ${name} ${content(askedFor)}` };
    case 'ConfigMap':
      return { create: `${kubectl} create configmap ${name} ${content(askedFor)}` };
    case 'PersistentVolumeClaim':
      return { advice: `Create it: ${kubectl} apply -f CLAIM.yaml. Those that there are: ${kubectl} get pvc` };
    case 'ServiceAccount':
      return { create: `${kubectl} create serviceaccount ${name}` };
  }
}

/** The keys that are asked for, as kubectl takes them. What becomes a file, or is called like one, comes from a file. */
function content(askedFor: Reference[]): string {
  const isFile = ({ path, key = '' }: Reference) =>
    /\.(secret|configMap)(\.items\[\d+\])?$/.test(path) || key.includes('.');
  const keys = new Map(askedFor.flatMap(one => (one.key === undefined ? [] : [[one.key, isFile(one)]])));
  if (keys.size === 0) return askedFor.some(isFile) ? '--from-file=PATH' : '--from-literal=KEY=VALUE';
  return [...keys]
    .map(([key, file]) => (file ? `--from-file=${quoted(key)}=PATH` : `--from-literal=${quoted(key)}=VALUE`))
    .join(' ');
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function and(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
