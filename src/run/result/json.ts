import { visit } from 'jsonc-parser';

/** JSON, or what is wrong with it. */
export type Read = { text: string } | { fault: string; remedy: string };

/** In characters, of what is shown on either side of a fault. */
const SHOWN = 30;
const BYTE_ORDER_MARK = /^\ufeff/;

/**
 * Reads what a container wrote as JSON.
 * @returns its text as it stands, without white space around it and a byte order mark, which a reader may pass over (RFC 8259, 8.1); or what is wrong with it, and where
 */
export function readJson(bytes: Uint8Array): Read {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return {
      fault: 'it is UTF-16, and JSON has to be UTF-8',
      remedy: 'Write UTF-8; in Windows PowerShell by `Out-File -Encoding utf8`.',
    };
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return {
      fault: `byte ${firstBadByte(bytes)} is no UTF-8`,
      remedy: 'Write UTF-8; bytes that are no text can be written as base64.',
    };
  }
  const fault = faultIn(decoded);
  return fault ?? { text: decoded.trim() };
}

/** Whether there is nothing in it but white space. */
export function isBlank(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString('utf8').replace(BYTE_ORDER_MARK, '').trim() === '';
}

/** @returns what keeps a text from being JSON, and where, in lines and columns from 1; nothing where it is. */
export function faultIn(text: string): { fault: string; remedy: string } | undefined {
  const json = text.replace(BYTE_ORDER_MARK, '');
  try {
    JSON.parse(json);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const at = positionOf(message, json);
    const what = kindOf(message);
    if (at === undefined) return { fault: what, remedy: REMEDY };
    const before = json.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    return {
      fault: `${what} at line ${line}, column ${column}: ${place(before.slice(-SHOWN), json.slice(at, at + SHOWN))}`,
      remedy: remedyFor(json, at),
    };
  }
}

function place(before: string, after: string): string {
  const [behind, ahead] = [excerpt(before), excerpt(after)];
  if (before === '') return after === '' ? 'it is empty' : `it begins with \`${ahead}\``;
  return after === '' ? `it ends after \`${behind}\`` : `after \`${behind}\` comes \`${ahead}\``;
}

/** @returns the fault in V8's words, without where it is, which they say in their own way. Of text that cannot begin a value they name a character from within. */
function kindOf(message: string): string {
  return /^(Unexpected token|")/.test(message) ? 'Unexpected text' : message.replace(/( in JSON)? at position.*$/s, '');
}

/** Line breaks, and what else acts on who reads it, are shown as JSON can write them. */
function excerpt(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, one => {
    const short = JSON.stringify(one).slice(1, -1);
    if (short !== one) return short;
    return Array.from({ length: one.length }, (_, at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    );
  });
}

const REMEDY = 'Write JSON (text needs quotation marks), or set `do_xcom_push: false`.';

/** @returns what to do about the faults that are made most. */
function remedyFor(json: string, at: number): string {
  const ahead = json.slice(at, at + SHOWN);
  if (/^-?(NaN|Infinity)/.test(ahead))
    return 'JSON has neither NaN nor infinities: write null in their place. In Python, json.dumps(allow_nan=False) finds them.';
  if (/^('|True|False|None)/.test(ahead)) return 'This is how Python prints: write it by json.dumps().';
  if (/^[A-Za-z_][\w-]*\s*:/.test(ahead))
    return 'Keys need quotation marks, which a shell takes away unless they stand in single ones: echo \'{"rows": 1}\'.';
  if (at === json.length) return 'It breaks off: was it whole when the container ended?';
  if (/^[[{"]/.test(ahead) && faultIn(json.slice(0, at)) === undefined)
    return 'Write one value: a second one is behind the first, as when a file is appended to. Several belong into a list.';
  return REMEDY;
}

/** V8 says where, save for a token that cannot begin a value. */
function positionOf(message: string, json: string): number | undefined {
  const said = /at position (\d+)/.exec(message)?.[1];
  if (said !== undefined) return Number(said);
  if (/^Unexpected end/.test(message)) return json.length;
  const offsets: number[] = [];
  try {
    visit(json, { onError: (_, offset) => offsets.push(offset) }, { disallowComments: true });
  } catch {
    // Nested deeper than the stack.
  }
  return offsets[0];
}

/** @returns the number, from 1, of the first byte of what is no character. */
function firstBadByte(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    // The piece may end in the middle of a character.
    if (decodes(bytes.subarray(0, middle), true)) good = middle;
    else bad = middle;
  }
  // What comes before may be the beginning of one that does not go on.
  while (good > 0 && !decodes(bytes.subarray(0, good), false)) good--;
  return good + 1;
}

function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
