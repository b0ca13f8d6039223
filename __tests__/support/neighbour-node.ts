import { kubectl } from './cluster.ts';

const NAME = 'neighbour';
/** It is missed after 12 s. */
const BEAT_MS = 3000;

/** A node that is nothing but an object which says that it is ready: where no node is ready, the cluster takes itself to be at fault, and evicts nobody. */
export class NeighbourNode implements AsyncDisposable {
  readonly #beat = setInterval(() => void beat().catch(() => {}), BEAT_MS);

  static async make(): Promise<NeighbourNode> {
    const metadata = { name: NAME };
    const node = { apiVersion: 'v1', kind: 'Node', metadata, spec: { unschedulable: true } };
    const lease = {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      metadata: { ...metadata, namespace: 'kube-node-lease' },
      spec: { holderIdentity: NAME, leaseDurationSeconds: 40 },
    };
    for (const object of [node, lease]) await kubectl(['apply', '-f', '-'], JSON.stringify(object));
    await beat();
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date() }];
    await kubectl(['patch', 'node', NAME, '--subresource=status', '-p', JSON.stringify({ status: { conditions } })]);
    return new NeighbourNode();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    await kubectl(['delete', 'node', NAME]);
  }
}

async function beat(): Promise<void> {
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const patch = JSON.stringify({ spec: { renewTime } });
  await kubectl(['-n', 'kube-node-lease', 'patch', 'lease', NAME, '--type=merge', '-p', patch]);
}
