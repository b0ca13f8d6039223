import { expect, test } from '@jest/globals';
import { oldTopologyKeys } from '../../src/pod/old-labels.ts';

test('a topology key that nodes no longer have is told of, with its successor', () => {
  const term = (topologyKey: string) => ({ labelSelector: {}, topologyKey });
  const pod = {
    metadata: { labels: { topologyKey: 'failure-domain.beta.kubernetes.io/region' } },
    spec: {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            term('kubernetes.io/hostname'),
            term('failure-domain.beta.kubernetes.io/zone'),
          ],
        },
      },
    },
  };
  expect(oldTopologyKeys({ spec: pod.spec }, path => path.replace(/^spec\./, ''))).toEqual([
    'affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].topologyKey: nodes no longer have the label failure-domain.beta.kubernetes.io/zone; use topology.kubernetes.io/zone.',
  ]);
});
