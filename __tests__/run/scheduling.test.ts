import { expect, test } from '@jest/globals';
import { wayOut } from '../../src/run/unschedulable.ts';

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
  expect(wayOut(message)).toBe(`Check ${inputs} against the nodes, add nodes, or raise \`schedule_timeout_seconds\`.`),
);
