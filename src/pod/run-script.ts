import { posix } from 'node:path';
import type { RunInputs } from '../github/inputs/run.ts';
import type { Fragment } from './inputs/fragment.ts';
import { type JsonObject, objectsOf } from './json.ts';
import { literal } from './literal.ts';
import { hash } from './naming.ts';

/** Where the script is in the container: its file alone, in a folder that no image has. */
const FOLDER = '/pod-step/run';

/** @returns whether a container's command runs a script of a step's */
export function runsScript(command: readonly string[] | undefined): boolean {
  return command?.some(word => word.includes(`${FOLDER}/script-`)) === true;
}

/** A script, as the container finds it. */
export interface Script {
  path: string;
  content: string;
  from: string;
}

/** @returns the script's file. Its name ends in a hash of it, so that two plans that differ in the script alone differ. */
export function scriptOf({ script, extension, from }: RunInputs): Script {
  return { path: posix.join(FOLDER, `script-${hash(script, 8)}${extension}`), content: script, from };
}

/** @returns the container's command, and that it has no arguments, whatever a template says. */
export function commandOf({ command, from }: RunInputs, { path }: Script): Fragment[] {
  const words = command.map(word => literal(word.replaceAll('{0}', path)));
  return [
    { from, of: 'container', fields: { command: words } },
    { from, of: 'container', fields: { args: null } },
  ];
}

/**
 * @param container as a template has it, which wins
 * @returns the job's variables. Kubernetes replaces $(OTHER) in a value: a branch may have such a name.
 */
export function variablesOf({ from, variables }: RunInputs, container: JsonObject | undefined): Fragment {
  const ofTemplate = objectsOf(container?.['env']).map(({ name }) => name);
  const env = Object.entries({ ...variables, RUNNER_TEMP: '/tmp' })
    .filter(([name]) => !ofTemplate.includes(name))
    .map(([name, value]) => ({ name, value: literal(value) }));
  return { from: `${from} (the job’s variables)`, of: 'container', fields: { env } };
}
