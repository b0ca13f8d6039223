import { isNull, isScalar } from '../github/inputs/reader.ts';
import { describe, type Tree } from '../github/yaml.ts';
import type { Json, Path } from './json.ts';
import { type FieldType, fieldNamed, fieldsOf, itemType } from './schema.ts';

/** Where a directive of a strategic merge patch stands. */
export interface DirectivePlace {
  /** The mapping that it is in. */
  tree: { [key: string]: Tree };
  /** What that mapping is; absent where its keys are the user's. */
  model?: FieldType;
  /** The directive. */
  key: string;
  path: Path;
  /** What the item that it stands in is known by; absent where it is no item of a list. */
  keys?: string[] | undefined;
}

/**
 * Checks a directive for what it would do unsaid: the server follows some of these, and drops what stands beside them.
 * @param as reads its value as one of that type
 * @returns the directive with the API's own names, and its value; `undefined` for one that cannot be followed
 */
export function conformDirective(
  place: DirectivePlace,
  say: (sentence: string) => void,
  as: (type: FieldType) => Json | undefined,
): [string, Json | undefined] {
  const { key, model } = place;
  const [, field] = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key) ?? [];
  if (key === '$patch') return [key, patch(place, say)];
  if (model !== undefined && key === '$retainKeys') return [key, retainedKeys(place, model, say)];
  if (model !== undefined && field !== undefined) return deletedWords(model, field, say, as);
  say('expected $patch, $retainKeys or $deleteFromPrimitiveList/FIELD: no other directive is known here.');
  return [key, undefined];
}

function patch({ tree, key, path, keys = [] }: DirectivePlace, say: (sentence: string) => void): Json | undefined {
  const value = tree[key] ?? '';
  const what = String(value);
  if (!isScalar(value) || !['delete', 'replace', 'merge'].includes(what)) {
    say(`expected delete, replace or merge, found ${isScalar(value) ? `"${what}"` : describe(value)}.`);
    return undefined;
  }
  if (what !== 'delete') return what;
  const others = Object.keys(tree).filter(other => other !== key);
  const [lost] = others.filter(other => !keys.includes(other));
  if (path.length === 1) say('would take the whole pod away.');
  else if (keys.length > 0 && !others.some(other => keys.includes(other)))
    say(`expected a ${keys[0]} beside it, to say which item is to be deleted.`);
  else if (lost !== undefined)
    say(`delete would take ${lost} away too, which stands beside it. To set it anew, write replace.`);
  return what;
}

function retainedKeys(
  { tree, key }: DirectivePlace,
  model: FieldType,
  say: (sentence: string) => void,
): Json | undefined {
  const listed = tree[key] ?? '';
  if (!Array.isArray(listed) || !listed.every(isScalar)) {
    say(`expected a list of fields, found ${describe(listed)}.`);
    return undefined;
  }
  const canonical = (name: string) => fieldNamed(model, name)?.name ?? name;
  const retained = listed.map(name => canonical(String(name)));
  for (const [other, value] of Object.entries(tree))
    if (!other.startsWith('$') && !isNull(value) && !retained.includes(canonical(other)))
      say(`lacks ${other}, which stands beside it and would be lost.`);
  return retained;
}

function deletedWords(
  model: FieldType,
  field: string,
  say: (sentence: string) => void,
  as: (type: FieldType) => Json | undefined,
): [string, Json | undefined] {
  const { name, type } = fieldNamed(model, field) ?? { name: field, type: 'any' };
  const item = itemType(type);
  if (item !== undefined && fieldsOf(item) === undefined) return [`$deleteFromPrimitiveList/${name}`, as(type)];
  say(`${field} is no list of words or numbers. To delete an item by its name, write $patch: delete in it.`);
  return [name, undefined];
}
