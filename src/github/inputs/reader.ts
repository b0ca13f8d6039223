import { closest, distance } from 'fastest-levenshtein';
import { INPUTS, type InputName as StepInputName } from '../contract.ts';
import type { SweepInputName } from '../sweep-contract.ts';
import { describe, parseYaml, Scalar, type Tree, YamlError } from '../yaml.ts';
import { AIRFLOW_PARAMETERS, type AirflowParameter } from './airflow.ts';

/** An input of the step, or of the sweep. */
type InputName = StepInputName | SweepInputName;

/** What an action can be given: a word that is neither is an error. */
export interface Contract {
  inputs: readonly InputName[];
  /** Parameters that people bring along, and what to say to each. */
  foreign: Record<string, AirflowParameter>;
}

const STEP: Contract = { inputs: INPUTS, foreign: AIRFLOW_PARAMETERS };

/** Kubernetes keeps times in 32 bits where it checks them (apis/core/validation). */
export const MOST_SECONDS = 2 ** 31 - 1;

/** The older name of an input and the newer one: what the step says under the one leaves nothing of the defaults under the other. */
const OTHER_NAME: Partial<Record<InputName, InputName>> = {
  resources: 'container_resources',
  container_resources: 'resources',
  is_delete_operator_pod: 'on_finish_action',
  on_finish_action: 'is_delete_operator_pod',
};

