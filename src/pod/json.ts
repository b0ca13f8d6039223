/** What the API server is sent. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A place in an object: names of fields, and indexes of lists. */
export type Path = readonly (string | number)[];

/** @returns the path as the API server writes it: `spec.containers[0].env`; a key that is no field name in brackets: `limits[nvidia.com/gpu]`. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w$-]+$/.test(step)) return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** Reads {@link pathText}, and the server's own paths. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, key, name = '']) => {
    if (key === undefined) return name;
    return /^[0-9]+$/.test(key) ? Number(key) : key;
  });
}

/** @returns the value if it is an object, else an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** @returns the items of a list of objects, else none. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

export function containersOf(pod: JsonObject): JsonObject[] {
  return objectsOf(objectOf(pod['spec'])['containers']);
}

export function initContainersOf(pod: JsonObject): JsonObject[] {
  return objectsOf(objectOf(pod['spec'])['initContainers']);
}

export function containerNamed(pod: JsonObject, name: string): JsonObject | undefined {
  return containersOf(pod).find(container => container['name'] === name);
}
