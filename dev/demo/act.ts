import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { buildOnce } from '../cluster/build.ts';
import { findProgram, run } from '../cluster/command.ts';
import type { Report } from '../cluster/index.ts';
import { cacheHome } from '../cluster/places.ts';

const ROOT = join(import.meta.dirname, '../..');
const VERSION = 'v0.2.89';

/** Builds act, which runs workflows as GitHub would, on this machine. @returns the path of the program */
export async function buildAct(report: Report): Promise<string> {
  const target = join(cacheHome(), `act-${VERSION}`);
  await buildOnce(target, report, async folder => {
    const go = findProgram('go', ['/usr/local/go/bin']);
    if (go === undefined)
      throw new Error('Go is missing, to build act: install Go 1.26 or later, on PATH or in /usr/local/go.');
    report(`building act ${VERSION} (nektos/act), which takes about a minute the first time: ${target}`);
    await run(go, ['install', `github.com/nektos/act@${VERSION}`], {
      cwd: folder,
      env: { GOBIN: folder, GOWORK: 'off' },
    });
  });
  return join(target, 'act');
}

/** Actions of the examples' that need GitHub, and what takes their place. */
const STAND_INS = [
  ['actions/upload-artifact@v5', 'upload-artifact'],
  ['actions/download-artifact@v6', 'download-artifact'],
] as const;

/** A run of a workflow. */
export interface WorkflowRun {
  /** Path of the file, from the project's root. */
  workflow: string;
  secrets: Record<string, string>;
  /** Cancels the workflow: what runs is killed, post steps still run. */
  stop: AbortSignal;
  /** Ends act itself. */
  force: AbortSignal;
}

/** Runs a workflow with this machine as the runner, and shows the log as act prints it. */
export async function runWorkflow(act: string, run: WorkflowRun): Promise<{ code: number; log: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-pod-step-act-'));
  try {
    return await runIn(folder, act, run);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param folder for act's own files, and the copies of the project that the jobs work in */
async function runIn(folder: string, act: string, run: WorkflowRun): Promise<{ code: number; log: string }> {
  const { workflow, secrets, stop, force } = run;
  const secretFile = join(folder, 'secrets');
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(secretFile, lines.join(''), { mode: 0o600 });
  const args = [
    'workflow_dispatch',
    `--workflows=${workflow}`,
    '--platform=ubuntu-latest=-self-hosted',
    '--no-cache-server',
    `--secret-file=${secretFile}`,
    `--env=DEMO_ARTIFACTS=${join(folder, 'artifacts')}`,
    ...STAND_INS.map(([action, name]) => `--local-repository=${action}=${join(ROOT, 'dev/demo/actions', name)}`),
  ];
  const child = spawn(act, args, {
    cwd: ROOT,
    // Away from the terminal's Ctrl-C: act takes a second one, such as ours, as the order to drop everything.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // The runner's `node` is to be the project's Node 24, not what started the demo.
      PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      // The settings and the cache of somebody who uses act are theirs.
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, 'config'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      ...(process.stdout.isTTY && { CLICOLOR_FORCE: '1' }),
    },
  });
  stop.addEventListener('abort', () => child.kill('SIGINT'));
  force.addEventListener('abort', () => child.kill('SIGTERM'));

  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      log += text;
      process.stdout.write(text);
    });
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', exitCode => resolve(exitCode ?? 1));
  });
  return { code, log: stripVTControlCharacters(log) };
}
