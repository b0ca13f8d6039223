import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/pod/json.ts';
import { excludedBy, type FieldType, fieldsOf, itemKey, itemType, mergeKeys, valueType } from '../../src/pod/schema.ts';

/** Pods of the right types, made from the table of fields itself: any field at any depth, with values that no cluster would take. */

const text = fc.oneof(
  fc.constantFrom('', 'a', 'yes', '1.10', '0400', ' x ', 'a: b', '#', 'é\n- c', '{{ x }}', '__proto__', 'null'),
  fc.string(),
);
/** Few, so that two layers often speak of one item. */
const name = fc.constantFrom('a', 'b', 'base');
const number = fc.oneof(fc.constantFrom(0, 1, 80, 256), fc.integer());
/** Keys of the user's, some of which every object inherits. */
const userKey = fc.constantFrom('a', 'b.io/c', 'constructor', '__proto__', 'toString', 'host_ip', '1', '', 'A_b');

const DEEPEST = 7;
const MOST_FIELDS = 4;
/** What makes for pods that have something in common. */
const OFTEN: Record<FieldType, string[]> = {
  V1Pod: ['spec', 'metadata'],
  V1PodSpec: ['containers', 'volumes', 'initContainers', 'tolerations', 'securityContext'],
  V1Container: ['env', 'volumeMounts', 'ports', 'resources', 'securityContext', 'envFrom'],
};

function someOf(type: FieldType, depth: number, keys: string[] | undefined): fc.Arbitrary<Json> {
  const item = itemType(type);
  if (item !== undefined) return listOf(item, depth, keys);
  const value = valueType(type);
  if (value !== undefined)
    return fc.dictionary(userKey, someOf(value, depth + 1, undefined), { maxKeys: 3, noNullPrototype: true }) as never;
  if (fieldsOf(type) !== undefined) return modelOf(type, depth);
  if (type === 'number') return number;
  if (type === 'boolean') return fc.boolean();
  return type === 'IntOrString' ? fc.oneof(number, text) : text;
}

function listOf(item: FieldType, depth: number, keys: string[] | undefined): fc.Arbitrary<Json[]> {
  const items = depth > DEEPEST && fieldsOf(item) !== undefined ? fc.constant({}) : someOf(item, depth + 1, undefined);
  if (keys === undefined) return fc.array(items, { maxLength: 2 });
  const named = fc.tuple(items, fc.tuple(...keys.map(() => name))).map(([fields, names]) => {
    const known = keys.flatMap((key, at): [string, Json][] =>
      key.includes('.') ? [] : [[key, keyed(key, names[at])]],
    );
    return { ...(fields as JsonObject), ...Object.fromEntries(known) };
  });
  return fc.uniqueArray(named, { selector: value => itemKey(value, keys), maxLength: 3 });
}

function keyed(key: string, text = ''): Json {
  return key === 'containerPort' ? text.length * 80 : text;
}

function modelOf(model: FieldType, depth: number): fc.Arbitrary<JsonObject> {
  const fields = [...(fieldsOf(model)?.values() ?? [])].filter(({ type }) => type !== 'any');
  if (depth > DEEPEST) return fc.constant({});
  return fc
    .tuple(
      fc.shuffledSubarray(fields, { maxLength: Math.min(MOST_FIELDS, fields.length) }),
      fc.subarray(fields.filter(field => OFTEN[model]?.includes(field.name))),
    )
    .chain(([some, often]) => {
      const chosen = new Map([...often, ...some].map(field => [field.name, field]));
      for (const field of chosen.keys()) for (const other of excludedBy(model, field)) chosen.delete(other);
      return fc.record(
        Object.fromEntries(
          [...chosen.values()].map(field => [
            field.name,
            someOf(field.type, depth + 1, mergeKeys(model, field.name, false)),
          ]),
        ),
        { noNullPrototype: true },
      ) as fc.Arbitrary<JsonObject>;
    });
}

/** A pod, or a part of one. */
export const anyPod: fc.Arbitrary<JsonObject> = modelOf('V1Pod', 0);

/** One with null in some places: what takes away. */
export const anyLayer: fc.Arbitrary<JsonObject> = fc
  .tuple(anyPod, fc.infiniteStream(fc.integer({ min: 0, max: 11 })))
  .map(([pod, dice]) => withNulls(pod, () => dice.next().value === 0) as JsonObject);

/** Nothing in a list is null, nor below a list that is taken as a whole. */
function withNulls(value: Json, isNulled: () => boolean, type = 'V1Pod'): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const keys = mergeKeys(type, key, false);
      if (keys?.includes(key) || (key === 'name' && type !== 'V1ObjectMeta')) return [key, child];
      const field = fieldsOf(type)?.get(key)?.type ?? valueType(type) ?? 'any';
      if (isNulled() && key !== 'containerPort') return [key, null];
      if (!Array.isArray(child) || keys === undefined) return [key, withNulls(child, isNulled, field)];
      const inItem = (item: Json) => ({
        ...(withNulls(item, isNulled, itemType(field)) as JsonObject),
        ...Object.fromEntries(keys.flatMap(name => entryOf(item as JsonObject, name))),
      });
      return [key, child.map(inItem)];
    }),
  );
}

/** What an item is known by stays. */
function entryOf(item: JsonObject, key: string): [string, Json][] {
  const [field = ''] = key.split('.');
  return Object.hasOwn(item, field) ? [[field, item[field] ?? null]] : [];
}
