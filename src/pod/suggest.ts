import { didYouMean } from '../github/inputs/reader.ts';
import { parsePath } from './json.ts';
import { fieldNamed, fieldsOf, itemType, valueType } from './schema.ts';

/**
 * @param path of a field that the server does not know, e.g. `spec.containers[0].imagePullPolcy`
 * @returns the field of that object that comes nearest, where one is near
 */
export function suggestField(path: string): string | undefined {
  const steps = parsePath(path);
  const parent = steps
    .slice(0, -1)
    .reduce<string>(
      (type, step) =>
        typeof step === 'number' ? (itemType(type) ?? '') : (valueType(type) ?? fieldNamed(type, step)?.type ?? ''),
      'V1Pod',
    );
  const fields = [...(fieldsOf(parent)?.keys() ?? [])];
  const found = fields.length === 0 ? '' : didYouMean(String(steps.at(-1) ?? ''), fields);
  return /Did you mean (\S+)\?/.exec(found)?.[1];
}
