import { join } from 'node:path';
import type { FakeGitHub } from '../support/fake-github.ts';
import { type RunningStep, runStep, type StepOptions, type StepResult, startStep } from '../support/step-runner.ts';

const FOLDER = join(import.meta.dirname, '../../sweep');
const TOKEN = 'ghs_thejobsowntoken';

const options = (github: FakeGitHub, inputs: Record<string, string>, more: StepOptions = {}): StepOptions => ({
  ...more,
  actionFolder: FOLDER,
  inputs,
  contexts: { 'github.token': TOKEN },
  env: { GITHUB_API_URL: github.url, ...more.env },
});

/** The sweep as a step of a workflow. */
export const runSweep = (github: FakeGitHub, inputs: Record<string, string>, more?: StepOptions): Promise<StepResult> =>
  runStep(options(github, inputs, more));

export const startSweep = (github: FakeGitHub, inputs: Record<string, string>): RunningStep =>
  startStep(options(github, inputs));
