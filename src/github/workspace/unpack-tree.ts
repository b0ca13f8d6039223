import { remove } from '../workspace-file.ts';
import { shownName } from './unpack-names.ts';

export interface File {
  kind: 'file';
  /** Its place in the staging folder, while it has not been moved. */
  staged: string;
  size: number;
  mode: number;
  /** How many names of the archive it has. */
  names: number;
  /** Where it is in the workspace. */
  placed?: Buffer;
}
export interface Link {
  kind: 'link';
  target: Buffer;
}
export interface Folder {
  kind: 'folder';
  /** Where the archive has said one. */
  mode?: number;
  /** Keys are names in latin1, one character a byte, for they need not be UTF-8. */
  children: Map<string, Node>;
}
export type Node = File | Link | Folder;

const MOST_REFUSED = 20;
/** Entries, and folders that only paths name. */
export const MOST_ENTRIES = 200_000;
/** What is beside the HEAD of one; on some file systems in capitals, too. */
const OF_A_REPOSITORY = [/^objects$/i, /^refs$/i];

/** What was not taken. */
export class Refusals {
  /** At most {@link MOST_REFUSED}; names are as the archive has them, but cut: they are not made safe to print. */
  readonly shown: { name: string; why: string }[] = [];
  count = 0;

  add(name: string, why: string): void {
    this.count += 1;
    if (this.shown.length < MOST_REFUSED) this.shown.push({ name: name.slice(0, 200), why });
  }
}

/** What an archive says of names, folders and links, in memory: it means nothing to the file system yet. */
export class UnpackedTree {
  readonly root: Folder = { kind: 'folder', children: new Map() };
  #folders = 0;

  find(names: string[]): Node | undefined {
    let found: Node | undefined = this.root;
    for (const name of names) found = found?.kind === 'folder' ? found.children.get(name) : undefined;
    return found;
  }

  /** Puts it in the tree, where the last of a name wins. @returns why not */
  put(path: string[], node: Node): string | undefined {
    let folder = this.root;
    for (const name of path.slice(0, -1)) {
      const inside = folder.children.get(name) ?? this.#addFolder(folder, name);
      if (inside.kind !== 'folder')
        return `"${shownName(name)}" is a ${inside.kind} in the archive, so nothing can be in it`;
      folder = inside;
    }
    const last = path.at(-1) ?? '';
    const before = folder.children.get(last);
    if (before?.kind === 'folder' && node.kind === 'folder') {
      if (node.mode !== undefined) before.mode = node.mode;
      return undefined;
    }
    if (before?.kind === 'folder' && node.kind === 'link') return 'it is a link in the place of a folder';
    // Counted before the other is let go: a hard link to itself stays.
    if (node.kind === 'file') node.names += 1;
    if (before !== undefined) release(before);
    folder.children.set(last, node);
    return undefined;
  }

  /** One that the archive has no entry of: a path of 4096 bytes can have 2048 of them, so they are counted, too. */
  #addFolder(parent: Folder, name: string): Folder {
    this.#folders += 1;
    if (this.#folders > MOST_ENTRIES) throw new Error(`The archive has more than ${MOST_ENTRIES} folders.`);
    const folder: Folder = { kind: 'folder', children: new Map() };
    parent.children.set(name, folder);
    return folder;
  }

  /** What git takes for a repository without a `.git` (setup.c, is_git_directory) runs the programs that its configuration names, for whoever uses git in it. */
  refuseRepositories(refusals: Refusals, { children }: Folder = this.root, path: string[] = []): void {
    for (const name of children.keys())
      if (/^head$/i.test(name) && OF_A_REPOSITORY.every(other => [...children.keys()].some(one => other.test(one)))) {
        children.delete(name);
        refusals.add([...path, name].join('/'), 'with what is beside it, git would take its folder for a repository');
      }
    for (const [name, child] of children)
      if (child.kind === 'folder') this.refuseRepositories(refusals, child, [...path, name]);
  }
}

/** Lets go of what another entry of its name replaces: with its last name goes what was staged. */
function release(node: Node): void {
  if (node.kind === 'folder') for (const child of node.children.values()) release(child);
  if (node.kind !== 'file') return;
  node.names -= 1;
  if (node.names === 0) remove(node.staged);
}
