import { readCommandFile } from '../../github/command-file.ts';
import { ownOutput } from '../../github/contract.ts';
import { STEP_FILES } from '../../pod/result.ts';
import { grouped } from '../numbers.ts';
import { type Conclusion, unusable } from './conclusion.ts';
import type { SentFile } from './frame.ts';
import { MOST_CHARACTERS, type Unusable } from './outputs.ts';
import { unusableFile } from './sent.ts';

/** What a script has left in the files of the runner's. */
export interface StepFiles {
  outputs: [name: string, value: string][];
  /** Markdown of the script's own. */
  summary: string;
  /** Why what is in one of them cannot be used. */
  fault?: Unusable;
}

const [OUTPUT, SUMMARY] = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'] as const;
/** GitHub shows none of a step's summary that has more than 1 MiB, of which ours has a few KiB. */
const MOST_SUMMARY_BYTES = 1_000_000;

/** @returns what is in the files, where the pod has them */
export function stepFilesOf(files: ReadonlyMap<string, SentFile>): StepFiles | undefined {
  const [output, summary] = [files.get(STEP_FILES[OUTPUT]), files.get(STEP_FILES[SUMMARY])];
  if (output === undefined || summary === undefined) return undefined;
  const [said, shown] = [textOf(output, OUTPUT), textOf(summary, SUMMARY)];
  const set = 'text' in said ? outputsIn(said.text) : said;
  const markdown = 'text' in shown ? summaryIn(shown.text) : shown;
  const fault = 'sentence' in set ? set : 'sentence' in markdown ? markdown : undefined;
  return {
    outputs: 'outputs' in set ? set.outputs : [],
    summary: 'summary' in markdown ? markdown.summary : '',
    ...(fault && { fault }),
  };
}

/** A success that has left what cannot be used is none, as on the runner. */
export function withStepFiles(conclusion: Conclusion, files: StepFiles | undefined): Conclusion {
  if (files === undefined) return conclusion;
  const all = { ...conclusion, stepFiles: files };
  return files.fault === undefined ? all : unusable(all, files.fault, 'Unusable file of the script');
}

/** The runner makes them, and whoever removes one has nothing to say. */
function textOf(file: SentFile, name: string): { text: string } | Unusable {
  if (file.kind === 'none') return { text: '' };
  return file.kind === 'file' ? { text: file.bytes.toString('utf8') } : unusableFile(file, `$${name}`);
}

function outputsIn(text: string): Pick<StepFiles, 'outputs'> | Unusable {
  const read = readCommandFile(text);
  if ('fault' in read)
    return {
      sentence: `$${OUTPUT} cannot be read: ${read.fault}.`,
      remedy:
        'Write name=value, or for several lines name<<DELIMITER, the lines, and the delimiter on a line of its own.',
    };
  const outputs = [...new Map(read.entries)];
  const own = outputs.find(([name]) => ownOutput(name) !== undefined);
  if (own !== undefined)
    return {
      sentence: `The script sets the output ${JSON.stringify(own[0])}, which is one of this action’s own.`,
      remedy: `Give it another name in $${OUTPUT}.`,
    };
  const characters = outputs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (characters > MOST_CHARACTERS)
    return {
      sentence: `The script sets outputs of ${grouped(characters)} characters, and GitHub takes about ${grouped(MOST_CHARACTERS)} for all outputs of a job together.`,
      remedy: 'Write what is large to a file.',
    };
  return { outputs };
}

function summaryIn(text: string): Pick<StepFiles, 'summary'> | Unusable {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_SUMMARY_BYTES) return { summary: text };
  return {
    sentence: `The script’s summary has ${grouped(bytes)} bytes, and GitHub shows none above ${grouped(MOST_SUMMARY_BYTES)}.`,
    remedy: `Write less to $${SUMMARY}.`,
  };
}
