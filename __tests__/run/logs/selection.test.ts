import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { LogInputs } from '../../../src/github/inputs/inputs.ts';
import { namesAreKnown, notShownBy, selectContainers, wrongNames } from '../../../src/run/logs/selection.ts';

const manifest: V1Pod = {
  spec: {
    initContainers: [{ name: 'migrate' }, { name: 'proxy', restartPolicy: 'Always' }],
    containers: [{ name: 'base' }, { name: 'helper' }],
  },
};
/** With what a service mesh has added. */
const pod: V1Pod = {
  spec: {
    initContainers: [{ name: 'mesh-init' }, ...(manifest.spec?.initContainers ?? [])],
    containers: [...(manifest.spec?.containers ?? []), { name: 'mesh' }],
  },
};
type Choices = Pick<LogInputs, 'containers' | 'initContainers'>;

test.each([
  ['shown', { shown: true }, undefined],
  ['shown among all', { shown: true, containers: 'all' as const }, undefined],
  ['shown by name', { shown: true, containers: ['helper', 'base'] }, undefined],
  ['not shown, nor is any', { shown: false }, 'get_logs'],
  ['not shown, nor are all', { shown: false, containers: 'all' as const }, 'get_logs'],
  ['not named', { shown: true, containers: ['helper'] }, 'container_logs'],
  ['not named where none is shown', { shown: false, containers: [] }, 'container_logs'],
])('the base container’s log is %s', (_, inputs, expected) => {
  expect(notShownBy(inputs, 'base')).toBe(expected);
});

describe('the containers that are shown', () => {
  test.each<[what: string, choices: Choices, names: string[]]>([
    ['by default', { initContainers: 'all' }, ['migrate', 'base']],
    ['without init containers', { initContainers: [] }, ['base']],
    ['all', { containers: 'all', initContainers: 'all' }, ['migrate', 'proxy', 'base', 'helper', 'mesh']],
    ['none beside the init containers', { containers: [], initContainers: 'all' }, ['migrate']],
    ['none at all', { containers: [], initContainers: [] }, []],
    ['one by name', { containers: ['helper'], initContainers: [] }, ['helper']],
    [
      'in the order of the pod, each once',
      { containers: ['mesh', 'base', 'base'], initContainers: [] },
      ['base', 'mesh'],
    ],
    ['a sidecar by name', { containers: ['proxy'], initContainers: [] }, ['proxy']],
    ['a sidecar as the init container that it is', { containers: [], initContainers: ['proxy'] }, ['proxy']],
    ['a sidecar named twice', { containers: ['proxy'], initContainers: ['proxy'] }, ['proxy']],
    ['an init container of the mesh', { initContainers: ['mesh-init'] }, ['mesh-init', 'base']],
  ])('%s', (_, choices, names) => {
    expect(selectContainers(choices, 'base', manifest, pod)).toEqual(names);
    expect(wrongNames(choices, pod)).toEqual([]);
  });

  test('of those that fill the workspace only one that is named', () => {
    const own = { initContainers: [{ name: 'pod-step-checkout' }, { name: 'pod-step-upload' }] };
    const filled: V1Pod = { spec: { containers: [{ name: 'base' }], ...own } };
    expect(selectContainers({ initContainers: 'all' }, 'base', filled, filled)).toEqual(['base']);
    const named = selectContainers({ initContainers: ['pod-step-checkout'] }, 'base', filled, filled);
    expect(named).toEqual(['pod-step-checkout', 'base']);
  });

  test('a base container of another name', () => {
    expect(selectContainers({ initContainers: [] }, 'helper', manifest, pod)).toEqual(['helper']);
  });
});

describe('wrong names', () => {
  test.each<[choices: Choices, sentences: string[]]>([
    [
      { containers: ['bass'], initContainers: 'all' },
      ['container_logs: the pod has no container "bass"; it has base, helper, mesh, proxy. Did you mean base?'],
    ],
    [
      { containers: ['migrate', 'x'], initContainers: ['base', 'migrat'] },
      [
        'container_logs: container migrate belongs into init_container_logs.',
        'container_logs: the pod has no container "x"; it has base, helper, mesh, proxy.',
        'init_container_logs: container base belongs into container_logs.',
        'init_container_logs: the pod has no init container "migrat"; it has mesh-init, migrate, proxy. Did you mean migrate?',
      ],
    ],
  ])('%j', (choices, sentences) => {
    expect(wrongNames(choices, pod)).toEqual(sentences);
  });

  test('where there are no init containers', () => {
    expect(wrongNames({ initContainers: ['x'] }, { spec: { containers: [{ name: 'base' }] } })).toEqual([
      'init_container_logs: the pod has no init containers, so no "x" either.',
    ]);
  });

  test('are those that the manifest lacks until the cluster has been asked', () => {
    expect(namesAreKnown({ containers: ['base', 'proxy'], initContainers: 'all' }, manifest)).toBe(true);
    expect(namesAreKnown({ containers: ['mesh'], initContainers: 'all' }, manifest)).toBe(false);
  });
});
