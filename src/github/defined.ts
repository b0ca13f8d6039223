/** @returns `object` without the keys that are `undefined`, which `exactOptionalPropertyTypes` wants absent. */
export function defined<T extends object>(
  object: T,
): { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> } & {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
