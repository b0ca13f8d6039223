import type { V1Pod } from '@kubernetes/client-node';

/** `namespace/name`, as kubectl writes it. */
export function podPath(pod: V1Pod): string {
  return `${pod.metadata?.namespace}/${pod.metadata?.name}`;
}
