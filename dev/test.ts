/**
 * Runs the tests: brings a cluster up for those that need one, runs jest, takes the cluster down again if it was started here, and ends with a line `N passed, N failed`.
 *   node dev/test.ts [unit | cluster] [jest's arguments]        the unit tests need no cluster
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, down, up } from './cluster/index.ts';

const ROOT = join(import.meta.dirname, '..');
const [first = '', ...rest] = process.argv.slice(2);
const project = first === 'unit' || first === 'cluster' ? first : undefined;
// jest would take a file name that follows for one more project.
const args = project ? [...rest, '--selectProjects', project] : process.argv.slice(2);
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** A name of its own, so that a cluster somebody works with is not disturbed. */
const CLUSTER = 'test';

process.exitCode = await run();

async function run(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-pod-step-test-'));
  let cluster: Cluster | undefined;
  try {
    // The tests run dist/, not src/: a stale one would be tested in place of the sources.
    if ((await node(['dev/build.ts', '--check'], process.env)) !== 0) return 1;
    if (project !== 'unit') cluster = await up({ name: CLUSTER }, say);
    return await jest(join(folder, 'results.json'), cluster);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    if (cluster?.started) await down(CLUSTER, say);
    await rm(folder, { recursive: true, force: true });
  }
}

async function jest(results: string, cluster: Cluster | undefined): Promise<number> {
  const env = { ...process.env, ...(cluster && { POD_STEP_TEST_CLUSTER: JSON.stringify(cluster) }) };
  const code = await node(
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${results}`,
      ...args,
    ],
    env,
  );
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(await readFile(results, 'utf8'));
  say(`${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`);
  return code;
}

/** Node's exit code. jest's `--json` goes to a file, and its copy of it on stdout nowhere; people read what it writes to stderr. */
function node(nodeArgs: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, nodeArgs, {
      cwd: ROOT,
      env,
      stdio: ['ignore', nodeArgs.includes('--json') ? 'ignore' : 'inherit', 'inherit'],
    });
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    process.on('SIGINT', pass).on('SIGTERM', pass);
    child.once('error', reject);
    child.once('exit', code => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
