import type { InputName } from '../contract.ts';
import { describe } from '../yaml.ts';
import { type InputReader, isNull, isScalar } from './reader.ts';

/** @returns a code, or several: a list, or text with commas. 0 is a success, whatever else is said of it. */
export function readExitCodes(reader: InputReader, input: InputName): number[] {
  return readItems(reader, input, 'an exit code, or a list of them').flatMap(({ word, found, path }) => {
    const code = exitCode(word);
    if (code !== undefined) return [code];
    reader.problem(input, `expected an exit code from 1 to 255; found ${found}.`, path);
    return [];
  });
}

export function exitCode(word: string): number | undefined {
  return /^[0-9]{1,3}$/.test(word) && Number(word) >= 1 && Number(word) <= 255 ? Number(word) : undefined;
}

/** One of several, and how to speak of it. */
interface Item {
  word: string;
  found: string;
  path: string;
}

/** @returns the words of a list, or of text with commas. */
export function readItems(reader: InputReader, input: InputName, expected: string): Item[] {
  const tree = reader.tree(input);
  if (tree === undefined || isNull(tree)) return [];
  const items = isScalar(tree)
    ? String(tree)
        .split(/[\s,]+/)
        .filter(word => word !== '')
    : tree;
  if (!Array.isArray(items)) {
    reader.problem(input, `expected ${expected}; found ${describe(tree)}.`);
    return [];
  }
  return items.map((item, index) => {
    const word = isScalar(item) && !isNull(item) ? String(item) : '';
    return { word, found: word === '' ? describe(item) : `"${word}"`, path: isScalar(tree) ? '' : `[${index}]` };
  });
}
