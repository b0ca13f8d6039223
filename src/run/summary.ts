import type { V1Pod } from '@kubernetes/client-node';
import type { MatrixValue } from '../github/identity.ts';
import type { Markdown } from '../github/markdown.ts';
import { plainText } from '../github/terminal.ts';
import type { PodEvents } from '../kubernetes/events.ts';
import { RESULT_SIDECAR } from '../pod/result.ts';
import { UPLOAD_CONTAINER } from '../pod/workspace.ts';
import { containerAccounts, warningsIn } from './account.ts';
import { asked } from './announce.ts';
import type { Kept } from './cleanup.ts';
import { containerStatus } from './containers.ts';
import { inWords, secondsBetween } from './durations.ts';
import { ganttOf, timelineOf } from './gantt.ts';
import { inBytes } from './numbers.ts';
import type { Conclusion } from './result/conclusion.ts';
import type { Result } from './result/outputs.ts';
import type { Origin } from './run.ts';
import { runUrlOf } from './run-url.ts';
import type { Stage } from './timeline.ts';

/** How a step ended, for its summary. */
export interface Ending extends Pick<Conclusion, 'title' | 'sentence' | 'remedy' | 'result' | 'message'> {
  state: Conclusion['state'] | 'cancelled';
}

/** How one try went. */
export interface TriedFacts {
  ending: Ending;
  /** The pod's name as planned; absent where the inputs were refused. */
  name?: string;
  /** Absent where none was created. */
  pod?: PodFacts;
}

/** What a summary tells of: the last try, first of all. */
export interface Facts extends TriedFacts {
  /** All, the last one last; absent where there was no more than one. */
  tries?: readonly TriedFacts[];
  /** The job's entry of its matrix; empty outside one. */
  matrix: { [key: string]: MatrixValue };
}

export interface PodFacts {
  /** As last seen. */
  pod: V1Pod;
  base: string;
  stages: Stage[];
  events: PodEvents;
  /** What went into it, and what came back: words. */
  files: readonly string[];
  /** Who made it, where it was not this step. */
  origin?: Origin;
  /** Where it is kept. */
  kept?: Kept;
}

const MARKS: Record<Ending['state'], string> = {
  succeeded: '✅',
  failed: '❌',
  cancelled: '🚫',
  skipped: '⏭️',
  deferred: '⏳',
};
/** What of a result is shown. */
const RESULT_BYTES = 2048;
const MOST_CONTAINERS = 20;
const OWN = [RESULT_SIDECAR, UPLOAD_CONTAINER];
/** In characters, of a matrix's values. */
const LONGEST_MATRIX = 200;

/** @returns the summary of a step, as Markdown: how it ended and why first, then the pod. */
export function summaryOf(facts: Facts, md: Markdown): string {
  const { ending, pod, matrix } = facts;
  const why = failureOf(ending, md);
  const rest = [...(pod === undefined ? [] : detailsOf(ending, pod, md)), ...triesOf(facts, md)];
  const blocks =
    Object.keys(matrix).length === 0
      ? [`<h3>${headingOf(facts, md)}</h3>`, ...why, ...rest]
      : // One line for each job of the matrix; its failure is not folded away.
        [...folded(lineOf(facts, md), rest), ...why];
  return blocks.join('\n\n');
}

/** @returns the summary of a dry run. */
export function dryRunSummary(name: string, manifest: string, checked: string, md: Markdown): string {
  return [
    `<h3>📝 Dry run of ${md.code(name)}</h3>`,
    `<p>${md.prose(checked)}</p>`,
    ...folded('The pod as it would be created', [md.fence(manifest, 'yaml', MANIFEST_BYTES)]),
  ].join('\n\n');
}

/** It is the output `manifest` too. */
const MANIFEST_BYTES = 20_000;

function headingOf({ ending, name, pod }: Facts, md: Markdown): string {
  const { state, title } = ending;
  const who = pod?.pod.metadata?.name ?? name;
  const subject = who === undefined ? '' : `${md.code(who)} `;
  const seconds = secondsOf(pod);
  const took = seconds === undefined ? '' : ` after ${inWords(seconds)}`;
  switch (state) {
    case 'failed':
      return `${MARKS.failed} ${who === undefined ? '' : `${md.code(who)}: `}${md.text(title ?? 'Failed')}`;
    case 'succeeded':
      return `${MARKS.succeeded} ${subject}succeeded${took}`;
    case 'deferred':
      return `${MARKS.deferred} ${subject}is left for another step`;
    default:
      return `${MARKS[state]} ${subject}${who === undefined ? 'The step was' : 'was'} ${state}`;
  }
}

