import type { Scenario } from './scenario.ts';
import { recordedTimes } from './times.ts';
import { OWN, SHARED } from './topics.ts';

const HEADINGS = ['What happens', '`reason`', '`exit_code`', 'What the step says', 'After'];

/** @returns the scenarios as Markdown, one table for each topic. */
export function failureTables(): string {
  const times = recordedTimes();
  return [...SHARED, ...OWN]
    .map(({ heading, scenarios }) => [`### ${heading}`, '', ...table(scenarios, times)].join('\n'))
    .join('\n\n');
}

function table(scenarios: readonly Scenario[], times: Record<string, number>): string[] {
  const rows = scenarios.map(({ name, expected: { title, says, reason, exitCode } }) => [
    name,
    reason === undefined ? 'none, it succeeds' : `\`${reason}\``,
    exitCode === undefined ? '' : String(exitCode),
    `**${title}**: ${says.replaceAll('\n', '<br>')}`,
    inSeconds(times[name]),
  ]);
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map(
    cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
}

function inSeconds(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}
