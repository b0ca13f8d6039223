import { StepError } from '../../github/failure.ts';
import { brief } from '../brief.ts';

/** Of what tar says of files that it could not read, lines. */
const MOST_COMPLAINTS = 3;

/** A download that has failed, or has not brought all. */
export function notFetched(
  sentence: string,
  remedy: string,
  { title = 'Files not fetched', cause }: { title?: string; cause?: unknown } = {},
): StepError {
  return new StepError('Download', title, sentence, { remedy, ...(cause !== undefined && { cause }) });
}

/** @returns what is wrong here, rather than on the way, as a sentence */
export function localFault(error: unknown): unknown {
  if (error instanceof StepError || !(error instanceof Error)) return error;
  const why = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1).replace(/\.$/, '')}`;
  return notFetched(
    `The files that download names did not come back: ${brief(why)}.`,
    'See to the disk of the runner, or name fewer files.',
    { cause: error },
  );
}

/** What tar has said of files, without what it says of itself. */
export function complaintsOf(text: string): string {
  const lines = text.split('\n').map(line => line.trim());
  const told = lines.filter(
    line => line !== '' && !/delayed from previous errors|removing leading|^end \d+$/i.test(line),
  );
  if (told.length === 0) return 'tar does not say which';
  const more = told.length > MOST_COMPLAINTS ? `, and ${told.length - MOST_COMPLAINTS} more` : '';
  return told.slice(0, MOST_COMPLAINTS).map(brief).join('; ') + more;
}
