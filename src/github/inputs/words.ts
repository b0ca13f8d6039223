import type { InputName } from '../contract.ts';
import { describe } from '../yaml.ts';
import { type InputReader, isNull, isScalar } from './reader.ts';
import { ShellWordsError, shellWords } from './shell-words.ts';

/**
 * `cmds` and `arguments`: a YAML list, or plain text split into words the way a POSIX shell would, quotes respected and nothing expanded.
 * Numbers and the like in a list are the words that they were written as: `[sleep, 0.10]`.
 */
export function readWords(reader: InputReader, name: InputName): string[] | undefined {
  const given = reader.given(name);
  if (given === undefined || reader.saysNothing(name)) return undefined;
  const text = 'text' in given ? given.text : isScalar(given.tree) ? String(given.tree) : '[]';
  // What a YAML text may begin with.
  const body = text.replace(/^(?:[ \t]*(?:#.*|---[ \t]*)?\r?\n)+/, '');
  if (!/^\s*(\[|-(\s|$))/.test(body)) return splitWords(reader, name, body);
  const tree = reader.tree(name);
  if (tree === undefined) return undefined;
  if (!Array.isArray(tree)) {
    reader.problem(name, `expected a list of words, or plain text; found ${describe(tree)}.`);
    return undefined;
  }
  return tree.flatMap((word, index) => {
    if (isScalar(word) && !isNull(word)) return [String(word)];
    reader.problem(
      name,
      `expected a word, found ${describe(word)}. ${isNull(word) ? 'Write "" for an empty word.' : 'Quote it if it is meant as text.'}`,
      `[${index}]`,
    );
    return [];
  });
}

function splitWords(reader: InputReader, name: InputName, text: string): string[] | undefined {
  if (/^\s*\(.*\)\s*$/s.test(text)) {
    reader.problem(name, 'expected a list of words, or plain text; found a tuple of Python’s. Write [...] for (...).');
    return undefined;
  }
  // A mapping pasted here would else become a strange command.
  if (/^\s*\{(?!\{)/.test(text)) {
    reader.problem(name, 'expected a list of words, or plain text; found a mapping.');
    return undefined;
  }
  try {
    return shellWords(text);
  } catch (error) {
    if (!(error instanceof ShellWordsError)) throw error;
    reader.problem(name, `${error.message}, or write the words as a YAML list, e.g. [sh, -c, "echo hello"].`);
    return undefined;
  }
}
