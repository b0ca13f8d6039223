import { type Inputs, type Scenario, SHELL } from './scenario.ts';

const SOON: Inputs = { schedule_timeout_seconds: '3' };

/** No node takes the pod. */
export const SCHEDULING: Scenario[] = [
  {
    name: 'No node has enough memory',
    inputs: { ...SOON, container_resources: '{requests: {memory: 512Gi}}' },
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 Insufficient memory.… (it asks for memory 512Gi). Check `container_resources` against the nodes, add nodes, or raise `schedule_timeout_seconds`.',
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'No node has enough CPU',
    inputs: { ...SOON, container_resources: '{requests: {cpu: 500}}' },
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 Insufficient cpu.… (it asks for cpu 500). Check `container_resources` against the nodes, add nodes, or raise `schedule_timeout_seconds`.',
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'No node has a GPU',
    inputs: { ...SOON, container_resources: '{limits: {nvidia.com/gpu: 1}}' },
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu.… (it asks for nvidia.com/gpu 1). Check `container_resources` against the nodes, add nodes, or raise `schedule_timeout_seconds`.',
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'No node has the labels of `node_selector`',
    inputs: { ...SOON, node_selector: '{disktype: tape}' },
    expected: {
      title: 'No node took the pod',
      says: "No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.… Check `node_selector` and `affinity` against the nodes, add nodes, or raise `schedule_timeout_seconds`.",
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'A scheduling gate is not taken away',
    inputs: { queue_timeout_seconds: '3', full_pod_spec: '{spec: {schedulingGates: [{name: example.com/queue}]}}' },
    expected: {
      title: 'The pod stayed in the queue',
      says: 'Pod NS/POD was still in its queue after N s: held by scheduling gate example.com/queue. Whoever set the gate has to take it away (Kueue: kubectl -n NS get workloads), or raise `queue_timeout_seconds`.',
      reason: 'SchedulingGated',
    },
    takes: 3,
  },
  {
    name: 'The scheduler does not exist',
    inOrder: true,
    inputs: { ...SOON, schedulername: 'volcano' },
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: scheduler volcano has said nothing of it. Check `schedulername`: does scheduler volcano run in this cluster?',
      reason: 'Unschedulable',
    },
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
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.… Check the claims in `volumes` against the nodes, add nodes, or raise `schedule_timeout_seconds`.',
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'The host port is taken',
    async before({ namespace }) {
      const container = {
        ...{ name: 'base', image: SHELL, command: ['sleep', '600'] },
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
    expected: {
      title: 'No node took the pod',
      says: "No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.… Check the host ports in `ports` against the nodes, add nodes, or raise `schedule_timeout_seconds`.",
      reason: 'Unschedulable',
    },
    takes: 3,
  },
  {
    name: 'The node that `nodeName` names does not exist',
    inOrder: true,
    inputs: { full_pod_spec: '{spec: {nodeName: nowhere}}' },
    expected: {
      title: 'Node lost',
      says: 'Pod NS/POD ended before its container had run: node nowhere does not exist, or not any more. The pod names its node itself (`nodeName`): correct it, or leave it to the scheduler, with `node_selector` or `affinity`.',
      reason: 'NodeLost',
    },
    lasts: 60,
  },
];
