import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { dump } from 'js-yaml';
import { NONCE_ANNOTATION } from '../pod/identity.ts';
import { isObject, type Json, type JsonObject, type Path } from '../pod/json.ts';
import { looksSecret } from '../pod/secret-shapes.ts';
import { nameBeside, redacting } from './redaction.ts';

/** In characters. What is longer is a script or a file, which is not why anybody looks at a pod. */
const LONGEST_TEXT = 4000;
/** In characters: several times the pod of a service mesh. */
const LONGEST_POD = 64 * 1024;

/**
 * The pod as the cluster has it, as YAML: what admission, defaults and the scheduler made of the one that was asked for. Neither its state, which is told elsewhere, nor what came in as a secret or looks like one.
 * What the cluster put into variables of the environment is hidden whatever it looks like: tokens are injected there.
 * @param plan the pod as it was asked for; its own plain values are in the log already, among the step's inputs
 * @param secrets what the step was given as such
 */
export function printLivePod(live: V1Pod, plan: V1Pod, secrets: string[]): string {
  const { managedFields: _, annotations = {}, ...metadata } = live.metadata ?? {};
  const { [NONCE_ANNOTATION]: __, ...kept } = annotations;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) },
    spec: live.spec,
  } as unknown as JsonObject;
  const yaml = dump(shownAt([], pod, showing(pod, plan, secrets)), { lineWidth: -1, noRefs: true }).trimEnd();
  if (yaml.length <= LONGEST_POD) return yaml;
  const lines = yaml.slice(0, LONGEST_POD).split('\n').slice(0, -1);
  return [...lines, `(cut here: ${yaml.split('\n').length - lines.length} more lines)`].join('\n');
}

type Show = (path: Path, value: Json) => Json;

function showing(pod: JsonObject, plan: V1Pod, secrets: string[]): Show {
  const redact = redacting(pod, secrets);
  const planned = variablesOf(plan);
  const isPlanned = (path: Path, value: string): boolean => {
    const [, field, index, list, , last] = path;
    if (list !== 'env' || last !== 'value') return false;
    const container = (pod['spec'] as JsonObject | undefined)?.[String(field)] as JsonObject[] | undefined;
    return planned.has(variable(String(container?.[Number(index)]?.['name']), nameBeside(pod, path), value));
  };
  return (path, value) => {
    if (Array.isArray(value)) return redact(path, value.map(shortened));
    if (typeof value !== 'string') return value;
    if (isPlanned(path, value)) return redact(path, shortened(value));
    if (path.at(-3) === 'env' && path.at(-1) === 'value') return '***';
    const key = path.at(-1);
    const name = nameBeside(pod, path) ?? (typeof key === 'string' ? key : '');
    // An annotation's has its owner's domain in front.
    return looksSecret(name.replace(/^.*\//, ''), value) ? '***' : redact(path, shortened(value));
  };
}

/** Not to its beginning: half of a secret that only the runner knows would not be masked. */
function shortened<T extends Json>(value: T): T | string {
  return typeof value === 'string' && value.length > LONGEST_TEXT ? `(${value.length} characters)` : value;
}

function variablesOf({ spec }: V1Pod): Set<string> {
  const containers: V1Container[] = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return new Set(
    containers.flatMap(({ name, env = [] }) => env.map(entry => variable(name, entry.name, entry.value ?? ''))),
  );
}

function variable(container: string, name: string | undefined, value: string): string {
  return JSON.stringify([container, name, value]);
}

function shownAt(path: Path, value: Json, show: Show): Json {
  const shown = show(path, value);
  if (Array.isArray(shown)) return shown.map((item, index) => shownAt([...path, index], item, show));
  if (!isObject(shown)) return shown;
  return Object.fromEntries(Object.entries(shown).map(([key, child]) => [key, shownAt([...path, key], child, show)]));
}
