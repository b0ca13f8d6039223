import { isMapping, isNull, isScalar } from '../github/inputs/reader.ts';
import { describe, plain, Scalar, type Tree } from '../github/yaml.ts';
import { isObject, type Json, type JsonObject, type Path, pathText } from './json.ts';
import { isMistyped } from './mistyped.ts';
import { conformDirective, type DirectivePlace } from './patch-directives.ts';
import { spellOut } from './positional.ts';
import { type FieldType, fieldNamed, fieldsOf, itemKey, itemType, mergeKeys, uniqueKeys, valueType } from './schema.ts';
import { dollars } from './template/marks.ts';

/** Takes note of a problem. @param path the place in the input, e.g. `[1].mountPath` */
export type Report = (path: string, sentence: string) => void;

/** Where the fields belong that people write at the top of a pod. */
const HOMES: Record<FieldType, [place: string, model: FieldType][]> = {
  V1Pod: [
    ['under metadata', 'V1ObjectMeta'],
    ['under spec', 'V1PodSpec'],
  ],
  V1ObjectMeta: [['beside metadata', 'V1Pod']],
  V1PodSpec: [['into a container, under spec.containers', 'V1Container']],
};

/** Fields of text that have a None of Kubernetes' own. */
const OWN_NONE = ['mountPropagation', 'dnsPolicy', 'value', 'restartPolicy'];

/** Values above are rounded by JSON's readers in JavaScript, so they could not be passed on as they are. */
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * Makes of what the user wrote the JSON that the API takes for a field of this type.
 * Keys get the API's own spelling; text keeps the characters that it was written with, so `value: 1.10` is "1.10"; what is the user's (labels, names of variables, keys of a ConfigMap) stays as it is.
 * A field that is not known is passed on untouched, for the cluster may be newer than this table, and the server refuses what it does not know (`fieldValidation=Strict`). Only what looks like a mistyped known one is refused here.
 * @param strategic whether the directives of a strategic merge patch (`$patch` and the like) may stand in it
 * @returns `undefined` where there is nothing usable; the report says why
 */
export function conform(tree: Tree, type: FieldType, report: Report, strategic = false): Json | undefined {
  return new Conformer(report, strategic ? 'followed' : 'refused').value(tree, type, []);
}

/** As {@link conform}, for a field of a model: two items of one name in its list are a problem too. */
export function conformField(tree: Tree, model: FieldType, field: string, report: Report): Json | undefined {
  return new Conformer(report, 'refused').field(tree, model, field, []);
}

/** What becomes of the directives of a strategic merge patch; `idle` in a list that is replaced as a whole, where they have nothing to act on. */
type Directives = 'followed' | 'refused' | 'idle';

/** Whether Kubernetes replaces `$(NAME)` in the text at `path`: in the command and the variables of a container, and in a path that says so. */
function isExpanded(path: Path): boolean {
  const [before, list, last] = path.slice(-3);
  if (last === 'subPathExpr') return true;
  if (last === 'value') return before === 'env';
  return typeof before === 'number' && (list === 'command' || list === 'args');
}

function withoutMarks(value: Json): Json {
  if (typeof value === 'string') return dollars(value, false);
  if (Array.isArray(value)) return value.map(withoutMarks);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withoutMarks(child)]));
}

class Conformer {
  private readonly report: Report;
  private readonly directives: Directives;

  constructor(report: Report, directives: Directives) {
    this.report = report;
    this.directives = directives;
  }

  field(tree: Tree, model: FieldType, field: string, path: Path): Json | undefined {
    const strategic = this.directives !== 'refused';
    const value = this.value(tree, fieldNamed(model, field)?.type ?? 'any', path, mergeKeys(model, field, strategic));
    const keys = uniqueKeys(model, field, strategic);
    if (keys !== undefined && Array.isArray(value)) this.duplicates(value, keys, path);
    return value;
  }

  /** @param keys by which the items of this list, or of the list that this is an item of, are merged */
  value(tree: Tree, type: FieldType, path: Path, keys?: string[]): Json | undefined {
    if (isNull(tree)) return null;
    const item = itemType(type);
    if (item !== undefined) return this.list(tree, item, path, keys);
    const value = valueType(type);
    if (value !== undefined) return this.mapping(tree, value, path);
    if (fieldsOf(type) !== undefined) return this.model(tree, type, path, keys);
    switch (type) {
      case 'string':
        return this.text(tree, path);
      case 'number':
        return this.number(tree, path);
      case 'boolean':
        return this.boolean(tree, path);
      case 'IntOrString':
        return isScalar(tree) ? this.plain(tree, path) : this.wrong(tree, 'a number or text', path);
      default:
        return this.plain(tree, path);
    }
  }

  private list(tree: Tree, item: FieldType, path: Path, keys?: string[]): Json | undefined {
    if (!Array.isArray(tree))
      return this.mismatch(tree, 'a list', path, isMapping(tree) ? ' Write [{...}] for a list of one.' : '');
    const whole = keys === undefined && this.directives === 'followed';
    const conformer = whole ? new Conformer(this.report, 'idle') : this;
    return tree.flatMap((element, index) => {
      const where = [...path, index];
      const value = conformer.value(element, item, where, keys);
      if (value === null) this.say(where, 'expected a value, found nothing. Remove the item, or write what is meant.');
      return value === undefined || value === null ? [] : [value];
    });
  }

  private mapping(tree: Tree, type: FieldType, path: Path): Json | undefined {
    if (!isMapping(tree)) return this.mismatch(tree, 'a mapping such as {key: value}', path);
    return this.object(Object.entries(tree), (key, child) => {
      const where = [...path, key];
      if (key === '$patch' && this.directives === 'followed') return this.directive({ tree, key, path: where });
      return [key, this.value(child, type, where)];
    });
  }

