import { appendFileSync, statSync } from 'node:fs';

/** GitHub shows none of a step's summary that has more. */
const MOST_BYTES = 1024 * 1024;

/**
 * Appends to the step's part of the job summary. Without `GITHUB_STEP_SUMMARY`, so outside a workflow, nothing happens.
 * @throws Error when the file cannot be written
 */
export function appendSummary(markdown: string, path = process.env['GITHUB_STEP_SUMMARY']): void {
  if (!path) return;
  // Whatever stands in the file already may end anywhere.
  const text = `\n\n${markdown}\n`;
  const bytes = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) + Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw new Error(`it would have ${bytes} bytes`);
  appendFileSync(path, text);
}
