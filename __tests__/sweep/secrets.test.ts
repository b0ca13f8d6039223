import { expect, test } from '@jest/globals';
import type { ObjectMetadata } from '../../src/kubernetes/metadata.ts';
import { ownedSecrets } from '../../src/sweep/secrets.ts';

const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod-uid' };
const secret = (changes: Partial<ObjectMetadata> = {}): ObjectMetadata => ({
  name: 's',
  uid: 'secret-uid',
  labels: { 'kubernetes-pod-step/lifetime': 'owned' },
  ownerReferences: [owner],
  ...changes,
});

test('a Secret that a step has made for its pod is known by its one owner', () => {
  expect(ownedSecrets([secret()])).toEqual([{ name: 's', uid: 'secret-uid', owner: { name: 'p', uid: 'pod-uid' } }]);
});

test.each<[string, Partial<ObjectMetadata>]>([
  ['without an owner', { ownerReferences: [] }],
  ['with two', { ownerReferences: [owner, { ...owner, uid: 'other' }] }],
  ['of something else', { ownerReferences: [{ ...owner, apiVersion: 'apps/v1', kind: 'ReplicaSet' }] }],
  ['of another group’s Pod', { ownerReferences: [{ ...owner, apiVersion: 'example.com/v1' }] }],
  ['whose owner has no UID', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] }],
  ['whose owner’s name would be a selector', { ownerReferences: [{ ...owner, name: 'p,metadata.name!=p' }] }],
  ['without a lifetime', { labels: {} }],
  ['that is being deleted', { deletionTimestamp: '2026-11-21T12:00:00Z' }],
])('one %s is none of ours', (_, changes) => {
  expect(ownedSecrets([secret(changes)])).toEqual([]);
});
