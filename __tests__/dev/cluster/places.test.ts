import { afterEach, expect, test } from '@jest/globals';
import { placesOf } from '../../../dev/cluster/places.ts';

const before = process.env['XDG_STATE_HOME'];
afterEach(() => {
  if (before === undefined) delete process.env['XDG_STATE_HOME'];
  else process.env['XDG_STATE_HOME'] = before;
});

function placesUnder(stateHome: string, name: string): ReturnType<typeof placesOf> {
  process.env['XDG_STATE_HOME'] = stateHome;
  return placesOf(name);
}

test('clusters of two names, and of one name under two state folders, share nothing that is machine-wide', () => {
  const all = [placesUnder('/a', 'default'), placesUnder('/a', 'second'), placesUnder('/b', 'default')];
  for (const place of ['state', 'run', 'bridge', 'cgroup', 'containerdSocket'] as const) {
    expect(new Set(all.map(places => places[place])).size).toBe(3);
  }
});

test('sockets and the bridge stay within the kernel’s limits, however long home and name are', () => {
  const places = placesUnder(`/${'home/'.repeat(40)}`, 'n'.repeat(30));
  expect(`${places.containerdSocket}.ttrpc`.length).toBeLessThanOrEqual(107);
  expect(`${places.kubelet}/pod-resources/kubelet.sock`.length).toBeLessThanOrEqual(107);
  expect(places.bridge.length).toBeLessThanOrEqual(15);
});

test.each(['', 'Upper', '../x', 'a_b', '-a', 'n'.repeat(31)])('%j is no name for a cluster', name => {
  expect(() => placesOf(name)).toThrow('not usable');
});
