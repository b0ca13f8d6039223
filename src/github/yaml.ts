import {
  boolCoreTag,
  CORE_SCHEMA,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  load,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  type ScalarTagDefinition,
  strTag,
  YAMLException,
} from 'js-yaml';

/**
 * A scalar that YAML reads as something else than text, with the text it was written in: `1.10` is the number 1.1, and as a label or a variable's value it is `1.10`.
 */
export class Scalar {
  readonly value: number | boolean | null;
  readonly source: string;

  constructor(value: number | boolean | null, source: string) {
    this.value = value;
    this.source = source;
  }

  toString(): string {
    return this.source;
  }
}

/** What a YAML text holds, with {@link Scalar} for each scalar that is not text. */
export type Tree = string | Scalar | Tree[] | { [key: string]: Tree };

/** A fault in a YAML text. Its message never quotes the text, which may hold secrets. */
export class YamlError extends Error {
  override name = 'YamlError';
  /** The message without its place. */
  readonly reason: string;
  /** Where in the text, in UTF-16 units. */
  readonly offset: number | undefined;

  constructor(reason: string, mark?: { position: number; line: number; column: number }) {
    super(mark === undefined ? reason : `${reason} (line ${mark.line + 1}, column ${mark.column + 1})`);
    this.reason = reason;
    this.offset = mark?.position;
  }
}

/**
 * YAML 1.2's core schema, so `yes`, `n` and dates are text, with two additions that Kubernetes' own reader has:
 * a leading zero means octal (`defaultMode: 0400` became decimal 400 = mode 0620, and was accepted [measured]), and `<<` merges.
 */
const octalIntTag: ScalarTagDefinition<number> = {
  ...intCoreTag,
  resolve: (source, isExplicit, tagName) => {
    if (/^[-+]?0[0-7]+$/.test(source)) return Number.parseInt(source, 8);
    return /^[-+]?0[0-9]+$/.test(source) ? NOT_RESOLVED : intCoreTag.resolve(source, isExplicit, tagName);
  },
};

const leadingZeroIsNoFloat: ScalarTagDefinition<number> = {
  ...floatCoreTag,
  resolve: (source, isExplicit, tagName) =>
    /^[-+]?0[0-9]+$/.test(source) ? NOT_RESOLVED : floatCoreTag.resolve(source, isExplicit, tagName),
};

function keepingSource(tag: ScalarTagDefinition<number | boolean | null>) {
  return defineScalarTag(tag.tagName, {
    implicit: true,
    implicitFirstChars: tag.implicitFirstChars,
    resolve: (source, isExplicit, tagName) => {
      const value = tag.resolve(source, isExplicit, tagName);
      return value === NOT_RESOLVED ? NOT_RESOLVED : new Scalar(value, source);
    },
    identify: () => false,
  });
}

const BOOLEAN = keepingSource(boolCoreTag);
const INTEGER = keepingSource(octalIntTag);
const FLOAT = keepingSource(leadingZeroIsNoFloat);

const keyText = (key: unknown) => (key instanceof Scalar ? key.source : key);

const SCHEMA = CORE_SCHEMA.withTags(
  keepingSource(nullCoreTag),
  BOOLEAN,
  INTEGER,
  FLOAT,
  mergeTag,
  defineMappingTag(mapTag.tagName, {
    ...mapTag,
    addPair: (carrier, key, value) => mapTag.addPair(carrier, keyText(key), value),
    has: (carrier, key) => mapTag.has(carrier, keyText(key)),
  }),
);

/**
 * @returns what the one document in `text` holds; text that is empty or nothing but comments is `null`.
 * @throws YamlError with line and column.
 */