function lineOf({ ending, name, pod, matrix }: Facts, md: Markdown): string {
  const { metadata, spec } = pod?.pod ?? {};
  const who = metadata?.name ?? name;
  const seconds = secondsOf(pod);
  const ended = pod && containerStatus(pod.pod, pod.base)?.state?.terminated;
  const parts = [
    `<b>${md.text(shortened(matrixText(matrix)))}</b>`,
    ...(who === undefined ? [] : [md.code(who)]),
    ...(spec?.nodeName ? [md.code(spec.nodeName)] : []),
    ...(seconds === undefined ? [] : [inWords(seconds)]),
    ...(ended ? [`exit code ${ended.exitCode}`] : []),
    ...(ending.state === 'failed' && ending.title !== `Exit code ${ended?.exitCode}`
      ? [md.text(ending.title ?? 'Failed')]
      : []),
  ];
  return `${MARKS[ending.state]} ${parts.join(' · ')}`;
}

/** A line is to stay one. */
function shortened(text: string): string {
  return text.length > LONGEST_MATRIX ? `${text.slice(0, LONGEST_MATRIX)}…` : text;
}

/** How long the base container ran. */
function secondsOf(facts: PodFacts | undefined): number | undefined {
  const ended = facts && containerStatus(facts.pod, facts.base)?.state?.terminated;
  return secondsBetween(ended?.startedAt, ended?.finishedAt);
}

function matrixText(matrix: Facts['matrix']): string {
  const entries = Object.entries(matrix);
  try {
    return entries
      .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ');
  } catch {
    // Nested deeper than the stack.
    return entries.map(([key]) => key).join(', ');
  }
}

function failureOf({ sentence, remedy }: Ending, md: Markdown): string[] {
  return [sentence, remedy].flatMap(words => (words ? [`<p>${md.prose(words)}</p>`] : []));
}

function detailsOf({ state, result, message }: Ending, facts: PodFacts, md: Markdown): string[] {
  const { pod, base, events, kept } = facts;
  const stages = facts.stages.map(stage => ({
    ...stage,
    ...(stage.container && { container: md.plain(stage.container) }),
  }));
  const gantt = ganttOf(stages, state === 'failed');
  const containers = containersOf(pod, base, md);
  const warnings = state === 'succeeded' ? [] : warningsIn(events);
  return [
    table(rowsOf(facts, gantt === undefined ? timelineOf(stages) : '', md)),
    ...(gantt === undefined ? [] : [md.fence(gantt, 'mermaid')]),
    ...containers,
    ...(result === undefined
      ? []
      : [`<p><b>Result</b>${sizeOf(result, md)}</p>`, md.fence(result.text, 'json', RESULT_BYTES)]),
    ...(message ? ['<p><b>Termination message</b></p>', md.fence(plainText(message))] : []),
    ...(warnings.length === 0
      ? []
      : folded('Warnings of the cluster', [`<p>${warnings.map(line => md.text(line)).join('<br>')}</p>`])),
    ...(kept === undefined
      ? []
      : [
          `<p>The pod is ${state === 'deferred' ? 'left for another step' : 'kept'}.${kept.warning ? ` ${kept.warning}` : ''}</p>`,
          md.fence(`${kept.log}\n${kept.delete}`, 'sh'),
        ]),
  ];
}

/** Where there was more than one try, how each ended. */
function triesOf({ tries = [] }: Facts, md: Markdown): string[] {
  if (tries.length < 2) return [];
  const lines = tries.map(({ ending, name, pod }, index) => {
    const who = pod?.pod.metadata?.name ?? name;
    const what = `${MARKS[ending.state]} ${md.text(ending.title ?? ending.state)}`;
    const why = ending.state === 'failed' && ending.sentence ? `<br>${md.prose(ending.sentence)}` : '';
    return `<tr><td>${index + 1}</td><td>${who === undefined ? '' : md.code(who)}</td><td>${what}${why}</td></tr>`;
  });
  const heading = '<tr><th>Try</th><th align="left">Pod</th><th align="left">Outcome</th></tr>';
  return [['<table>', heading, ...lines, '</table>'].join('\n')];
}

