import type { V1Container, V1EnvVar, V1Pod, V1Volume } from '@kubernetes/client-node';

/** Something that a pod needs and that must be in its namespace. */
export interface Reference {
  kind: 'Secret' | 'ConfigMap' | 'PersistentVolumeClaim' | 'ServiceAccount';
  name: string;
  /** The one key of it that is asked for. */
  key?: string;
  /** The pod starts without it. */
  optional?: true;
  /** Where the pod asks for it, e.g. `spec.containers[0].env[2].valueFrom.secretKeyRef`. */
  path: string;
  /** What the user wrote to have it there, e.g. `secrets[0]`, or `pod_template_file (pod.yaml): spec.volumes[1]`. */
  origin: string;
  /** The volume whose files it gives. */
  volume?: string;
  /** The registry's credentials: without them the pull is tried all the same. */
  pull?: true;
}

/** Where a reference stands, and what else is known of it. */
type Place = Omit<Reference, 'kind' | 'name' | 'origin' | 'optional'> & { optional?: boolean | undefined };

/** @returns everything that must exist in the namespace for this pod to start, in the order of the pod. */
export function referencesOf(pod: V1Pod, originOf: (path: string) => string): Reference[] {
  const found: Reference[] = [];
  const add: Add = (kind, name, { optional, ...place }) => {
    if (!name) return;
    found.push({ kind, name, ...place, ...(optional && { optional: true }), origin: originOf(place.path) });
  };
  const {
    serviceAccountName,
    serviceAccount,
    imagePullSecrets = [],
    initContainers = [],
    containers = [],
    volumes = [],
  } = pod.spec ?? {};
  // The older of the two fields counts where it is the only one.
  if (serviceAccountName) add('ServiceAccount', serviceAccountName, { path: 'spec.serviceAccountName' });
  else add('ServiceAccount', serviceAccount, { path: 'spec.serviceAccount' });
  for (const [index, { name }] of imagePullSecrets.entries())
    add('Secret', name, { path: `spec.imagePullSecrets[${index}]`, pull: true });
  for (const [index, container] of initContainers.entries())
    ofContainer(container, `spec.initContainers[${index}]`, add);
  for (const [index, container] of containers.entries()) ofContainer(container, `spec.containers[${index}]`, add);
  for (const [index, volume] of volumes.entries()) ofVolume(volume, `spec.volumes[${index}]`, add);
  return found;
}

type Add = (kind: Reference['kind'], name: string | undefined, place: Place) => void;

function ofContainer({ env = [], envFrom = [] }: V1Container, path: string, add: Add): void {
  for (const [index, variable] of env.entries()) ofVariable(variable, `${path}.env[${index}].valueFrom`, add);
  for (const [index, { secretRef, configMapRef }] of envFrom.entries()) {
    const at = `${path}.envFrom[${index}]`;
    add('Secret', secretRef?.name, { path: `${at}.secretRef`, optional: secretRef?.optional });
    add('ConfigMap', configMapRef?.name, { path: `${at}.configMapRef`, optional: configMapRef?.optional });
  }
}

function ofVariable({ valueFrom }: V1EnvVar, path: string, add: Add): void {
  const { secretKeyRef: secret, configMapKeyRef: configMap } = valueFrom ?? {};
  if (secret) add('Secret', secret.name, { path: `${path}.secretKeyRef`, key: secret.key, optional: secret.optional });
  if (configMap)
    add('ConfigMap', configMap.name, {
      path: `${path}.configMapKeyRef`,
      key: configMap.key,
      optional: configMap.optional,
    });
}

function ofVolume(volume: V1Volume, path: string, add: Add): void {
  const at = (field: string) => ({ path: `${path}.${field}`, volume: volume.name });
  const files = (kind: 'Secret' | 'ConfigMap', source: FileSource, place: Place) => {
    const { items = [], optional } = source;
    const name = source.secretName ?? source.name;
    // All of its keys, or those that are listed.
    if (items.length === 0) add(kind, name, { ...place, optional });
    for (const [index, { key }] of items.entries())
      add(kind, name, { ...place, path: `${place.path}.items[${index}]`, key, optional });
  };
  const { secret, configMap, projected, persistentVolumeClaim: claim } = volume;
  if (secret) files('Secret', secret, at('secret'));
  if (configMap) files('ConfigMap', configMap, at('configMap'));
  for (const [index, source] of (projected?.sources ?? []).entries()) {
    if (source.secret) files('Secret', source.secret, at(`projected.sources[${index}].secret`));
    if (source.configMap) files('ConfigMap', source.configMap, at(`projected.sources[${index}].configMap`));
  }
  if (claim) add('PersistentVolumeClaim', claim.claimName, at('persistentVolumeClaim'));
  // The credentials of a storage system.
  const { csi, azureFile, cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  add('Secret', csi?.nodePublishSecretRef?.name, at('csi.nodePublishSecretRef'));
  add('Secret', azureFile?.secretName, at('azureFile.secretName'));
  for (const [field, source] of Object.entries({ cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos }))
    add('Secret', source?.secretRef?.name, at(`${field}.secretRef`));
}

/** The parts that Secrets and ConfigMaps have in common, as a volume or in a projected one. */
interface FileSource {
  name?: string;
  secretName?: string;
  items?: { key: string }[];
  optional?: boolean;
}
