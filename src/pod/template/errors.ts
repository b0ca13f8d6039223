import { didYouMean } from '../../github/inputs/reader.ts';
import type { Node } from './jinja.ts';

/** What is known of an expression that has no value. */
export interface Missing {
  /** The expression, as near to the template as the parsed form allows. */
  text: string;
  /** The names it is made of. */
  path: string[];
  /** The first part of it that is missing, as an expression and by its own name: the rest of it never had a chance. */
  first: { text: string; name: string };
  /** The names that are there in the place of this one. */
  near: () => string[];
  /** What to say of the tag in place of "is not defined". */
  instead?: string;
}

/** What to use for the names that Airflow and GitHub have and a template here has not. The first that matches. */
const REMEDIES: [RegExp, string][] = [
  [/^(var\.value|vars)\./, 'Give it in template_vars, e.g. `template_vars: ${{ toJSON(vars) }}`.'],
  [
    /^var\b/,
    'Variables are var.value.NAME; one that is given in template_vars as a mapping or a list has its fields there.',
  ],
  [/^params\b/, 'Give it in template_vars; there it is a name of its own.'],
  [/^(conn|secrets)\b/, 'Credentials do not go through a template: give them in secret_env, secret_files or secrets.'],
  [/^github\.token\b/, 'The token is never given to a template: use secret_env.'],
  [
    /^(ti|task_instance)\.xcom_pull\b/,
    'Give the output of the earlier step in template_vars: ${{ steps.ID.outputs.result }}, or needs.JOB.outputs.NAME.',
  ],
  [/^dag_run\.conf\b/, 'What a run was started with is in inputs.'],
  [
    /^(dag|dag_run|task|task_instance|task_instance_key_str|ti)\b/,
    'The workflow, the job and the run are in github, e.g. github.workflow, github.job, run_id.',
  ],
  [/^(macros|strftime_now)\b/, 'Compute it in an earlier step and give its output in template_vars.'],
  [
    /^((execution|logical)_date|data_interval_(start|end)|(prev|next|yesterday|tomorrow)_\w+|ts_nodash\w*)\b/,
    'A workflow run has no data interval: use ds or ts, the start of its first attempt, or give it in template_vars.',
  ],
  [/^inputs\./, 'inputs are those of workflow_dispatch; others are to be given in template_vars.'],
  [
    /^(env|needs|steps|strategy|job|jobs|runner)\b/,
    'Of the workflow’s contexts there are github, matrix and inputs here; give others in template_vars.',
  ],
];

/** @param tag the tag that the expression stands in, as it is quoted */
export function undefinedSentence(missing: Missing, tag: string): string {
  const { text, path, first, near, instead } = missing;
  const subject = tag === `{{ ${text} }}` ? tag : `${text} in ${tag}`;
  if (instead !== undefined) return `${tag} ${instead}`;
  const remedy = REMEDIES.find(([pattern]) => pattern.test(path.join('.')))?.[1];
  const isOurs = remedy !== undefined && path.indexOf(first.name) === 0;
  const guess = isOurs ? '' : guessOf(first.name, near());
  const where = first.text === text || path.indexOf(first.name) === 0 ? '' : `: there is no ${first.text}`;
  const way = remedy ?? (guess === '' ? 'Give it in template_vars.' : undefined);
  return `${subject} is not defined${where}.${guess}${way === undefined ? '' : ` ${way}`}`;
}

/** Of names of one or two letters any is near any other. */
function guessOf(name: string, names: readonly string[]): string {
  const candidates = names.filter(({ length }) => length > 2);
  return name.length < 3 || candidates.length === 0 ? '' : didYouMean(name, candidates);
}

const KINDS: Record<string, string> = {
  String: 'text',
  Integer: 'a number',
  Float: 'a number',
  Numeric: 'a number',
  Boolean: 'a boolean',
  Object: 'a mapping',
  Namespace: 'a namespace',
  KeywordArguments: 'named arguments',
  Array: 'a list',
  Tuple: 'a list',
  Function: 'a function',
  Null: 'null',
  Undefined: 'something undefined',
};
const FILTERS =
  'abs bool capitalize default dictsort first float indent int items join keys last length list lower map rejectattr replace reverse safe selectattr sort string title tojson trim unique upper'.split(
    ' ',
  );
const TESTS =
  'boolean callable defined eq equalto even false integer iterable lower mapping none number odd sequence string true undefined upper'.split(
    ' ',
  );

/** @returns the end of a sentence about a tag: what the library says, in words that name no class of its. */
export function failureOf(error: unknown): string {
  const message = (error instanceof Error && !(error instanceof TypeError) ? error.message : '').replace(
    /\b([A-Z][A-Za-z]+)Value\b/g,
    (name, kind: string) => KINDS[kind] ?? name,
  );
  const [, kind, filter] = /^Unknown (.+) filter: (\w+)$/.exec(message) ?? [];
  if (filter !== undefined) return unknownFilter(filter, kind);
  const [, applied, to] = /^Cannot apply filter "(\w+)" to type: (.+)$/.exec(message) ?? [];
  if (applied !== undefined) return unknownFilter(applied, to);
  const [, test] = /^Unknown test: (\w+)$/.exec(message) ?? [];
  if (test !== undefined) return `uses the test ${test}, which is not known here.${didYouMean(test, TESTS)}`;
  const [, called] = /^Cannot call .* got (.+)$/.exec(message) ?? [];
  if (called !== undefined) return `calls ${called}, which is no function.`;
  const why = /^(Invalid LHS|$)/.test(message) ? '' : `: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  return `cannot be evaluated${why.replace(/\.?$/, '.')}`;
}

function unknownFilter(filter: string, kind: string | undefined): string {
  if (FILTERS.includes(filter)) return `uses the filter ${filter}, which does not take ${kind}.`;
  return `uses the filter ${filter}, which is not known here.${didYouMean(filter, FILTERS)}`;
}

/** @returns an expression as it may have been written; what cannot be told shortly is an ellipsis. */
export function nodeText(node: Node): string {
  switch (node.type) {
    case 'Identifier':
      return node.value;
    case 'StringLiteral':
      return `'${node.value}'`;
    case 'IntegerLiteral':
    case 'FloatLiteral':
      return String(node.value);
    case 'MemberExpression':
      return node.computed
        ? `${nodeText(node.object)}[${nodeText(node.property)}]`
        : `${nodeText(node.object)}.${nodeText(node.property)}`;
    case 'CallExpression':
      return `${nodeText(node.callee)}(${node.args.length === 0 ? '' : '...'})`;
    case 'FilterExpression':
      return `${nodeText(node.operand)} | ${nodeText(node.filter)}`;
    default:
      return '...';
  }
}

/** @returns the names that a chain of them is made of, e.g. `['var', 'value', 'owner']`. */
export function nodePath(node: Node): string[] {
  if (node.type === 'Identifier') return [node.value];
  if (node.type === 'CallExpression') return nodePath(node.callee);
  if (node.type !== 'MemberExpression') return [];
  const { object, property } = node;
  const name =
    property.type === 'StringLiteral' || (property.type === 'Identifier' && !node.computed) ? property.value : '';
  return [...nodePath(object), name];
}
