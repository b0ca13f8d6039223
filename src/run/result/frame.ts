import { createHash } from 'node:crypto';

/** A file of the pod's as the sidecar has sent it, or why it has not. */
export type SentFile =
  | { kind: 'none' }
  /** In seconds since the epoch, by the node's clock. @property changedAt when it was last changed, its mode among it; nobody can set it back. @property writtenAt when its content was, which a copy may have from what it was copied from */
  | { kind: 'file'; bytes: Buffer; changedAt: number; writtenAt: number }
  /** Longer than what is sent. */
  | { kind: 'long'; size: number }
  /** @property mode in octal digits, as `stat` has it; `owner` and `reader` are ids of users */
  | { kind: 'unreadable'; mode: string; owner: string; reader: string }
  /** The same of its folder. */
  | { kind: 'closed'; mode: string; owner: string; reader: string }
  | { kind: 'folder' | 'link' | 'pipe' | 'other' }
  /** What came is not what was sent. */
  | { kind: 'broken'; why: string };

/** In characters: no line of a frame is longer. */
const LONGEST_LINE = 64 * 1024;
/** How many lines of what else the sidecar prints are kept. */
const MOST_STRAY = 3;
const LONGEST_STRAY = 300;

/** Reads what the result's sidecar prints (`src/pod/result-sidecar.ts`), piece by piece. */
export class FrameReader {
  /** The files of the last whole frame. */
  files: ReadonlyMap<string, SentFile> | undefined;
  /** The first lines that are no part of a frame: what a shell has to complain of. */
  readonly stray: string[] = [];
  /** How much of frames has come, in characters. */
  taken = 0;
  /** Of the line at hand what has come. */
  #rest = '';
  #open: Map<string, SentFile> | undefined;
  #file:
    | {
        name: string;
        size: number;
        times: { changedAt: number; writtenAt: number };
        chunks: Buffer[];
        length: number;
        sum?: string;
      }
    | undefined;

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(bytes).toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    if (this.#rest.length <= LONGEST_LINE) return;
    this.#noteStray(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    const file = this.#file;
    if (file !== undefined && file.sum === undefined && BASE64.test(line) && line !== 'end') {
      const chunk = Buffer.from(line, 'base64');
      file.length += chunk.length;
      // Of one that is longer than it was said to be nothing is needed.
      if (file.length <= file.size) file.chunks.push(chunk);
      this.taken += line.length;
      return;
    }
    if (line === '') return;
    const [what = '', name = '', ...rest] = line.split(' ');
    if (what === 'frame') {
      this.taken += line.length;
      this.#file = undefined;
      this.#open = new Map();
      return;
    }
    const open = this.#open;
    if (open === undefined || !WORDS.has(what)) {
      this.#noteStray(line);
      return;
    }
    this.taken += line.length;
    if (what === 'sum') {
      if (file !== undefined) file.sum = name;
    } else {
      this.#endFile(open);
      if (what === 'end') {
        this.files = open;
        this.#open = undefined;
      } else if (what === 'file') {
        const [size, changedAt, writtenAt] = rest.map(Number);
        this.#file = {
          name,
          size: size ?? Number.NaN,
          times: { changedAt: changedAt ?? Number.NaN, writtenAt: writtenAt ?? Number.NaN },
          chunks: [],
          length: 0,
        };
      } else open.set(name, withoutContent(what, rest));
    }
  }

  #endFile(files: Map<string, SentFile>): void {
    if (this.#file === undefined) return;
    const { name, size, sum, times, chunks, length } = this.#file;
    this.#file = undefined;
    const bytes = Buffer.concat(chunks);
    const why =
      length !== size
        ? `of ${size} bytes ${length} came`
        : createHash('sha256').update(bytes).digest('hex') === sum
          ? undefined
          : 'its checksum is another';
    files.set(name, why === undefined ? { kind: 'file', bytes, ...times } : { kind: 'broken', why });
  }

  #noteStray(line: string): void {
    if (this.stray.length < MOST_STRAY) this.stray.push(line.slice(0, LONGEST_STRAY));
  }
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const WORDS = new Set([
  'file',
  'sum',
  'none',
  'long',
  'unreadable',
  'closed',
  'folder',
  'link',
  'pipe',
  'other',
  'end',
]);

function withoutContent(what: string, [first = '', second = '', third = '']: string[]): SentFile {
  switch (what) {
    case 'none':
      return { kind: 'none' };
    case 'long':
      return { kind: 'long', size: Number(first) };
    case 'unreadable':
    case 'closed':
      return { kind: what, mode: first, owner: second, reader: third };
    case 'folder':
    case 'link':
    case 'pipe':
      return { kind: what };
    default:
      return { kind: 'other' };
  }
}
