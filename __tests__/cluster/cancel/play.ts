import { randomInt } from 'node:crypto';
import { ApiRelay } from '../../support/api-relay.ts';
import type { Namespace } from '../../support/cluster.ts';
import type { StepResult } from '../../support/step-runner.ts';
import { StubRegistry } from '../../support/stub-registry.ts';
import type { Moment } from './moments.ts';

export type Stop = 'cancel' | 'kill';

/** How a step ended that was stopped at some moment. */
export interface Ending {
  runId: string;
  main: StepResult;
  post: StepResult;
  /** From the signal to the first DELETE after it. */
  deleteMs: number | undefined;
}

/** Runs a step up to a moment, stops it there, and runs its post step. */
export async function play(namespace: Namespace, moment: Moment, stop: Stop): Promise<Ending> {
  const runId = String(randomInt(2 ** 40));
  await using relay = await ApiRelay.start(namespace.kubeconfig);
  for (const fault of moment.faults ?? []) relay.fault(fault);
  const { name, random_name_suffix: suffix } = moment.inputs;
  // A kubelet that waits for a registry is not through with a pod before that has answered, or has gone.
  using registry = moment.pulls ? await StubRegistry.start() : undefined;
  const inputs = {
    ...moment.inputs,
    ...(suffix === 'false' && { name: `${name}-${runId}` }),
    ...(registry && { image: `${registry.host}/never/app:1` }),
    config_file: relay.kubeconfigFile,
  };
  const step = namespace.start(inputs, { env: { GITHUB_RUN_ID: runId, ...moment.env } });
  try {
    await moment.comes(step, relay);
    const stoppedAtMs = performance.now();
    const main = await step[stop]();
    const deleted = relay.matching({ verb: 'delete' }).find(({ atMs }) => atMs > stoppedAtMs);
    return { runId, main, post: await step.runPost(), deleteMs: deleted && deleted.atMs - stoppedAtMs };
  } finally {
    await step.dispose();
  }
}

const PATIENCE_SECONDS = 60;

/** Waits for the pods and Secrets of a run to be gone: a grace period, and what a node takes beyond it. @returns those that were not in time, and why; empty when all are */
export async function remains(namespace: Namespace, runId: string): Promise<string> {
  const selector = ['-l', `kubernetes-pod-step/run-id=${runId}`];
  try {
    await namespace.kubectl(['wait', '--for=delete', 'pods,secrets', ...selector, `--timeout=${PATIENCE_SECONDS}s`]);
    return '';
  } catch (error) {
    return `${(error as Error).message}\n${await namespace.kubectl(['get', 'pods,secrets', ...selector, '-o', 'wide'])}`;
  }
}

/** What came on stderr. */
export const strayLines = ({ lines }: StepResult): string[] =>
  lines.filter(({ stream }) => stream !== 'stdout').map(({ raw }) => raw);
