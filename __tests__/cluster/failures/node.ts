import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { restart, start, stop, untilReady } from '../../../dev/cluster/index.ts';
import { placesOf } from '../../../dev/cluster/places.ts';
import { isRunning, type Place, type Scenario, type ShownBy, sh } from './scenario.ts';

/** The cluster that these have for themselves. */
export const NAME = 'test-failures';

const WAITS = sh('echo at work; sleep 600');
const onNode = (node: string, more: object = {}) => JSON.stringify({ spec: { nodeName: node, ...more } });
const deleted: ShownBy = { pod: ({ metadata }) => metadata?.deletionTimestamp !== undefined };

/** Those that do not disturb one another. */
export const TOGETHER: Scenario[] = [
  {
    name: 'The kubelet refuses the pod: too little CPU is left on the node that `nodeName` names',
    inputs: ({ node }) => ({
      full_pod_spec: onNode(node),
      container_resources: '{requests: {cpu: 500}}',
    }),
    expected: { title: 'OutOfcpu', says: '', reason: 'Rejected' },
  },
  {
    name: 'The kubelet refuses the pod: the node that `nodeName` names lacks a label of `node_selector`',
    inputs: ({ node }) => ({ full_pod_spec: onNode(node), node_selector: '{disktype: tape}' }),
    expected: { title: 'NodeAffinity', says: '', reason: 'Rejected' },
  },
  {
    name: 'Evicted: more written than the limit of ephemeral storage',
    inOrder: true,
    inputs: {
      ...sh('dd if=/dev/zero of=/file bs=1M count=20; sleep 600'),
      container_resources: '{limits: {ephemeral-storage: 1Mi}}',
    },
    expected: { title: 'Evicted', says: '', reason: 'Evicted', exitCode: 137 },
  },
  {
    name: 'Evicted: more written into an emptyDir than its `sizeLimit`',
    inputs: {
      ...sh('dd if=/dev/zero of=/v/file bs=1M count=20; sleep 600'),
      volumes: '[{name: v, emptyDir: {sizeLimit: 1Mi}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
    },
    expected: { title: 'Evicted', says: '', reason: 'Evicted', exitCode: 137 },
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
    expected: { title: 'Evicted', says: '', reason: 'Evicted', exitCode: 137 },
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
    expected: { title: 'Preempted', says: '', reason: 'Rejected', exitCode: 137 },
  },
];

/** Those that need the node to themselves, one after the other. */
export const ONE_BY_ONE: Scenario[] = [
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
    expected: { title: 'Evicted', says: '', reason: 'Evicted', exitCode: 137 },
  },
  {
    name: 'Evicted: the node runs out of memory',
    inOrder: true,
    async before() {
      // Pressure from where the node is now minus 1.5 GiB.
      const available = Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]);
      const least = Math.floor(available / 1024) - 1536;
      await withKubeletSettings({ evictionHard: { 'memory.available': `${least}Mi` } });
    },
    inputs: {
      ...sh('dd if=/dev/zero of=/v/file bs=1M count=2560; sleep 600'),
      volumes: '[{name: v, emptyDir: {medium: Memory}}]',
      volume_mounts: '[{name: v, mountPath: /v}]',
    },
    after: () => withKubeletSettings({}),
    expected: { title: 'Evicted', says: '', reason: 'Evicted', exitCode: 137 },
  },
];

/** Those that do without the node. */
export const WITHOUT_THE_NODE: Scenario[] = [
  {
    name: 'The node does not answer any more',
    inOrder: true,
    inputs: { ...WAITS, tolerations: tolerating(0) },
    async during({ namespace, pod, step }) {
      await pod(isRunning);
      await bothRun(namespace);
      await stop(NAME, 'kubelet');
      // Where no node is ready the cluster takes itself to be at fault, and evicts nobody.
      await pod(({ metadata }) => metadata?.deletionTimestamp !== undefined);
      told = Promise.race([step.done, sleep(30_000)]);
    },
    shownBy: deleted,
    expected: { title: 'Node lost', says: '', reason: 'Lost' },
  },
  {
    name: 'The node is taken out of the cluster',
    inOrder: true,
    inputs: { ...WAITS, tolerations: tolerating(3600) },
    async during(stage) {
      await stage.pod(isRunning);
      await stage.pod(isLeft);
      // The other one's time: a node that is gone is told from one that does not answer.
      while (told === undefined) await sleep(500);
      await told;
      await stage.kubectl(['delete', 'node', stage.node]);
    },
    async after() {
      await start(NAME, 'kubelet');
      await untilReady(NAME);
    },
    expected: { title: 'Node lost', says: '', reason: 'Lost' },
  },
];

/** The pods of all that do without the node. */
async function bothRun(namespace: Place['namespace']): Promise<void> {
  await namespace.kubectl(['wait', 'pods', '--all', '--for=condition=Ready', '--timeout=60s']);
}

/** Set once the first of those that do without the node shows that it is lost: until its step has ended, or should have. */
let told: Promise<unknown> | undefined;

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

function urgentPod(): object {
  const container = {
    name: 'base',
    image: 'localhost/pod-step/shell:1',
    command: ['true'],
    resources: { requests: { cpu: '1500m' } },
  };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'urgent' } },
    spec: { priorityClassName: 'urgent', restartPolicy: 'Never', containers: [container] },
  };
}

/** A node that is nothing but an object which says that it is ready: where no node is, the cluster takes itself to be at fault, and evicts nobody. */
export class Neighbour implements AsyncDisposable {
  readonly #place: Pick<Place, 'kubectl'>;
  readonly #beat: NodeJS.Timeout;

  private constructor(place: Pick<Place, 'kubectl'>) {
    this.#place = place;
    this.#beat = setInterval(() => void this.#live().catch(() => {}), 3000);
  }

  static async make(place: Pick<Place, 'kubectl'>): Promise<Neighbour> {
    const metadata = { name: 'neighbour' };
    const node = { apiVersion: 'v1', kind: 'Node', metadata, spec: { unschedulable: true } };
    const lease = {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      metadata: { ...metadata, namespace: 'kube-node-lease' },
      spec: { holderIdentity: 'neighbour', leaseDurationSeconds: 40 },
    };
    for (const object of [node, lease]) await place.kubectl(['create', '-f', '-'], JSON.stringify(object));
    const neighbour = new Neighbour(place);
    await neighbour.#live();
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date() }];
    const patch = JSON.stringify({ status: { conditions } });
    await place.kubectl(['patch', 'node', 'neighbour', '--subresource=status', '-p', patch]);
    return neighbour;
  }

  async #live(): Promise<void> {
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const patch = JSON.stringify({ spec: { renewTime } });
    await this.#place.kubectl(['-n', 'kube-node-lease', 'patch', 'lease', 'neighbour', '--type=merge', '-p', patch]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    await this.#place.kubectl(['delete', 'node', 'neighbour']);
  }
}

let settings: string | undefined;

/** Starts the kubelet again with settings that win over its own. */
async function withKubeletSettings(more: object): Promise<void> {
  const file = join(placesOf(NAME).state, 'configuration/kubelet.json');
  settings ??= readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(settings) as object), ...more }, null, 2));
  await restart(NAME, 'kubelet');
  await untilReady(NAME);
}
