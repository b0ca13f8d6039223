import type { V1Pod } from '@kubernetes/client-node';
import type { Inputs, Place, Scenario } from './scenario.ts';

const env = (secret: string, key: string) => ({
  secrets: `[{deploy_type: env, deploy_target: A, secret: ${secret}, key: ${key}}]`,
});
const volume = (source: string, mount = ''): Inputs => ({
  volumes: `[{name: v, ${source}}]`,
  volume_mounts: `[{name: v, mountPath: /v${mount}}]`,
});
const waits = (reason: string) => ({
  pod: ({ status }: V1Pod) => status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
});
const said = (reason: string) => ({ event: (event: { reason?: string }) => event.reason === reason });
/** A grace for what may be on its way, and until the node has looked again after it. */
const GRACE = 35;

/** What the pod asks for is not there, or not to be had. */
export const CONFIG: Scenario[] = [
  {
    name: 'A Secret for a variable does not exist',
    inputs: env('gone', 'password'),
    shownBy: waits('CreateContainerConfigError'),
    takes: GRACE,
    expected: {
      title: 'Secret missing',
      says: 'Secret "gone" does not exist in namespace NS; secrets[0] asks for it. Create it: kubectl -n NS create secret generic gone --from-literal=password=VALUE',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A Secret lacks a key',
    before: ({ namespace }) => make(namespace, 'Secret', 'db', { user: 'dQ==' }),
    inputs: env('db', 'password'),
    shownBy: waits('CreateContainerConfigError'),
    takes: GRACE,
    expected: {
      title: 'Key missing',
      says: 'Secret "db" exists in namespace NS, but has no key "password"; secrets[0] asks for it. Add the key, or name another. Those that it has: kubectl -n NS describe secret db',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A ConfigMap for variables does not exist',
    inputs: { configmaps: 'settings' },
    shownBy: waits('CreateContainerConfigError'),
    takes: GRACE,
    expected: {
      title: 'ConfigMap missing',
      says: 'ConfigMap "settings" does not exist in namespace NS; configmaps[0] asks for it. Create it: kubectl -n NS create configmap settings --from-literal=KEY=VALUE',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A Secret for files does not exist',
    inputs: volume('secret: {secretName: gone}'),
    shownBy: said('FailedMount'),
    takes: GRACE,
    expected: {
      title: 'Secret missing',
      says: 'Secret "gone" does not exist in namespace NS; volumes[0].secret asks for it. Create it: kubectl -n NS create secret generic gone --from-file=PATH',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A Secret for files lacks a key',
    before: ({ namespace }) => make(namespace, 'Secret', 'bucket', { user: 'dQ==' }),
    inputs: volume('secret: {secretName: bucket, items: [{key: service-account.json, path: x}]}'),
    shownBy: said('FailedMount'),
    takes: GRACE,
    expected: {
      title: 'Key missing',
      says: 'Secret "bucket" exists in namespace NS, but has no key "service-account.json"; volumes[0].secret.items[0] asks for it. Add the key, or name another. Those that it has: kubectl -n NS describe secret bucket',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A ConfigMap for files does not exist',
    inputs: volume('configMap: {name: gone}'),
    shownBy: said('FailedMount'),
    takes: GRACE,
    expected: {
      title: 'ConfigMap missing',
      says: 'ConfigMap "gone" does not exist in namespace NS; volumes[0].configMap asks for it. Create it: kubectl -n NS create configmap gone --from-file=PATH',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A claim does not exist',
    inputs: volume('persistentVolumeClaim: {claimName: data}'),
    shownBy: { pod: ({ status }) => status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true },
    takes: 15,
    expected: {
      title: 'PersistentVolumeClaim missing',
      says: 'PersistentVolumeClaim "data" does not exist in namespace NS; volumes[0].persistentVolumeClaim asks for it. Create it: kubectl -n NS apply -f CLAIM.yaml. Those that there are: kubectl -n NS get pvc',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'The service account does not exist',
    inputs: { service_account_name: 'builder' },
    takes: 15,
    expected: {
      title: 'Service account missing',
      says: 'Service account "builder" does not exist in namespace NS; service_account_name asks for it. Create it: kubectl -n NS create serviceaccount builder',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'The PriorityClass does not exist',
    inputs: { priority_class_name: 'urgent' },
    expected: {
      title: 'No such PriorityClass',
      says: 'PriorityClass "urgent" does not exist on this cluster. Correct `priority_class_name` or the template. Those that there are: kubectl get priorityclass',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'The RuntimeClass does not exist',
    inputs: { runtime_class_name: 'gvisor' },
    expected: {
      title: 'No such RuntimeClass',
      says: 'RuntimeClass "gvisor" does not exist on this cluster. Correct `runtime_class_name` or the template. Those that there are: kubectl get runtimeclass',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'The node does not know the RuntimeClass’s handler',
    inOrder: true,
    async before({ kubectl }) {
      const runtimeClass = {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name: 'kata' },
        handler: 'kata-qemu',
      };
      await kubectl(['apply', '-f', '-'], JSON.stringify(runtimeClass));
    },
    inputs: { runtime_class_name: 'kata', startup_timeout_seconds: '12' },
    after: ({ kubectl }) => kubectl(['delete', 'runtimeclass', 'kata', '--ignore-not-found']),
    shownBy: said('FailedCreatePodSandBox'),
    expected: {
      title: 'No such runtime on the node',
      says: 'Node NODE has no container runtime "kata-qemu", which RuntimeClass kata stands for. Correct `runtime_class_name`, or have its pods go to nodes that have the runtime (`node_selector`, or `scheduling` of the RuntimeClass).',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'runAsNonRoot, and the image runs as root',
    inputs: { container_security_context: '{runAsNonRoot: true}' },
    shownBy: waits('CreateContainerConfigError'),
    expected: {
      title: 'Container cannot be configured',
      says: 'Container base of pod NS/POD cannot be created: container has runAsNonRoot and image will run as root…. Set a `runAsUser` other than 0, or use an image whose user is not root.',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'A path on the node is not what the volume says it is',
    inputs: { ...volume('hostPath: {path: /etc, type: File}'), startup_timeout_seconds: '8' },
    shownBy: said('FailedMount'),
    takes: 8,
    expected: {
      title: 'A volume cannot be mounted',
      says: 'The container of pod NS/POD did not start within 8 s: starting on node NODE: MountVolume.SetUp failed for volume "v" : hostPath type check failed: /etc is not a file. See to that volume. If it only needs more time, raise `startup_timeout_seconds`.',
      reason: 'StartTimeout',
    },
  },
  {
    name: 'A `subPath` of a read-only volume does not exist',
    before: ({ namespace }) => make(namespace, 'ConfigMap', 'app', { 'app.ini': 'x' }),
    inputs: volume('configMap: {name: app}', '/app.ini, subPath: app.ini/part'),
    shownBy: waits('CreateContainerConfigError'),
    takes: 15,
    expected: {
      title: 'Container cannot be configured',
      says: 'Container base of pod NS/POD cannot be created: failed to prepare subPath for volumeMount "v" of container "base". Check the `subPath` in `volume_mounts`.',
      reason: 'ContainerConfig',
    },
  },
  {
    name: 'The node has no such CSI driver',
    inputs: { ...volume('csi: {driver: secrets-store.csi.k8s.io}'), startup_timeout_seconds: '8' },
    shownBy: said('FailedMount'),
    takes: 8,
    expected: {
      title: 'A volume cannot be mounted',
      says: 'The container of pod NS/POD did not start within 8 s: starting on node NODE: MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name secrets-store.csi.k8s.io not found in the list of registered CSI drivers. See to that volume. If it only needs more time, raise `startup_timeout_seconds`.',
      reason: 'StartTimeout',
    },
  },
];

async function make(namespace: Place['namespace'], kind: string, name: string, data: object): Promise<void> {
  await namespace.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, data }));
}
