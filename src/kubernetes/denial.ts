/** A request that the API server's authorisation, RBAC as a rule, does not allow. */
export interface Denial {
  /** Whatever the identity provider calls the user: any text. */
  user: string;
  verb: string;
  /** With the subresource. */
  resource: string;
  /** Absent where the request was for the whole cluster. */
  namespace?: string;
  /** What the authoriser adds, such as a Role that a RoleBinding names and nobody has made. */
  why?: string;
}

/** The server's own words from their beginning, for a webhook or a policy that refuses the pod can say anything behind its own. */
const DENIED =
  /^\S+ (?:"[^"]*" )?is forbidden: User ("(?:[^"\\]|\\.)*") cannot (\S+) resource "([^"]*)" in API group "[^"]*"(?: in the namespace "([^"]*)"| at the cluster scope)?(?:: (.+))?/s;

/** @returns what was denied, and to whom, if that is what the message of a 403 says; `undefined` for every other 403. */
export function denialOf(message: string): Denial | undefined {
  const [, quoted, verb, resource, namespace, why] = DENIED.exec(message) ?? [];
  if (quoted === undefined || verb === undefined || resource === undefined) return undefined;
  const user = unquoted(withoutEntities(quoted));
  if (user === undefined) return undefined;
  return { user, verb, resource, ...(namespace !== undefined && { namespace }), ...(why !== undefined && { why }) };
}

/** The server writes these three so that no browser takes its answer for HTML (apiserver, responsewriters/errors.go). */
function withoutEntities(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name] ?? '');
}

const ESCAPES: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** @returns the text that Go has quoted (`%q`); `undefined` where it holds bytes that are none. */
function unquoted(quoted: string): string | undefined {
  let isText = true;
  const text = quoted
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g,
      (_, byte?: string, four?: string, eight?: string, letter = '') => {
        const hex = byte ?? four ?? eight;
        if (hex === undefined) return ESCAPES[letter] ?? letter;
        const code = Number.parseInt(hex, 16);
        isText &&= (byte === undefined || code < 0x80) && code <= 0x10ffff;
        return isText ? String.fromCodePoint(code) : '';
      },
    );
  return isText ? text : undefined;
}
