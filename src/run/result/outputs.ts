import type { ResultInputs } from '../../github/inputs/result.ts';
import { RESULT_PATH } from '../../pod/result.ts';
import { grouped } from '../numbers.ts';
import { readJson } from './json.ts';
import { valuesOf } from './values.ts';

/** What a container has left as its result, and what becomes of it. */
export interface Result {
  /** JSON. */
  text: string;
  /** As the container wrote it. */
  bytes: Buffer;
  /** The outputs that it becomes. */
  outputs: [name: string, value: string][];
  /** What is to be known of them. */
  warnings: string[];
  /** Path of the file that it has been written to. */
  file?: string;
}

/** A result that cannot be what was asked for. */
export interface Unusable {
  sentence: string;
  remedy: string;
  /** What of it can be used all the same. */
  result?: Result;
}

/** GitHub takes 1 MiB of outputs of a job, which it counts in UTF-16: this many characters for all outputs of all its steps that it hands on. */
export const MOST_CHARACTERS = 500_000;
/** In bytes: Linux takes 128 KiB for one variable of a process (MAX_ARG_STRLEN), in which its name, an equals sign and a NUL have to have room. */
const LONGEST_VARIABLE = 131_000;

/**
 * @param secrets what is not to be shown of it
 * @returns what a result becomes, by its inputs; or why it cannot be
 */
export function outputsOf(
  bytes: Buffer,
  { file, multiple }: Pick<ResultInputs, 'file' | 'multiple'>,
  secrets: Iterable<string> = [],
): Result | Unusable {
  const read = readJson(bytes, secrets);
  if ('fault' in read)
    return { sentence: `What the container wrote to ${RESULT_PATH} is not JSON: ${read.fault}.`, remedy: read.remedy };
  const { text } = read;
  const size = Buffer.byteLength(text);
  // A file is enough for what no step could take as a variable.
  const whole: Result['outputs'] = file !== undefined && size > LONGEST_VARIABLE ? [] : [['result', text]];
  if (text.length > MOST_CHARACTERS && file === undefined)
    return {
      sentence: `return.json has ${grouped(text.length)} characters, and GitHub takes about ${grouped(MOST_CHARACTERS)} for all outputs of a job together.`,
      remedy: 'Set `result_file`, which writes it to the workspace.',
    };
  const split = multiple ? valuesOf(text) : { values: [] };
  // The whole is there for whoever wants to know what its keys are.
  const result: Result = { text, bytes, outputs: whole, warnings: [] };
  if ('fault' in split) return { sentence: `${split.fault}.`, remedy: split.remedy, result };
  const outputs = [...whole, ...split.values];
  const characters = split.values.reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    whole.length * text.length,
  );
  if (characters > MOST_CHARACTERS)
    return {
      sentence: `With multiple_outputs return.json makes ${grouped(characters)} characters of outputs${whole.length > 0 ? ', once as a whole and once key by key' : ''}, and GitHub takes about ${grouped(MOST_CHARACTERS)} for all outputs of a job together.`,
      remedy: 'Leave out `multiple_outputs`, or have the container write less; `result_file` takes what is large.',
      result,
    };
  return { text, bytes, outputs, warnings: outputs.flatMap(tooLongForEnv) };
}

function tooLongForEnv([name, value]: Result['outputs'][number]): string[] {
  const size = Buffer.byteLength(value);
  if (size <= LONGEST_VARIABLE) return [];
  return [
    `Output ${JSON.stringify(name)} has ${grouped(size)} bytes. It is whole, but a step that takes it in \`env:\` or in \`with:\` fails: Linux takes 128 KiB for a variable, its name included. \`result_file\` writes the result to the workspace instead.`,
  ];
}
