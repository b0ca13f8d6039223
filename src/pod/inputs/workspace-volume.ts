import { isObjectName } from '../../github/inputs/cluster.ts';
import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { describe } from '../../github/yaml.ts';
import { conformField } from '../conform.ts';
import { isObject, type JsonObject } from '../json.ts';

/** What the workspace is on. */
export interface WorkspaceVolume {
  /** The volume without its name. */
  source: JsonObject;
  /** The part of it, for a volume that holds more. */
  subPath?: string;
}

/** `workspace_volume`: the name of a claim, or a volume as Kubernetes has it, with `subPath` beside it. */
export function readWorkspaceVolume(reader: InputReader): WorkspaceVolume | undefined {
  const tree = reader.tree('workspace_volume');
  if (tree === undefined || isNull(tree)) return undefined;
  const problem = (path: string, sentence: string) => reader.problem('workspace_volume', sentence, path);
  if (isScalar(tree)) {
    const claimName = String(tree).trim();
    if (!isObjectName(claimName)) {
      problem('', `expected the name of a claim, or a volume; found ${JSON.stringify(claimName)}.`);
      return undefined;
    }
    return { source: { persistentVolumeClaim: { claimName } } };
  }
  if (!isMapping(tree)) {
    problem(
      '',
      `expected the name of a claim, or a volume, e.g. {emptyDir: {sizeLimit: 50Gi}}; found ${describe(tree)}.`,
    );
    return undefined;
  }
  const { subPath, sub_path: snake, ...volume } = tree;
  const part = subPath ?? snake;
  if (part !== undefined && (!isScalar(part) || isNull(part)))
    problem('.subPath', `expected text, found ${describe(part)}.`);
  // Its own name is the action's.
  const conformed = conformField([{ ...volume, name: 'workspace' }], 'V1PodSpec', 'volumes', (path, sentence) =>
    problem(path.replace(/^\[0\]/, ''), sentence),
  );
  const [whole] = Array.isArray(conformed) ? conformed : [];
  if (!isObject(whole)) return undefined;
  const { name: _, ...source } = whole;
  if (Object.keys(source).length !== 1) {
    problem('', `expected one kind of volume, found ${Object.keys(source).join(', ') || 'none'}.`);
    return undefined;
  }
  return { source, ...(part !== undefined && isScalar(part) && { subPath: String(part) }) };
}
