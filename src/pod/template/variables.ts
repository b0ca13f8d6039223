import { isMapping } from '../../github/inputs/reader.ts';
import { describe, Scalar, type Tree } from '../../github/yaml.ts';
import type { TemplateValue, TemplateVariables } from './render.ts';
import { cutTemplate } from './source.ts';

/** Of the `github` context what the runner gives every step as `GITHUB_*`, but for its paths. The token is not among them. */
const GITHUB = [
  'actor',
  'actor_id',
  'api_url',
  'base_ref',
  'event_name',
  'graphql_url',
  'head_ref',
  'job',
  'ref',
  'ref_name',
  'ref_protected',
  'ref_type',
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'retention_days',
  'run_attempt',
  'run_id',
  'run_number',
  'server_url',
  'sha',
  'triggering_actor',
  'workflow',
  'workflow_ref',
  'workflow_sha',
];
const RUN_START = ['ds', 'ds_nodash', 'ts'];
const RESERVED = ['github', 'matrix', 'inputs', 'vars', 'var'];

export interface VariableSources {
  /** The step's environment. */
  env: NodeJS.ProcessEnv;
  /** The payload of the event that started the run. */
  event: TemplateValue | undefined;
  matrix: { [key: string]: TemplateValue };
  /** The input `template_vars`. */
  templateVars: Tree | undefined;
  /** When the run's first attempt started; not needed where {@link usesRunStart} says no. */
  runStart: Date | undefined;
}

/** @returns the names a template may use, and what is wrong with `template_vars` */
export function templateVariables({ env, event, matrix, templateVars, runStart }: VariableSources): {
  variables: TemplateVariables;
  problems: string[];
} {
  const { vars, problems } = readTemplateVars(templateVars);
  const inputs = isObject(event) && isObject(event['inputs']) ? event['inputs'] : {};
  const variables: TemplateVariables = {
    ...(runStart && runStartVariables(runStart)),
    ...givenDay(vars),
    ...(env['GITHUB_RUN_ID'] !== undefined && { run_id: env['GITHUB_RUN_ID'] }),
    ...vars,
    github: githubContext(env, event),
    matrix,
    inputs,
    vars,
    var: { value: vars },
  };
  return { variables, problems };
}

/**
 * Whether the template reads a name that comes from the run's start, which GitHub has to be asked for.
 * A name in a branch that is not taken counts too: that is known only when the template runs.
 */
export function usesRunStart(template: string, templateVars: Tree | undefined): boolean {
  const given = templateVars !== undefined && isMapping(templateVars) ? templateVars : {};
  const days = givenDay(Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])));
  const asked = RUN_START.filter(name => !Object.hasOwn(given, name) && !Object.hasOwn(days, name));
  return cutTemplate(template).pieces.some(
    piece =>
      piece.kind !== 'text' &&
      piece.tokens.some(
        ({ type, value }, index) =>
          type === 'Identifier' && asked.includes(value) && piece.tokens[index - 1]?.type !== 'Dot',
      ),
  );
}

/** As Airflow writes them, in UTC. */
function runStartVariables(start: Date): TemplateVariables {
  const ts = start.toISOString().replace(/(\.\d+)?Z$/, '+00:00');
  const ds = ts.slice(0, 'YYYY-MM-DD'.length);
  return { ds, ds_nodash: ds.replaceAll('-', ''), ts };
}

/** Whoever gives one of the three, to do the work of another day, means that day in all of them. */
function givenDay({ ds, ts }: TemplateVariables): TemplateVariables {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(String(ds ?? ts ?? ''))?.[0];
  return day === undefined ? {} : { ds: day, ds_nodash: day.replaceAll('-', ''), ts: `${day}T00:00:00+00:00` };
}

function githubContext(env: NodeJS.ProcessEnv, event: TemplateValue | undefined): TemplateVariables {
  const context: TemplateVariables = {};
  for (const name of GITHUB) {
    const value = env[`GITHUB_${name.toUpperCase()}`];
    if (value !== undefined) context[name] = name === 'ref_protected' ? value === 'true' : value;
  }
  return event === undefined ? context : { ...context, event };
}

function readTemplateVars(tree: Tree | undefined): { vars: TemplateVariables; problems: string[] } {
  if (tree === undefined) return { vars: {}, problems: [] };
  if (!isMapping(tree)) {
    const sentence = `template_vars: expected a mapping of names to values; found ${describe(tree)}.`;
    return { vars: {}, problems: [sentence] };
  }
  const problems = Object.keys(tree)
    .filter(name => RESERVED.includes(name))
    .map(
      name => `template_vars: ${name} is a name that every template has, and cannot be given. Give it by another name.`,
    );
  return { vars: mapped(tree), problems };
}

function mapped(tree: { [key: string]: Tree }): TemplateVariables {
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, valueOfTree(value)]));
}

/** A number that is written in a way of its own, as 1.10, is its text: as a number it would be 1.1 wherever it is used. */
function valueOfTree(tree: Tree): TemplateValue {
  if (typeof tree === 'string') return tree;
  if (tree instanceof Scalar)
    return typeof tree.value === 'number' && String(tree.value) !== tree.source ? tree.source : tree.value;
  return Array.isArray(tree) ? tree.map(valueOfTree) : mapped(tree);
}

function isObject(value: TemplateValue | undefined): value is { [key: string]: TemplateValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
