import { jobVariables } from '../context.ts';
import { readRegularFile, whyUnread } from '../files.ts';
import type { InputReader } from './reader.ts';
import { ShellWordsError, shellWords } from './shell-words.ts';

/** A script that is run in the container, as a step's `run` is on the runner. */
export interface RunInputs {
  script: string;
  /** The words that run it, with `{0}` in place of the script's path. */
  command: string[];
  /** The ending of the script's file name, which some programs go by. */
  extension: string;
  /** What it finds in its environment of the job. */
  variables: Record<string, string>;
  from: 'run' | 'run_file';
}

/** As the runner has them (ScriptHandlerHelpers.cs): a script ends at the first command that fails. */
const SHELLS: Record<string, Pick<RunInputs, 'command' | 'extension'>> = {
  bash: { command: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '{0}'], extension: '.sh' },
  sh: { command: ['sh', '-e', '{0}'], extension: '.sh' },
  python: { command: ['python', '{0}'], extension: '.py' },
};
/** As of a job with a `container:`, for images have it that have nothing else. */
const DEFAULT_SHELL = 'sh';

/** What has a command of its own has no script. */
const OTHER_COMMANDS = ['cmds', 'arguments'] as const;

/** Reads `run`, `run_file` and `shell`. What is wrong is on the reader's list then. */
export function readRun(reader: InputReader): RunInputs | undefined {
  const [run, file] = [reader.raw('run'), reader.word('run_file')];
  const shell = reader.word('shell');
  if (run !== undefined && file !== undefined)
    reader.problem('run_file', 'run is given too. Keep the one that is meant.');
  const from = run === undefined ? 'run_file' : 'run';
  const script = run ?? (file === undefined ? undefined : readScript(reader, file));
  if (run === undefined && file === undefined) {
    if (shell !== undefined) reader.problem('shell', 'it goes with run or run_file, which is not given.');
    return undefined;
  }
  for (const input of OTHER_COMMANDS)
    if (reader.given(input) !== undefined && !reader.saysNothing(input))
      reader.problem(input, `${from} is given too, which is a command of its own. Keep the one that is meant.`);
  const how = readShell(reader, shell ?? DEFAULT_SHELL);
  if (script === undefined || how === undefined) return undefined;
  if (script.trim() === '') reader.problem(from, 'expected a script, found nothing.');
  // As the runner writes it.
  return { script: script.replaceAll('\r\n', '\n'), ...how, variables: jobVariables(reader.env), from };
}

function readScript(reader: InputReader, file: string): string | undefined {
  try {
    return readRegularFile(file);
  } catch (error) {
    reader.problem('run_file', whyUnread(file, error));
    return undefined;
  }
}

function readShell(reader: InputReader, shell: string): Pick<RunInputs, 'command' | 'extension'> | undefined {
  const known = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (known !== undefined) return known;
  if (!shell.includes('{0}')) {
    reader.problem(
      'shell',
      `expected ${Object.keys(SHELLS).join(', ')}, or a command with {0} in place of the script's path, e.g. perl {0}; found ${JSON.stringify(shell)}.`,
    );
    return undefined;
  }
  try {
    return { command: shellWords(shell), extension: '' };
  } catch (error) {
    if (!(error instanceof ShellWordsError)) throw error;
    reader.problem('shell', `${error.message}.`);
    return undefined;
  }
}
