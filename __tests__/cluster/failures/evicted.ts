import { readFileSync } from 'node:fs';
import { withKubeletSettings } from '../../support/kubelet-settings.ts';
import { isRunning, OWN_CLUSTER, type Scenario, SHELL, sh } from './scenario.ts';

const WAITS = sh('echo at work; sleep 600');

/** The pod has to go, for its own sake or another's. They do not disturb one another. */
export const EVICTED: Scenario[] = [
  {
    name: 'Evicted: more written than the limit of ephemeral storage',
    inOrder: true,
    inputs: {
      ...sh('dd if=/dev/zero of=/file bs=1M count=20; sleep 600'),
      container_resources: '{limits: {ephemeral-storage: 1Mi}}',
    },
    expected: {
      title: 'Evicted: over its limit of ephemeral storage',
      says: 'Container base of pod NS/POD was … its node NODE evicted the pod, of QoS class BestEffort: Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. Raise `container_resources.limits.ephemeral-storage`, or write less: files in the container and its log count.',
      reason: 'Evicted',
      exitCode: 137,
      logMayBeLost: true,
      endMayBeLost: true,
    },
  },
  {
    name: 'Evicted: more written into an emptyDir than its `sizeLimit`',
    inputs: {
      ...sh('dd if=/dev/zero of=/v/file bs=1M count=20; sleep 600'),
      volumes: '[{name: v, emptyDir: {sizeLimit: 1Mi}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
    },
    expected: {
      title: 'Evicted: a volume over its limit',
      says: 'Container base of pod NS/POD was … its node NODE evicted the pod, of QoS class BestEffort: Usage of EmptyDir volume "v" exceeds the limit "1Mi". Raise the `sizeLimit` of volume v, or write less to it.',
      reason: 'Evicted',
      exitCode: 137,
      logMayBeLost: true,
      endMayBeLost: true,
    },
  },
  {
    name: 'Evicted: more written beside the result than its volume takes',
    inputs: {
      ...sh('dd if=/dev/zero of=/airflow/xcom/file bs=1M count=70; sleep 600'),
      do_xcom_push: 'true',
    },
    expected: {
      title: 'Evicted: a volume over its limit',
      says: 'Container base of pod NS/POD was … its node NODE evicted the pod, of QoS class Burstable: Usage of EmptyDir volume "pod-step-result" exceeds the limit "64Mi". That volume is at /airflow/xcom, for the result alone: write what else is large elsewhere, e.g. to /tmp.',
      reason: 'Evicted',
      exitCode: 137,
      logMayBeLost: true,
      endMayBeLost: true,
    },
  },
  {
    name: 'Evicted through the API, as `kubectl drain` does',
    inOrder: true,
    inputs: WAITS,
    async during({ namespace, pod, kubectl }) {
      const { metadata } = await pod(isRunning);
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: metadata?.name ?? '' } };
      const path = `/api/v1/namespaces/${namespace.name}/pods/${metadata?.name}/eviction`;
      await kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
    },
    expected: {
      title: 'Evicted',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): the pod was evicted from node NODE through the API, as when a node is drained. Run the step again. What removes nodes leaves alone a pod with the annotation `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"` (Karpenter: `karpenter.sh/do-not-disrupt: "true"`).',
      reason: 'Evicted',
      exitCode: 137,
    },
  },
  {
    name: 'Preempted by a pod of higher priority',
    inOrder: true,
    inputs: { ...WAITS, container_resources: '{requests: {cpu: 1500m}}' },
    async before({ kubectl }) {
      const urgent = { metadata: { name: 'urgent' }, value: 1000, description: 'For the tests.' };
      const priorityClass = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', ...urgent };
      await kubectl(['apply', '-f', '-'], JSON.stringify(priorityClass));
    },
    async during({ namespace, pod }) {
      await pod(isRunning);
      await namespace.kubectl(['create', '-f', '-'], JSON.stringify(urgentPod()));
    },
    async after({ namespace }) {
      await namespace.kubectl(['delete', 'pod', 'urgent', '--ignore-not-found', '--wait=false']);
    },
    expected: {
      title: 'Preempted',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): a pod of higher priority took its place on node NODE. Run the step again when there is room, or give it a higher `priority_class_name`.',
      reason: 'Preempted',
      exitCode: 137,
    },
  },
];

/** Those that need the node to themselves. */
export const EVICTED_ALONE: Scenario[] = [
  {
    name: 'A taint with NoExecute put on the node',
    inOrder: true,
    inputs: WAITS,
    async during({ pod, kubectl, node }) {
      await pod(isRunning);
      await kubectl(['taint', 'node', node, 'maintenance=now:NoExecute']);
    },
    async after({ kubectl, node }) {
      await kubectl(['taint', 'node', node, 'maintenance-']);
    },
    expected: {
      title: 'Evicted by a taint',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): node NODE has a taint with the effect NoExecute that the pod does not tolerate, or no longer. See to the taints of the node, or to `tolerations`.',
      reason: 'Evicted',
      exitCode: 137,
    },
  },
  {
    name: 'Evicted: the node runs out of memory',
    inOrder: true,
    async before() {
      // Pressure from where the node is now minus 1.5 GiB.
      const available = Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]);
      const least = Math.floor(available / 1024) - 1536;
      await withKubeletSettings(OWN_CLUSTER, { evictionHard: { 'memory.available': `${least}Mi` } });
    },
    inputs: {
      ...sh('dd if=/dev/zero of=/v/file bs=1M count=2560; sleep 600'),
      volumes: '[{name: v, emptyDir: {medium: Memory}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
    },
    after: () => withKubeletSettings(OWN_CLUSTER, {}),
    expected: {
      title: 'Evicted: node low on memory',
      says: 'Container base of pod NS/POD was … its node NODE evicted the pod, of QoS class BestEffort: The node was low on resource: memory. … A node evicts BestEffort pods first and Guaranteed ones last: raise the requests in `container_resources`, or set them equal to the limits.',
      reason: 'Evicted',
      logMayBeLost: true,
      endMayBeLost: true,
      exitCode: 137,
    },
  },
];

function urgentPod(): object {
  const container = {
    name: 'base',
    image: SHELL,
    command: ['true'],
    resources: { requests: { cpu: '1500m' } },
  };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'urgent' } },
    spec: { priorityClassName: 'urgent', restartPolicy: 'Never', containers: [container] },
  };
}
