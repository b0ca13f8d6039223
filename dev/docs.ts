/**
 * Writes the generated parts of the docs: the tables of inputs and outputs from action.yml, the Role from examples/rbac.yaml, the reasons from the source.
 *   node dev/docs.ts [--check]      with --check it fails where a file is not what it would write
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import { REASONS } from '../src/github/failure.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Described {
  [name: string]: { description: string };
}

const action = load(read('action.yml')) as { inputs: Described; outputs: Described };
const role = (loadAll(read('examples/rbac.yaml')) as { kind: string }[]).find(({ kind }) => kind === 'Role');

const stale = [
  update('README.md', {
    inputs: table('Input', action.inputs),
    outputs: table('Output', action.outputs),
    role: `\`\`\`yaml\n${dump(role, { flowLevel: 3 }).trim()}\n\`\`\``,
  }),
  update('docs/reasons.md', {
    reasons: table(
      '`reason`',
      Object.fromEntries(Object.entries(REASONS).map(([reason, description]) => [reason, { description }])),
    ),
  }),
].filter(file => file !== undefined);

if (stale.length > 0 && process.argv.includes('--check')) {
  process.stderr.write(`Generated parts are stale in ${stale.join(', ')}: run "npm run docs".\n`);
  process.exit(1);
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. @returns the file's name if that changes it */
function update(file: string, parts: Record<string, string>): string | undefined {
  const before = read(file);
  let after = before;
  for (const [name, text] of Object.entries(parts)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [after.indexOf(start), after.indexOf(end)];
    if (from === -1 || to === -1) throw new Error(`${file} has no ${start} ... ${end}.`);
    after = `${after.slice(0, from + start.length)}\n${text}\n${after.slice(to)}`;
  }
  if (after === before) return undefined;
  if (!process.argv.includes('--check')) writeFileSync(join(ROOT, file), after);
  return file;
}

function table(heading: string, rows: Described): string {
  const lines = Object.entries(rows).map(
    ([name, { description }]) => `| \`${name}\` | ${description.replace(/\|/g, '\\|').replace(/\s+/g, ' ').trim()} |`,
  );
  return [`| ${heading} | |`, '|---|---|', ...lines].join('\n');
}
