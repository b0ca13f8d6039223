import { expect, test } from '@jest/globals';
import { suggestField } from '../../src/pod/suggest.ts';

test.each([
  ['spec.containers[0].imge', 'image'],
  ['spec.containers[0].imagePullPolcy', 'imagePullPolicy'],
  ['spec.containers[0].resources.limit', 'limits'],
  ['spec.containers[0].env[0].vlaue', 'value'],
  ['spec.nodeSelectr', 'nodeSelector'],
  ['spec.volumes[0].emptyDirr', 'emptyDir'],
  ['metadata.label', 'labels'],
  ['spec.affinity.nodeAffinity.required', 'requiredDuringSchedulingIgnoredDuringExecution'],
  ['spec.containers[0].somethingNew', undefined],
  ['spec.newThing.inside', undefined],
  ['metadata.labels.a', undefined],
])('%s is meant to be %s', (path, expected) => {
  expect(suggestField(path)).toBe(expected);
});
