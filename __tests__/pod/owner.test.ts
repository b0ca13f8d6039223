import { describe, expect, test } from '@jest/globals';
import type { V1ObjectMeta, V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import { differenceOf, digestOf } from '../../src/pod/compare.ts';
import { LIFETIME_LABEL } from '../../src/pod/lifetime.ts';
import { isOwnedBy, mayBeOwned, ownedBy, ownersAfter } from '../../src/pod/owner.ts';
import { podOf } from './planned.ts';

const runner = { namespace: 'ci', name: 'runner', uid: 'u-1' };
const toRunner: V1OwnerReference = { apiVersion: 'v1', kind: 'Pod', name: 'runner', uid: 'u-1' };
const toEarlier: V1OwnerReference = { ...toRunner, name: 'earlier', uid: 'u-0' };
const toSet: V1OwnerReference = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', uid: 'u-2' };
const OWNED = { [LIFETIME_LABEL]: 'owned' };
const pod = (metadata: V1ObjectMeta): V1Pod => ({ metadata });

describe('a pod', () => {
  const template = 'metadata: {ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c, uid: u}]}';
  test.each<[string, boolean, Record<string, string>]>([
    ['of a step that deletes it in any case', true, {}],
    ['that is kept when it has ended', false, { on_finish_action: 'keep_pod' }],
    ['that is kept when it has failed', false, { on_finish_action: 'delete_succeeded_pod' }],
    ['that is kept when it has ended by itself', false, { on_finish_action: 'delete_active_pod' }],
    ['that outlives a cancelled step', false, { on_kill_action: 'keep_pod' }],
    ['whose template says whose it is', false, { pod_template_dict: template }],
  ])('%s may be owned: %s', (_, expected, inputs) => {
    expect(mayBeOwned(podOf({ image: 'busybox', ...inputs }))).toBe(expected);
  });

  test('that a later step attaches to may not', () => {
    expect(mayBeOwned(pod({ labels: { [LIFETIME_LABEL]: 'detached' } }))).toBe(false);
  });

  test('that is owned is what the same plan of another runner asks for', () => {
    const plan = podOf({ image: 'busybox' });
    const owned = ownedBy(plan, runner);
    expect(owned.metadata).toEqual({ ...plan.metadata, ownerReferences: [toRunner] });
    expect(digestOf(owned)).toBe(digestOf(plan));
    expect([differenceOf(plan, owned), differenceOf(owned, plan)]).toEqual([undefined, undefined]);
  });

  test.each<[string, V1OwnerReference[] | undefined, boolean]>([
    ['that one alone', [toRunner], true],
    ['nobody', undefined, false],
    ['another', [toSet], false],
    ['both', [toRunner, toSet], false],
  ])('goes with its owner where it belongs to it alone: %s', (_, ownerReferences, expected) => {
    expect(isOwnedBy(pod(ownerReferences ? { ownerReferences } : {}), runner)).toBe(expected);
  });
});

describe('a pod that is taken over', () => {
  test.each<[string, V1OwnerReference[], typeof runner | undefined, V1OwnerReference[] | undefined]>([
    ['from one runner to the next', [toEarlier], runner, [toRunner]],
    ['from a runner in the cluster to one outside', [toEarlier], undefined, []],
    ['from a runner outside to one in the cluster', [], runner, [toRunner]],
    ['by the same runner', [toRunner], runner, undefined],
    ['outside the cluster both times', [], undefined, undefined],
    ['though it belongs to something else', [toSet], runner, undefined],
    ['though a controller has it', [{ ...toEarlier, controller: true }], runner, undefined],
    ['though something else has it too', [toEarlier, toSet], undefined, undefined],
    ['though another pod has it too', [toEarlier, { ...toEarlier, uid: 'u-3' }], runner, undefined],
  ])('%s', (_, ownerReferences, owner, expected) => {
    expect(ownersAfter(pod({ labels: OWNED, ownerReferences }), owner)).toEqual(expected);
  });

  test('is left alone where it is to be kept', () => {
    expect(ownersAfter(pod({ labels: { [LIFETIME_LABEL]: 'kept' } }), runner)).toBeUndefined();
  });
});
