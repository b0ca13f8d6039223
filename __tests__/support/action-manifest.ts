import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

/** What the runner takes from action.yml. */
export interface ActionManifest {
  inputs: { name: string; default: string }[];
  main: string;
  post?: string;
}

/**
 * @param contexts values for expressions in defaults, by the text between `${{` and `}}`, e.g. `{'github.token': 'ghs_x'}`; others become ''
 */
export function readActionManifest(folder: string, contexts: Record<string, string> = {}): ActionManifest {
  const document = asRecord(load(readFileSync(join(folder, 'action.yml'), 'utf8')), 'action.yml');
  const runs = asRecord(document['runs'], 'runs');
  const condition = runs['post-if'] ?? 'always()';
  if (condition !== 'always()')
    throw new Error(`The step runner knows no post-if but always(); action.yml has ${String(condition)}.`);
  if (typeof runs['main'] !== 'string') throw new Error('action.yml has no runs.main.');
  return {
    inputs: Object.entries(asRecord(document['inputs'] ?? {}, 'inputs')).map(([name, input]) => ({
      name,
      default: evaluate(asRecord(input ?? {}, name)['default'], contexts),
    })),
    main: runs['main'],
    ...(typeof runs['post'] === 'string' && { post: runs['post'] }),
  };
}

/**
 * INPUT_* as the runner sets them (ActionRunner.cs, Handler.cs AddInputsToEnvironment): every declared input with the given value, its default or '',
 * and given inputs that are not declared too. Names are compared without case.
 */
export function inputEnvironment(manifest: ActionManifest, given: Record<string, string>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const input of manifest.inputs) variables[variableName(input.name)] = input.default;
  for (const [name, value] of Object.entries(given)) variables[variableName(name)] = value;
  return variables;
}

/** Upper case, a space becomes `_`; a dash stays. */
function variableName(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`;
}

function evaluate(value: unknown, contexts: Record<string, string>): string {
  return String(value ?? '').replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => contexts[expression.trim()] ?? '');
}

function asRecord(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is not a mapping.`);
  return Object.fromEntries(Object.entries(value));
}
