import type { V1Pod } from '@kubernetes/client-node';
import type { Inputs, Scenario } from './scenario.ts';

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
    expected: { title: 'Secret missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A Secret lacks a key',
    before: ({ namespace }) => namespace.kubectl(['create', 'secret', 'generic', 'db', '--from-literal=user=u']),
    inputs: env('db', 'password'),
    shownBy: waits('CreateContainerConfigError'),
    takes: GRACE,
    expected: { title: 'Key missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A ConfigMap for variables does not exist',
    inputs: { configmaps: 'settings' },
    shownBy: waits('CreateContainerConfigError'),
    takes: GRACE,
    expected: { title: 'ConfigMap missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A Secret for files does not exist',
    inputs: volume('secret: {secretName: gone}'),
    shownBy: said('FailedMount'),
    takes: GRACE,
    expected: { title: 'Secret missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A ConfigMap for files does not exist',
    inputs: volume('configMap: {name: gone}'),
    shownBy: said('FailedMount'),
    takes: GRACE,
    expected: { title: 'ConfigMap missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A claim does not exist',
    inputs: volume('persistentVolumeClaim: {claimName: data}'),
    shownBy: { pod: ({ status }) => status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true },
    takes: 15,
    expected: { title: 'PersistentVolumeClaim missing', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'The service account does not exist',
    inputs: { service_account_name: 'builder' },
    takes: 15,
    expected: { title: 'No such service account', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'The PriorityClass does not exist',
    inputs: { priority_class_name: 'urgent' },
    expected: { title: 'No such PriorityClass', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'The RuntimeClass does not exist',
    inputs: { runtime_class_name: 'gvisor' },
    expected: { title: 'No such RuntimeClass', says: '', reason: 'ContainerConfig' },
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
    shownBy: said('FailedCreatePodSandBox'),
    takes: 12,
    expected: { title: 'RuntimeClass not on the node', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'runAsNonRoot, and the image runs as root',
    inputs: { container_security_context: '{runAsNonRoot: true}' },
    shownBy: waits('CreateContainerConfigError'),
    expected: { title: 'Container cannot be configured', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'A path on the node is not what the volume says it is',
    inputs: { ...volume('hostPath: {path: /etc, type: File}'), startup_timeout_seconds: '8' },
    shownBy: said('FailedMount'),
    takes: 8,
    expected: { title: 'The container did not start', says: '', reason: 'StartTimeout' },
  },
  {
    name: 'A `subPath` that leads out of its volume',
    inputs: volume('emptyDir: {}', ', subPath: ../etc'),
    expected: { title: 'The API server refused the pod', says: '', reason: 'InvalidPod' },
  },
  {
    name: 'A `subPath` of a read-only volume does not exist',
    before: ({ namespace }) => namespace.kubectl(['create', 'configmap', 'app', '--from-literal=app.ini=x']),
    inputs: volume('configMap: {name: app}', '/app.ini, subPath: app.ini/part'),
    shownBy: waits('CreateContainerConfigError'),
    takes: 15,
    expected: { title: 'Container cannot be configured', says: '', reason: 'ContainerConfig' },
  },
  {
    name: 'The node has no such CSI driver',
    inputs: { ...volume('csi: {driver: secrets-store.csi.k8s.io}'), startup_timeout_seconds: '8' },
    shownBy: said('FailedMount'),
    takes: 8,
    expected: { title: 'The container did not start', says: '', reason: 'StartTimeout' },
  },
];
