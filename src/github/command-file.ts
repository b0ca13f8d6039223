/** What a file of commands says, or what is wrong with it, as half a sentence. */
export type CommandFile = { entries: [name: string, value: string][] } | { fault: string };

/** In characters, of a line that is quoted. */
const LONGEST_SHOWN = 100;

/**
 * Reads `$GITHUB_OUTPUT` as the runner does (FileCommandManager.cs): `name=value` lines, and `name<<DELIMITER` blocks up to a line that is the delimiter. Lines end in a line feed alone: a carriage return before it belongs to the value.
 * @returns the entries in order; of those of one name the last counts
 */
export function readCommandFile(text: string): CommandFile {
  const lines = text.split('\n');
  const entries: [string, string][] = [];
  // What comes behind the last line feed is a line if there is anything.
  if (lines.at(-1) === '') lines.pop();
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const [equals, block] = [line.indexOf('='), line.indexOf('<<')];
    const place = `line ${at + 1}, ${shown(line)},`;
    if (equals === 0 || (block === 0 && (equals < 0 || block < equals))) return { fault: `${place} has no name` };
    if (equals > 0 && (block < 0 || equals < block)) {
      entries.push([line.slice(0, equals), line.slice(equals + 1)]);
      continue;
    }
    if (block < 0) return { fault: `${place} is neither name=value nor name<<DELIMITER` };
    const [name, delimiter] = [line.slice(0, block), line.slice(block + 2)];
    if (delimiter === '') return { fault: `${place} has no delimiter` };
    const end = lines.indexOf(delimiter, at + 1);
    if (end < 0) return { fault: `the block that begins in ${place} has no end: no line is ${shown(delimiter)}` };
    entries.push([name, lines.slice(at + 1, end).join('\n')]);
    at = end;
  }
  return { entries };
}

function shown(text: string): string {
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}
