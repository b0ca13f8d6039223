import { RESERVED_PREFIX } from '../github/inputs/inputs.ts';
import type { Fragment } from './inputs/fragment.ts';
import { containerNamed, containersOf, type Json, objectOf, type Path, pathText } from './json.ts';
import { DEFAULTS } from './layers.ts';
import type { Layer, MergedPod } from './merge.ts';
import { itemKey, mergeKeys } from './schema.ts';

/**
 * Two inputs that say something about one and the same thing: one of them would be dropped without a word.
 * Between an input and a template that is what the input is for.
 */
export function sameRank(fragments: Fragment[], report: (sentence: string) => void): void {
  const seen = new Map<string, string>();
  for (const { from, of, fields } of fragments) {
    const model = of === 'container' ? 'V1Container' : of === 'spec' ? 'V1PodSpec' : 'V1ObjectMeta';
    for (const [field, value] of Object.entries(fields)) {
      const keys = mergeKeys(model, field, false);
      if (keys === undefined || !Array.isArray(value) || field === 'envFrom') continue;
      for (const item of value) {
        const key = itemKey(item, keys);
        const first = seen.get(`${field} ${key}`);
        if (key !== undefined && first !== undefined && first !== from)
          report(`${from}: ${key} is set by ${first} too. One of the two would be lost; remove or rename it.`);
        seen.set(`${field} ${key}`, first ?? from);
      }
    }
  }
}

/** What every pod of ours has to keep, whatever a template or a patch says. */
export function enforce(merged: MergedPod, layers: Layer[], base: string, report: (sentence: string) => void): void {
  const spec = objectOf(merged.pod['spec']);
  const at = (path: Path, sentence: string) => report(`${merged.originOf(path)}: ${sentence}`);
  const inSpec = (field: string, sentence: string) => {
    const path: Path = ['spec', field];
    if (spec[field] !== undefined) at(path, sentence);
    else report(`${takerOf(path, layers)}: ${pathText(path)}: ${sentence}`);
  };
  if (containerNamed(merged.pod, base) === undefined)
    report(
      `${takerOf(['spec', 'containers'], layers)}: the container "${base}", which decides the outcome, has to be among the pod's.`,
    );
  if (spec['restartPolicy'] === 'Always')
    inSpec('restartPolicy', 'Always would run the container for ever. Use Never, or OnFailure.');
  if (spec['restartPolicy'] === undefined)
    inSpec('restartPolicy', "nothing means Kubernetes' own Always, which would run the container for ever. Use Never.");
  const deadline = spec['activeDeadlineSeconds'];
  // What is no whole number has been told where it was read.
  if (deadline === undefined || (Number.isInteger(deadline) && Number(deadline) < 1))
    inSpec(
      'activeDeadlineSeconds',
      'has to be a whole number of seconds, at least 1: without it a pod whose runner is lost would run for ever.',
    );
  const index = containersOf(merged.pod).findIndex(({ name }) => name === base);
  for (const field of ['restartPolicy', 'restartPolicyRules'])
    if (containersOf(merged.pod)[index]?.[field] !== undefined)
      at(
        ['spec', 'containers', index, field],
        'is not for the container that decides the outcome: it has ended when it ends. Leave it out.',
      );
  const finalizers = objectOf(merged.pod['metadata'])['finalizers'];
  if (Array.isArray(finalizers) && finalizers.length > 0)
    at(['metadata', 'finalizers'], 'would keep the pod on the cluster after it has been deleted. Leave it out.');
  for (const field of ['labels', 'annotations'])
    for (const key of Object.keys(objectOf(objectOf(merged.pod['metadata'])[field])))
      if (key.startsWith(RESERVED_PREFIX))
        at(
          ['metadata', field, key],
          `the prefix ${RESERVED_PREFIX} is reserved, for cleanup rests on it. Use another.`,
        );
}

/** @returns who took away what the defaults have at `path`: the last that has `null` on the way there, else the patch, by a directive. */
function takerOf(path: Path, layers: Layer[]): string {
  const hasNull = ({ pod }: Layer) => {
    let value: Json | undefined = pod;
    for (const step of path) {
      value = objectOf(value)[step];
      if (value === null) return true;
    }
    return false;
  };
  return (layers.findLast(hasNull) ?? layers.at(-1))?.from ?? DEFAULTS;
}
