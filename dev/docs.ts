/**
 * Writes the generated parts of the docs: the tables of inputs and outputs from action.yml and sweep/action.yml; the rules of the Roles, the reasons and what is said of Airflow's parameters from the source; the failures from their scenarios.
 * Checks, too, that docs/from-airflow.md names every input that a step can be given.
 *   node dev/docs.ts [--check]      with --check it fails where a file is not what it would write
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { failureTables } from '../__tests__/cluster/failures/table.ts';
import { REASONS } from '../src/github/failure.ts';
import { AIRFLOW_PARAMETERS } from '../src/github/inputs/airflow.ts';
import { everyRule, everySweepRule } from '../src/kubernetes/access.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Described {
  [name: string]: { description: string };
}

const action = load(read('action.yml')) as { inputs: Described; outputs: Described };
const sweep = load(read('sweep/action.yml')) as { inputs: Described; outputs: Described };
const groups = groupsOfInputs();

const stale = [
  update('README.md', {
    inputs: [...groups].map(([group, names]) => `### ${group}\n\n${table('Input', pick(names))}`).join('\n\n'),
    outputs: table('Output', action.outputs),
    role: `\`\`\`yaml\n${role('examples/cluster/runner.yaml', rules())}\`\`\``,
  }),
  replace('examples/cluster/runner.yaml', manifest => withRules(manifest, rules())),
  update('docs/sweep.md', {
    inputs: table('Input', sweep.inputs),
    outputs: table('Output', sweep.outputs),
    role: `\`\`\`yaml\n${role('examples/cluster/sweep.yaml', sweepRules())}\`\`\``,
  }),
  replace('examples/cluster/sweep.yaml', manifest => withRules(manifest, sweepRules())),
  update('docs/reasons.md', {
    reasons: table(
      '`reason`',
      Object.fromEntries(Object.entries(REASONS).map(([reason, description]) => [reason, { description }])),
    ),
  }),
  update('docs/troubleshooting.md', { failures: failureTables() }),
  update('docs/from-airflow.md', { 'other parameters': otherParameters() }),
].filter(file => file !== undefined);

const fromAirflow = read('docs/from-airflow.md');
const unnamed = Object.keys(action.inputs).filter(name => !isOwn(name) && !fromAirflow.includes(`\`${name}\``));
if (unnamed.length > 0) fail(`docs/from-airflow.md does not name ${unnamed.join(', ')}.`);
if (stale.length > 0 && process.argv.includes('--check'))
  fail(`Generated parts are stale in ${stale.join(', ')}: run "npm run docs".`);

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. @returns the file's name if that changes it */
function update(file: string, parts: Record<string, string>): string | undefined {
  return replace(file, before => {
    let after = before;
    for (const [name, text] of Object.entries(parts)) {
      const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
      const [from, to] = [after.indexOf(start), after.indexOf(end)];
      if (from === -1 || to === -1) throw new Error(`${file} has no ${start} ... ${end}.`);
      after = `${after.slice(0, from + start.length)}\n${text}\n${after.slice(to)}`;
    }
    return after;
  });
}

/** @returns the file's name if `change` changes it */
function replace(file: string, change: (text: string) => string): string | undefined {
  const before = read(file);
  const after = change(before);
  if (after === before) return undefined;
  if (!process.argv.includes('--check')) writeFileSync(join(ROOT, file), after);
  return file;
}

function withRules(manifest: string, written: string): string {
  const old = /^rules:\n(?: .*\n)*/m;
  if (!old.test(manifest)) throw new Error('A manifest in examples/ has no rules.');
  return manifest.replace(old, written);
}

/** The rules of the Role that a step may need, each with what it is for. */
function rules(): string {
  const all = everyRule().map(({ rule, purpose }) => `# ${purpose}\n${dump([rule], { flowLevel: 2 })}`);
  return `rules:\n${all.join('').replace(/^/gm, '  ').trimEnd()}\n`;
}

/** The rules of the Role for a sweep; what is optional, to be taken in by hand. */
function sweepRules(): string {
  const all = everySweepRule().map(({ rule, purpose, optional }) => {
    const text = dump([rule], { flowLevel: 2 });
    return `# ${purpose}\n${optional ? text.replace(/^(?=.)/gm, '# ') : text}`;
  });
  return `rules:\n${all.join('').replace(/^(?=.)/gm, '  ')}`;
}

/** @returns the Role in a manifest, with these rules */
function role(file: string, written: string): string {
  const [text] = /^apiVersion: .*\nkind: Role\n(.*\n)*?(?=rules:)/m.exec(read(file)) ?? [];
  if (text === undefined) throw new Error(`${file} has no Role.`);
  return `${text}${written}`;
}

/** @returns the names of the inputs under the comment that stands above them in action.yml. */
function groupsOfInputs(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const [, inputs = ''] = /^inputs:\n(.*?)^\S/ms.exec(read('action.yml')) ?? [];
  let group = 'Inputs';
  for (const [, heading, name] of inputs.matchAll(/^ {2}(?:# (.+)|(\w+):)$/gm)) {
    if (heading !== undefined) group = heading;
    if (name !== undefined) found.set(group, [...(found.get(group) ?? []), name]);
  }
  if ([...found.values()].flat().length !== Object.keys(action.inputs).length)
    throw new Error('action.yml has inputs that are not written as "  name:".');
  return found;
}

/** Inputs that the action gives itself, by their defaults. */
function isOwn(name: string): boolean {
  return groups.get("The job's own, to be left as they are")?.includes(name) === true;
}

function pick(names: string[]): Described {
  return Object.fromEntries(Object.entries(action.inputs).filter(([name]) => names.includes(name)));
}

/** What the action says to each parameter of Airflow that is no input, those with the same answer in one row. */
function otherParameters(): string {
  const rows = new Map<string, string[]>();
  for (const [name, { harmless, say }] of Object.entries(AIRFLOW_PARAMETERS)) {
    const advice = say.replace(/^(this action has no such input|has no meaning here): /, '');
    const answer = `${harmless ? 'Notice' : 'Error'}: ${advice}`;
    rows.set(answer, [...(rows.get(answer) ?? []), `\`${name}\``]);
  }
  return markdownTable(
    'Parameter',
    [...rows].map(([answer, names]) => [names.join(', '), answer]),
  );
}

function table(heading: string, rows: Described): string {
  return markdownTable(
    heading,
    Object.entries(rows).map(([name, { description }]) => [`\`${name}\``, description]),
  );
}

function markdownTable(heading: string, rows: [string, string][]): string {
  const lines = rows.map(
    ([first, second]) => `| ${first} | ${second.replace(/\|/g, '\\|').replace(/\s+/g, ' ').trim()} |`,
  );
  return [`| ${heading} | |`, '|---|---|', ...lines].join('\n');
}
