/** Just enough of the tar format (ustar) to write container images: short names, no owners but root, no times. */

export type TarEntry =
  | { name: string; kind: 'directory'; mode: number }
  | { name: string; kind: 'file'; mode: number; content: Buffer }
  | { name: string; kind: 'link'; target: string };

const blockBytes = 512;

export function tar(entries: TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * blockBytes)]);
}

function blocksOf(entry: TarEntry): Buffer[] {
  if (entry.kind !== 'file') return [header(entry, 0)];
  const padding = (blockBytes - (entry.content.length % blockBytes)) % blockBytes;
  return [header(entry, entry.content.length), entry.content, Buffer.alloc(padding)];
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  if (Buffer.byteLength(entry.name) > 100) throw new Error(`The name is too long for this tar: ${entry.name}`);
  block.write(entry.name, 0);
  block.write(octal(entry.kind === 'link' ? 0o777 : entry.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write({ file: '0', link: '2', directory: '5' }[entry.kind], 156);
  if (entry.kind === 'link') block.write(entry.target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156); // the checksum counts itself as spaces
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return block;
}
