import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { type Namespace, script } from '../../support/cluster.ts';
import type { RunningStep, StepResult } from '../../support/step-runner.ts';

/** How a step ends, but for what every step tells of its pod. */
export interface Expected {
  /** Where it fails; InvalidResult unless the container has failed itself. */
  reason?: string;
  exitCode?: number;
  /** The output `result`; without it there is none. */
  result?: string;
  /** What else becomes an output. */
  outputs?: Record<string, string>;
  title?: string;
  /** The one error, with POD for the pod, and without how long the container ran; without it the step succeeds. */
  error?: string;
  /** The warning before it, if any. */
  warning?: string;
  /** Set where the pod may be gone before its log has been read to the end, which a warning tells then. */
  logMayBeLost?: true;
}

/** The two ways of a result out of its pod. */
export const MODES = ['auto', 'true'] as const;
export type Mode = (typeof MODES)[number];

/** A step that has ended, and the file that it was to write its result to. */
export interface Played {
  step: StepResult;
  file: Buffer | undefined;
}

export const RESULT_FILE = 'results/return.json';

/**
 * Runs a step, without its post, which has nothing to do then.
 * @param meanwhile is done while it runs
 */
export async function play(
  namespace: Namespace,
  text: string,
  inputs: Record<string, string>,
  meanwhile?: (step: RunningStep) => Promise<unknown> | undefined,
): Promise<Played> {
  const workspace = mkdtempSync(join(tmpdir(), 'kubernetes-pod-step-workspace-'));
  const step = namespace.start({ ...script(text), ...inputs }, { workspace, timeoutMs: 120_000 });
  try {
    await meanwhile?.(step);
    const result = await step.done;
    const file = join(workspace, RESULT_FILE);
    return { step: result, file: existsSync(file) ? readFileSync(file) : undefined };
  } finally {
    await step.dispose();
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** What every step with a pod sets, whatever its result. */
const OF_THE_POD = /^(pod_.*|node_name|image_id|started_at|finished_at|duration_seconds)$/;

export function expectEnding({ step }: Played, expected: Expected): void {
  const { error, warning, title, result } = expected;
  const failed = error !== undefined;
  const isLoss = ({ title }: { title?: string }) => expected.logMayBeLost && title === 'Log may be incomplete';
  const annotations = step.annotations.filter(annotation => !isLoss(annotation));
  const said = annotations.map(annotation => {
    const { pod_namespace: namespace, pod_name: pod } = step.outputs;
    const message = annotation.message.replace(`${namespace}/${pod}`, 'POD').replace(/ after \d+ s\b/, '');
    return [annotation.level, annotation.title, message];
  });
  expect(said).toEqual([
    ...(warning === undefined ? [] : [['warning', 'Result', warning]]),
    ...(error === undefined ? [] : [['error', title, error]]),
  ]);
  expect(step.conclusion).toBe(failed ? 'failure' : 'success');
  const outputs = Object.entries(step.outputs).filter(([name]) => !OF_THE_POD.test(name));
  expect(brief(Object.fromEntries(outputs))).toEqual(
    brief({
      ...expected.outputs,
      state: failed ? 'failed' : 'succeeded',
      exit_code: String(expected.exitCode ?? 0),
      ...(failed && { reason: expected.reason ?? 'InvalidResult' }),
      ...(result !== undefined && { result }),
    }),
  );
}

/** Long values by length and checksum, for a comparison whose failure can be read. */
function brief(values: Record<string, string>): Record<string, string> {
  const shortened = Object.entries(values).map(([name, value]) => [
    name,
    value.length > 1000 ? `${value.slice(0, 40)}… (${value.length} characters, ${sha256(value)})` : value,
  ]);
  return Object.fromEntries(shortened);
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
