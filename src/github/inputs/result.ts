import { defined } from '../defined.ts';
import { checkWorkspacePath, isSameFile, workspaceOf } from '../workspace-file.ts';
import { readImage } from './files.ts';
import type { InputReader } from './reader.ts';

/** What becomes of the container's result. */
export interface ResultInputs {
  /** Whether there may be one, there has to be one, or nobody looks. */
  mode: 'auto' | 'required' | 'none';
  /** Of the sidecar that sends one that has to be there. */
  sidecarImage: string;
  /** Whether each top-level key becomes an output. */
  multiple: boolean;
  /** Path of a file in the workspace that it is written to. */
  file?: string;
}

const FOR_THE_SIDECAR = ['xcom_sidecar_container_image', 'xcom_sidecar_container_security_context'] as const;

/**
 * Reads what becomes of the result. What is wrong is on the reader's list then.
 * @param logFile path of the file that is taken for the log
 * @param helperImage what it has for an image otherwise
 * @param hasSidecar whether there is one in any case
 */
export function readResult(
  reader: InputReader,
  logFile: string | undefined,
  { helperImage, hasSidecar }: { helperImage: string; hasSidecar: boolean },
): ResultInputs {
  const file = readFile(reader, logFile);
  const [mode, multiple] = [readMode(reader), reader.boolean('multiple_outputs') ?? false];
  if (mode === 'none')
    for (const input of [...(file === undefined ? [] : ['result_file']), ...(multiple ? ['multiple_outputs'] : [])])
      reader.problem(input, 'do_xcom_push is false, so there is no result. Set it to true, or leave one of them out.');
  const unused =
    mode === 'required' || hasSidecar ? [] : FOR_THE_SIDECAR.filter(input => reader.ownNames().includes(input));
  if (unused.length > 0)
    reader.warnings.add(
      `${unused.join(', ')}: there is no sidecar without do_xcom_push: true, so ${unused.length === 1 ? 'it changes' : 'they change'} nothing.`,
    );
  return {
    ...defined({ file }),
    mode,
    multiple,
    sidecarImage: readImage(reader, 'xcom_sidecar_container_image') ?? helperImage,
  };
}

function readFile(reader: InputReader, logFile: string | undefined): string | undefined {
  const file = reader.word('result_file');
  if (file === undefined) return undefined;
  const workspace = workspaceOf(reader.env);
  const wrong = checkWorkspacePath(file, workspace);
  if (wrong !== undefined) reader.problem('result_file', wrong);
  else if (logFile !== undefined && isSameFile(file, logFile, workspace))
    reader.problem('result_file', `"${file}" is log_file too. Give each a file of its own.`);
  return file;
}

function readMode(reader: InputReader): ResultInputs['mode'] {
  const mode = reader.choice('do_xcom_push', ['auto', 'false', 'true']);
  return mode === 'true' ? 'required' : mode === 'false' ? 'none' : 'auto';
}
