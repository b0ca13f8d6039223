import { expect } from '@jest/globals';
import type { StepResult } from '../../support/step-runner.ts';
import type { Played } from './play.ts';
import type { Scenario } from './scenario.ts';
import { medianSeconds, RUNS } from './times.ts';

type Annotation = StepResult['annotations'][number];

/** However busy the machine is. */
const GROSS_SECONDS = 20;
/** What the recording holds every failure to, counted from the report that shows it. */
const RECORDED_SECONDS = 1;

/** Asserts that the step said what is expected of it, that alone, and in time. */
export function expectVerdict({ expected, takes = 0 }: Scenario, runs: Played[]): void {
  const { title, says, slowSays, reason, exitCode, logMayBeLost, endMayBeLost } = expected;
  for (const played of runs) {
    const { result } = played;
    const verdict = verdictOf(result);
    expect({
      title: verdict?.title,
      says: played.says === slowSays ? says.replaceAll('…', '') : played.says,
      reason: result.outputs['reason'],
      exitCode: result.outputs['exit_code'] ?? (endMayBeLost && exitCode !== undefined ? String(exitCode) : undefined),
      others: result.annotations.filter(other => other !== verdict && !(logMayBeLost && isOfLog(other))),
    }).toEqual({
      title,
      says: says.includes('…') ? expect.stringMatching(pattern(says)) : says,
      reason,
      exitCode: exitCode === undefined ? undefined : String(exitCode),
      others: [],
    });
  }
  const most = RUNS === 1 ? GROSS_SECONDS : RECORDED_SECONDS;
  // Without a pod it is timed from its start: a process is started, and the API server asked.
  const hadPod = runs.some(({ reports }) => reports.length > 0);
  expect(medianSeconds(runs)).toBeLessThan(takes + (hadPod ? most : 2 * most));
}

function isOfLog({ level, title }: Annotation): boolean {
  return level === 'warning' && title === 'Log may be incomplete';
}

/** @returns the error, or the warning of a step that succeeds with one. */
export function verdictOf({ annotations }: StepResult): Annotation | undefined {
  return annotations.find(({ level }) => level === 'error') ?? annotations[0];
}

function pattern(says: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${says.split('…').map(literal).join('[^]*')}$`);
}
