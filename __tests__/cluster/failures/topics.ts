import { ADMISSION } from './admission.ts';
import { CONFIG } from './config.ts';
import { ENDED } from './ended.ts';
import { EVICTED, EVICTED_ALONE } from './evicted.ts';
import { IMAGES } from './images.ts';
import { INIT } from './init.ts';
import { NODE_ALONE, REFUSED_BY_NODE, WITHOUT_THE_NODE } from './node.ts';
import { REFUSED } from './refused.ts';
import type { Scenario } from './scenario.ts';
import { SCHEDULING } from './scheduling.ts';

export interface Topic {
  /** Of the recordings. */
  name: string;
  /** In the docs. */
  heading: string;
  scenarios: readonly Scenario[];
}

/** Those that disturb nobody. */
export const SHARED: readonly Topic[] = [
  { name: 'refused', heading: 'The API server refuses the pod', scenarios: REFUSED },
  { name: 'admission', heading: 'The cluster’s rules do not allow the pod', scenarios: ADMISSION },
  { name: 'scheduling', heading: 'No node takes the pod', scenarios: SCHEDULING },
  { name: 'images', heading: 'The image is not to be had', scenarios: IMAGES },
  { name: 'config', heading: 'Something that the pod asks for is missing', scenarios: CONFIG },
  { name: 'init', heading: 'An init container fails', scenarios: INIT },
  { name: 'ended', heading: 'The container ends', scenarios: ENDED },
];

/** Those that need a cluster of their own. */
export const OWN: readonly Topic[] = [
  { name: 'evicted', heading: 'The pod has to go', scenarios: [...EVICTED, ...EVICTED_ALONE] },
  {
    name: 'node',
    heading: 'The node does not take the pod, or is lost',
    scenarios: [...REFUSED_BY_NODE, ...NODE_ALONE, ...WITHOUT_THE_NODE],
  },
];