function sizeOf({ text, file, outputs }: Result, md: Markdown): string {
  const bytes = Buffer.byteLength(text);
  const size = `, ${inBytes(bytes)}`;
  const places = [
    ...(outputs.some(([name]) => name === 'result') ? ['the output <code>result</code>'] : []),
    ...(file === undefined ? [] : [`the file ${md.code(file)}`]),
  ];
  // A file that could not be written is no place.
  const shown = places.length > 0 && (bytes > RESULT_BYTES || file !== undefined);
  return shown ? `${size}; the whole is ${places.join(', and ')}` : size;
}

/** Label, and what stands beside it as HTML. */
type Row = [label: string, cell: string | undefined];

function rowsOf({ pod, base, origin, files }: PodFacts, timeline: string, md: Markdown): Row[] {
  const { metadata, spec, status } = pod;
  const container = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(({ name }) => name === base);
  const own = containerStatus(pod, base);
  const ended = own?.state?.terminated;
  const images = [container?.image ?? own?.image, /sha256:[0-9a-f]{64}$/.exec(own?.imageID ?? '')?.[0]];
  const code = (text: string | undefined) => (text ? md.code(text) : undefined);
  const text = (words: string | undefined) => (words ? md.text(words) : undefined);
  return [
    ['Pod', code(metadata?.name)],
    ['Namespace', code(metadata?.namespace)],
    ['Made by', madeBy(origin, pod)],
    ['Node', code(spec?.nodeName) ?? 'none'],
    ['Image', images.flatMap(image => code(image) ?? []).join('<br>')],
    ['QoS class', text(status?.qosClass && `${status.qosClass}${asked(container?.resources ?? {})}`)],
    ['Exit code', ended && md.text(`${ended.exitCode}${told(ended.reason)}`)],
    ['Restarts', own?.restartCount ? String(own.restartCount) : undefined],
    ['Ran', ranOf(ended?.startedAt, ended?.finishedAt)],
    ['Timeline', text(timeline)],
    ['Files', files.map(words => md.text(words)).join('<br>')],
  ];
}

/** An address of ours, or one that holds nothing but letters, digits and a few signs. */
function madeBy(origin: Origin | undefined, pod: V1Pod): string | undefined {
  if (origin === undefined) return undefined;
  const url = runUrlOf(pod);
  if (origin.kind === 'attached' && url === undefined) return undefined;
  const who = origin.kind === 'attached' ? 'another step' : `attempt ${origin.attempt} of this run`;
  return url === undefined ? who : `<a href="${url}">${who}</a>`;
}

/** The other two say no more than the exit code. */
function told(reason: string | undefined): string {
  return reason && !['Completed', 'Error'].includes(reason) ? `, ${reason}` : '';
}

function ranOf(from: Date | string | undefined, to: Date | string | undefined): string | undefined {
  const seconds = secondsBetween(from, to);
  if (from === undefined || to === undefined || seconds === undefined) return undefined;
  const [start, end] = [from, to].map(time => new Date(time).toISOString().slice(0, 19).replace('T', ' '));
  return `${inWords(seconds)}, from ${start} to ${end} UTC`;
}

function table(rows: Row[]): string {
  const lines = rows.flatMap(([label, cell]) => (cell ? [`<tr><td>${label}</td><td>${cell}</td></tr>`] : []));
  return ['<table>', ...lines, '</table>'].join('\n');
}

/** Where there are others beside the base container, how each stands. Of those that the step itself has put there, what has gone well is seen by its fruits. */
function containersOf(pod: V1Pod, base: string, md: Markdown): string[] {
  const accounts = containerAccounts(pod, base).filter(({ name }) => !(OWN.includes(name) && isWell(pod, name)));
  if (accounts.length < 2) return [];
  const lines = accounts
    .slice(0, MOST_CONTAINERS)
    .map(({ name, state }) => `<tr><td>${md.code(name)}</td><td>${md.text(state)}</td></tr>`);
  const more = accounts.length - lines.length;
  return [
    [
      '<table>',
      '<tr><th align="left">Container</th><th align="left">State</th></tr>',
      ...lines,
      ...(more > 0 ? [`<tr><td>and ${more} more</td><td></td></tr>`] : []),
      '</table>',
    ].join('\n'),
  ];
}

function isWell(pod: V1Pod, name: string): boolean {
  const { running, terminated } = containerStatus(pod, name)?.state ?? {};
  return running !== undefined || terminated?.exitCode === 0;
}

function folded(summary: string, blocks: string[]): string[] {
  return blocks.length === 0
    ? [`<p>${summary}</p>`]
    : [`<details><summary>${summary}</summary>`, ...blocks, '</details>'];
}
