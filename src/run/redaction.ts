import type { Json, JsonObject, Path } from '../pod/json.ts';
import { looksSecret } from '../pod/secret-shapes.ts';
import { hiding, withoutSecrets } from './command-line.ts';

/**
 * Hides, in a pod that is shown to people, what came in as a secret and what looks like one.
 * @param secrets what the step was given as such
 * @returns a function that says what to show for the value at a path of the pod
 */
export function redacting(pod: JsonObject, secrets: string[]): (path: Path, value: Json) => Json {
  const hide = hiding(secrets);
  return (path, value) => {
    if (Array.isArray(value) && ['command', 'args'].includes(String(path.at(-1))))
      return withoutSecrets(value.map(String), secrets);
    if (typeof value !== 'string') return value;
    const variable = path.at(-3) === 'env' ? nameBeside(pod, path) : undefined;
    return looksSecret(variable ?? '', value) ? '***' : hide(value);
  };
}

/** @returns the name that an entry such as `{name, value}` gives to the value at `path` */
export function nameBeside(pod: JsonObject, path: Path): string | undefined {
  if (path.at(-1) !== 'value') return undefined;
  const entry = path.slice(0, -1).reduce<unknown>((value, step) => (value as JsonObject | undefined)?.[step], pod);
  const { name } = (entry ?? {}) as JsonObject;
  return typeof name === 'string' ? name : undefined;
}