  private model(tree: Tree, model: FieldType, path: Path, keys?: string[]): Json | undefined {
    if (!isMapping(tree)) {
      const meant = spellOut(tree, model);
      return this.mismatch(tree, 'a mapping', path, meant && ` Write ${meant}.`);
    }
    const spelt = new Map<string, string>();
    return this.object(Object.entries(tree), (key, child) => {
      const where = [...path, key];
      if (key.startsWith('$')) return this.directive({ tree, model, key, path: where, keys });
      const field = fieldNamed(model, key);
      if (field === undefined) return this.unknown(tree, model, key, where);
      const before = spelt.get(field.name);
      if (before !== undefined) this.say(where, `is the same field as ${before}. Keep one of them.`);
      spelt.set(field.name, key);
      // Python's word for nothing, as the value of a field; among the user's own words it is one of them.
      if (child === 'None' && !OWN_NONE.includes(field.name)) return [field.name, null];
      return [field.name, this.field(child, model, field.name, where)];
    });
  }

  private unknown(
    tree: { [key: string]: Tree },
    model: FieldType,
    key: string,
    path: Path,
  ): [string, Json | undefined] {
    const child = tree[key] ?? '';
    const meant = [...(fieldsOf(model)?.keys() ?? [])].find(name => isMistyped(key, name));
    const home = HOMES[model]?.find(([, inside]) => fieldNamed(inside, key) !== undefined)?.[0];
    if (home) this.say(path, `belongs ${home}. Is it indented as it should be?`);
    else if (meant !== undefined) {
      this.say(path, `there is no such field. Did you mean ${meant}?`);
      // Read as what is meant, so that it is not missing too, and what is wrong within it is told.
      return Object.hasOwn(tree, meant) ? [key, undefined] : [meant, this.field(child, model, meant, path)];
    }
    return [key, this.plain(child, path)];
  }

  private directive(place: DirectivePlace): [string, Json | undefined] {
    if (this.directives === 'followed')
      return conformDirective(
        place,
        sentence => this.say(place.path, sentence),
        type => this.value(place.tree[place.key] ?? '', type, place.path),
      );
    const idle = 'the list that it stands in is replaced as a whole. Write it as it is to be, without directives.';
    const refused = 'directives of a strategic merge patch are for pod_patch alone.';
    this.say(place.path, this.directives === 'idle' ? idle : refused);
    return [place.key, undefined];
  }

  /** Two items of one name in one list are one too many: the server refuses them, or takes the last without a word. */
  private duplicates(items: Json[], keys: string[], path: Path): void {
    const seen = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const key = itemKey(item, keys);
      if (key === undefined) continue;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else
        this.say(
          [...path, index],
          `has the same ${keys[0]} (${keys.length === 1 ? key : key.replace(/\/+$/, '')}) as ${path.length === 0 ? `item ${first}` : pathText([...path, first])}. Remove or rename one of them.`,
        );
    }
  }

  private text(tree: Tree, path: Path): Json {
    return isScalar(tree) ? dollars(String(tree), isExpanded(path)) : this.wrong(tree, 'text', path);
  }

  private number(tree: Tree, path: Path): Json {
    if (!(tree instanceof Scalar) || typeof tree.value !== 'number')
      return this.wrong(
        tree,
        'a number',
        path,
        typeof tree === 'string' && /^[0-9.]+$/.test(tree) ? ' Remove the quotes around it.' : '',
      );
    if (Number.isInteger(tree.value) && Math.abs(tree.value) <= MOST) return tree.value;
    if (Math.abs(tree.value) <= MOST) return this.wrong(tree, 'a whole number', path);
    this.say(path, `${tree.source} is not a number that can be passed on exactly; the largest is ${MOST}.`);
    return tree.value;
  }

  private boolean(tree: Tree, path: Path): Json {
    if (tree instanceof Scalar && typeof tree.value === 'boolean') return tree.value;
    const quoted = typeof tree === 'string' && /^(true|false)$/i.test(tree);
    return this.wrong(tree, 'true or false', path, quoted ? ' Remove the quotes around it.' : '');
  }

  /** What is not known, or may be of several types, is passed on as YAML reads it. */
  private plain(tree: Tree, path: Path): Json | undefined {
    const value = withoutMarks(plain(tree) as Json);
    const tooLarge = (node: Json): boolean =>
      typeof node === 'number'
        ? Math.abs(node) > MOST
        : typeof node === 'object' && node !== null && Object.values(node).some(tooLarge);
    if (!tooLarge(value)) return value;
    this.say(
      path,
      `holds a number that cannot be passed on exactly; the largest is ${MOST}. Quote it if it is meant as text.`,
    );
    return undefined;
  }

  private object(
    entries: [string, Tree][],
    convert: (key: string, child: Tree) => [string, Json | undefined],
  ): JsonObject {
    // Of plain prototype, yet safe from a key such as __proto__.
    return Object.fromEntries(
      entries.flatMap(([key, child]) => {
        const [name, value] = convert(key, child);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  private mismatch(tree: Tree, expected: string, path: Path, hint = ''): undefined {
    this.say(path, `expected ${expected}, found ${describe(tree)}.${hint}`);
  }

  /** A single value of the wrong type stays as it is written, so that nobody takes it for missing too. */
  private wrong(tree: Tree, expected: string, path: Path, hint = ''): Json {
    this.mismatch(tree, expected, path, hint);
    return plain(tree) as Json;
  }

  private say(path: Path, sentence: string): void {
    const text = pathText(path);
    this.report(typeof path[0] === 'number' || text === '' || text.startsWith('[') ? text : `.${text}`, sentence);
  }
}
