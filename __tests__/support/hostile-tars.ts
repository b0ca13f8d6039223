/** Archives that an honest tar would not make, and what is to become of them. */
export interface HostileTar {
  name: string;
  tar: () => Buffer;
  /** The sentence with which it is given up as a whole. */
  throws?: RegExp;
  /** Why entries are refused, in order. */
  refused?: RegExp[];
  /** All that is new in the workspace afterwards; a folder ends with `/`, a link has its target. */
  stands?: string[];
}

/** What a header says; the text of a field can be any bytes (latin1), and its number any text. */
export interface RawEntry {
  name?: string;
  prefix?: string;
  type?: string;
  size?: number | string;
  mode?: string;
  mtime?: string;
  linkname?: string;
  magic?: string;
  checksum?: string;
  body?: string | Buffer;
}

const BLOCK = 512;
export const END = Buffer.alloc(2 * BLOCK);
/** What the tests of {@link HOSTILE_TARS} allow. */
export const LIMIT_BYTES = 2 ** 20;

/** A header and its content, filled to blocks; nothing is checked. */
export function entry(raw: RawEntry): Buffer {
  const body = Buffer.isBuffer(raw.body) ? raw.body : Buffer.from(raw.body ?? '', 'latin1');
  const header = Buffer.alloc(BLOCK);
  const size = raw.size ?? body.length;
  header.write(raw.name ?? 'file', 0, 100, 'latin1');
  header.write(raw.mode ?? '0000644', 100, 8, 'latin1');
  header.write('0000000', 108, 8, 'latin1');
  header.write('0000000', 116, 8, 'latin1');
  header.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124, 12, 'latin1');
  header.write(raw.mtime ?? '14000000000', 136, 12, 'latin1');
  header.write(raw.type ?? '0', 156, 1, 'latin1');
  header.write(raw.linkname ?? '', 157, 100, 'latin1');
  header.write(raw.magic ?? 'ustar\x0000', 257, 8, 'latin1');
  header.write(raw.prefix ?? '', 345, 155, 'latin1');
  header.write(' '.repeat(8), 148, 8, 'latin1');
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(raw.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return Buffer.concat([header, filled(body)]);
}

/** The entries, and the end of an archive. */
export function archive(...entries: RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(entry), END]);
}

/** A pax header with records whose lengths are right. */
export function pax(records: Record<string, string>, type = 'x'): RawEntry {
  const body = Object.entries(records).map(([key, value]) => record(`${key}=${value}`));
  return { name: 'PaxHeaders/x', type, body: Buffer.concat(body) };
}

/** GNU's header for a long name. */
export function longName(name: string, type = 'L'): RawEntry {
  return { name: '././@LongLink', type, magic: 'ustar  \0', body: `${name}\0` };
}

export function file(name: string, body = 'hostile'): RawEntry {
  return { name, body };
}

export function folder(name: string): RawEntry {
  return { name, type: '5', mode: '0000755' };
}

export function link(name: string, linkname: string): RawEntry {
  return { name, type: '2', linkname };
}

export function hardLink(name: string, linkname: string): RawEntry {
  return { name, type: '1', linkname };
}

function record(text: string): Buffer {
  const bytes = Buffer.from(` ${text}\n`);
  let length = bytes.length + 1;
  while (String(length).length + bytes.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), bytes]);
}

