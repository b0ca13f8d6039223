import { createScanner, visit } from 'jsonc-parser';

/** JSON, or what is wrong with it. */
export type Read = { text: string } | { fault: string; remedy: string };

/** In characters, of what is shown on either side of a fault. */
const SHOWN = 30;
const BYTE_ORDER_MARK = /^\ufeff/;

/**
 * Reads what a container wrote as JSON.
 * @param secrets what is not to be shown of it
 * @returns its text as it stands, without white space around it and a byte order mark, which a reader may pass over (RFC 8259, 8.1); or what is wrong with it, and where
 */
export function readJson(bytes: Uint8Array, secrets: Iterable<string> = []): Read {
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
  const fault = faultIn(decoded, secrets);
  return fault ?? { text: decoded.trim() };
}

/** Whether there is nothing in it but white space. */
export function isBlank(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString('utf8').replace(BYTE_ORDER_MARK, '').trim() === '';
}

/**
 * @param secrets what is not to be shown of it
 * @returns what keeps a text from being JSON, and where, in lines and columns from 1; nothing where it is
 */
export function faultIn(text: string, secrets: Iterable<string> = []): { fault: string; remedy: string } | undefined {
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
    const place = placeIn(covered(json, secrets), at);
    return {
      fault: `${what} at line ${line}, column ${column}${place === undefined ? '' : `: ${place}`}`,
      remedy: remedyFor(what, json, at),
    };
  }
}

/** @returns what stands at the fault, as far as it can be shown whole: of a secret in it, half would be shown, for the runner masks whole ones alone */
function placeIn(json: string, at: number): string | undefined {
  const { before, within, after } = wordsAround(json, at);
  if (within !== undefined) return within.length > 2 * SHOWN ? undefined : `in \`${excerpt(within)}\``;
  const [behind, ahead] = [excerpt(before), excerpt(after)];
  if (json === '') return 'it is empty';
  if (at === 0) return ahead === '' ? undefined : `it begins with \`${ahead}\``;
  if (at === json.length) return behind === '' ? 'it ends there' : `it ends after \`${behind}\``;
  if (behind === '') return ahead === '' ? undefined : `there stands \`${ahead}\``;
  return ahead === '' ? `it comes after \`${behind}\`` : `after \`${behind}\` comes \`${ahead}\``;
}

/** The scanner's kinds of what is no token of JSON's, and of the end (SyntaxKind, a const enum, which cannot be imported). */
const [UNKNOWN, END] = [16, 17];
/** Shorter ones would be found everywhere. */
const LEAST_SECRET = 4;

/** @returns the text with an asterisk for each character of a secret, as it is or as JSON writes it: so a secret is one word, however it may look. */
function covered(text: string, secrets: Iterable<string>): string {
  const all = [...secrets].flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1)]);
  return all
    .filter(secret => secret.trim().length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, found => '*'.repeat(found.length)), text);
}

/** What can be a part of a word, quoted or not. */
const OF_A_WORD = /[^\s{}[\],:"]/;

/** @returns the words on either side of a place, each whole and as many as can be shown; or the one that it is in the middle of */
function wordsAround(json: string, at: number): { before: string; within?: string; after: string } {
  const within = (from: number, to: number) => ({ before: '', within: json.slice(from, to), after: '' });
  const isOfAWord = (place: number) => OF_A_WORD.test(json[place] ?? ' ');
  let [from, to] = [at, at];
  let isText = false;
  const scanner = createScanner(json);
  for (let kind: number = scanner.scan(); kind !== END; kind = scanner.scan()) {
    const start = scanner.getTokenOffset();
    const end = start + scanner.getTokenLength();
    if (start < at) {
      if (end > at) return within(start, end);
      if (start >= at - SHOWN) from = Math.min(from, start);
      continue;
    }
    if (end - at > SHOWN) break;
    isText ||= kind === UNKNOWN;
    // What is no JSON may have any character in it: it ends for certain only where a value would.
    if (isText ? /^[\s,}\]]?$/.test(json[end] ?? '') : !(isOfAWord(end - 1) && isOfAWord(end))) to = end;
  }
  if (isOfAWord(at - 1) && isOfAWord(at)) {
    let [start, end] = [at, at];
    while (isOfAWord(start - 1)) start--;
    while (isOfAWord(end)) end++;
    return within(start, end);
  }
  return { before: json.slice(from, at).trimStart(), after: json.slice(at, to) };
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
function remedyFor(what: string, json: string, at: number): string {
  const ahead = json.slice(at, at + SHOWN);
  if (/^-?(nan|inf(inity)?)\b/i.test(ahead))
    return 'JSON has neither NaN nor infinities: write null in their place. In Python, json.dumps(allow_nan=False) finds them.';
  if (/^('|True|False|None)/.test(ahead)) return 'This is how Python prints: write it by json.dumps().';
  if (/^[A-Za-z_][\w-]*\s*:/.test(ahead))
    return 'Keys need quotation marks, which a shell takes away unless they stand in single ones: echo \'{"rows": 1}\'.';
  if (/^[\]}]/.test(ahead) && /,\s*$/.test(json.slice(0, at))) return 'JSON takes no comma behind the last value.';
  if (/^(\/[/*]|#)/.test(ahead)) return 'JSON has no comments.';
  if (what.startsWith('Bad control character'))
    return 'In text a line break or another control character has to be escaped, as \\n, which every JSON library does.';
  if (/^Bad (escaped|Unicode)/.test(what))
    return 'In text a backslash has to be escaped, as \\\\, which every JSON library does.';
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
