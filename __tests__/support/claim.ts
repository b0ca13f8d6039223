import { rmSync } from 'node:fs';
import { cluster, kubectl, type Namespace } from './cluster.ts';

/** Makes a claim, and a volume for it on the node, that holds a file `input`. */
export async function makeClaim(namespace: Namespace, name: string, content: string): Promise<void> {
  const volumeName = `${namespace.name}-${name}`;
  const size = { storage: '1Mi' };
  const shared = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  const volume = {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: volumeName } },
    spec: {
      ...{ ...shared, capacity: size, claimRef: { namespace: namespace.name, name } },
      hostPath: { path: folderOf(namespace), type: 'DirectoryOrCreate' },
    },
  };
  const claim = {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name } },
    spec: { ...shared, resources: { requests: size }, volumeName },
  };
  const filler = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'filler' } },
    spec: {
      containers: [
        {
          ...{ name: 'filler', image: cluster.images.shell, command: ['sh', '-c', 'echo "$0" > /data/input', content] },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    },
  };
  const objects = [volume, claim, filler].map(object => JSON.stringify(object));
  await namespace.kubectl(['create', '-f', '-'], objects.join('\n---\n'));
  await namespace.kubectl(['wait', 'pod/filler', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
  await namespace.kubectl(['delete', 'pod', 'filler']);
}

/** Volumes belong to no namespace and do not go with it. */
export async function removeVolume(namespace: Namespace, name: string): Promise<void> {
  await kubectl(['delete', 'persistentvolume', `${namespace.name}-${name}`, '--wait=false']);
  // Where the node is this machine.
  if (cluster.provider === 'one-node') rmSync(folderOf(namespace), { recursive: true, force: true });
}

function folderOf(namespace: Namespace): string {
  return `/tmp/kubernetes-pod-step-${namespace.name}`;
}
