import type { Markdown } from '../github/markdown.ts';
import { brief } from '../run/brief.ts';
import { type Account, closingLine, type Judged } from './account.ts';
import { ageInWords } from './age.ts';

/** GitHub shows none of a summary of more than 1 MiB, and nobody reads more. */
const MOST_ROWS = 100;
/** In characters, for rows whose pods the cluster says much of. */
const LONGEST_TABLE = 100_000;

/** Where a run is to be seen: the runner's own words. */
export interface Place {
  /** GITHUB_SERVER_URL. */
  server: string;
  /** GITHUB_REPOSITORY. */
  repository: string;
  namespace: string;
}

/** @returns the summary of a sweep, as Markdown: what was deleted first, then what was left. */
export function sweepSummary(account: Account, place: Place, now: Date, md: Markdown): string {
  const { dryRun, pods = [], secrets } = account;
  const heading = `${dryRun ? '📝 Dry run of a sweep' : '🧹 Sweep'} of ${md.code(place.namespace)}`;
  const sorted = [...pods].sort((one, other) => rank(one) - rank(other));
  const rows: string[] = [];
  let length = 0;
  for (const judged of sorted) {
    if (rows.length === MOST_ROWS || length > LONGEST_TABLE) break;
    rows.push(rowOf(judged, dryRun, place, now, md));
    length += rows.at(-1)?.length ?? 0;
  }
  const more = sorted.length - rows.length;
  if (more > 0) rows.push(`<tr><td colspan="5">and ${more} more</td></tr>`);
  const head = ['Pod', 'Run', 'Lifetime', 'Age', 'Verdict'].map(title => `<th align="left">${title}</th>`).join('');
  const shown = secrets.slice(0, MOST_ROWS).map(name => md.code(name));
  return [
    `<h3>${heading}</h3>`,
    `<p>${md.text(closingLine(account))}</p>`,
    ...(rows.length === 0 ? [] : [['<table>', `<tr>${head}</tr>`, ...rows, '</table>'].join('\n')]),
    ...(secrets.length === 0
      ? []
      : [
          `<p>Secrets whose pod was gone${dryRun ? ', which would be deleted' : ''}: ${shown.join(', ')}${secrets.length > shown.length ? ` and ${secrets.length - shown.length} more` : ''}</p>`,
        ]),
  ].join('\n\n');
}

function rank({ verdict, done }: Judged): number {
  if (typeof done === 'object') return 0;
  return verdict.kind === 'delete' ? 1 : 2;
}

function rowOf({ pod, verdict, done }: Judged, dryRun: boolean, place: Place, now: Date, md: Markdown): string {
  const marks = 'lacks' in pod ? undefined : pod;
  const outcome =
    verdict.kind !== 'delete'
      ? 'left'
      : dryRun
        ? 'would be deleted'
        : done === 'deleted'
          ? 'deleted'
          : typeof done === 'object'
            ? `could not be deleted: ${md.text(brief(done.failure))};`
            : 'not deleted yet';
  const cells = [
    md.code(pod.name),
    marks ? runLink(marks.runId, place) : '',
    marks?.lifetime ?? '',
    marks ? ageInWords(Math.max(0, now.getTime() - marks.created.getTime()) / 1000) : '',
    `<b>${outcome}</b> ${md.text(verdict.why)}`,
  ];
  return `<tr>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`;
}

/** @param runId digits */
function runLink(runId: string, { server, repository }: Place): string {
  const plain = /^https?:\/\/[\w.-]+(?::\d+)?$/.test(server) && /^[\w.-]+\/[\w.-]+$/.test(repository);
  return plain ? `<a href="${server}/${repository}/actions/runs/${runId}">${runId}</a>` : runId;
}
