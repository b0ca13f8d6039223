import type { V1Pod } from '@kubernetes/client-node';
import { start, stop, untilReady } from '../../../dev/cluster/index.ts';
import type { FakeLogind } from '../../support/fake-logind.ts';
import { withKubeletSettings } from '../../support/kubelet-settings.ts';
import { isRunning, OWN_CLUSTER, type Place, type Scenario, SHELL, type ShownBy, sh } from './scenario.ts';

const WAITS = sh('echo at work; sleep 600');
const onNode = (node: string) => JSON.stringify({ spec: { nodeName: node } });
const deleted: ShownBy = { pod: ({ metadata }) => metadata?.deletionTimestamp !== undefined };

/** The kubelet takes no such pod. They do not disturb one another. */
export const REFUSED_BY_NODE: Scenario[] = [
  {
    name: 'The kubelet refuses the pod: too little CPU is left on the node that `nodeName` names',
    inputs: ({ node }) => ({
      full_pod_spec: onNode(node),
      container_resources: '{requests: {cpu: 500}}',
    }),
    expected: {
      title: 'Rejected by the node',
      says: "Node NODE refused pod NS/POD (OutOfcpu): Node didn't have enough resource: cpu, requested: 500000, used: …, capacity: …. Nothing has run. Lower the requests in `container_resources`, or leave the choice of the node to the scheduler.",
      reason: 'Rejected',
    },
  },
  {
    name: 'The kubelet refuses the pod: the node that `nodeName` names lacks a label of `node_selector`',
    inputs: ({ node }) => ({ full_pod_spec: onNode(node), node_selector: '{disktype: tape}' }),
    expected: {
      title: 'Rejected by the node',
      says: "Node NODE refused pod NS/POD (NodeAffinity): Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector. Nothing has run. Check `node_selector` and `affinity` against that node, or leave the choice of the node to the scheduler.",
      reason: 'Rejected',
    },
  },
  {
    name: 'The kubelet refuses the pod: it does not allow a sysctl',
    inputs: { security_context: '{sysctls: [{name: kernel.msgmax, value: "65536"}]}' },
    expected: {
      title: 'Rejected by the node',
      says: 'Node NODE refused pod NS/POD (SysctlForbidden): forbidden sysctl: "kernel.msgmax" not allowlisted. Nothing has run. Leave it out of `security_context`, or use a node that allows it.',
      reason: 'Rejected',
    },
  },
];

/** Those that need the node to themselves. */
export const NODE_ALONE: Scenario[] = [
  {
    name: 'No node without a taint that the pod does not tolerate',
    before: ({ kubectl, node }) => kubectl(['taint', 'node', node, 'dedicated=gpu:NoSchedule']),
    inputs: { schedule_timeout_seconds: '3' },
    after: ({ kubectl, node }) => kubectl(['taint', 'node', node, 'dedicated-']),
    takes: 3,
    expected: {
      title: 'No node took the pod',
      says: 'No node took pod NS/POD within 3 s: 0/1 nodes are available: 1 node(s) had untolerated taint(s).… Check `tolerations` against the nodes, add nodes, or raise `schedule_timeout_seconds`.',
      reason: 'Unschedulable',
    },
  },
  {
    name: 'The kubelet refuses the pod: the node that `nodeName` names has as many pods as it may',
    async before({ namespace }) {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'only-one' }, spec: waiting() };
      await namespace.kubectl(['create', '-f', '-'], JSON.stringify(pod));
      await namespace.kubectl(['wait', 'pod/only-one', '--for=condition=Ready', '--timeout=30s']);
      await withKubeletSettings(OWN_CLUSTER, { maxPods: 1 });
    },
    inputs: ({ node }) => ({ full_pod_spec: onNode(node) }),
    async after({ namespace }) {
      await namespace.kubectl(['delete', 'pod', 'only-one', '--wait=false']);
      await withKubeletSettings(OWN_CLUSTER, {});
    },
    expected: {
      title: 'Rejected by the node',
      says: "Node NODE refused pod NS/POD (OutOfpods): Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1. Nothing has run. Run the step again later, or leave the choice of the node to the scheduler.",
      reason: 'Rejected',
    },
  },
  {
    name: 'The node shuts down, and ends its pods before it does',
    inOrder: true,
    inputs: WAITS,
    async during({ pod }) {
      await pod(isRunning);
      shutdown.logind?.prepareForShutdown(true);
    },
    expected: {
      title: 'Node shut down',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): node NODE was being shut down. Run the step again. What removes nodes leaves alone a pod with the annotation `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"` (Karpenter: `karpenter.sh/do-not-disrupt: "true"`).',
      reason: 'NodeShutdown',
      exitCode: 137,
      logMayBeLost: true,
    },
  },
  {
    name: 'The kubelet refuses the pod: its node is about to shut down',
    inputs: ({ node }) => ({ full_pod_spec: onNode(node) }),
    async after({ kubectl, node }) {
      shutdown.logind?.prepareForShutdown(false);
      await kubectl(['wait', `node/${node}`, '--for=condition=Ready', '--timeout=60s']);
    },
    expected: {
      title: 'Node shut down',
      says: 'Pod NS/POD ended before its container had run: node NODE was being shut down. Run the step again. What removes nodes leaves alone a pod with the annotation `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"` (Karpenter: `karpenter.sh/do-not-disrupt: "true"`).',
      reason: 'NodeShutdown',
    },
  },
];

