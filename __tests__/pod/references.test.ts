import { expect, test } from '@jest/globals';
import type { V1PodSpec } from '@kubernetes/client-node';
import { referencesOf } from '../../src/pod/references.ts';

const of = (spec: Partial<V1PodSpec>) => referencesOf({ spec: { containers: [], ...spec } }, path => `<${path}>`);
const secretKeyRef = (name: string, key: string, optional?: boolean) => ({
  secretKeyRef: { name, key, ...(optional !== undefined && { optional }) },
});

test('a pod that needs nothing refers to nothing', () => {
  expect(referencesOf({}, path => path)).toEqual([]);
  expect(
    of({ containers: [{ name: 'base', env: [{ name: 'A', value: 'x' }] }], volumes: [{ name: 'v', emptyDir: {} }] }),
  ).toEqual([]);
});

test('each reference has the path that the server would name, and what the user wrote for it', () => {
  expect(of({ serviceAccountName: 'builder', imagePullSecrets: [{ name: 'a' }, { name: 'regcred' }] })).toEqual([
    { kind: 'ServiceAccount', name: 'builder', path: 'spec.serviceAccountName', origin: '<spec.serviceAccountName>' },
    { kind: 'Secret', name: 'a', path: 'spec.imagePullSecrets[0]', origin: '<spec.imagePullSecrets[0]>', pull: true },
    {
      kind: 'Secret',
      name: 'regcred',
      path: 'spec.imagePullSecrets[1]',
      origin: '<spec.imagePullSecrets[1]>',
      pull: true,
    },
  ]);
});

test('the older field of the service account counts where it is the only one', () => {
  expect(of({ serviceAccount: 'old' })).toMatchObject([{ name: 'old', path: 'spec.serviceAccount' }]);
  expect(of({ serviceAccount: 'old', serviceAccountName: 'new' })).toMatchObject([{ name: 'new' }]);
});

test.each<[string, Partial<V1PodSpec>, object[]]>([
  [
    'a variable',
    {
      containers: [
        {
          name: 'base',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: secretKeyRef('db', 'user') },
          ],
        },
      ],
    },
    [{ kind: 'Secret', name: 'db', key: 'user', path: 'spec.containers[0].env[1].valueFrom.secretKeyRef' }],
  ],
  [
    'an optional variable',
    { containers: [{ name: 'base', env: [{ name: 'B', valueFrom: secretKeyRef('db', 'user', true) }] }] },
    [{ name: 'db', optional: true }],
  ],
  [
    'a variable of a ConfigMap, in an init container',
    {
      initContainers: [
        { name: 'prep', env: [{ name: 'B', valueFrom: { configMapKeyRef: { name: 'conf', key: 'k' } } }] },
      ],
    },
    [{ kind: 'ConfigMap', name: 'conf', key: 'k', path: 'spec.initContainers[0].env[0].valueFrom.configMapKeyRef' }],
  ],
  [
    'all variables',
    {
      containers: [
        { name: 'base', envFrom: [{ secretRef: { name: 's' } }, { configMapRef: { name: 'c', optional: true } }] },
      ],
    },
    [
      { kind: 'Secret', name: 's', path: 'spec.containers[0].envFrom[0].secretRef' },
      { kind: 'ConfigMap', name: 'c', path: 'spec.containers[0].envFrom[1].configMapRef', optional: true },
    ],
  ],
  [
    'a volume, with all keys and with some',
    {
      volumes: [
        { name: 'v', secret: { secretName: 's' } },
        {
          name: 'w',
          configMap: {
            name: 'c',
            items: [
              { key: 'a', path: 'x' },
              { key: 'b', path: 'y' },
            ],
          },
        },
      ],
    },
    [
      { kind: 'Secret', name: 's', volume: 'v', path: 'spec.volumes[0].secret' },
      { kind: 'ConfigMap', name: 'c', key: 'a', volume: 'w', path: 'spec.volumes[1].configMap.items[0]' },
      { kind: 'ConfigMap', name: 'c', key: 'b', volume: 'w', path: 'spec.volumes[1].configMap.items[1]' },
    ],
  ],
  [
    'a projected volume',
    {
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [
              { serviceAccountToken: { path: 't' } },
              { secret: { name: 's' } },
              { configMap: { name: 'c', items: [{ key: 'k', path: 'x' }] } },
            ],
          },
        },
      ],
    },
    [
      { kind: 'Secret', name: 's', path: 'spec.volumes[0].projected.sources[1].secret' },
      { kind: 'ConfigMap', name: 'c', key: 'k', path: 'spec.volumes[0].projected.sources[2].configMap.items[0]' },
    ],
  ],
  [
    'a claim and the credentials of storage',
    {
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data-0' } },
        { name: 'c', csi: { driver: 'd', nodePublishSecretRef: { name: 's1' } } },
        { name: 'a', azureFile: { secretName: 's2', shareName: 'x' } },
        { name: 'i', iscsi: { iqn: '', lun: 0, targetPortal: '', secretRef: { name: 's3' } } },
      ],
    },
    [
      { kind: 'PersistentVolumeClaim', name: 'data-0', path: 'spec.volumes[0].persistentVolumeClaim' },
      { kind: 'Secret', name: 's1', path: 'spec.volumes[1].csi.nodePublishSecretRef' },
      { kind: 'Secret', name: 's2', path: 'spec.volumes[2].azureFile.secretName' },
      { kind: 'Secret', name: 's3', path: 'spec.volumes[3].iscsi.secretRef' },
    ],
  ],
])('%s', (_, spec, expected) => {
  const found = of(spec);
  expect(found).toMatchObject(expected);
  expect(found).toHaveLength(expected.length);
});
