import { createHash } from 'node:crypto';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { OF_THE_ATTEMPT } from '../github/context.ts';
import { RESERVED_PREFIX } from '../github/inputs/inputs.ts';
import type { Json } from './json.ts';
import { quantityValue } from './quantity.ts';

/**
 * What was sent and is not in the answer. A server drops fields of features it has switched off without a word, even under strict validation (`lifecycle.stopSignal`: accepted, absent [measured]).
 * A value that differs is the server's or a webhook's good right (quantities are rewritten, sidecars added); only what is missing counts.
 * Values that Go's `omitempty` leaves out of an answer (`false`, `0`, empty text, empty lists and mappings) and nulls count as present.
 * @returns the paths that are missing, e.g. `spec.containers[0].lifecycle.stopSignal`
 */
export function droppedFields(sent: unknown, answer: unknown): string[] {
  return missing(sent, answer, '', () => true);
}

/**
 * Whether a live pod is what a plan asks for: all that the plan has is there, and the same. What the cluster has added (defaults, sidecars, tokens) is its good right, and what the action says of a pod itself differs from attempt to attempt.
 * @returns the first path at which it is not, e.g. `spec.containers[0].image`; nothing where it is
 */
export function differenceOf(plan: V1Pod, live: V1Pod): string | undefined {
  return missing(asked(plan), asked(live), '', isSame)[0] ?? added(plan, live);
}

/**
 * @returns what stands for all that a plan asks for, whatever attempt makes it: {@link differenceOf} alone would take a pod that has more, such as one with a variable more, for the same
 */
export function digestOf(plan: V1Pod): string {
  return createHash('sha256')
    .update(canonical(asked(plan)))
    .digest('hex');
}

/** JSON with its keys in order, without what is not there. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}

/** What decides what a container does. Here the cluster adds nothing by itself. */
const WHAT_RUNS = ['command', 'args', 'workingDir'] as const;

/** @returns where a live container does something that its plan does not ask for. */
function added({ spec }: V1Pod, live: V1Pod): string | undefined {
  for (const kind of ['initContainers', 'containers'] as const)
    for (const [index, container] of (spec?.[kind] ?? []).entries()) {
      const same = live.spec?.[kind]?.find(({ name }) => name === container.name);
      const field = WHAT_RUNS.find(one => isEmpty(container[one]) && !isEmpty(same?.[one]));
      if (field !== undefined) return `spec.${kind}[${index}].${field}`;
    }
  return undefined;
}

/**
 * @param made what the cluster makes of a plan
 * @returns the first path of a live pod's spec at which it has something else, or more, than that; nothing where it has not
 */
export function additionTo(made: V1Pod, live: V1Pod): string | undefined {
  const [expected, found] = [made, live].map(withoutChance);
  return missing(found, expected, 'spec', isSame)[0];
}

/** A spec without what each attempt has another of, and what comes to a pod only when it lives, and with one name for the volume that each pod has under another (of its account's token). */
function withoutChance({ spec }: V1Pod): unknown {
  const { nodeName: _, ephemeralContainers: __, schedulingGates: ___, ...lasting } = spec ?? { containers: [] };
  const everyAttempts = { ...lasting, containers: lasting.containers.map(ofEveryAttempt) };
  return JSON.parse(JSON.stringify(everyAttempts).replace(/"kube-api-access-[a-z0-9]{5}"/g, '"kube-api-access"'));
}

/** @returns of a pod what a step can ask for. */
function asked({ metadata = {}, spec }: V1Pod): unknown {
  const others = (texts: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(texts).filter(([key]) => !key.startsWith(RESERVED_PREFIX)));
  const { name, namespace, labels, annotations } = metadata;
  return {
    metadata: { name, namespace, labels: others(labels), annotations: others(annotations) },
    spec: spec && { ...spec, containers: spec.containers.map(ofEveryAttempt) },
  };
}

/** Without the variables that say which attempt it is, who has started it, and where it runs. */
function ofEveryAttempt({ env, ...container }: V1Container): V1Container {
  return { ...container, ...(env && { env: env.filter(({ name }) => !OF_THE_ATTEMPT.includes(name)) }) };
}

/** The server rewrites quantities: `0.5` becomes `500m`. */
function isSame(sent: unknown, answer: unknown): boolean {
  if (isEmpty(sent)) return isEmpty(answer);
  if (String(sent) === String(answer)) return true;
  const [one, other] = [sent, answer].map(value => quantityValue(value as Json));
  return one !== undefined && one === other;
}

/** @param same whether what is there instead of a scalar will do */
type Same = (sent: unknown, answer: unknown) => boolean;

function missing(sent: unknown, answer: unknown, path: string, same: Same): string[] {
  const isScalar = typeof sent !== 'object' || sent === null;
  if (sent === undefined || sent === null) return [];
  if (answer === undefined || answer === null) return isEmpty(sent) ? [] : [path];
  if (isScalar) return same(sent, answer) ? [] : [path];
  if (isEmpty(sent)) return [];
  if (Array.isArray(sent)) {
    if (!Array.isArray(answer)) return [path];
    return sent.flatMap((item, index) => missingItem(item, answer, index, path, same));
  }
  if (typeof answer !== 'object') return [path];
  const fields = answer as Record<string, unknown>;
  return Object.entries(sent).flatMap(([key, value]) =>
    missing(value, Object.hasOwn(fields, key) ? fields[key] : undefined, path === '' ? key : `${path}.${key}`, same),
  );
}

/** Webhooks put items before and between ours, so an item is looked for by its name or path, else wherever it fits best. */
function missingItem(item: unknown, answer: unknown[], index: number, path: string, same: Same): string[] {
  const key = ['mountPath', 'devicePath', 'containerPort', 'name', 'key', 'ip'].find(
    field => isRecord(item) && item[field] !== undefined && typeof item[field] !== 'object',
  );
  const candidates =
    key === undefined ? answer : answer.filter(other => isRecord(other) && isRecord(item) && other[key] === item[key]);
  const where = `${path}[${index}]`;
  if (candidates.length === 0) return [where];
  // A webhook may rewrite a word of a command; only a list that got shorter has lost something.
  if (!isRecord(item)) return index < answer.length && same(item, answer[index]) ? [] : [where];
  return candidates
    .map(other => missing(item, other, where, same))
    .reduce((best, next) => (next.length < best.length ? next : best));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}