/** A Python list or dict, pasted, whose texts hold an escape in single quotes. */
const PYTHON_ESCAPE = /^\s*[[{][^#]*'[^'\n]*\\[ntr\\][^'\n]*'/;
/** A Python object, pasted. */
const PYTHON_CALL = /\b(?:k8s\.)?(?:Secret|V1[A-Z]\w+|VolumeMount|Volume|Toleration)\(/;

/** Python's word for nothing, as a value of YAML's, but where Kubernetes has it as a word of its own. */
const PYTHON_NONE = /(?<!(?:propagation|policy)['"]?\s*)[:[,-]\s+None\s*(?:[,\]}#]|$)/im;

/** Nobody reads more, and a list of 60,000 numbers where variables are expected has as many faults. */
const MOST_PROBLEMS = 500;

/** What an input was given: its text, or, from the defaults file, what YAML has read already. */
export type Given = { text: string } | { tree: Tree };

/** The inputs of `defaults_file`. */
export interface Defaults {
  /** Its path, for messages. */
  file: string;
  values: { [name: string]: Tree };
}

/**
 * Reads `INPUT_*` variables, and the defaults behind them, and gathers every problem on the way, so that a user who made three mistakes sees three.
 * A reader answers `undefined` for what is absent and for what is wrong; the problem is on the list then.
 */
export class InputReader {
  readonly problems: string[] = [];
  /** What is no fault and yet not as it looks, for the log: each once. */
  readonly warnings = new Set<string>();
  /** What to write instead of what was written, though it was understood. */
  readonly notices = new Set<string>();
  readonly env: NodeJS.ProcessEnv;
  private readonly contract: Contract;
  private defaults: Defaults = { file: '', values: {} };

  constructor(env: NodeJS.ProcessEnv, contract: Contract = STEP) {
    this.env = env;
    this.contract = contract;
  }

  /** Sets what counts for each input that the step itself says nothing about. */
  useDefaults(defaults: Defaults): void {
    this.defaults = defaults;
  }

  /** @param path the place in the input, e.g. `[1].deploy_type` */
  problem(name: string, sentence: string, path = ''): void {
    // Where secrets are expected, what was found may be one: only a plain name is told.
    const secret = name === 'secret_env' || name === 'secret_files';
    const place = secret && !/^(\.[A-Za-z_]\w*|\[[\w./-]*\])*(\.\w+)?$/.test(path) ? '' : path;
    const told = secret ? sentence.replace(/"[^"]*"/g, 'this') : sentence;
    const problem = `${this.place(name)}${place}: ${told}`;
    // An input that is read in two ways has one fault all the same.
    if (this.problems.length < MOST_PROBLEMS && !this.problems.includes(problem)) this.problems.push(problem);
  }

  /**
   * @param place an input, or a place in one, e.g. `env_vars[2]`
   * @returns the same, with the defaults file before it where the input came from there
   */
  place(place: string): string {
    const [name] = /^[^.[]*/.exec(place) ?? [''];
    const isDefault = Object.hasOwn(this.defaults.values, name) && this.own(name) === undefined;
    return isDefault ? `defaults_file (${this.defaults.file}): ${place}` : place;
  }

  /** @returns what the step itself says. The runner passes an absent input as empty text, so the two cannot be told apart. */
  private own(name: string): string | undefined {
    const value = this.env[`INPUT_${name.toUpperCase()}`];
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  /** @returns the inputs that the step itself says something about. */
  ownNames(): InputName[] {
    return INPUTS.filter(name => this.own(name) !== undefined && !this.saysNothing(name));
  }

  /** @returns the input as it came, from the step or from the defaults, where text may be a block that was copied from a step; `null` counts as given. */
  given(name: InputName): Given | undefined {
    const text = this.own(name);
    if (text !== undefined) return { text };
    const tree = Object.hasOwn(this.defaults.values, name) ? this.defaults.values[name] : undefined;
    const other = OTHER_NAME[name];
    if (tree === undefined || (other !== undefined && this.own(other) !== undefined)) return undefined;
    return typeof tree === 'string' ? { text: tree } : { tree };
  }

  /** Whether the input is `null`, the way to write nothing where a template or the defaults have something. */
  saysNothing(name: InputName): boolean {
    const given = this.given(name);
    if (given === undefined) return false;
    if (!('text' in given)) return isNull(given.tree);
    const text = given.text.trim();
    // As Python writes it; only dnsPolicy has a None of its own.
    return text === 'null' || (text === 'None' && name !== 'dnspolicy');
  }

  /** @returns the input's text, untrimmed; `undefined` where it is absent or `null`. */
  raw(name: InputName): string | undefined {
    const given = this.given(name);
    if (given === undefined || this.saysNothing(name)) return undefined;
    if ('text' in given) return given.text;
    if (isScalar(given.tree)) return String(given.tree);
    this.problem(name, `expected text, found ${describe(given.tree)}.`);
    return undefined;
  }

  /** @returns a word or a line of text, trimmed. `""` is the way to write explicitly empty text. */
  text(name: InputName): string | undefined {
    const value = this.raw(name)?.trim();
    if (value === '""' || value === "''") return '';
    return value;
  }

  /** As {@link text}, where empty text means nothing either. */
  word(name: InputName): string | undefined {
    return this.text(name) || undefined;
  }

  /** KPO's users write True and False, as in Python, where one of the choices is that. */
  choice<const C extends string>(name: InputName, choices: readonly C[]): C | undefined {
    const value = this.word(name);
    if (value === undefined) return undefined;
    const word = /^(true|false)$/i.test(value) ? value.toLowerCase() : value;
    if ((choices as readonly string[]).includes(word)) return word as C;
    this.problem(name, `expected ${oneOf(choices)}, found "${value}".${didYouMean(value, choices)}`);
    return undefined;
  }

  /** YAML 1.2's booleans, as `core.getBooleanInput` reads them. */
  boolean(name: InputName): boolean | undefined {
    const value = this.word(name);
    if (value === undefined) return undefined;
    if (/^(true|True|TRUE)$/.test(value)) return true;
    if (/^(false|False|FALSE)$/.test(value)) return false;
    this.problem(name, `expected true or false, found "${value}".`);
    return undefined;
  }

  /** A whole number of at least `least` seconds, and at most what Kubernetes takes for one. */
  seconds(name: InputName, least: number): number | undefined {
    const value = this.word(name);
    if (value === undefined) return undefined;
    if (/^[0-9]{1,10}$/.test(value) && Number(value) >= least && Number(value) <= MOST_SECONDS) return Number(value);
    this.problem(name, `expected a whole number of seconds, from ${least} to ${MOST_SECONDS}; found "${value}".`);
    return undefined;
  }

  wholeNumber(name: InputName, least: number, most: number): number | undefined {
    const value = this.word(name);
    if (value === undefined) return undefined;
    if (/^[0-9]{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    this.problem(name, `expected a whole number from ${least} to ${most}; found "${value}".`);
    return undefined;
  }

  /** @returns the input parsed as YAML (and so as JSON); a null one is a null. */
  tree(name: InputName): Tree | undefined {
    const given = this.given(name);
    if (given === undefined) return undefined;
    if ('tree' in given) return given.tree;
    if (this.saysNothing(name)) return new Scalar(null, '');
    try {
      const tree = parseYaml(given.text);
      // What is in double quotes is no quote of YAML's.
      if (PYTHON_ESCAPE.test(given.text.replace(/"(?:[^"\\]|\\.)*"/gs, '""')))
        this.warnings.add(
          `${name} holds a backslash in single quotes, which YAML leaves as it is, unlike Python. Use double quotes for \\n and the like.`,
        );
      if (PYTHON_NONE.test(given.text))
        this.warnings.add(
          `${name} holds None, which is text to YAML: its word for nothing is null. As the value of a field of Kubernetes' own it is taken for null.`,
        );
      return tree;
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      const python = PYTHON_CALL.test(given.text)
        ? ' It looks like Python: write each object as a mapping, e.g. {name: data, mountPath: /data}.'
        : '';
      this.problem(name, `this is not valid YAML: ${error.message}.${python}`);
      return undefined;
    }
  }

  /** Reports every key of `mapping` that is not one of `known`, with the nearest right spelling. */
  unknownKeys(name: InputName, path: string, mapping: { [key: string]: Tree }, known: readonly string[]): void {
    for (const key of Object.keys(mapping)) {
      if (!known.includes(key))
        this.problem(name, `"${key}" is not a field here; expected ${oneOf(known)}.${didYouMean(key, known)}`, path);
    }
  }

  /** Reports each input that the action does not have: a misspelt one must not be dropped silently (the runner only warns). */
  unknownInputs(): void {
    const { inputs, foreign } = this.contract;
    const given = Object.keys(this.env).filter(name => name.startsWith('INPUT_'));
    const names = [
      ...given.map(name => name.slice('INPUT_'.length).toLowerCase()),
      ...Object.keys(this.defaults.values),
    ];
    for (const name of new Set(names).values()) {
      if ((inputs as readonly string[]).includes(name)) continue;
      const known = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
      if (known === undefined)
        this.problem(name, `this action has no such input.${didYouMean(name.replaceAll('-', '_'), inputs)}`);
      else if (known.harmless) this.notices.add(`${name}: ${known.say}`);
      else this.problem(name, known.say);
    }
  }
}

export function isMapping(tree: Tree): tree is { [key: string]: Tree } {
  return typeof tree === 'object' && !Array.isArray(tree) && !(tree instanceof Scalar);
}

export function isScalar(tree: Tree): tree is string | Scalar {
  return !Array.isArray(tree) && !isMapping(tree);
}

export function isNull(tree: Tree): boolean {
  return tree instanceof Scalar && tree.value === null;
}

function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** @returns ` Did you mean X?` where one of `words` is near enough to be it. */
export function didYouMean(word: string, words: readonly string[]): string {
  const lower = word.toLowerCase();
  const begun = lower.length > 2 ? words.find(candidate => candidate.toLowerCase().startsWith(lower)) : undefined;
  if (begun) return ` Did you mean ${begun}?`;
  const nearest = closest(lower, [...words]);
  return distance(lower, nearest.toLowerCase()) <= Math.max(2, Math.floor(word.length / 3))
    ? ` Did you mean ${nearest}?`
    : '';
}
