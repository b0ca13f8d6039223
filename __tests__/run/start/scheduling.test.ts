import { expect, test } from '@jest/globals';
import type { V1Container } from '@kubernetes/client-node';
import { wayOut, whyNoNode } from '../../../src/run/start/scheduling.ts';

/** The scheduler's messages, as Kubernetes 1.36 writes them. */
test.each([
  ['0/1 nodes are available: 1 Insufficient memory.', '`container_resources`'],
  ['0/1 nodes are available: 1 Insufficient nvidia.com/gpu.', '`container_resources`'],
  ['0/3 nodes are available: 3 node(s) had untolerated taint {key: value}.', '`tolerations`'],
  ["0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", '`node_selector` and `affinity`'],
  ["0/1 nodes are available: 1 node(s) didn't match pod affinity rules.", '`affinity`'],
  ["0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.", '`affinity`'],
  [
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    'the host ports in `ports`',
  ],
  [
    '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {a: b}.',
    '`container_resources`, `tolerations`',
  ],
  ['something new', '`container_resources`, `node_selector`, `affinity` and `tolerations`'],
])('%s', (message, inputs) =>
  expect(wayOut({}, message)).toBe(
    `Check ${inputs} against the nodes, add nodes, or raise \`schedule_timeout_seconds\`.`,
  ),
);

test.each<[string, V1Container[], string, string]>([
  [
    'what the one container asks for',
    [{ name: 'base', resources: { requests: { memory: '64Gi', cpu: '1' } } }],
    '0/1 nodes are available: 1 Insufficient memory.',
    ' (it asks for memory 64Gi)',
  ],
  [
    'a limit, where there is no request',
    [{ name: 'base', resources: { limits: { 'nvidia.com/gpu': '8' } } }],
    '0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint {a: b}.',
    ' (it asks for nvidia.com/gpu 8)',
  ],
  [
    'what each of several asks for',
    [
      { name: 'base', resources: { requests: { cpu: '2', memory: '1Gi' } } },
      { name: 'idle' },
      { name: 'proxy', resources: { requests: { cpu: '500m' } } },
    ],
    '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
    ' (it asks for base cpu 2, memory 1Gi; proxy cpu 500m)',
  ],
  ['nothing, where nothing is too little', [{ name: 'base' }], '0/1 nodes are available: 1 Too many pods.', ''],
])('of a pod that waits for a node says %s', (_, containers, message, asked) =>
  expect(whyNoNode({ spec: { containers } }, message)).toBe(`${message}${asked}`),
);

test.each([
  [
    '0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    '0/1 nodes are available: 1 Insufficient memory.',
  ],
  [
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
  ],
])('of what the scheduler says, what nobody can act on is left out: %s', (message, expected) =>
  expect(whyNoNode({}, message)).toBe(expected),
);

test('a scheduler that says nothing is named', () =>
  expect(wayOut({ spec: { containers: [], schedulerName: 'nobody' } }, '')).toBe(
    'Check `schedulername`: does scheduler nobody run in this cluster?',
  ));
