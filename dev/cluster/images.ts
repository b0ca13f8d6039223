import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildNoShell, buildOnce, digest } from './build.ts';
import { localImages, type Report } from './cluster.ts';
import { run } from './command.ts';
import { gitFiles } from './git-files.ts';
import { cacheHome } from './places.ts';
import { findStaticBusybox } from './requirements.ts';
import { type TarEntry, tar } from './tar.ts';

/** What holds a pod's network open; containerd's configuration names it. */
export const pauseImage = 'localhost/pause:3.10';

/** Names that examples and defaults use, given to the shell image so that they run where nothing can be pulled. */
const shellIsKnownAs = [
  'docker.io/library/busybox:1.37',
  'docker.io/library/busybox:latest',
  'docker.io/library/alpine:latest',
  'docker.io/library/bash:latest',
  'public.ecr.aws/docker/library/busybox:1.37',
];
const gitIsKnownAs = ['docker.io/alpine/git:v2.49.1'];

interface Image {
  names: string[];
  /** The image's configuration in the words of the OCI image specification. */
  config: { Entrypoint?: string[]; Cmd?: string[]; Env?: string[]; User?: string };
  layers: Buffer[];
}

/** Writes all test images as one archive in the format of `docker save`; layers that images share are in it once. @returns its path */
export async function writeImages(report: Report): Promise<string> {
  const busybox = findStaticBusybox();
  if (busybox === undefined) throw new Error('A static busybox is missing: apt-get install busybox-static.');
  const noShell = await readFile(await buildNoShell(report));
  const sources = ['images.ts', 'git-files.ts', 'tar.ts'];
  const code = await Promise.all(sources.map(file => readFile(join(import.meta.dirname, file))));
  const files = await shellFiles();
  const program = await readFile(busybox);
  const git = await gitFiles();
  const contents = [...files, ...git].flatMap(file => ('content' in file ? [file.content] : []));
  const target = join(cacheHome(), `images-${digest([...code, ...contents, program, noShell])}`);

  await buildOnce(target, report, async folder => {
    const applets = (await run(busybox, ['--list'])).split('\n').filter(name => name !== '' && name !== 'busybox');
    const layer = shellLayer(program, applets, files);
    await writeFile(join(folder, 'images.tar'), archive(images(layer, tar(git), noShell)));
  });
  return join(target, 'images.tar');
}

function images(shell: Buffer, git: Buffer, noShell: Buffer): Image[] {
  const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  const alone = tar([{ name: 'no-shell', kind: 'file', mode: 0o755, content: noShell }]);
  return [
    { names: [pauseImage], config: { Entrypoint: ['/bin/busybox', 'sleep', '2147483647'], Env: env }, layers: [shell] },
    { names: [localImages.shell, ...shellIsKnownAs], config: { Cmd: ['sh'], Env: env }, layers: [shell] },
    { names: [localImages.nonRoot], config: { Cmd: ['sh'], Env: env, User: '10001:10001' }, layers: [shell] },
    { names: [localImages.git, ...gitIsKnownAs], config: { Entrypoint: ['git'], Env: env }, layers: [shell, git] },
    { names: [localImages.noShell], config: { Entrypoint: ['/no-shell'] }, layers: [alone] },
  ];
}

interface ShellFile {
  name: string;
  mode: number;
  content: Buffer;
}

async function shellFiles(): Promise<ShellFile[]> {
  const modes = { 'etc/passwd': 0o644, 'etc/group': 0o644, 'bin/bash': 0o755 };
  const folder = join(import.meta.dirname, 'images/shell');
  return await Promise.all(
    Object.entries(modes).map(async ([name, mode]) => ({ name, mode, content: await readFile(join(folder, name)) })),
  );
}

function shellLayer(busybox: Buffer, applets: string[], files: ShellFile[]): Buffer {
  const folders = [
    'bin',
    'dev',
    'etc',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr',
    'usr/bin',
    'usr/local',
    'usr/local/bin',
    'work',
  ];
  const anyoneWrites = ['tmp', 'work'];
  return tar([
    ...folders.map(
      (name): TarEntry => ({ name: `${name}/`, kind: 'directory', mode: anyoneWrites.includes(name) ? 0o1777 : 0o755 }),
    ),
    { name: 'bin/busybox', kind: 'file', mode: 0o755, content: busybox },
    ...applets.map((name): TarEntry => ({ name: `bin/${name}`, kind: 'link', target: 'busybox' })),
    { name: 'usr/bin/env', kind: 'link', target: '../../bin/busybox' },
    ...files.map((file): TarEntry => ({ ...file, kind: 'file' })),
  ]);
}

function archive(all: Image[]): Buffer {
  const entries = new Map<string, Buffer>();
  const manifest = all.map(image => {
    const config = Buffer.from(
      JSON.stringify({
        architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
        os: 'linux',
        created: '1970-01-01T00:00:00Z',
        config: image.config,
        rootfs: { type: 'layers', diff_ids: image.layers.map(layer => `sha256:${sha256(layer)}`) },
        history: image.layers.map(() => ({ created_by: 'dev/cluster/images.ts' })),
      }),
    );
    const layers = image.layers.map(layer => [`${sha256(layer)}.tar`, layer] as const);
    for (const [name, layer] of layers) entries.set(name, layer);
    entries.set(`${sha256(config)}.json`, config);
    return { Config: `${sha256(config)}.json`, RepoTags: image.names, Layers: layers.map(([name]) => name) };
  });
  entries.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return tar([...entries].map(([name, content]): TarEntry => ({ name, kind: 'file', mode: 0o644, content })));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
