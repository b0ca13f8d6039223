import { expect, test } from '@jest/globals';
import { EXPIRY_ANNOTATION, expiryOf, LIFETIME_LABEL, type Lifetime } from '../../src/pod/lifetime.ts';
import { podOf } from './planned.ts';

test.each<[Record<string, string>, Lifetime, string]>([
  [{}, 'owned', '2026-11-07T12:10:00Z'],
  [{ on_finish_action: 'delete_pod', on_kill_action: 'delete_pod' }, 'owned', '2026-11-07T12:10:00Z'],
  [{ on_finish_action: 'keep_pod' }, 'kept', '2026-11-13T12:10:00Z'],
  [{ on_finish_action: 'delete_succeeded_pod' }, 'kept', '2026-11-13T12:10:00Z'],
  [{ on_finish_action: 'delete_active_pod' }, 'kept', '2026-11-13T12:10:00Z'],
  [{ on_kill_action: 'keep_pod' }, 'kept', '2026-11-13T12:10:00Z'],
  [{ active_deadline_seconds: '60' }, 'owned', '2026-11-02T12:01:00Z'],
  [{ pod_patch: '{spec: {activeDeadlineSeconds: 120}}', on_kill_action: 'keep_pod' }, 'kept', '2026-11-08T12:02:00Z'],
])('%j makes a pod that is %s and expires at %s', (given, lifetime, expiresAt) => {
  const { labels, annotations } = podOf(given).metadata ?? {};
  expect([labels?.[LIFETIME_LABEL], annotations?.[EXPIRY_ANNOTATION]]).toEqual([lifetime, expiresAt]);
});

test('the longest deadline that Kubernetes takes still gives a date', () => {
  expect(expiryOf('kept', new Date('2026-11-01T12:00:00.123Z'), 2 ** 31 - 1)).toBe('2094-11-26T15:14:07Z');
});
