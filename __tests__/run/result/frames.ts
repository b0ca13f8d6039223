import { createHash } from 'node:crypto';

/** A file as the sidecar prints it, with what is to be wrong about it. */
export interface Printed {
  name?: string;
  changedAt?: number;
  writtenAt?: number;
  size?: number;
  sum?: string;
  /** Characters in a line. */
  width?: number;
}

/** What the sidecar prints of a file, as `base64 -w` does it. */
export function fileLines(bytes: Uint8Array, printed: Printed = {}): string {
  const { name = 'return.json', changedAt = 1_772_366_405, writtenAt = changedAt, width = 8000 } = printed;
  const { size = bytes.length, sum = createHash('sha256').update(bytes).digest('hex') } = printed;
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
  // base64 ends its last line itself, the empty one after it is echo's.
  const content = lines.map(line => `${line}\n`).join('');
  return `file ${name} ${size} ${changedAt} ${writtenAt}\n${content}\nsum ${sum}  -\n`;
}

/** A frame around what is printed of each file. */
export const frame = (...files: string[]): string => `frame ${files.length}\n${files.join('')}end\n`;
