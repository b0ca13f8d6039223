import type { V1EnvFromSource, V1EnvVar, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { SecretUse } from '../github/inputs/secrets.ts';
import { hash } from './naming.ts';

/** What existing Secrets add to the container and the pod. */
export interface SecretParts {
  env: V1EnvVar[];
  envFrom: V1EnvFromSource[];
  volumes: V1Volume[];
  volumeMounts: V1VolumeMount[];
}

/** KPO's Secrets as Kubernetes has them: a variable, all keys as variables, or files. */
export function secretParts(uses: SecretUse[]): SecretParts {
  const parts: SecretParts = { env: [], envFrom: [], volumes: [], volumeMounts: [] };
  for (const use of uses) {
    if (use.kind === 'variable')
      parts.env.push({ name: use.name, valueFrom: { secretKeyRef: { name: use.secret, key: use.key } } });
    else if (use.kind === 'all variables') parts.envFrom.push({ secretRef: { name: use.secret } });
    else {
      const name = `secret-${hash(JSON.stringify(use), 8)}`;
      parts.volumes.push({ name, secret: { secretName: use.secret, ...(use.items && { items: use.items }) } });
      parts.volumeMounts.push({ name, mountPath: use.mountPath, readOnly: true });
    }
  }
  return parts;
}
