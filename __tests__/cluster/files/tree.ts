import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns the path of a new folder, with `files` in it: a path that ends in a slash is an empty folder */
export function folderWith(files: Record<string, string | Buffer> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  for (const [path, content] of Object.entries(files)) {
    const place = join(folder, path);
    mkdirSync(path.endsWith('/') ? place : join(place, '..'), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(place, content);
  }
  return folder;
}

/** Names that have been trouble somewhere, modes, links of every kind. @returns the path of a new folder */
export function oddTree(): string {
  const root = folderWith({
    'plain.txt': 'plain\n',
    'empty.txt': '',
    'empty/': '',
    'with space/and "quotes" \'and\' $(dollars)/a.txt': 'a',
    '-rf': 'an option',
    '--checkpoint-action=exec=id': 'another',
    'new\nline/x\ny': 'lines',
    [`${'long'.repeat(60)}/${'name'.repeat(60)}/${'deep'.repeat(50)}`]: 'long',
    'größe/日本語.txt': 'names in UTF-8',
    '.hidden/.env': 'A=1',
    'programs/run.sh': '#!/bin/sh\n',
    'programs/private': 'secret',
    'nested/.gitignore': '*.log\n',
    'random.bin': Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 7919 + (at >> 8)) & 255)),
  });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/not-utf8-`), Buffer.from([0xff, 0xfe])]), 'bytes');
  chmodSync(join(root, 'programs/run.sh'), 0o755);
  chmodSync(join(root, 'programs/private'), 0o600);
  chmodSync(join(root, 'plain.txt'), 0o444);
  symlinkSync('plain.txt', join(root, 'link'));
  symlinkSync('../plain.txt', join(root, 'nested/up'));
  symlinkSync('with space', join(root, 'to-folder'));
  symlinkSync('nowhere', join(root, 'dangling'));
  symlinkSync(`${'long'.repeat(60)}/${'name'.repeat(60)}`, join(root, 'to-long'));
  return root;
}

/** @returns a line for each thing in a folder: kind, mode, name, and what is in it */
export function told(root: string | Buffer): string[] {
  const lines: string[] = [];
  const walk = (folder: Buffer, prefix: Buffer) => {
    for (const entry of readdirSync(folder, { encoding: 'buffer' }).sort(Buffer.compare)) {
      const [path, name] = [Buffer.concat([folder, Buffer.from('/'), entry]), Buffer.concat([prefix, entry])];
      const found = lstatSync(path);
      const mode = (found.mode & 0o7777).toString(8);
      const shown = JSON.stringify(name.toString('latin1'));
      if (found.isDirectory()) {
        lines.push(`folder ${mode} ${shown}`);
        walk(path, Buffer.concat([name, Buffer.from('/')]));
      } else if (found.isSymbolicLink())
        lines.push(`link ${shown} -> ${JSON.stringify(readlinkSync(path, { encoding: 'buffer' }).toString('latin1'))}`);
      else if (found.isFile()) lines.push(`file ${mode} ${shown} ${sha256(readFileSync(path))}`);
      else lines.push(`other ${shown}`);
    }
  };
  walk(Buffer.from(root), Buffer.alloc(0));
  return lines;
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
