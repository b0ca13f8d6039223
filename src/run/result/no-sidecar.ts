import { StepError } from '../../github/failure.ts';
import type { PlacedPlan } from '../../pod/manifest.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';

/** What to do where there are no native sidecars. */
export const NO_SIDECAR =
  'Set `do_xcom_push: auto`, which takes a result of up to 4 KiB without one, or have the cluster updated.';

/** What to do where the sidecar's image lacks a program. */
export const CHECK_SIDECAR_IMAGE =
  'Check `xcom_sidecar_container_image`: it needs sh, base64, sha256sum, stat, id and sleep.';

/**
 * A cluster before 1.28 refuses the field that makes an init container a sidecar, and one of 1.28 leaves it out: the pod would then wait for ever for a container that never ends.
 * @param paths of the fields that the cluster does not know
 * @returns the error that says so, where that is among them
 */
export function noSidecars({ pod, resultIn }: PlacedPlan, paths: string[], cause?: unknown): StepError | undefined {
  if (resultIn !== 'sidecar') return undefined;
  const index = pod.spec?.initContainers?.findIndex(({ name }) => name === RESULT_SIDECAR);
  const path = `spec.initContainers[${index}].restartPolicy`;
  if (!paths.includes(path)) return undefined;
  return new StepError(
    'InvalidPod',
    'Cluster too old for a sidecar',
    `do_xcom_push: true needs a native sidecar, which Kubernetes has since 1.29; this cluster does not know its field (${path}). No pod was left behind.`,
    { remedy: NO_SIDECAR, cause },
  );
}
