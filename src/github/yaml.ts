import {
  boolCoreTag,
  CORE_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  floatCoreTag,
  intCoreTag,
  load,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  type ScalarTagDefinition,
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

const keyText = (key: unknown) => (key instanceof Scalar ? key.source : key);

const SCHEMA = CORE_SCHEMA.withTags(
  keepingSource(nullCoreTag),
  keepingSource(boolCoreTag),
  keepingSource(octalIntTag),
  keepingSource(leadingZeroIsNoFloat),
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
  try {
    const tree = load(text, { schema: SCHEMA }) as Tree;
    checkSize(tree);
    return tree;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const at = error.mark === undefined ? '' : ` (line ${error.mark.line + 1}, column ${error.mark.column + 1})`;
    throw new YamlError(`${inOurWords(error.reason)}${at}`);
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
  [/complex keys/, 'a key is a list or a mapping; it has to be text'],
  [/single document/, 'it holds more than one document; only one is expected'],
  [/input is empty/, 'it holds a document without content'],
];

function inOurWords(reason: string): string {
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? reason.replace(/"[^"]*"?/g, '...');
}

/** Far more than any pod has, and far less than a few aliases that multiply one another can make. */
const MOST_VALUES = 100_000;

/** Aliases can make a tree endless, or so large that it is as good as endless. */
function checkSize(tree: Tree): void {
  let values = 0;
  const visit = (node: Tree, parents: Tree[]): void => {
    if (parents.includes(node)) throw new YamlError('an alias refers to what it is part of');
    if (++values > MOST_VALUES) throw new YamlError(`it holds more than ${MOST_VALUES} values`);
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
  return typeof tree === 'object' ? 'a mapping' : 'text';
}
