import { StepError } from '../github/failure.ts';
import type { ApiError } from '../kubernetes/status.ts';

/** One fault that the server finds in a pod. */
interface Fault {
  /** Where, as the server writes it, e.g. `spec.containers[0].resources.limits[memory]`; absent where it does not say. */
  path?: string;
  what: string;
  hint?: string;
}

/**
 * Says in the user's own words what the API server has against the pod: every fault, one a line, with what the user wrote in front of it.
 * @param originOf the input, or the place in a template, that a part of the pod came from
 * @param suggest the right spelling of the field at a path, where one is near
 */
export function explainRefusal(
  error: ApiError,
  originOf: (path: string) => string,
  suggest: (path: string) => string | undefined,
): StepError {
  const found = faults(error, suggest);
  const lines = new Map<string, string>();
  for (const { path, what, hint } of found) {
    const origin = path === undefined ? undefined : originOf(path);
    const fault = [...(origin === undefined ? [] : [origin]), what].join(': ');
    // The server repeats a fault for what it derives from the field (requests from limits).
    if (lines.has(fault)) continue;
    const place = path === undefined || origin?.endsWith(path) ? '' : ` (${path})`;
    lines.set(fault, hint === undefined ? `${fault}${place}` : `${ended(`${fault}${place}`)} ${hint}`);
  }
  return new StepError(error.reason, error.title, [...lines.values()].join('\n'), { cause: error });
}

/** The server's words, of which Kubernetes 1.36 has four kinds: causes with a field each, fields that it does not know, a value of the wrong type, and all else. */
function faults({ status }: ApiError, suggest: (path: string) => string | undefined): Fault[] {
  const causes = status.details?.causes ?? [];
  const message = (status.message ?? '').replace(/^\w+ in version "[^"]+" cannot be handled as a \w+: /, '');
  if (causes.some(({ field }) => field))
    return causes.map(({ field, message: what = '' }) => ({ ...(field && { path: field }), what: shorter(what) }));
  const strict = /^strict decoding error: (.+)$/s.exec(message)?.[1];
  if (strict !== undefined)
    return strict.split(/, (?=(?:unknown|duplicate) field ")/).map(one => decoding(one, suggest));
  const [, found, path, expected = ''] =
    /^json: cannot unmarshal (\w+) into Go struct field \w+\.([\w.]+) of type (\S+)$/.exec(message) ?? [];
  if (path === undefined) return [{ what: shorter(message) }];
  const what = `expected ${GO_TYPES[expected] ?? (expected.startsWith('[]') ? 'a list' : 'a mapping')}, found ${GO_TYPES[found ?? ''] ?? found}`;
  // It names no places in lists, so what is in one cannot be traced to its origin.
  return path.split('.').length > 2 ? [{ what: `${path}: ${what}` }] : [{ path, what }];
}

/** Go's words and JSON's for what a value is. */
const GO_TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  bool: 'true or false',
  int32: 'a whole number',
  int64: 'a whole number',
  array: 'a list',
  object: 'a mapping',
};

/** E.g. `unknown field "spec.containers[0].imge"`. */
function decoding(text: string, suggest: (path: string) => string | undefined): Fault {
  const [, kind, path] = /^(unknown|duplicate) field "(.*)"$/s.exec(text) ?? [];
  if (path === undefined) return { what: text };
  if (kind === 'duplicate') return { path, what: 'the field stands there twice' };
  const near = suggest(path);
  return { path, what: 'Kubernetes knows no such field', ...(near !== undefined && { hint: `Did you mean ${near}?` }) };
}

/** Without what only the server's makers read: the expression behind a rule that is told in words, and the whole object where a part of it is at fault. */
function shorter(what: string): string {
  return what
    .replace(/^Invalid value: \{.*\}: (?=\S)/s, '')
    .replace(/,? regex used for validation is '.*?'(?=\)(?:$|,))/gs, '')
    .replace(/ ?\(regex used for validation is '.*'\)$/s, '')
    .replaceAll(',  or ', ', or ');
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
