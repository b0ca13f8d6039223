import type { InputName } from '../../github/contract.ts';
import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe, type Tree } from '../../github/yaml.ts';
import { conformField } from '../conform.ts';
import type { Fragment } from './fragment.ts';

/** `volumes`: Kubernetes' own, or Airflow's older `{name, configs: {persistentVolumeClaim: {...}}}`. */
export function readVolumes(reader: InputReader): Fragment[] {
  const tree = reader.tree('volumes');
  if (tree === undefined) return [];
  const modern = Array.isArray(tree) ? tree.map(withoutConfigs) : tree;
  const volumes = conformField(modern, 'V1PodSpec', 'volumes', (path, sentence) =>
    reader.problem('volumes', sentence, path),
  );
  if (volumes === undefined) return [];
  const none = volumes === null || (Array.isArray(volumes) && volumes.length === 0);
  return [{ from: 'volumes', of: 'spec', fields: { volumes: none ? null : volumes }, mirrors: 'volumes' }];
}

function withoutConfigs(volume: Tree): Tree {
  if (!isMapping(volume) || !isMapping(volume['configs'] ?? '')) return volume;
  const { configs, ...rest } = volume;
  return { ...rest, ...(configs as { [key: string]: Tree }) };
}

/** `image_pull_secrets`: names, as a list or as `a,b`, or Kubernetes' own references. */
export function readImagePullSecrets(reader: InputReader): Fragment[] {
  const names = readNames(reader, 'image_pull_secrets', '{name: registry}');
  if (names === undefined) return [];
  const fields = { imagePullSecrets: names.length === 0 ? null : names.map(name => ({ name })) };
  return [{ from: 'image_pull_secrets', of: 'spec', fields, mirrors: 'imagePullSecrets' }];
}

/**
 * A list of names: a YAML list of texts or of `{name: ...}`, or text with commas.
 * @returns `undefined` where nothing was said
 */
export function readNames(reader: InputReader, input: InputName, example: string): string[] | undefined {
  if (reader.saysNothing(input)) return [];
  const tree = reader.tree(input);
  if (tree === undefined) return undefined;
  if (isNull(tree)) return [];
  if (isScalar(tree))
    return String(tree)
      .split(/[\s,]+/)
      .filter(name => name !== '');
  if (!Array.isArray(tree)) {
    reader.problem(input, `expected a list of names, or names with commas between; found ${describe(tree)}.`);
    return undefined;
  }
  return tree.flatMap((item, index) => {
    const name = isMapping(item) && Object.keys(item).length === 1 ? item['name'] : item;
    if (name !== undefined && isScalar(name) && !isNull(name) && String(name) !== '') return [String(name)];
    reader.problem(input, `expected a name, or ${example}; found ${describe(item)}.`, `[${index}]`);
    return [];
  });
}
