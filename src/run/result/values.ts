import { visit } from 'jsonc-parser';
import { ownOutput } from '../../github/contract.ts';
import { grouped } from '../numbers.ts';

/** What each top-level key of a result becomes, or what is in the way. */
export type Values = { values: [name: string, value: string][] } | { fault: string; remedy: string };

/** In characters: what is longer is not shown, for of a secret in it half would be, and the runner masks whole ones alone. */
const LONGEST_SHOWN = 60;
/** Of the keys that are in the way. */
const MOST_TOLD = 5;

/**
 * Takes a result apart, an output for each of its top-level keys: text as it is, everything else as it was written, so that a number keeps its digits.
 * @param json valid JSON
 */
export function valuesOf(json: string): Values {
  if (!json.startsWith('{')) {
    const found = json.startsWith('[')
      ? 'a list'
      : json.startsWith('"')
        ? 'text'
        : json.length > LONGEST_SHOWN
          ? 'a number'
          : json;
    return {
      fault: `multiple_outputs makes an output of each key of an object; return.json is ${found}`,
      remedy: 'Have the container write an object, or leave out `multiple_outputs`.',
    };
  }
  let members: [name: string, value: string][];
  try {
    members = membersOf(json);
  } catch {
    return {
      fault: 'return.json is nested too deeply to be taken apart',
      remedy: 'Leave out `multiple_outputs`, and take it from `result`.',
    };
  }
  const faults = [...new Set(faultsOf(members.map(([name]) => name)))];
  if (faults.length > 0)
    return {
      fault: `multiple_outputs: ${told(faults).join('; ')}`,
      remedy: 'Rename it, or leave out `multiple_outputs` and take the values from `result`.',
    };
  const values = members.map(([name, value]): [string, string] => [
    name,
    value.startsWith('"') ? (JSON.parse(value) as string) : value,
  ]);
  const odd = values.find(([, value]) => !value.isWellFormed());
  if (odd !== undefined)
    return {
      fault: `multiple_outputs: the value of the key ${shown(odd[0])} has half of a surrogate pair in it, which no output can hold`,
      remedy: 'Leave out `multiple_outputs`, and take it from `result`, where it is escaped.',
    };
  return { values };
}

/** @returns the members of an object, in their own words. */
function membersOf(json: string): [name: string, value: string][] {
  const members: { name: string; from: number; to: number }[] = [];
  let depth = 0;
  const end = (to: number) => {
    const last = members.at(-1);
    if (depth === 1 && last) last.to = to;
  };
  visit(json, {
    onObjectBegin: () => void depth++,
    onArrayBegin: () => void depth++,
    onObjectProperty: name => {
      if (depth === 1) members.push({ name, from: 0, to: 0 });
    },
    onSeparator: (character, offset) => {
      const last = members.at(-1);
      if (character === ',') end(offset);
      else if (depth === 1 && last) last.from = offset + 1;
    },
    onObjectEnd: offset => {
      end(offset);
      depth--;
    },
    onArrayEnd: () => void depth--,
  });
  return members.map(({ name, from, to }) => [name, json.slice(from, to).trim()]);
}

/** @returns why the names cannot be outputs: the runner reads them from lines `name<<delimiter`, and compares them without case. */
function faultsOf(names: string[]): string[] {
  const seen = new Map<string, string>();
  return names.flatMap(name => {
    const key = shown(name);
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    seen.set(folded, name);
    if (name.trim() === '') return [`the key ${key} is empty, and an output needs a name`];
    if (/[\p{Cc}\u2028\u2029=]|<</u.test(name))
      return [`the key ${key} cannot be the name of an output, which takes no =, no << and no control characters`];
    const own = ownOutput(name);
    if (own !== undefined) return [`the key ${key} is an output of this action’s own, ${own}`];
    if (other === name) return [`the key ${key} is there more than once`];
    if (other !== undefined) return [`the keys ${shown(other)} and ${key} differ by case alone, which outputs do not`];
    return [];
  });
}

function told(faults: string[]): string[] {
  const more = faults.length - MOST_TOLD;
  return more > 0 ? [...faults.slice(0, MOST_TOLD), `and ${grouped(more)} more`] : faults;
}

function shown(key: string): string {
  return key.length > LONGEST_SHOWN ? `of ${grouped(key.length)} characters` : JSON.stringify(key);
}