export function parseYaml(text: string): Tree {
  if (text.split('\n').every(line => /^\s*(#|$)/.test(line))) return new Scalar(null, '');
  return sized(() => load(text, { schema: SCHEMA }) as Tree);
}

/** A node as it is written, before anything of it is read. */
export interface NodePlace {
  /** A scalar's text, or that of the scalar which an alias stands for. */
  text: string | undefined;
  /** Its anchor, or the name of the alias that it is. */
  anchor: string;
  tag: string;
  isKey: boolean;
}

/** For a text of which parts are to be read in a way of their own. */
export interface NodeReader {
  /** Is shown every node, all of them before the first is read. */
  see(place: NodePlace): void;
  /**
   * @param isPlain whether the scalar stands without quotes, and so may be something else than text
   * @returns what the scalar is; `undefined` to have it read as any other
   */
  read(text: string, isPlain: boolean): string | Scalar | undefined;
}

/**
 * @returns what each document in `text` holds, but for those without any content, as between two `---`.
 * @throws YamlError with line and column.
 */
export function parseYamlDocuments(text: string, reader?: NodeReader): Tree[] {
  const documents = sized(() => {
    const events = parseEvents(text, {});
    if (reader !== undefined) for (const place of nodesOf(events, text)) reader.see(place);
    const schema = reader === undefined ? SCHEMA : schemaOf(reader);
    return constructFromEvents(events, { source: text, schema }) as Tree[];
  });
  return documents.filter(document => !(document instanceof Scalar && document.source === ''));
}

function schemaOf(reader: NodeReader) {
  const plainScalar = defineScalarTag('tag:read-by-the-caller', {
    implicit: true,
    implicitFirstChars: null,
    resolve: source => reader.read(source, true) ?? NOT_RESOLVED,
    identify: () => false,
  });
  return SCHEMA.withTags(plainScalar, { ...strTag, resolve: source => reader.read(source, false) ?? source });
}

function* nodesOf(events: Event[], text: string): Generator<NodePlace> {
  const anchored = new Map<string, string | undefined>();
  const open: { isMapping: boolean; children: number }[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    const parent = open.at(-1);
    const isKey = parent?.isMapping === true && parent.children++ % 2 === 0;
    const isMapping = event.type === EVENT_ID.MAPPING;
    if (isMapping || event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.DOCUMENT)
      open.push({ isMapping, children: 0 });
    if (event.type === EVENT_ID.DOCUMENT) continue;
    const anchor = text.slice(event.anchorStart, event.anchorEnd);
    const isAlias = event.type === EVENT_ID.ALIAS;
    const scalar = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined;
    if (!isAlias && anchor !== '') anchored.set(anchor, scalar);
    yield {
      text: isAlias ? anchored.get(anchor) : scalar,
      anchor,
      tag: 'tagStart' in event ? text.slice(event.tagStart, event.tagEnd) : '',
      isKey,
    };
  }
}

/** @returns the number or the boolean that plain text is, where it is one. */
export function numberOrBoolean(text: string): Scalar | undefined {
  for (const tag of [BOOLEAN, INTEGER, FLOAT]) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return undefined;
}

function sized<T extends Tree>(read: () => T): T {
  try {
    const tree = read();
    checkSize(tree);
    return tree;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(inOurWords(error.reason), error.mark);
  }
}

/** js-yaml's reasons that quote tags and aliases from the text, or that say little to whoever wrote it. */
const REASONS: [RegExp, string][] = [
  [/alias/, 'an alias (*) refers to no anchor, or to one that it is part of; text that begins with * needs quotes'],
  [/tag/, 'it holds a tag (!) that is unknown here; text that begins with ! needs quotes'],
  [/anchor/, 'an anchor (&) is malformed; text that begins with & needs quotes'],
  [/directive|handle/, 'a line that begins with % is malformed; text that begins with % needs quotes'],
  [
    /bad indentation of a mapping entry/,
    'bad indentation of a mapping entry, or text with a colon in it that needs quotes',
  ],
  [/complex keys/, 'a key is a list or a mapping; it has to be text, and text that begins with { or [ needs quotes'],
  [
    /end of the stream or a document separator/,
    'a line does not fit what stands above it; look at its indentation, which has to be of spaces',
  ],
  [/single document/, 'it holds more than one document; only one is expected'],
  [/input is empty/, 'it holds a document without content'],
];

function inOurWords(reason: string): string {
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? reason.replace(/"[^"]*"?/g, '...');
}

/** Far more than any pod has, and far less than a few aliases that multiply one another can make. */
const MOST_VALUES = 100_000;
/** Aliases repeat a long text at no cost to whoever writes them. */
const MOST_CHARACTERS = 16 * 2 ** 20;

/** Aliases can make a tree endless, or so large that it is as good as endless. */
function checkSize(tree: Tree): void {
  let values = 0;
  let characters = 0;
  const visit = (node: Tree, parents: Tree[]): void => {
    if (parents.includes(node)) throw new YamlError('an alias refers to what it is part of');
    if (++values > MOST_VALUES) throw new YamlError(`it holds more than ${MOST_VALUES} values`);
    if (typeof node === 'string') characters += node.length;
    if (characters > MOST_CHARACTERS) throw new YamlError(`it holds more than ${MOST_CHARACTERS} characters of text`);
    if (typeof node !== 'object' || node instanceof Scalar) return;
    for (const child of Object.values(node)) visit(child, typeof child === 'object' ? [...parents, node] : []);
  };
  visit(tree, []);
}

/** @returns the tree as YAML means it: JSON's types, and keys as they were written. */
export function plain(tree: Tree): unknown {
  if (tree instanceof Scalar) return tree.value;
  if (Array.isArray(tree)) return tree.map(plain);
  if (typeof tree === 'object')
    return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, plain(value)]));
  return tree;
}

/** @returns what was found, for an error: `the number 7`, `a list`, `nothing`. Text is not quoted, for it may be a secret. */
export function describe(tree: Tree): string {
  if (Array.isArray(tree)) return 'a list';
  if (tree instanceof Scalar) return tree.value === null ? 'nothing' : `the ${typeof tree.value} ${tree.source}`;
  if (tree === 'None') return 'None, which is text to YAML (its word for nothing is null)';
  return typeof tree === 'object' ? 'a mapping' : 'text';
}