function filled(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

const DOTS = /has "\.\." in it/;
const ABSOLUTE = /name is absolute/;
const GIT = /in \.git, where/;
const DAMAGED = /^What came is not a whole tar archive: /;
const NO_FILE = /hard link to what is no file/;
const IS_LINK = /is a link in the archive/;
const LEADS_OUT = /leads out of the workspace/;
const MIDDLE = /"\.\." in the middle/;

const refusals = (name: string, why: RegExp, ...entries: RawEntry[]): HostileTar => ({
  name,
  tar: () => archive(...entries),
  refused: [why],
});
const refusedNames = (why: RegExp, names: string[]): HostileTar[] =>
  names.map(name => refusals(`a file called ${JSON.stringify(name)}`, why, file(name)));
const refusedTargets = (why: RegExp, targets: string[]): HostileTar[] =>
  targets.map(target => refusals(`a link to ${target}`, why, link('in/z', target)));

/** Their workspace has `.git/`, `kept.txt`, `folder/`, and `outside`, a link to a folder beside it. */
export const HOSTILE_TARS: HostileTar[] = [
  // Out of the workspace by name.
  ...refusedNames(DOTS, ['../x', '../../etc/x', 'a/../../x', 'a/..', '..', './../x', 'a/b/../../../x', './/..//x']),
  ...refusedNames(ABSOLUTE, ['/tmp/x', '//tmp/x', '/../x']),
  refusals('a root as a folder', /name is empty/, folder('/')),
  refusals('a folder above', DOTS, folder('../new/')),
  refusals('a link above', DOTS, link('../z', 'x')),
  refusals('a hard link above', DOTS, hardLink('../z', 'kept.txt')),
  refusals('".." in the prefix of ustar', DOTS, { ...file('x'), prefix: '..' }),
  refusals('a slash in the prefix of ustar', ABSOLUTE, { ...file('x'), prefix: '/' }),
  refusals('".." in a pax path', DOTS, pax({ path: '../x' }), file('ok')),
  refusals('".." in a global pax path', DOTS, pax({ path: '../x' }, 'g'), pax({ comment: 'c' }), file('ok')),
  refusals('".." in a long name', DOTS, longName(`${'a/'.repeat(60)}${'../'.repeat(70)}x`), file('ok')),
  refusals('an absolute pax path', ABSOLUTE, pax({ path: '/tmp/x' }), file('ok')),
  refusals('an empty name', /name is empty/, file('')),
  refusals('only dots and slashes', /name is empty/, file('././/.')),
  refusals('NUL in a pax path', /NUL/, pax({ path: 'ok\0/../../x' }), file('ok')),
  refusals(
    'a pax path that is no UTF-8',
    /not UTF-8/,
    { ...pax({}), body: Buffer.from('11 path=\xff\xfe\n', 'latin1') },
    file('ok'),
  ),
  {
    name: 'NUL in a name, which ends there',
    tar: () => archive(file('safe\0/../../x')),
    stands: ['safe'],
  },
  { name: 'backslashes, which mean nothing', tar: () => archive(file('..\\..\\x')), stands: ['..\\..\\x'] },

  // Into git's folder.
  ...refusedNames(GIT, [
    '.git/hooks/x',
    '.git/config',
    '.GIT/config',
    '.Git/x',
    'git~1/config',
    'GIT~2/x',
    '.git./x',
    '.git /x',
  ]),
  ...refusedNames(GIT, ['sub/.git/config', './.git/config', './/.git//hooks/x', '.git', 'a/b/.gIt']),
  refusals('a skipped character in .git', GIT, pax({ path: '.g\u200cit/config' }), file('ok')),
  refusals('a folder .git', GIT, folder('.git/')),
  refusals('a link in the place of .git', GIT, link('.git', 'kept.txt')),
  {
    name: 'a hard link in .git',
    tar: () => archive(file('ok'), hardLink('.git/config', 'ok')),
    refused: [GIT],
    stands: ['ok'],
  },
  refusals('a link to .git', /into \.git/, link('z', '.git')),
  refusals('a link to .git from below', /into \.git/, link('in/z', '../.GIT/hooks')),
  refusals('a hard link to .git', NO_FILE, hardLink('z', '.git/config')),

  // Links.
  ...refusedTargets(LEADS_OUT, ['../..', '../../', '../../outside/secret', './../../x', '..//../x']),
  ...refusedTargets(/to an absolute path/, ['/', '/etc/passwd', '//x']),
  ...refusedTargets(MIDDLE, ['a/..', '../a/../../x', 'a/../../..', '../a/..']),
  refusals('a link to nowhere', /to nowhere/, link('z', '')),
  refusals('a link with NUL in its target', /no path/, pax({ linkpath: 'a\0/../..' }), link('z', 'x')),
  refusals('a long target', /no path/, longName('t/'.repeat(3000), 'K'), link('z', 'x')),
  refusals('a target in a long name', LEADS_OUT, longName(`${'../'.repeat(60)}x`, 'K'), link('z', 'x')),
  {
    name: 'a link, and a file through it',
    tar: () => archive(link('z', '.'), file('z/x')),
    refused: [IS_LINK],
    stands: ['z -> .'],
  },
  {
    name: 'a link out, and a file through it, which finds no link',
    tar: () => archive(link('in/z', '../..'), file('in/z/x')),
    refused: [LEADS_OUT],
    stands: ['in/', 'in/z/', 'in/z/x'],
  },
  {
    name: 'a chain of links, each a step further out',
    tar: () => archive(folder('a/b/'), link('a/b/up', '..'), link('a/up', 'b/up/..'), link('up', 'a/up/../..')),
    refused: [MIDDLE, MIDDLE],
    stands: ['a/', 'a/b/', 'a/b/up -> ..'],
  },
  {
    name: 'a link through a link',
    tar: () => archive(folder('d/e/'), link('z', 'd/e'), link('z/up', '..')),
    refused: [IS_LINK],
    stands: ['d/', 'd/e/', 'z -> d/e'],
  },
  {
    name: 'a folder that becomes a link when a link is in it',
    tar: () => archive(link('d/e/up', '../..'), link('d', '.'), link('d/e', '.')),
    refused: [/in the place of a folder/, /in the place of a folder/],
    stands: ['d/', 'd/e/', 'd/e/up -> ../..'],
  },
  {
    name: 'a link that becomes a folder, and a link again',
    tar: () => archive(link('d', '.'), folder('d/'), file('d/x'), link('d', '.')),
    refused: [/in the place of a folder/],
    stands: ['d/', 'd/x'],
  },
  {
    name: 'a link over a link with a file between',
    tar: () => archive(link('z', 'a'), file('z'), link('z', 'kept.txt')),
    stands: ['z -> kept.txt'],
  },
  {
    name: 'a link, then a file of its name',
    tar: () => archive(link('z', 'kept.txt'), file('z')),
    stands: ['z'],
  },
  {
    name: 'a file in a file',
    tar: () => archive(file('f'), file('f/x')),
    refused: [/is a file in the archive/],
    stands: ['f'],
  },
  { name: 'a file in the place of a folder', tar: () => archive(file('d/x'), file('d')), stands: ['d'] },
  {
    name: 'a folder in the place of a file',
    tar: () => archive(file('d'), folder('d/'), file('d/x')),
    stands: ['d/', 'd/x'],
  },
  { name: 'the same name twice', tar: () => archive(file('x', 'first'), file('./x', 'last')), stands: ['x'] },
  {
    name: 'a chain of links that is a ring',
    tar: () => archive(link('a', 'b'), link('b', 'a')),
    stands: ['a -> b', 'b -> a'],
  },
  {
    name: 'a link up as far as it may',
    tar: () => archive(longName(`${'d/'.repeat(3)}z`), link('x', '../../..')),
    stands: ['d/', 'd/d/', 'd/d/d/', 'd/d/d/z -> ../../..'],
  },
  {
    name: 'a file through a link of the workspace',
    tar: () => archive(file('outside/x'), folder('outside/deep/'), link('outside/z', 'x')),
    refused: [/symbolic link, to "\.\.\/outside"/, /folder could not be made/, /folder could not be made/],
  },
  {
    name: 'a folder in the place of a link of the workspace',
    tar: () => archive(folder('outside/')),
    refused: [/symbolic link, to "\.\.\/outside"/],
  },
  {
    name: 'a file in the place of a folder of the workspace',
    tar: () => archive(file('folder')),
    refused: [/this is a folder/],
  },
  {
    name: 'a link in the place of a folder of the workspace',
    tar: () => archive(link('folder', '.')),
    refused: [/this is a folder/],
  },
  {
    name: 'a file in a file of the workspace',
    tar: () => archive(file('kept.txt/x')),
    refused: [/this is a file/, /folder could/],
  },

  // Hard links.
  refusals('a hard link to an absolute name', NO_FILE, hardLink('h', '/etc/passwd')),
  refusals('a hard link out', NO_FILE, hardLink('h', '../outside/secret')),
  refusals('a hard link to a file of the workspace', NO_FILE, hardLink('h', 'kept.txt')),
  refusals('a hard link through a link of the workspace', NO_FILE, hardLink('h', 'outside/secret')),
  refusals('a hard link to itself', NO_FILE, hardLink('h', 'h')),
  refusals('a hard link to nothing', NO_FILE, hardLink('h', '')),
  {
    name: 'a hard link to what was refused',
    tar: () => archive(file('.git/x'), hardLink('h', '.git/x')),
    refused: [GIT, NO_FILE],
  },
  {
    name: 'a hard link to a symbolic link',
    tar: () => archive(link('z', 'kept.txt'), hardLink('h', 'z')),
    refused: [NO_FILE],
    stands: ['z -> kept.txt'],
  },
  {
    name: 'a hard link to a folder',
    tar: () => archive(folder('d/'), hardLink('h', 'd')),
    refused: [NO_FILE],
    stands: ['d/'],
  },
  {
    name: 'a hard link to a file whose name another has by now',
    tar: () => archive(file('a'), hardLink('b', 'a'), link('a', 'kept.txt'), hardLink('c', 'a')),
    refused: [NO_FILE],
    stands: ['a -> kept.txt', 'b'],
  },
  {
    name: 'a hard link of a file to its own name, and one in it',
    tar: () => archive(file('a'), hardLink('a', 'a'), hardLink('a/b', 'a')),
    refused: [/is a file in the archive/],
    stands: ['a'],
  },

  // Kinds.
  refusals('a device of characters', /a character device/, { name: 'null', type: '3' }),
  refusals('a device of blocks', /a block device/, { name: 'sda', type: '4' }),
  refusals('a pipe', /a fifo/, { name: 'pipe', type: '6' }),
  ...['D', 'M', 'V', 'A', 's', 'Z', '9', '\xff'].map(type =>
    refusals(`the unknown type ${JSON.stringify(type)}`, /unknown kind/, { name: 'odd', type, body: 'odd' }),
  ),
  refusals('a sparse file of GNU', /unknown kind/, { name: 'sparse', type: 'S', magic: 'ustar  \0' }),
  refusals(
    'a sparse file of pax',
    /sparse/,
    pax({ 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '9'.repeat(15), 'GNU.sparse.name': '../x' }),
    file('GNUSparseFile.0/x'),
  ),
  {
    name: 'a file that would run as its owner',
    tar: () => archive({ ...file('tool'), mode: '0007777' }),
    stands: ['tool'],
  },
  {
    name: 'a folder that nobody may enter',
    tar: () => archive({ ...folder('d/'), mode: '0006000' }, file('d/x')),
    stands: ['d/', 'd/x'],
  },
  {
    name: 'a folder with a size',
    tar: () => archive({ ...folder('d/'), size: 4096 }, file('d/x')),
    stands: ['d/', 'd/x'],
  },
  {
    name: 'a link with content',
    tar: () => archive({ ...link('z', 'kept.txt'), body: 'x'.repeat(600) }),
    stands: ['z -> kept.txt'],
  },
  {
    name: 'a time long past the end of all',
    tar: () => archive({ ...file('x'), mtime: '\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff' }),
    stands: ['x'],
  },

  // Sizes.
  {
    name: 'a huge size',
    tar: () => archive({ ...file('x'), size: '77777777777' }),
    throws: /more than the 1048576 bytes/,
  },
  {
    name: 'a size in base 256',
    tar: () => archive({ ...file('x'), size: `\x80${'\x7f'.repeat(11)}` }),
    throws: /more than the/,
  },
  {
    name: 'a negative size in base 256',
    tar: () => archive({ ...file('x'), size: `${'\xff'.repeat(11)}\xfe` }),
    throws: DAMAGED,
  },
  { name: 'a size that is no number', tar: () => archive({ ...file('x'), size: 'many' }), throws: DAMAGED },
  {
    name: 'a size that is neither octal nor base 256',
    tar: () => archive({ ...file('x'), size: `\x81${'\0'.repeat(11)}` }),
    throws: DAMAGED,
  },
  { name: 'a huge pax size', tar: () => archive(pax({ size: '9'.repeat(400) }), file('x')), throws: /more than the/ },
  { name: 'a negative pax size', tar: () => archive(pax({ size: '-512' }), file('x')), throws: DAMAGED },
  { name: 'a pax size that is no number', tar: () => archive(pax({ size: 'x' }), file('x')), throws: DAMAGED },
  {
    name: 'a pax size that hides the next header',
    tar: () => archive(pax({ size: '1024' }), { ...file('x', ''), size: 0 }, file('../y')),
    stands: ['x'],
  },
  {
    name: 'zeros without end',
    tar: () => archive({ ...file('x'), body: Buffer.alloc(LIMIT_BYTES + 1) }),
    throws: /more than the/,
  },
  {
    name: 'many files that are too much together',
    tar: () => archive(...Array<RawEntry>(5).fill(file('x', 'x'.repeat(2 ** 18)))),
    throws: /more than the/,
  },
  {
    name: 'contents that are refused, and too much',
    tar: () => archive(...Array<RawEntry>(5).fill(file('../x', 'x'.repeat(2 ** 18)))),
    throws: /more than the/,
  },
  { name: 'nothing but zeros', tar: () => Buffer.alloc(18 * 2 ** 20), throws: /filling/ },
  {
    name: 'more entries than anyone needs',
    tar: () => Buffer.concat([...Array<Buffer>(200_001).fill(entry(folder('d/'))), END]),
    throws: /more than 200000 entries/,
  },
  {
    name: 'deep paths that share no folder',
    tar: () =>
      archive(...Array.from({ length: 250 }, (_, at) => [longName(`${at}/${'d/'.repeat(1000)}x`), file('x')]).flat()),
    throws: /more than 200000 folders/,
  },

  // Names without end.
  {
    name: 'links whose targets fill the memory',
    tar: () => {
      const target = entry(longName('t/'.repeat(2040), 'K'));
      return Buffer.concat([...Array<Buffer>(17_000).fill(Buffer.concat([target, entry(link('z', 'x'))])), END]);
    },
    throws: /names in the archive have more/,
  },
  refusals('a name of 256 bytes', /more than 255 bytes/, pax({ path: 'n'.repeat(256) }), file('ok')),
  refusals('a path of 4097 bytes', /more than 4096 bytes/, pax({ path: `${'n/'.repeat(2048)}n` }), file('ok')),
  refusals('10,000 folders', /more than 4096 bytes/, longName('d/'.repeat(10_000)), file('ok')),
  refusals('slashes without end', /more than 4096 bytes/, longName(`a${'/'.repeat(5000)}b`), file('ok')),
  {
    name: 'a long name of 1 MiB',
    tar: () => archive(longName('n'.repeat(2 ** 20)), file('ok')),
    throws: /more than 64 KiB/,
  },
  {
    name: 'a long name of 70 KiB',
    tar: () => archive(longName('n'.repeat(70 * 1024)), file('ok')),
    throws: /more than 64 KiB/,
  },
  { name: 'a long name of 5 MiB', tar: () => archive(longName('n'.repeat(5 * 2 ** 20)), file('ok')), throws: DAMAGED },
  {
    name: 'a pax header of 1 MiB',
    tar: () => archive(pax({ comment: 'n'.repeat(2 ** 20) }), file('ok')),
    throws: /more than 64 KiB/,
  },
  {
    name: 'headers and never an entry',
    tar: () => archive(...Array<RawEntry>(200).fill(pax({ comment: 'c'.repeat(600) }, 'g'))),
    throws: /more than 64 KiB/,
  },
  {
    name: 'a long name of a size that cannot be read',
    tar: () => archive({ ...longName('../x'), size: `\x81${'\0'.repeat(11)}` }, file('ok')),
    throws: DAMAGED,
  },

  // Not an archive.
  { name: 'a wrong checksum', tar: () => archive(file('a'), { ...file('x'), checksum: '0000001\0' }), throws: DAMAGED },
  { name: 'an unknown format', tar: () => archive({ ...file('x'), magic: '\0'.repeat(8) }), throws: DAMAGED },
  { name: 'no bytes at all', tar: () => Buffer.alloc(0), throws: DAMAGED },
  { name: 'text', tar: () => Buffer.from('tar: not found\n'.repeat(100)), throws: DAMAGED },
  { name: 'an end in a header', tar: () => archive(file('a')).subarray(0, 1024 + 100), throws: DAMAGED },
  { name: 'an end in a content', tar: () => archive(file('a', 'x'.repeat(5000))).subarray(0, 3000), throws: DAMAGED },
  {
    name: 'an end in the filling of a content',
    tar: () => archive(file('a', 'abc')).subarray(0, 600),
    throws: DAMAGED,
  },
  { name: 'an end between two entries', tar: () => entry(file('a')), throws: /ends before its end/ },
  {
    name: 'an end after zeros that are a content',
    tar: () => entry(file('a', '\0'.repeat(4096))),
    throws: /ends before its end/,
  },
  {
    name: 'an end after a pax header',
    tar: () => Buffer.concat([entry(file('a')), entry(pax({ path: 'b' }))]),
    throws: /ends before its end/,
  },
  {
    name: 'half an end',
    tar: () => Buffer.concat([entry(file('a')), Buffer.alloc(512)]),
    throws: /ends before its end/,
  },
  {
    name: 'garbage after the end',
    tar: () => Buffer.concat([archive(file('a')), Buffer.alloc(512, 'x')]),
    throws: DAMAGED,
  },
  {
    name: 'an archive in which the second one leads out',
    tar: () => Buffer.concat([archive(file('a')), archive(file('../b'))]),
    refused: [DOTS],
    stands: ['a'],
  },
];
