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
 * @returns the mapping that such a list or call means, for a message; `undefined` where it is neither
 */
export function spellOut(item: Tree, model: string): string | undefined {
  const names = Object.hasOwn(POSITIONS, model) ? (POSITIONS[model] ?? []) : [];
  if (typeof item === 'string') return spellOutCall(item, names);
  if (!Array.isArray(item) || item.length === 0 || item.length > names.length) return undefined;
  const fields = item.flatMap((value, index) => (isNull(value) ? [] : [`${names[index]}: ${written(value)}`]));
  return item.every(isScalar) ? `{${fields.join(', ')}}` : undefined;
}

/** The call itself, pasted as text: `VolumeMount('data', mount_path='/data', sub_path=None)`. */
function spellOutCall(text: string, names: readonly string[]): string | undefined {
  const call = /^(?:\w+\.)*[A-Z]\w*\((.*)\)$/s.exec(text.trim())?.[1];
  if (call === undefined) return undefined;
  const fields = call
    .split(',')
    .filter(part => part.trim() !== '')
    .map((part, index) => {
      const [, name = names[index], quoted, bare] =
        /^\s*(?:(\w+)\s*=\s*)?(?:u?['"]([^'"]*)['"]|([\w./-]+))\s*$/.exec(part) ?? [];
      if (name === undefined || (quoted ?? bare) === undefined) return undefined;
      return bare === 'None' ? '' : `${name}: ${bare ?? written(quoted ?? '')}`;
    });
  if (fields.length === 0 || fields.includes(undefined)) return undefined;
  return `{${fields.filter(field => field !== '').join(', ')}}`;
}

/** @returns the scalar as YAML reads it back. */
function written(value: Tree): string {
  const text = String(value);
  const needsQuotes =
    typeof value === 'string' && (!/^[A-Za-z/][\w./-]*$/.test(text) || /^(true|false|null)$/i.test(text));
  return needsQuotes ? JSON.stringify(text) : text;
}
