import { exitCode, readItems } from './exit-codes.ts';
import { didYouMean, type InputReader } from './reader.ts';

/** Which failures of a container that may have run are followed by another try; those of one that never started are, if there are tries left. */
export interface RetryRule {
  /** Its pod or node was taken away from it. */
  lost: boolean;
  any: boolean;
  exitCodes: number[];
}

export interface RetryInputs {
  /** How often a failed try is followed by another. */
  retries: number;
  retryDelaySeconds: number;
  retryOn: RetryRule;
}

const MOST_RETRIES = 100;
const DEFAULT_DELAY_SECONDS = 10;
const WORDS = ['not_started', 'lost', 'any'];

export function readRetries(reader: InputReader): RetryInputs {
  const retries = reader.wholeNumber('retries', 0, MOST_RETRIES) ?? 0;
  const retryOn = readRule(reader);
  if (retries === 0 && reader.given('retry_on') !== undefined && !reader.saysNothing('retry_on'))
    reader.warnings.add('retry_on is for retries, of which there are none.');
  return { retries, retryOn, retryDelaySeconds: reader.seconds('retry_delay_seconds', 0) ?? DEFAULT_DELAY_SECONDS };
}

function readRule(reader: InputReader): RetryRule {
  const rule: RetryRule = { lost: false, any: false, exitCodes: [] };
  for (const { word, found, path } of readItems(
    reader,
    'retry_on',
    `${WORDS.join(', ')}, exit codes, or a list of them`,
  )) {
    const code = exitCode(word);
    if (code !== undefined) rule.exitCodes.push(code);
    else if (word === 'lost' || word === 'any') rule[word] = true;
    else if (word !== 'not_started')
      reader.problem(
        'retry_on',
        `expected ${WORDS.join(', ')}, or an exit code from 1 to 255; found ${found}.${didYouMean(word, WORDS)}`,
        path,
      );
  }
  return rule;
}
