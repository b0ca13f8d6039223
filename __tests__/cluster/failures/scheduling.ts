import type { Inputs, Scenario } from './scenario.ts';

const NO_NODE = 'No node took the pod';
const SOON: Inputs = { schedule_timeout_seconds: '3' };

/** No node takes the pod. */
export const SCHEDULING: Scenario[] = [
  {
    name: 'No node has enough memory',
    inputs: { ...SOON, container_resources: '{requests: {memory: 512Gi}}' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'No node has enough CPU',
    inputs: { ...SOON, container_resources: '{requests: {cpu: 500}}' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'No node has a GPU',
    inputs: { ...SOON, container_resources: '{limits: {nvidia.com/gpu: 1}}' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'No node has the labels of `node_selector`',
    inputs: { ...SOON, node_selector: '{disktype: tape}' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'A scheduling gate is not taken away',
    inputs: { queue_timeout_seconds: '3', full_pod_spec: '{spec: {schedulingGates: [{name: example.com/queue}]}}' },
    expected: { title: 'The pod stayed in the queue', says: '', reason: 'SchedulingGated' },
    takes: 3,
  },
  {
    name: 'The scheduler does not exist',
    inOrder: true,
    inputs: { ...SOON, schedulername: 'volcano' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'A claim gets no volume',
    async before({ namespace }) {
      const spec = {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '1Gi' } },
      };
      const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'unbound' }, spec };
      await namespace.kubectl(['apply', '-f', '-'], JSON.stringify(claim));
    },
    inputs: {
      ...SOON,
      volumes: '[{name: v, persistentVolumeClaim: {claimName: unbound}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
    },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'The host port is taken',
    async before({ namespace }) {
      const container = {
        ...{ name: 'base', image: 'localhost/pod-step/shell:1', command: ['sleep', '600'] },
        ports: [{ containerPort: 80, hostPort: 23999 }],
      };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'port-holder' },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      };
      await namespace.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
      await namespace.kubectl(['wait', 'pod/port-holder', '--for=condition=PodScheduled', '--timeout=30s']);
    },
    inputs: { ...SOON, ports: '[{containerPort: 80, hostPort: 23999}]' },
    async after({ namespace }) {
      await namespace.kubectl(['delete', 'pod', 'port-holder', '--wait=false']);
    },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 3,
  },
  {
    name: 'The node that `nodeName` names does not exist',
    inOrder: true,
    inputs: { startup_timeout_seconds: '5', full_pod_spec: '{spec: {nodeName: nowhere}}' },
    expected: { title: NO_NODE, says: '', reason: 'Unschedulable' },
    takes: 5,
  },
];
