import type { Namespace } from '../../support/cluster.ts';
import type { RunningStep } from '../../support/step-runner.ts';
import type { Expected } from './play.ts';

/** A container that ends in some way, after it has left something for a result. */
export interface End {
  name: string;
  /** Of a shell. */
  script: string;
  inputs?: Record<string, string>;
  meanwhile?(step: RunningStep, namespace: Namespace): Promise<unknown>;
  /** With `do_xcom_push: auto`; absent where another end shows the same. */
  auto?: Expected;
  /** With `do_xcom_push: true`. */
  required: Expected;
}

const both = (expected: Expected) => ({ auto: expected, required: expected });
const failed = (reason: string, exitCode: number, title: string, error: string): Expected => ({
  reason,
  exitCode,
  title,
  error: `Container base of pod POD ${error}`,
});
const EXIT_3 = failed('ExitCode', 3, 'Exit code 3', 'exited with code 3.');
const deleted = (exitCode: number): Expected => ({
  ...failed(
    'PodDeleted',
    exitCode,
    'Pod deleted',
    `was stopped (exit code ${exitCode}): somebody or something else deleted the pod.`,
  ),
  logMayBeLost: true,
});

async function deletePod(step: RunningStep, namespace: Namespace): Promise<void> {
  await step.line(/^at work$/, 60_000);
  const { text } = await step.line(/ as pod /);
  const [, name = ''] = / as pod [^/]+\/(\S+)\.$/.exec(text) ?? [];
  await namespace.kubectl(['delete', 'pod', name, '--wait=false']);
}

const WRITES = 'echo \'{"rows": 1}\' > "$RESULT_PATH"';
const RESULT = { result: '{"rows": 1}' };
const WAITS = 'echo at work; while :; do sleep 0.1; done';

export const ENDS: End[] = [
  {
    name: 'at the pod’s deadline',
    script: `${WRITES}; trap "exit 0" TERM; ${WAITS}`,
    inputs: { active_deadline_seconds: '25' },
    ...both({
      ...failed(
        'DeadlineExceeded',
        0,
        'Deadline exceeded',
        'was stopped (exit code 0): the pod ran into its active_deadline_seconds of 25 s. Raise `active_deadline_seconds`, or make the work shorter.',
      ),
      ...RESULT,
    }),
  },
  // What happens so soon happens before anybody can watch: it may go well once and not the next time.
  { name: 'after 5 ms', script: WRITES, ...both(RESULT) },
  ...[2, 3, 4, 5].map(time => ({ name: `after 5 ms, time ${time}`, script: WRITES, required: RESULT })),
  {
    name: 'out of memory',
    script: `${WRITES}; exec tail /dev/zero`,
    inputs: { container_resources: '{limits: {memory: 16Mi}}' },
    ...both({
      ...failed(
        'OOMKilled',
        137,
        'Out of memory',
        'was killed for exceeding its memory limit of 16Mi (OOMKilled, exit code 137). Raise `container_resources.limits.memory`.',
      ),
      ...RESULT,
    }),
  },
  {
    name: 'as its pod is deleted, without heed of SIGTERM',
    script: `trap "" TERM; ${WRITES}; ${WAITS}`,
    inputs: { termination_grace_period: '2' },
    meanwhile: deletePod,
    ...both({ ...deleted(137), ...RESULT }),
  },
  {
    name: 'as its pod is deleted, and it writes at SIGTERM',
    script: `trap '${WRITES.replaceAll("'", `'\\''`)}; exit 143' TERM; ${WAITS}`,
    meanwhile: deletePod,
    ...both({ ...deleted(143), ...RESULT }),
  },
  { name: 'with exit code 3', script: `${WRITES}; exit 3`, ...both({ ...EXIT_3, ...RESULT }) },
  { name: 'with exit code 3, and wrote nothing', script: 'exit 3', required: EXIT_3 },
  {
    name: 'with exit code 3, and wrote what is not JSON',
    script: 'echo because > "$RESULT_PATH"; exit 3',
    // Its last words, which the log shows.
    auto: EXIT_3,
    required: {
      ...EXIT_3,
      warning:
        'What the container wrote to /airflow/xcom/return.json is not JSON: Unexpected text at line 1, column 1: it begins with `because\\n`. Write JSON (text needs quotation marks), or set `do_xcom_push: false`.',
    },
  },
  {
    name: 'with several outputs',
    script: 'echo \'{"a": "text", "b": [1, 2], "c": 1.10, "d": null}\' > "$RESULT_PATH"',
    inputs: { multiple_outputs: 'true' },
    ...both({
      result: '{"a": "text", "b": [1, 2], "c": 1.10, "d": null}',
      outputs: { a: 'text', b: '[1, 2]', c: '1.10', d: 'null' },
    }),
  },
];
