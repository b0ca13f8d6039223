import type { InputName } from '../../github/contract.ts';
import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe, type Tree } from '../../github/yaml.ts';
import { conform } from '../conform.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Fragment } from './fragment.ts';

/** Airflow's older flat form, and what each of it is now. */
const FLAT: Record<string, [side: 'requests' | 'limits', resource: string]> = {
  request_cpu: ['requests', 'cpu'],
  request_memory: ['requests', 'memory'],
  request_ephemeral_storage: ['requests', 'ephemeral-storage'],
  limit_cpu: ['limits', 'cpu'],
  limit_memory: ['limits', 'memory'],
  limit_ephemeral_storage: ['limits', 'ephemeral-storage'],
  limit_gpu: ['limits', 'nvidia.com/gpu'],
};
const EXAMPLE = '{requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}';

/** `container_resources`, under its old name `resources` too, as Kubernetes has it or in Airflow's older flat form. */
export function readResources(reader: InputReader): Fragment[] {
  const modern = reader.given('container_resources');
  const old = reader.saysNothing('resources') ? undefined : reader.given('resources');
  if (old !== undefined) reader.notices.add('resources is deprecated: it is called container_resources.');
  if (modern !== undefined && old !== undefined)
    reader.problem('resources', 'container_resources is given too. Keep that one alone.');
  const input = modern === undefined ? 'resources' : 'container_resources';
  const resources = readRequirements(reader, input);
  if (resources === undefined) return [];
  return [{ from: input, of: 'container', fields: { resources }, mirrors: 'resources' }];
}

function readRequirements(reader: InputReader, input: InputName): Json | undefined {
  const tree = reader.tree(input);
  if (tree === undefined) return undefined;
  if (isNull(tree)) return null;
  if (!isMapping(tree)) {
    reader.problem(input, `expected a mapping, e.g. ${EXAMPLE}; found ${describe(tree)}.`);
    return undefined;
  }
  for (const key of Object.keys(tree))
    if (/^(cpu|memory|ephemeral-storage|hugepages-.*)$|\//.test(key))
      reader.problem(
        input,
        `belongs under requests or limits. Write ${EXAMPLE}.`,
        /^\w+$/.test(key) ? `.${key}` : `[${key}]`,
      );
  const requirements = conform(nested(reader, input, tree), 'V1ResourceRequirements', (path, sentence) =>
    reader.problem(input, sentence, path),
  );
  return requirements !== undefined && Object.keys(requirements as JsonObject).length === 0 ? null : requirements;
}

/** @returns the flat form as the nested one; what is nested already stays. */
function nested(reader: InputReader, input: InputName, tree: { [key: string]: Tree }): { [key: string]: Tree } {
  const flat = Object.keys(tree).filter(key => Object.hasOwn(FLAT, key));
  if (flat.length === 0) return tree;
  const result: { [key: string]: Tree } = {};
  for (const [key, value] of Object.entries(tree)) {
    const [side, resource] = FLAT[key] ?? [];
    if (side === undefined || resource === undefined) {
      const shape = key === 'requests' || key === 'limits' ? 'stands beside' : 'is no field of';
      reader.problem(input, `${shape} the flat form (${flat.join(', ')}). Write ${EXAMPLE}.`, `.${key}`);
    } else if (isScalar(value)) {
      if (!isNull(value)) result[side] = { ...(result[side] as { [key: string]: Tree }), [resource]: value };
    } else reader.problem(input, `expected a quantity, e.g. 500m or 1Gi; found ${describe(value)}.`, `.${key}`);
  }
  return result;
}
