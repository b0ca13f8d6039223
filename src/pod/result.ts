import { posix } from 'node:path';
import type { Inputs } from '../github/inputs/inputs.ts';
import { containersOf, objectOf, type Path, textOf } from './json.ts';
import type { MergedPod } from './merge.ts';

/** KPO's path. The kubelet takes a termination message from any file, so a small result needs neither sidecar nor exec. */
export const RESULT_PATH = '/airflow/xcom/return.json';

/**
 * Whether the result comes in the termination message.
 * Where something is mounted at the file or above it the kubelet could not put it there; on Windows there is no such path.
 */
export function takesResult(
  { pod }: MergedPod,
  base: string,
  mode: Inputs['result'],
  report: (path: Path, sentence: string) => void,
): boolean {
  if (mode === 'none') return false;
  const index = containersOf(pod).findIndex(({ name }) => name === base);
  const container = containersOf(pod)[index] ?? {};
  const place: Path = ['spec', 'containers', index];
  const refuse = (path: Path, why: string) => {
    if (mode === 'required') report(path, `${why}, so do_xcom_push: true has nothing to read ${RESULT_PATH} from.`);
    return false;
  };
  const own = container['terminationMessagePath'];
  if (own !== undefined && own !== RESULT_PATH)
    return refuse([...place, 'terminationMessagePath'], `the termination message is at ${own}`);
  const mounts = Array.isArray(container['volumeMounts']) ? container['volumeMounts'].map(objectOf) : [];
  const covering = mounts.findIndex(({ mountPath }) => holds(textOf(mountPath) ?? '', RESULT_PATH));
  if (covering !== -1)
    return refuse([...place, 'volumeMounts', covering], `a volume is mounted at ${mounts[covering]?.['mountPath']}`);
  const spec = objectOf(pod['spec']);
  const windows =
    objectOf(spec['os'])['name'] === 'windows' || objectOf(spec['nodeSelector'])['kubernetes.io/os'] === 'windows';
  return windows ? refuse(['spec'], 'the pod runs on Windows') : true;
}

/** Whether a mount at `mountPath` hides `path`. */
function holds(mountPath: string, path: string): boolean {
  const folder = posix.normalize(mountPath).replace(/\/+$/, '');
  return path === folder || path.startsWith(`${folder}/`);
}
