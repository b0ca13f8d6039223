import { inWords } from './durations.ts';
import type { Stage } from './timeline.ts';

/** Shorter than this there is nothing to see. */
const LEAST_MS = 5000;
/** A pod may have any number of init containers. */
const MOST_STAGES = 20;
const LONGEST_NAME = 40;

/** @returns Mermaid's source for a small chart of where the time went; `undefined` where that is told in a line. */
export function ganttOf(stages: readonly Stage[], failed: boolean): string | undefined {
  const [from, to] = bounds(stages);
  if (stages.length < 2 || to - from < LEAST_MS) return undefined;
  return [
    'gantt',
    '    dateFormat YYYY-MM-DDTHH:mm:ss',
    ...axis(to - from),
    '    todayMarker off',
    ...longest(stages).map(
      stage => `    ${labelOf(stage)} :${colour(stage, failed)}${time(stage.fromMs)}, ${time(stage.toMs)}`,
    ),
  ].join('\n');
}

/** Grey for what is waited for, red for a run that failed. */
function colour({ kind }: Stage, failed: boolean): string {
  if (kind === 'running') return failed ? 'crit, ' : 'active, ';
  return kind === 'pulling' || kind === 'initialising' ? '' : 'done, ';
}

/** @returns the same on one line; empty where there is nothing to compare. */
export function timelineOf(stages: readonly Stage[]): string {
  const [only] = stages;
  // How long it ran stands in the table already.
  return stages.length === 1 && only?.kind === 'running' ? '' : longest(stages).map(labelOf).join(', ');
}

const WORDS: Record<Stage['kind'], string> = {
  queued: 'Queued',
  scheduling: 'Scheduling',
  starting: 'Starting',
  pulling: 'Pulling image of',
  initialising: 'Init container',
  running: 'Running',
};

/** Nothing but letters, digits and what Kubernetes' names have: to Mermaid a colon, a semicolon, a number sign, a percent sign or a line's end is more than text. */
function labelOf({ kind, container = '', fromMs, toMs, open }: Stage): string {
  const name = kind === 'running' ? '' : container.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, LONGEST_NAME);
  return `${[WORDS[kind], name].filter(Boolean).join(' ')} ${inWords((toMs - fromMs) / 1000)}${open ? ' so far' : ''}`;
}

/** The longest ones, in their order. */
function longest(stages: readonly Stage[]): Stage[] {
  const shown = new Set(
    [...stages].sort((one, other) => other.toMs - other.fromMs - (one.toMs - one.fromMs)).slice(0, MOST_STAGES),
  );
  return stages.filter(stage => shown.has(stage));
}

function bounds(stages: readonly Stage[]): [number, number] {
  return [Math.min(...stages.map(({ fromMs }) => fromMs)), Math.max(...stages.map(({ toMs }) => toMs))];
}

/** UTC; Mermaid takes it for the reader's own time, and shows the same digits. */
function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** Times that do not run into each other: at most eight. The steps divide the next larger unit. */
function axis(lengthMs: number): string[] {
  const [unit, , step] = TICKS.find(([, ms, step]) => lengthMs <= MOST_TICKS * ms * step) ?? LAST_TICK;
  const format = { second: '%H:%M:%S', minute: '%H:%M', hour: '%d %H:%M', day: '%m-%d' }[unit];
  return [`    axisFormat ${format}`, `    tickInterval ${step}${unit}`];
}

const MOST_TICKS = 8;
type Tick = readonly [unit: 'second' | 'minute' | 'hour' | 'day', unitMs: number, step: number];
const LAST_TICK: Tick = ['day', 86_400_000, 7];
const TICKS: Tick[] = [
  ...[1, 2, 5, 10, 15, 30].map((step): Tick => ['second', 1000, step]),
  ...[1, 2, 5, 10, 15, 30].map((step): Tick => ['minute', 60_000, step]),
  ...[1, 3, 6, 12].map((step): Tick => ['hour', 3_600_000, step]),
  ['day', 86_400_000, 1],
];
