/**
 * Shows the action at work: brings the test cluster up if it is not there, and lets nektos/act run a workflow of examples/ on it, as a user of examples/rbac.yaml.
 * Ends with 0 when the workflow did what it promises and left no pod. Takes away whatever it started, also on Ctrl-C.
 */
import { down, up } from './cluster/index.ts';
import { buildAct, runWorkflow } from './demo/act.ts';
import { type Expected, missingFrom } from './demo/expected.ts';
import { Interruption, onInterruption } from './demo/interruption.ts';
import { DemoNamespace } from './demo/namespace.ts';

const CLUSTER = 'default';
const WORKFLOW = 'examples/matrix-and-outputs.yml';

/** What the log of the workflow has to show. */
const EXPECTED: Expected[] = [
  { text: '| part 2, row 3', times: 1, what: 'a line of a pod of the matrix' },
  { text: /\| Part \d has 3 rows, says pod parts-count-/, times: 3, what: 'a result, read by a later step' },
  { text: '| All 3 parts have 9 rows.', times: 1, what: 'a result, read by a later job' },
  {
    text: "| The step's outcome is failure, its exit code 3, the reason ExitCode.",
    times: 1,
    what: 'a failing pod under continue-on-error',
  },
  { text: /Success - Post (Count the rows of a part|Add up|Fail)/, times: 5, what: 'a post step for each pod' },
];

const say = (line: string) => void process.stdout.write(`${line}\n`);
// Whoever stops reading (`npm run demo | head`) still has the cluster taken down.
process.stdout.on('error', () => {});

const { stop, force } = onInterruption(signal => say(`${signal}: ending the workflow and cleaning up`));
try {
  await demo();
} catch (error) {
  if (!stop.aborted) say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = stop.reason instanceof Interruption ? stop.reason.exitCode : 1;
}

async function demo(): Promise<void> {
  const act = await buildAct(say);
  stop.throwIfAborted();
  const cluster = await up({ name: CLUSTER }, say);
  try {
    stop.throwIfAborted();
    const namespace = await DemoNamespace.create(cluster.kubeconfig);
    try {
      await show(act, namespace);
    } finally {
      // A cluster that goes takes its namespaces along.
      if (!cluster.started) await namespace.delete();
    }
  } finally {
    if (cluster.started) await down(CLUSTER, say);
  }
}

/** Runs the workflow and checks what came of it. */
async function show(act: string, namespace: DemoNamespace): Promise<void> {
  const secrets = { KUBECONFIG: await namespace.runnerKubeconfig() };
  stop.throwIfAborted();
  say(`\nact runs ${WORKFLOW} on this machine, without Docker; the pods are in namespace ${namespace.name}\n`);
  const { code, log } = await runWorkflow(act, { workflow: WORKFLOW, secrets, stop, force });
  const left = await namespace.podsLeft();
  say(`\nPods left: ${left.join(', ') || 'none'}`);
  stop.throwIfAborted();

  if (code !== 0) throw new Error(`act ended with exit code ${code}; the reason is in the log above.`);
  const missing = missingFrom(log, EXPECTED);
  if (missing.length > 0) throw new Error(`The log lacks ${missing.join('; ')}.`);
  if (left.length > 0) throw new Error('Pods were left behind.');
  say(`Seen in the log: ${EXPECTED.map(({ what }) => what).join('; ')}`);
}
