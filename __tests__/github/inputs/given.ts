import { INPUTS, type InputName } from '../../../src/github/contract.ts';
import { StepError } from '../../../src/github/failure.ts';
import { type Inputs, readInputs } from '../../../src/github/inputs/inputs.ts';

/** The environment of a step with these inputs, the others empty as the runner passes them; an image is given unless it says otherwise. */
export function environment(given: Record<string, string>, own: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inputs: Partial<Record<InputName, string>> = { ...Object.fromEntries(INPUTS.map(name => [name, ''])) };
  const variables = Object.entries({ ...inputs, image: 'busybox', ...given });
  return { ...own, ...Object.fromEntries(variables.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])) };
}

/** The inputs that these read as. */
export function read(given: Record<string, string>, own: Record<string, string> = {}): Inputs {
  return readInputs(environment(given, own));
}

/** The error that these are refused with. */
export function refusal(given: Record<string, string>, own: Record<string, string> = {}): StepError {
  try {
    read(given, own);
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
  throw new Error('nothing was found to be wrong');
}
