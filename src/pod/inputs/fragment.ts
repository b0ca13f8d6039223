import type { JsonObject } from '../json.ts';

/** What one input, or one item of it, says of the pod. */
export interface Fragment {
  /** The input, and the place in it: `volumes`, `secrets[0]`. */
  from: string;
  /** The part of the pod that the fields belong to; the container is the base container. */
  of: 'metadata' | 'spec' | 'container';
  fields: JsonObject;
  /** The field whose value is the input's own, so that places in the one are places in the other. */
  mirrors?: string;
}
