/**
 * Builds dist/: the action as one file, and the licences of what went into it.
 *   node dev/build.ts           writes dist/
 *   node dev/build.ts --check   fails if dist/ is not what the sources give
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/**
 * Leaves out what is never called, for every run pays for what is loaded (measured, whole process before the first line of ours: 0.15 s and 78 MB with it, 0.09 s and 67 MB without):
 * - undici's fetch, WebSocket, cache and mocks: its dispatchers and `request` are all that we and client-node's KubeConfig use;
 * - client-node's generated API, which KubeConfig needs for `makeApiClient` alone;
 * - @actions/core's OIDC client with an HTTP library of its own; its modules do nothing when loaded, so what is not used can go.
 */
const lean: Plugin = {
  name: 'lean',
  setup(builder) {
    builder.onResolve({ filter: /^undici$/ }, () => ({ path: join(ROOT, 'dev', 'build', 'undici.cjs') }));
    builder.onResolve({ filter: /gen\/index\.js$/ }, ({ importer }) =>
      importer.includes(join('@kubernetes', 'client-node'))
        ? { path: join(ROOT, 'dev', 'build', 'generated-api.js') }
        : undefined,
    );
    builder.onResolve({ filter: /^@actions\// }, async ({ path, pluginData, ...options }) =>
      pluginData === 'resolved'
        ? undefined
        : { ...(await builder.resolve(path, { ...options, pluginData: 'resolved' })), sideEffects: false },
    );
  },
};

const result = await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // CommonJS dependencies ask for Node's own modules by require().
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
  plugins: [lean],
});

const files = new Map<string, string>([
  ['index.js', result.outputFiles[0]?.text ?? ''],
  ['post.js', "process.argv.splice(2, Infinity, 'post');\nawait import('./index.js');\n"],
  // Actions are loaded by path, far from our package.json.
  ['package.json', '{ "type": "module" }\n'],
  ['licenses.txt', await licenses(Object.keys(result.metafile.inputs))],
]);

if (process.argv.includes('--check')) {
  const stale: string[] = [];
  for (const [name, content] of files) {
    const committed = await readFile(join(DIST, name), 'utf8').catch(() => '');
    if (committed !== content) stale.push(name);
  }
  if (stale.length > 0) {
    process.stderr.write(`dist/ is stale (${stale.join(', ')}): run "npm run build" and commit it.\n`);
    process.exit(1);
  }
  process.stdout.write('dist/ is fresh.\n');
} else {
  await rm(DIST, { recursive: true, force: true });
  await mkdir(DIST, { recursive: true });
  for (const [name, content] of files) await writeFile(join(DIST, name), content);
  process.stdout.write(`dist/index.js: ${((files.get('index.js')?.length ?? 0) / 1e6).toFixed(2)} MB\n`);
}

/** The licence text of every package that has a file in the bundle. A package without one is named with the licence it declares. */
async function licenses(inputs: string[]): Promise<string> {
  const folders = new Set<string>();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match?.[1]) folders.add(match[1]);
  }
  const texts: string[] = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
    const text = await firstFile(folder, [
      'LICENSE',
      'LICENSE.md',
      'LICENSE.txt',
      'LICENCE',
      'license',
      'License',
      'LICENSE-MIT',
    ]);
    texts.push(`${name} ${version}\n${license}\n\n${text ?? '(no licence file in the package)'}`.trim());
  }
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

async function firstFile(folder: string, names: string[]): Promise<string | undefined> {
  for (const name of names) {
    const text = await readFile(join(ROOT, folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text.replace(/\r\n/g, '\n').trim();
  }
  return undefined;
}
