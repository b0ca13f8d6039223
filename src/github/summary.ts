import { appendFileSync } from 'node:fs';

/** GitHub shows none of a step's summary that has more than 1 MiB. Ours has a few KiB. */
const MOST_BYTES = 256 * 1024;

/**
 * Appends to the step's part of the job summary. Without `GITHUB_STEP_SUMMARY`, so outside a workflow, nothing happens.
 * @throws Error when the file cannot be written
 */
export function appendSummary(markdown: string, path = process.env['GITHUB_STEP_SUMMARY']): void {
  if (!path) return;
  const bytes = Buffer.byteLength(markdown);
  if (bytes > MOST_BYTES) throw new Error(`it would have ${bytes} bytes`);
  // Whatever stands in the file already may end anywhere.
  appendFileSync(path, `\n\n${markdown}\n`);
}
