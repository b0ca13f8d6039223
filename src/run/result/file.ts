import type { Inputs } from '../../github/inputs/inputs.ts';
import { WorkspaceFile } from '../../github/workspace-file.ts';
import { type Conclusion, unusable } from './conclusion.ts';

type FileInputs = Pick<Inputs, 'result' | 'workspace'>;

/** Removes what an earlier try, or an earlier run on the same runner, has left where `result_file` is to be: it would pass for this one's. */
export function clearResultFile({ result: { file }, workspace }: FileInputs): void {
  if (file === undefined) return;
  try {
    WorkspaceFile.remove(file, workspace);
  } catch {
    // Nor can it be written then, which is told as soon as there is a result.
  }
}

/** Writes a result to the file that `result_file` names, as long as its pod is there: what cannot be written can be fetched from there. */
export function filed(conclusion: Conclusion, { result: { file }, workspace }: FileInputs): Conclusion {
  const { result } = conclusion;
  if (result === undefined || file === undefined) return conclusion;
  try {
    const target = WorkspaceFile.create(file, workspace);
    target.write(result.bytes);
    target.close();
  } catch (error) {
    const { message } = error as Error;
    return unusable(
      conclusion,
      { sentence: `result_file: ${message}`, remedy: 'See to the workspace.' },
      'Result not written',
    );
  }
  return { ...conclusion, result: { ...result, file } };
}
