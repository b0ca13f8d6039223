import { isObject, type Json, type JsonObject, objectOf, type Path, parsePath, pathText } from './json.ts';
import { excludedBy, type FieldType, fieldNamed, itemKey, itemType, mergeKeys, valueType } from './schema.ts';

/** One source of the pod: an input, a template, the defaults. A later layer wins over an earlier one. */
export interface Layer {
  /** What the user calls it: `volumes`, `secrets[0]`, `pod_template_file (pod.yaml)`. */
  from: string;
  /** What it says of the pod; `null` takes away what an earlier layer has. */
  pod: JsonObject;
  /** Where in `pod` the input's own text stands, so that a fault can be told with its place there; absent where the two do not mirror each other. */
  root?: Path;
  /** Whether it is a strategic merge patch, with its directives. */
  strategic?: boolean;
  /** Name of the init container that goes behind all others, wherever an earlier layer has put it. */
  lastInit?: string;
}

/** The place in a layer that a part of the pod came from. */
interface Origin {
  layer: Layer;
  path: Path;
}

/** What a layer says, of the pod or of a part of it. */
interface Said<T extends Json = Json> {
  value: T;
  origin: Origin;
}

/** A part of the pod in the making. Where all of it came from one place it stays {@link Said}: the origins within follow from its own. */
type Part = Said | Mapping | List;
interface Mapping {
  fields: Map<string, Part>;
  origin: Origin;
}
interface List {
  items: Part[];
  /** Where the items are that are known by each key. */
  places?: Map<string, number[]> | undefined;
  origin: Origin;
}

/** The pod that the layers make, and where each part of it came from. */
export class MergedPod {
  readonly pod: JsonObject;
  private readonly root: Mapping;

  /** @param layers the first is the least */
  constructor(layers: Layer[]) {
    const [first = { from: '', pod: {} }] = layers;
    this.root = { fields: new Map(), origin: { layer: first, path: [] } };
    for (const layer of layers) {
      mergeFields(this.root.fields, { value: layer.pod, origin: { layer, path: [] } }, 'V1Pod');
      if (layer.lastInit !== undefined) this.moveLast(layer.lastInit);
    }
    this.pod = json(this.root) as JsonObject;
  }

  /** @returns the layer that the value at `path` came from. */
  layerOf(path: Path): Layer {
    return this.find(path).layer;
  }

  /**
   * @param path a place in the pod, e.g. `spec.containers[0].volumeMounts[1].name`
   * @returns what the user wrote to get it, e.g. `volume_mounts[1].name`
   */
  originOf(path: string | Path): string {
    return originText(this.find(typeof path === 'string' ? parsePath(path) : path));
  }

  private moveLast(name: string): void {
    const spec = this.root.fields.get('spec');
    const list = spec && 'fields' in spec ? spec.fields.get('initContainers') : undefined;
    if (list === undefined || !('items' in list)) return;
    const isLast = (item: Part) => objectOf(json(item))['name'] === name;
    list.items = [...list.items.filter(item => !isLast(item)), ...list.items.filter(isLast)];
    delete list.places;
  }

  /** @returns the origin of the value at `path`; for what is not there, that of the part that lacks it. */
  private find(path: Path): Origin {
    let part: Part = this.root;
    for (const [depth, step] of path.entries()) {
      const next: Part | undefined =
        'fields' in part ? part.fields.get(String(step)) : 'items' in part ? part.items[Number(step)] : undefined;
      if (next === undefined) return { ...part.origin, path: [...part.origin.path, ...path.slice(depth)] };
      part = next;
    }
    return part.origin;
  }
}

function originText({ layer: { from, root }, path }: Origin): string {
  if (root === undefined) return from;
  const inside = root.every((step, index) => path[index] === step) ? path.slice(root.length) : [];
  const text = pathText(inside);
  if (text === '') return from;
  if (root.length === 0) return `${from}: ${text}`;
  return typeof inside[0] === 'number' || text.startsWith('[') ? `${from}${text}` : `${from}.${text}`;
}

/** Merges as `kubectl patch --type strategic` does, save for what docs/pod-templates.md says. */
function mergeFields(fields: Map<string, Part>, overlay: Said<JsonObject>, model: FieldType): void {
  const { strategic = false } = overlay.origin.layer;
  if (strategic && overlay.value['$patch'] === 'replace') fields.clear();
  for (const [key, value] of Object.entries(overlay.value)) {
    if (strategic && key.startsWith('$')) continue;
    if (value === null || (strategic && isDirective(value, 'delete'))) {
      fields.delete(key);
      continue;
    }
    for (const other of excludedBy(model, key)) if (!Object.hasOwn(overlay.value, other)) fields.delete(other);
    const type = valueType(model) ?? fieldNamed(model, key)?.type ?? 'any';
    fields.set(key, mergeValue(fields.get(key), within(overlay, key), type, mergeKeys(model, key, strategic)));
  }
  if (strategic) followDirectives(fields, overlay.value);
}

