import { closest, distance } from 'fastest-levenshtein';
import type { InputName } from '../contract.ts';
import { INPUTS } from '../contract.ts';
import { parseYaml, Scalar, type Tree, YamlError } from '../yaml.ts';

/** Kubernetes keeps times in 32 bits where it checks them (apis/core/validation). */
const MOST_SECONDS = 2 ** 31 - 1;

/**
 * Reads `INPUT_*` variables and gathers every problem on the way, so that a user who made three mistakes sees three.
 * A reader answers `undefined` for what is absent and for what is wrong; the problem is on the list then.
 */
export class InputReader {
  readonly problems: string[] = [];
  readonly env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
  }

  /** @param path the place in the input, e.g. `[1].deploy_type` */
  problem(name: InputName, sentence: string, path = ''): void {
    this.problems.push(`${name}${path}: ${sentence}`);
  }

  /** @returns the input as it came. The runner passes an absent one as empty text, so the two cannot be told apart; `null` is the way to write nothing. */
  raw(name: InputName): string | undefined {
    const value = this.env[`INPUT_${name.toUpperCase()}`];
    return value === undefined || value.trim() === '' || value.trim() === 'null' ? undefined : value;
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

  choice<const C extends string>(name: InputName, choices: readonly C[]): C | undefined {
    const value = this.word(name);
    if (value === undefined || (choices as readonly string[]).includes(value)) return value as C | undefined;
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

  /** @returns the input parsed as YAML (and so as JSON). */
  tree(name: InputName): Tree | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    try {
      return parseYaml(value);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      this.problem(name, `this is not valid YAML: ${error.message}.`);
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

  /** Reports each `INPUT_*` variable that is no input of the action: a misspelt input must not be dropped silently (the runner only warns). */
  unknownInputs(): void {
    const known = new Set<string>(INPUTS.map(name => `INPUT_${name.toUpperCase()}`));
    for (const variable of Object.keys(this.env).filter(name => name.startsWith('INPUT_') && !known.has(name))) {
      const name = variable.slice('INPUT_'.length).toLowerCase();
      this.problems.push(`${name}: this action has no such input.${didYouMean(name.replaceAll('-', '_'), INPUTS)}`);
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
