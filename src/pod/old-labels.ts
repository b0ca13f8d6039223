import { type Json, type JsonObject, type Path, pathText } from './json.ts';

/** Labels of nodes that newer clusters no longer set, and their successors. */
const SUCCESSORS: Record<string, string> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

/**
 * Topology keys that nodes of today do not have: no node then fits a required term. The server warns of the old labels in node selectors, and not of these [measured on 1.36].
 * @returns a sentence for each
 */
export function oldTopologyKeys(pod: JsonObject, originOf: (path: string) => string): string[] {
  const visit = (value: Json, path: Path): string[] => {
    if (typeof value !== 'object' || value === null)
      return path.at(-1) === 'topologyKey' && Object.hasOwn(SUCCESSORS, String(value))
        ? [`${originOf(pathText(path))}: nodes no longer have the label ${value}; use ${SUCCESSORS[String(value)]}.`]
        : [];
    return Object.entries(value).flatMap(([key, child]) =>
      visit(child as Json, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  };
  return visit(pod, []);
}