/** What becomes of one field, or one item, that the overlay has. */
function mergeValue(base: Part | undefined, overlay: Said, type: FieldType, keys: string[] | undefined): Part {
  const { value, origin } = overlay;
  const { strategic = false } = origin.layer;
  if (isObject(value)) {
    // A patch may hold directives where there is nothing yet for them to act on.
    const mapping = asMapping(base) ?? (strategic ? { fields: new Map(), origin } : undefined);
    if (mapping === undefined) return { value: withoutNulls(value), origin };
    mergeFields(mapping.fields, overlay as Said<JsonObject>, type);
    return mapping;
  }
  if (Array.isArray(value) && keys !== undefined) {
    const list = asList(base) ?? (strategic ? { items: [], origin } : undefined);
    if (list !== undefined) return mergeItems(list, overlay as Said<Json[]>, itemType(type) ?? 'any', keys);
  }
  // Who says the same again changes nothing; so the name that a container is known by stays its first author's.
  if (base !== undefined && 'value' in base && base.value === value) return base;
  return { value: withoutNulls(value), origin };
}

function mergeItems(list: List, overlay: Said<Json[]>, model: FieldType, keys: string[]): Part {
  if (overlay.value.length === 0) return { value: [], origin: overlay.origin };
  const { strategic = false } = overlay.origin.layer;
  const isDelete = (item: Json) => strategic && isDirective(item, 'delete');
  const isReplace = (item: Json) =>
    strategic && isDirective(item, 'replace') && Object.keys(item as JsonObject).length === 1;
  if (overlay.value.some(isReplace)) keep(list, () => false);
  for (const item of overlay.value.filter(isDelete)) {
    // A port to delete is often named by its number alone.
    const named = keys.filter(key => isObject(item) && Object.hasOwn(item, key));
    const key = itemKey(item, named);
    if (named.length > 0) keep(list, other => itemKey(json(other), named) !== key);
  }
  list.places ??= placesOf(list.items, keys);
  const { places } = list;
  const met = new Map<string, number>();
  const added: { key: string | undefined; part: Part }[] = [];
  for (const [index, item] of overlay.value.entries()) {
    if (isDelete(item) || isReplace(item)) continue;
    const said = within(overlay, index);
    const key = itemKey(item, keys);
    // The second of two items with one key is the second of those that were there.
    const nth = (key !== undefined && met.get(key)) || 0;
    const at = key === undefined ? undefined : places.get(key)?.[nth];
    if (key !== undefined) met.set(key, nth + 1);
    const part = mergeValue(at === undefined ? undefined : list.items[at], said, model, undefined);
    if (at === undefined) added.push({ key, part });
    else list.items[at] = part;
  }
  for (const { key, part } of added) {
    if (key !== undefined) places.set(key, [...(places.get(key) ?? []), list.items.length]);
    list.items.push(part);
  }
  return list;
}

/** The directives that stand beside the field that they are about. */
function followDirectives(fields: Map<string, Part>, overlay: JsonObject): void {
  const retained = overlay['$retainKeys'];
  if (Array.isArray(retained)) for (const key of fields.keys()) if (!retained.includes(key)) fields.delete(key);
  for (const [directive, listed] of Object.entries(overlay)) {
    const [, field = ''] = /^\$deleteFromPrimitiveList\/(.+)$/.exec(directive) ?? [];
    const list = asList(fields.get(field));
    if (list === undefined || !Array.isArray(listed)) continue;
    keep(list, item => !listed.includes(json(item)));
    fields.set(field, list);
  }
}

function isDirective(value: Json, directive: 'delete' | 'replace'): boolean {
  return isObject(value) && value['$patch'] === directive;
}

function keep(list: List, isKept: (item: Part) => boolean): void {
  list.items = list.items.filter(isKept);
  list.places = undefined;
}

function placesOf(items: Part[], keys: string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, item] of items.entries()) {
    const key = itemKey(json(item), keys);
    if (key !== undefined) places.set(key, [...(places.get(key) ?? []), index]);
  }
  return places;
}

function within(said: Said<JsonObject> | Said<Json[]>, key: string | number): Said {
  const { layer, path } = said.origin;
  return { value: (said.value as JsonObject)[key] ?? null, origin: { layer, path: [...path, key] } };
}

/** @returns the part opened up for its fields to be merged one by one; `undefined` where it is no mapping. */
function asMapping(part: Part | undefined): Mapping | undefined {
  if (part === undefined || 'fields' in part) return part;
  if (!('value' in part) || !isObject(part.value)) return undefined;
  const said = part as Said<JsonObject>;
  return {
    fields: new Map(Object.keys(said.value).map(key => [key, within(said, key)])),
    origin: part.origin,
  };
}

function asList(part: Part | undefined): List | undefined {
  if (part === undefined || 'items' in part) return part;
  if (!('value' in part) || !Array.isArray(part.value)) return undefined;
  const said = part as Said<Json[]>;
  return { items: said.value.map((_, index) => within(said, index)), origin: part.origin };
}

function json(part: Part): Json {
  if ('value' in part) return part.value;
  if ('items' in part) return part.items.map(json);
  // Of plain prototype, yet safe from a key such as __proto__.
  return Object.fromEntries([...part.fields].map(([key, child]) => [key, json(child)]));
}

/** `null` means "none": in what is taken as a whole there is nothing to take away. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}
