import { posix } from 'node:path';
import type { ResultInputs } from '../github/inputs/result.ts';
import { containersOf, initContainersOf, objectOf, objectsOf, type Path, textOf } from './json.ts';
import type { MergedPod } from './merge.ts';

/** KPO's path. */
export const RESULT_PATH = '/airflow/xcom/return.json';
export const RESULT_FOLDER = posix.dirname(RESULT_PATH);
export const RESULT_FILE = posix.basename(RESULT_PATH);
/** The name of the variable that tells the base container where that is. */
export const RESULT_VARIABLE = 'RESULT_PATH';
/** With `run`: the files of the runner's that work in the container, by the variables that name them. */
export const STEP_FILES = { GITHUB_OUTPUT: 'github_output', GITHUB_STEP_SUMMARY: 'github_step_summary' };
/** The sidecar that sends the result, and the volume in which it finds it. */
export const RESULT_SIDECAR = 'pod-step-result';
/** The volume that tells the sidecar not to wait for the pod's other containers. */
export const ASKED_VOLUME = 'pod-step-asked';

/**
 * How a result gets out of the pod: in the base container's termination message, which the kubelet takes from any file, so that a small one needs neither sidecar nor exec; or by a sidecar, for any size.
 */
export type ResultChannel = 'message' | 'sidecar';

/** What keeps a pod from having a result. */
interface Obstacle {
  path: Path;
  /** Half a sentence. */
  why: string;
  remedy: string;
}

const OTHERWISE = 'Leave it out, or set `do_xcom_push: true`, which needs no termination message.';

/** @property sidecarFor what needs the sidecar in any case, and what there is not without it */
type Wanted = Pick<ResultInputs, 'mode' | 'file' | 'multiple'> & { sidecarFor?: string | undefined };

/**
 * Where something is mounted at the file or above it there is no place for a result, and on Windows there is no such path.
 * @param report takes why there cannot be one, where there has to be one
 */
export function resultChannel(
  { pod }: MergedPod,
  base: string,
  inputs: Wanted,
  report: (path: Path, sentence: string) => void,
): ResultChannel | undefined {
  const { mode, sidecarFor } = inputs;
  if (mode === 'none' && sidecarFor === undefined) return undefined;
  const result = resultWantedBy(inputs);
  const wantedBy = sidecarFor ?? (result && `no result for ${result}`);
  const channel = mode === 'required' || sidecarFor !== undefined ? 'sidecar' : 'message';
  const obstacle = obstacleTo(channel, pod, base);
  if (obstacle === undefined) return channel;
  if (wantedBy !== undefined) report(obstacle.path, `${obstacle.why}, so there is ${wantedBy}. ${obstacle.remedy}`);
  return undefined;
}

/** @returns the input that takes it for granted that there can be a result */
export function resultWantedBy({ mode, file, multiple }: Wanted): string | undefined {
  if (mode === 'required') return 'do_xcom_push: true';
  if (file !== undefined) return 'result_file';
  return multiple ? 'multiple_outputs' : undefined;
}

function obstacleTo(channel: ResultChannel, pod: MergedPod['pod'], base: string): Obstacle | undefined {
  const spec = objectOf(pod['spec']);
  const index = containersOf(pod).findIndex(({ name }) => name === base);
  const container = containersOf(pod)[index] ?? {};
  const place: Path = ['spec', 'containers', index];
  const own = textOf(container['terminationMessagePath']);
  if (channel === 'message' && own !== undefined && own !== RESULT_PATH)
    return {
      path: [...place, 'terminationMessagePath'],
      why: `the termination message is at ${own}`,
      remedy: OTHERWISE,
    };
  if (channel === 'sidecar' && own !== undefined && holds(own, RESULT_PATH))
    return {
      path: [...place, 'terminationMessagePath'],
      why: `the node keeps the termination message at ${own}`,
      remedy: 'Leave it out.',
    };
  const mounts = objectsOf(container['volumeMounts']);
  const covering = mounts.findIndex(({ mountPath }) => holds(textOf(mountPath) ?? '', RESULT_PATH));
  if (covering !== -1)
    return {
      path: [...place, 'volumeMounts', covering],
      why: `a volume is mounted at ${mounts[covering]?.['mountPath']}`,
      remedy: 'Mount it elsewhere.',
    };
  const windows =
    objectOf(spec['os'])['name'] === 'windows' || objectOf(spec['nodeSelector'])['kubernetes.io/os'] === 'windows';
  if (windows) return { path: ['spec'], why: 'the pod runs on Windows', remedy: 'Leave that out.' };
  return channel === 'sidecar' ? namesakeIn(pod) : undefined;
}

/** @returns what of the user's has a name that the sidecar needs. */
function namesakeIn(pod: MergedPod['pod']): Obstacle | undefined {
  const taken = (name: string) => ({
    why: `the name ${name} is taken here, which the result’s sidecar needs`,
    remedy: 'Choose another name.',
  });
  const containers = containersOf(pod).findIndex(({ name }) => name === RESULT_SIDECAR);
  if (containers !== -1) return { path: ['spec', 'containers', containers, 'name'], ...taken(RESULT_SIDECAR) };
  // Its resources may be the user's, for a namespace may demand more or less of every container.
  const init = initContainersOf(pod).findIndex(
    container =>
      container['name'] === RESULT_SIDECAR && Object.keys(container).some(key => !['name', 'resources'].includes(key)),
  );
  if (init !== -1)
    return {
      path: ['spec', 'initContainers', init],
      why: `of the result’s sidecar, ${RESULT_SIDECAR}, nothing but \`resources\` can be set`,
      remedy: 'Leave the rest out.',
    };
  const volumes = objectsOf(objectOf(pod['spec'])['volumes']);
  const volume = volumes.findIndex(({ name }) => name === RESULT_SIDECAR || name === ASKED_VOLUME);
  if (volume === -1) return undefined;
  return { path: ['spec', 'volumes', volume, 'name'], ...taken(String(volumes[volume]?.['name'])) };
}

/** Whether a mount at `mountPath` hides `path`. */
function holds(mountPath: string, path: string): boolean {
  const folder = posix.normalize(mountPath).replace(/\/+$/, '');
  return path === folder || path.startsWith(`${folder}/`);
}
