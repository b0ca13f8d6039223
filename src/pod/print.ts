import { DEFAULT_SCALAR_STYLE_RULES, dump, SCALAR_STYLE, type ScalarStyleRule } from 'js-yaml';
import { isObject, type Json, type JsonObject, type Path } from './json.ts';

/** Says where a value came from, or hides it. */
export interface Annotator {
  /** @returns the source of the value at `path`, e.g. `volumes` or `pod_template_file (pod.yaml)`. */
  sourceOf(path: Path): string;
  /** @returns what to show for the value at `path`. */
  shown(path: Path, value: Json): Json;
}

/**
 * Prints an object as YAML, with a comment wherever the source changes: `image: busybox   # image`.
 * The scalars, and so every quote and escape, are js-yaml's; only the lines are put together here.
 */
export function printYaml(object: JsonObject, annotator: Annotator): string {
  return `${mapping(object, [], '', annotator).join('\n')}\n`;
}

/** Text that ends in empty lines would be a block without an end of its own, which takes what follows for more of it. */
const quoteOpenEnd: ScalarStyleRule = layout => {
  if (/\n\n$/.test(layout.node.value)) layout.style = SCALAR_STYLE.DOUBLE_QUOTED;
};
const SCALAR_STYLE_RULES = [quoteOpenEnd, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)];

/** A key of one line that is a key: js-yaml writes one with line breaks as a block of its own, and leaves one that looks like the mark between two documents as it is. */
function keyText(key: string): string {
  const quoted = /[\r\n]|^(---|\.\.\.)/.test(key) && { forceQuotes: true, quoteStyle: 'double' as const };
  return quoted
    ? dump(key, { lineWidth: -1, ...quoted }).trimEnd()
    : (dumped({ [key]: 0 })[0]?.slice(0, -': 0'.length) ?? '');
}

/** @returns the lines of a mapping of one key, or of a list of one item. */
function dumped(value: Json): string[] {
  return dump(value, { lineWidth: -1, scalarStyleRules: SCALAR_STYLE_RULES }).replace(/\n$/, '').split('\n');
}

function mapping(object: JsonObject, path: Path, above: string, annotator: Annotator): string[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const place = [...path, key];
    const { source, comment } = origin(value, place, above, annotator);
    return entry(key, annotator.shown(place, value), place, source, comment, annotator);
  });
}

/** @returns the source that holds for a value and all below it, and the comment that says so where it is not that of what is above. */
function origin(value: Json, path: Path, above: string, annotator: Annotator): { source: string; comment: string } {
  const source = commonSource(value, path, annotator);
  const comment = source !== undefined && source !== above ? `  # ${source.replace(/[\s\p{Cc}]+/gu, ' ')}` : '';
  return { source: source ?? above, comment };
}

function entry(key: string, value: Json, path: Path, source: string, comment: string, annotator: Annotator): string[] {
  const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  // The line of a scalar, or that of the key with an empty list in place of what follows; `k` is put in for the key.
  const [line = '', ...rest] = dumped({ k: nested ? [] : value });
  const first = `${keyText(key)}${line.slice(1)}`;
  if (!nested) return [`${first}${comment}`, ...rest];
  const heading = `${first.replace(/ ?\[\]$/, '')}${comment}`;
  const below = Array.isArray(value) ? list(value, path, source, annotator) : mapping(value, path, source, annotator);
  return [heading, ...below.map(line => (line === '' ? '' : `  ${line}`))];
}

function list(items: Json[], path: Path, above: string, annotator: Annotator): string[] {
  return items.flatMap((item, index) => {
    const place = [...path, index];
    const { source, comment } = origin(item, place, above, annotator);
    // A block of text says how far it is indented below the list: so a line of it is not to be put together here.
    const nested = isObject(item) && Object.keys(item).length > 0;
    const [first = '', ...rest] = nested
      ? mapping(item, place, source, annotator).map((line, at) =>
          line === '' ? '' : `${at === 0 ? '- ' : '  '}${line}`,
        )
      : dumped([annotator.shown(place, item)]);
    return [`${first}${comment}`, ...rest];
  });
}

/** @returns the one source of a value and all below it; `undefined` where there are several. */
function commonSource(value: Json, path: Path, annotator: Annotator): string | undefined {
  const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!nested) return annotator.sourceOf(path);
  const sources = new Set(
    Object.entries(value).map(([key, child]) =>
      commonSource(child as Json, [...path, Array.isArray(value) ? Number(key) : key], annotator),
    ),
  );
  const [only] = sources;
  return sources.size === 1 ? only : undefined;
}
