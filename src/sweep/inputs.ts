import { type ClusterInputs, readCluster } from '../github/inputs/cluster.ts';
import { refuseProblems } from '../github/inputs/inputs.ts';
import { InputReader, MOST_SECONDS } from '../github/inputs/reader.ts';
import { SWEEP_INPUTS } from '../github/sweep-contract.ts';

/** What is to be swept, and how: read once, at the start. */
export interface SweepInputs {
  cluster: ClusterInputs;
  /** How long a run must have ended before a pod of it is deleted. */
  olderThanSeconds: number;
  /** Nothing is deleted. */
  dryRun: boolean;
  /** How long the API server may be away. */
  outageTimeoutSeconds: number;
  /** With which GitHub is asked. */
  token: string;
}

/** Who re-runs a failed job does it within the hour, and the new attempt takes the pod of the old one over. */
const DEFAULT_OLDER_THAN_SECONDS = 3600;
/** The next sweep comes by itself: a job that waits for an hour costs more. */
const DEFAULT_OUTAGE_TIMEOUT_SECONDS = 300;

/** @throws StepError that lists all that is wrong with the inputs */
export function readSweepInputs(env: NodeJS.ProcessEnv): SweepInputs {
  const reader = new InputReader(env, { inputs: SWEEP_INPUTS, foreign: {} });
  const inputs = {
    cluster: readCluster(reader),
    olderThanSeconds: readOlderThan(reader) ?? DEFAULT_OLDER_THAN_SECONDS,
    dryRun: reader.boolean('dry_run') ?? false,
    outageTimeoutSeconds: reader.seconds('outage_timeout_seconds', 1) ?? DEFAULT_OUTAGE_TIMEOUT_SECONDS,
    token: reader.word('github_token') ?? '',
  };
  if (inputs.token === '')
    reader.problem('github_token', 'it is empty. Leave the input out, and it is the job’s own token.');
  reader.unknownInputs();
  refuseProblems(reader);
  return inputs;
}

function readOlderThan(reader: InputReader): number | undefined {
  const text = reader.word('older_than');
  if (text === undefined) return undefined;
  const seconds = secondsOf(text);
  if (seconds === undefined)
    reader.problem(
      'older_than',
      `expected a time, e.g. 90s, 30m, 1h, 2d, 1h30m or whole seconds, of at most ${MOST_SECONDS} s; found "${text}".`,
    );
  return seconds;
}

const UNIT_SECONDS = [86_400, 3600, 60, 1];

/** @returns the seconds that `90s`, `30m`, `1h`, `2d`, `1d12h` or `3600` are; `undefined` for anything else, or for more than Kubernetes counts */
export function secondsOf(text: string): number | undefined {
  const [whole, ...parts] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text) ?? [];
  // Digits behind a unit, as in 1h30, may be meant as minutes.
  if (!whole || /[dhm]\d+$/.test(whole)) return undefined;
  const seconds = UNIT_SECONDS.reduce((sum, unit, index) => sum + unit * Number(parts[index] ?? 0), 0);
  return seconds <= MOST_SECONDS ? seconds : undefined;
}
