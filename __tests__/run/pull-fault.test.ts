import { expect, test } from '@jest/globals';
import { pullFault } from '../../src/run/pull-fault.ts';

/** As recorded from Kubernetes 1.36 with containerd. */
test.each([
  [
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nope:1": failed to resolve reference "docker.io/library/nope:1": docker.io/library/nope:1: not found',
    'not found',
  ],
  [
    'Back-off pulling image "reg/x:1": ErrImagePull: failed to pull and unpack image "reg/x:1": failed to resolve reference "reg/x:1": pulling from host reg failed with status code [manifests 1]: 503 Service Unavailable',
    'pulling from host reg failed with status code [manifests 1]: 503 Service Unavailable',
  ],
  ['failed to resolve image: reg:5000/x@sha256:0a1b: not found', 'not found'],
  [
    'initializing source docker://reg/x:1: reading manifest 1 in reg/x: manifest unknown',
    'initializing source docker://reg/x:1: reading manifest 1 in reg/x: manifest unknown',
  ],
  ['', ''],
])('of %s is told: %s', (message, fault) => expect(pullFault(message)).toBe(fault));
