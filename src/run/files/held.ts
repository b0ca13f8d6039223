import type { V1Pod } from '@kubernetes/client-node';
import { WORKSPACE_VOLUME } from '../../pod/workspace.ts';
import { isResultSidecar } from '../containers.ts';

/** @returns where the sidecar has the workspace of a pod, if it holds one */
export function heldWorkspace({ spec }: V1Pod): string | undefined {
  const sidecar = spec?.initContainers?.find(isResultSidecar);
  return sidecar?.volumeMounts?.find(({ name }) => name === WORKSPACE_VOLUME)?.mountPath;
}
