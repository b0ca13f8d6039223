/**
 * How GitHub's runner finds a workflow command in a line of output (actions/runner, src/Runner.Common/ActionCommand.cs).
 * One difference is left out: the runner compares `::` and `##[` with the machine's culture, which skips over zero-width characters; here they are
 * compared as they are.
 */

export interface WorkflowCommand {
  /** Lower case: the runner compares names without case. */
  name: string;
  /** As written; the runner looks them up without case, as {@link property} does. */
  properties: Record<string, string>;
  data: string;
  /** `v2` is `::name k=v::data` at the start of a line, `v1` is `##[name k=v]data` anywhere in it. */
  form: 'v1' | 'v2';
}

/** Commands the runner knows (the extensions in ActionCommandManager.cs, and `stop-commands` of the manager itself). */
export const registeredCommands: readonly string[] = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
];

type Escapes = readonly (readonly [escaped: string, plain: string])[];
/** `%25` comes last in all three, so that `%250A` becomes `%0A` and not a newline. */
const v2Data: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%25', '%'],
];
const v2Property: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%3A', ':'],
  ['%2C', ','],
  ['%25', '%'],
];
const v1: Escapes = [
  ['%3B', ';'],
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%5D', ']'],
  ['%25', '%'],
];

/** `registered` holds lower-case names. A line that is both (V2 with a V1 in its data) is read as V2, as TryProcessCommand does. */
export function parseCommand(line: string, registered: ReadonlySet<string>): WorkflowCommand | undefined {
  return parseV2(line, registered) ?? parseV1(line, registered);
}

export function property(command: WorkflowCommand, name: string): string | undefined {
  const key = Object.keys(command.properties).find(known => known.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : command.properties[key];
}

function parseV2(line: string, registered: ReadonlySet<string>): WorkflowCommand | undefined {
  const message = trimStart(line);
  if (!message.startsWith('::')) return undefined;
  const end = message.indexOf('::', 2);
  if (end < 0) return undefined;
  const head = splitHead(message.slice(2, end), registered);
  if (!head) return undefined;
  return {
    name: head.name,
    properties: readProperties(head.rest?.trim(), ',', v2Property),
    data: decode(message.slice(end + 2), v2Data),
    form: 'v2',
  };
}

function parseV1(line: string, registered: ReadonlySet<string>): WorkflowCommand | undefined {
  // Only the first `##[` counts: the runner does not look further when it is no command.
  const start = line.indexOf('##[');
  if (start < 0) return undefined;
  const end = line.indexOf(']', start);
  if (end < 0) return undefined;
  const head = splitHead(line.slice(start + 3, end), registered);
  if (!head) return undefined;
  return {
    name: head.name,
    properties: readProperties(head.rest, ';', v1),
    data: decode(line.slice(end + 1), v1),
    form: 'v1',
  };
}

function splitHead(head: string, registered: ReadonlySet<string>): { name: string; rest?: string } | undefined {
  const space = head.indexOf(' ');
  const name = (space < 0 ? head : head.slice(0, space)).toLowerCase();
  if (!registered.has(name)) return undefined;
  return space > 0 ? { name, rest: head.slice(space + 1) } : { name };
}

/** .NET's Split(count: 2, RemoveEmptyEntries) skips every `=` before the key and before the value; a pair without a value is dropped. */
function readProperties(text: string | undefined, separator: string, escapes: Escapes): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const pair of text?.split(separator) ?? []) {
    const [, key, value] = /^=*([^=]+)=+([^=].*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) continue;
    const known = Object.keys(properties).find(name => name.toLowerCase() === key.toLowerCase());
    properties[known ?? key] = decode(value, escapes);
  }
  return properties;
}

function decode(text: string, escapes: Escapes): string {
  return escapes.reduce((result, [escaped, plain]) => result.replaceAll(escaped, plain), text);
}

/** .NET's TrimStart: unlike JavaScript's it takes U+0085 and leaves U+FEFF. */
function trimStart(text: string): string {
  return text.replace(/^[\t-\r\x85\p{Z}]+/u, '');
}
