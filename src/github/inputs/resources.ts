import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { defined } from '../defined.ts';
import { describe, plain, type Tree } from '../yaml.ts';
import { type InputReader, isMapping, isNull, isScalar } from './reader.ts';

const RESOURCE_FIELDS = ['requests', 'limits', 'claims'] as const;

/** `container_resources`: requests, limits and claims, as Kubernetes has them. */
export function readResources(reader: InputReader): V1ResourceRequirements | undefined {
  const name = 'container_resources';
  const tree = reader.tree(name);
  if (tree === undefined || isNull(tree)) return undefined;
  if (!isMapping(tree)) {
    reader.problem(
      name,
      `expected a mapping, e.g. {requests: {memory: 512Mi}, limits: {memory: 1Gi}}; found ${describe(tree)}.`,
    );
    return undefined;
  }
  reader.unknownKeys(name, '', tree, RESOURCE_FIELDS);
  return defined({
    requests: readQuantities(reader, tree['requests'], '.requests'),
    limits: readQuantities(reader, tree['limits'], '.limits'),
    claims: readClaims(reader, tree['claims']),
  });
}

/** Kubernetes' quantities (apimachinery's resource.Quantity): a number with an optional binary or decimal suffix. */
const QUANTITY = /^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

/** Each quantity stays the text that it was written as: a JSON number would be rounded beyond 2^53. */
function readQuantities(reader: InputReader, tree: Tree | undefined, path: string): Record<string, string> | undefined {
  if (tree === undefined || isNull(tree)) return undefined;
  if (!isMapping(tree)) {
    reader.problem('container_resources', `expected a mapping, e.g. {memory: 1Gi}; found ${describe(tree)}.`, path);
    return undefined;
  }
  const quantities: [string, string][] = [];
  for (const [key, value] of Object.entries(tree)) {
    if (isNull(value)) continue;
    if (isScalar(value) && QUANTITY.test(String(value))) {
      quantities.push([key, String(value)]);
      continue;
    }
    const found = isScalar(value) ? `"${value}"` : describe(value);
    reader.problem(
      'container_resources',
      `expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found ${found}.`,
      `${path}.${key}`,
    );
  }
  return Object.fromEntries(quantities);
}

function readClaims(reader: InputReader, tree: Tree | undefined): V1ResourceRequirements['claims'] {
  if (tree === undefined || isNull(tree)) return undefined;
  if (Array.isArray(tree) && tree.every(claim => isMapping(claim) && claim['name'] !== undefined))
    return plain(tree) as V1ResourceRequirements['claims'];
  reader.problem(
    'container_resources',
    `expected a list of claims, e.g. [{name: gpu}]; found ${describe(tree)}.`,
    '.claims',
  );
  return undefined;
}
