import { INPUTS, type InputName } from '../../../src/github/contract.ts';
import { StepError } from '../../../src/github/failure.ts';
import { type Inputs, readInputs, refuseProblems } from '../../../src/github/inputs/inputs.ts';
import { InputReader, isMapping } from '../../../src/github/inputs/reader.ts';
import { parseYaml } from '../../../src/github/yaml.ts';

export const DEFAULTS_FILE = 'defaults.yaml';

/** What the step has beside its inputs. */
export interface Around {
  /** Variables of its own. */
  own?: Record<string, string>;
  /** The text of its defaults file. */
  defaults?: string;
}

/** The environment of a step with these inputs, the others empty as the runner passes them; an image is given unless it says otherwise. */
export function environment(given: Record<string, string>, own: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inputs: Partial<Record<InputName, string>> = { ...Object.fromEntries(INPUTS.map(name => [name, ''])) };
  const variables = Object.entries({ ...inputs, image: 'busybox', ...given });
  return { ...own, ...Object.fromEntries(variables.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])) };
}

/** A reader of these inputs. */
export function reading(given: Record<string, string>, { own = {}, defaults }: Around = {}): InputReader {
  const reader = new InputReader(environment(given, own));
  if (defaults === undefined) return reader;
  const values = parseYaml(defaults);
  if (!isMapping(values)) throw new Error('The defaults of this test are no mapping.');
  reader.useDefaults({ file: DEFAULTS_FILE, values });
  return reader;
}

/** How these inputs say that the step runs; what is wrong with them is thrown. */
export function read(given: Record<string, string>, around: Around = {}): Inputs {
  const reader = reading(given, around);
  const inputs = readInputs(reader);
  reader.unknownInputs();
  refuseProblems(reader);
  return inputs;
}

/** The error that these are refused with. */
export function refusal(given: Record<string, string>, around: Around = {}): StepError {
  return refusalOf(() => read(given, around));
}

export function refusalOf(act: () => unknown): StepError {
  try {
    act();
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
  throw new Error('nothing was found to be wrong');
}