/** Those that do without the node. */
export const WITHOUT_THE_NODE: Scenario[] = [
  {
    name: 'The node does not answer any more',
    inOrder: true,
    inputs: { ...WAITS, tolerations: tolerating(0) },
    async before() {
      lost = Promise.withResolvers<void>();
    },
    async during({ namespace, pod }) {
      await pod(isRunning);
      await bothRun(namespace);
      await stop(OWN_CLUSTER, 'kubelet');
      await pod(({ metadata }) => metadata?.deletionTimestamp !== undefined);
      lost.resolve();
    },
    async after() {
      lost.resolve();
    },
    shownBy: deleted,
    takes: 33,
    expected: {
      title: 'Node lost',
      says: 'Container base of pod NS/POD got lost with its node NODE, which does not answer any more: told to stop the pod, it has said nothing for 31 s. What became of it is not known. The container may still be running, until node NODE is back or removed. Run the step again where that does no harm.',
      reason: 'NodeLost',
      logMayBeLost: true,
    },
  },
  {
    name: 'The node is taken out of the cluster',
    inOrder: true,
    inputs: { ...WAITS, tolerations: tolerating(3600) },
    async during(stage) {
      await stage.pod(isRunning);
      await stage.pod(isLeft);
      // What is left on a node that is gone is removed 40 s later at the earliest: the step of the other pod has ended by then.
      await lost.promise;
      await stage.kubectl(['delete', 'node', stage.node]);
    },
    async after() {
      await start(OWN_CLUSTER, 'kubelet');
      await untilReady(OWN_CLUSTER);
    },
    expected: {
      title: 'Node lost',
      says: 'Container base of pod NS/POD got lost with its node NODE, which is not in the cluster any more, or out of its reach. What became of it is not known. Run the step again where that does no harm.',
      reason: 'NodeLost',
      logMayBeLost: true,
    },
  },
];

/** The pods of all that do without the node. */
async function bothRun(namespace: Place['namespace']): Promise<void> {
  await namespace.kubectl(['wait', 'pods', '--all', '--for=condition=Ready', '--timeout=60s']);
}

/** What tells the kubelet of a shutdown. */
export const shutdown: { logind?: FakeLogind } = {};

/** The first of those that do without the node shows that it is lost. */
let lost = Promise.withResolvers<void>();

function isLeft(pod: V1Pod): boolean {
  return (
    isRunning(pod) &&
    pod.status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'False') === true
  );
}

/** For how long the pod stays on a node that is gone. */
function tolerating(seconds: number): string {
  return JSON.stringify(
    ['not-ready', 'unreachable'].map(what => ({
      ...{ key: `node.kubernetes.io/${what}`, operator: 'Exists', effect: 'NoExecute' },
      tolerationSeconds: seconds,
    })),
  );
}

function waiting(): object {
  const container = { name: 'base', image: SHELL, command: ['sleep', '600'] };
  return { terminationGracePeriodSeconds: 0, containers: [container] };
}
