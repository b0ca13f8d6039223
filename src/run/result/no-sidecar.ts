import { StepError } from '../../github/failure.ts';
import type { ApiError } from '../../kubernetes/status.ts';
import type { PlacedPlan } from '../../pod/manifest.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';
import { isResultSidecar } from '../containers.ts';

/** What gives the sidecar other resources than its own. */
export function sidecarPatch(resources: string): string {
  return `\`pod_patch: {spec: {initContainers: [{name: ${RESULT_SIDECAR}, resources: ${resources}}]}}\``;
}

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

/** @returns the refusal of a LimitRange or a quota with one way out more: the sidecar counts too, and no input names its resources */
export function limitedSidecar({ pod, resultIn }: PlacedPlan, error: ApiError): StepError | undefined {
  const isLimit = error.reason === 'QuotaExceeded' || / per (Container|Pod) is /.test(error.message);
  if (resultIn !== 'sidecar' || error.code !== 403 || !isLimit) return undefined;
  const { resources } = pod.spec?.initContainers?.find(isResultSidecar) ?? {};
  const has = [resources?.requests, resources?.limits].map(
    (amounts = {}) => `${amounts['cpu'] ?? 'no'} CPU and ${amounts['memory'] ?? 'no memory'}`,
  );
  const counts = `The result’s sidecar counts too, with requests of ${has[0]}, limits of ${has[1]}; ${sidecarPatch('{requests: {...}, limits: {...}}')} gives it others.`;
  return new StepError(error.reason, error.title, error.message, {
    remedy: [counts, ...(error.remedy === undefined ? [] : [error.remedy])].join(' '),
    mayPass: error.mayPass,
    cause: error,
  });
}
