import { expect } from '@jest/globals';
import type { FakeApiServer } from '../support/fake-api-server.ts';
import { type RunningStep, runStep, type StepOptions, type StepResult, startStep } from '../support/step-runner.ts';

const options = (server: FakeApiServer, inputs: Record<string, string>): StepOptions => ({
  inputs: { kubeconfig: server.kubeconfig, image: 'busybox', ...inputs },
});

/** A whole step on the fake cluster, main and post. */
export async function run(
  server: FakeApiServer,
  inputs: Record<string, string> = {},
): Promise<StepResult & { post: StepResult }> {
  const result = await runStep(options(server, inputs));
  if (result.post === undefined) throw new Error('There was no post step.');
  for (const phase of [result, result.post]) expectClean(phase);
  return { ...result, post: result.post };
}

export function start(server: FakeApiServer, inputs: Record<string, string> = {}): RunningStep {
  return startStep(options(server, inputs));
}

/** Nothing on stderr, and no command but our own. */
export function expectClean(result: StepResult): void {
  expect(result.lines.filter(({ stream }) => stream !== 'stdout').map(({ raw }) => raw)).toEqual([]);
  const ours = /^(stop-commands|[0-9a-f]{48}|error|warning|notice|add-mask|group|endgroup)$/;
  expect(result.commands.filter(({ name, error }) => !ours.test(name) || error !== undefined)).toEqual([]);
}

/** The lines of the job log that match, in order. */
export const linesLike = (result: StepResult, pattern: RegExp): string[] =>
  result.text.split('\n').filter(line => pattern.test(line));
