import { isNull, isScalar } from '../github/inputs/reader.ts';
import type { Tree } from '../github/yaml.ts';

/** The arguments of Airflow's own models, in their order. */
export const POSITIONS: Record<string, readonly string[]> = {
  Secret: ['deploy_type', 'deploy_target', 'secret', 'key', 'items'],
  V1VolumeMount: ['name', 'mountPath', 'subPath', 'readOnly'],
  V1ContainerPort: ['name', 'containerPort'],
};

/**
 * Airflow's models were often written with their arguments by position: `Secret('env', 'PASSWORD', 'db', 'password')`.
 * @returns the mapping that such a list means, for a message; `undefined` where it is no such list
 */
export function spellOut(item: Tree, model: string): string | undefined {
  const names = Object.hasOwn(POSITIONS, model) ? (POSITIONS[model] ?? []) : [];
  if (!Array.isArray(item) || item.length === 0 || item.length > names.length) return undefined;
  const fields = item.flatMap((value, index) => (isNull(value) ? [] : [`${names[index]}: ${written(value)}`]));
  return item.every(isScalar) ? `{${fields.join(', ')}}` : undefined;
}

/** @returns the scalar as YAML reads it back. */
function written(value: Tree): string {
  const text = String(value);
  const needsQuotes =
    typeof value === 'string' && (!/^[A-Za-z/][\w./-]*$/.test(text) || /^(true|false|null)$/i.test(text));
  return needsQuotes ? JSON.stringify(text) : text;
}
