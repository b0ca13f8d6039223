/**
 * What was sent and is not in the answer. A server drops fields of features it has switched off without a word, even under strict validation (`lifecycle.stopSignal`: accepted, absent [measured]).
 * A value that differs is the server's or a webhook's good right (quantities are rewritten, sidecars added); only what is missing counts.
 * Values that Go's `omitempty` leaves out of an answer (`false`, `0`, empty text, empty lists and mappings) and nulls count as present.
 * @returns the paths that are missing, e.g. `spec.containers[0].lifecycle.stopSignal`
 */
export function droppedFields(sent: unknown, answer: unknown, path = ''): string[] {
  if (isEmpty(sent)) return [];
  if (answer === undefined || answer === null) return [path];
  if (Array.isArray(sent))
    return Array.isArray(answer) ? sent.flatMap((item, index) => droppedItem(item, answer, index, path)) : [path];
  if (typeof sent !== 'object' || sent === null) return [];
  if (typeof answer !== 'object') return [path];
  const fields = answer as Record<string, unknown>;
  return Object.entries(sent).flatMap(([key, value]) =>
    droppedFields(value, Object.hasOwn(fields, key) ? fields[key] : undefined, path === '' ? key : `${path}.${key}`),
  );
}

/** Webhooks put items before and between ours, so an item is looked for by its name or path, else wherever it fits best. */
function droppedItem(item: unknown, answer: unknown[], index: number, path: string): string[] {
  const key = ['mountPath', 'devicePath', 'containerPort', 'name', 'key', 'ip'].find(
    field => isRecord(item) && item[field] !== undefined && typeof item[field] !== 'object',
  );
  const candidates =
    key === undefined ? answer : answer.filter(other => isRecord(other) && isRecord(item) && other[key] === item[key]);
  const where = `${path}[${index}]`;
  if (candidates.length === 0) return [where];
  // A webhook may rewrite a word of a command; only a list that got shorter has lost something.
  if (!isRecord(item)) return index < answer.length ? [] : [where];
  return candidates
    .map(other => droppedFields(item, other, where))
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
