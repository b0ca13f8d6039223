/**
 * Shows the action at work: brings the test cluster up if it is not there, and lets nektos/act run workflows of examples/ on it, as a user of examples/cluster/runner.yaml.
 * Ends with 0 when they did what they promise and left no pod. Takes away whatever it started, also on Ctrl-C.
 */
import { down, up } from './cluster/index.ts';
import { buildAct, runWorkflow } from './demo/act.ts';
import { type Expected, missingFrom } from './demo/expected.ts';
import { Interruption, onInterruption } from './demo/interruption.ts';
import { DemoNamespace } from './demo/namespace.ts';

const CLUSTER = 'default';

/** The workflows, and what the log of each has to show. */
const WORKFLOWS: Record<string, Expected[]> = {
  'examples/matrix-and-outputs.yml': [
    { text: '| part 2, row 3', times: 1, what: 'a line of a pod of the matrix' },
    { text: /\| Part \d has 3 rows, says pod parts-count-/, times: 3, what: 'a result, read by a later step' },
    { text: '| All 3 parts have 9 rows.', times: 1, what: 'a result, read by a later job' },
    {
      text: "| The step's outcome is failure, its exit code 3, the reason ExitCode.",
      times: 1,
      what: 'a failing pod under continue-on-error',
    },
    { text: /Success - Post (Count the rows of a part|Add up|Fail)/, times: 5, what: 'a post step for each pod' },
  ],
  'examples/fan-in.yml': [
    {
      text: /\| Result: \d+ bytes, in results\/(eu|us|asia)\.json/,
      times: 3,
      what: 'a result in a file, by a sidecar',
    },
    { text: '| 8 rows in 3 regions', times: 1, what: 'the results of a matrix, collected by a later job' },
  ],
  'examples/run.yml': [
    { text: '| There are 25 primes.', times: 1, what: 'a script in a pod, whose output another job reads' },
  ],
  'examples/tests-in-a-pod.yml': [
    { text: /\| Uploaded the workspace: [\d,]+ files, /, times: 2, what: 'a checkout that goes into a pod' },
    { text: /\| Fetched 1 file, \d+ bytes, in /, times: 2, what: 'a report that comes back' },
    {
      text: '| Suite unit has ended with success, says <testsuite name="unit" tests="2" failures="0"/>',
      times: 1,
      what: 'the report of tests that pass',
    },
    {
      text: '| Suite broken has ended with failure, says <testsuite name="broken" tests="2" failures="1"/>',
      times: 1,
      what: 'the report of tests that fail',
    },
  ],
  'examples/detach-and-attach.yml': [
    {
      text: /\| Pod \S+ is left for another step \(deferrable: true\)/,
      times: 2,
      what: 'two pods that are left to run',
    },
    {
      text: /\| Attached to pod \S+, which has not ended yet/,
      times: 1,
      what: 'a job that attaches while its pod runs',
    },
    {
      text: /\| Attached to pod \S+, which has ended/,
      times: 1,
      what: 'and one that attaches when it has ended',
    },
    { text: /\| epoch [123]$/, times: 3, what: 'each line of the log, once' },
    { text: '| The loss is 0.1, and 7 rows were checked.', times: 1, what: 'the results of both' },
  ],
};

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

/** Runs the workflows and checks what came of them. */
async function show(act: string, namespace: DemoNamespace): Promise<void> {
  const secrets = { KUBECONFIG: await namespace.runnerKubeconfig() };
  for (const [workflow, expected] of Object.entries(WORKFLOWS)) {
    stop.throwIfAborted();
    say(`\nact runs ${workflow} on this machine, without Docker; the pods are in namespace ${namespace.name}\n`);
    const { code, log } = await runWorkflow(act, { workflow, secrets, stop, force });
    const left = await namespace.podsLeft();
    say(`\nPods left: ${left.join(', ') || 'none'}`);
    stop.throwIfAborted();

    if (code !== 0) throw new Error(`act ended with exit code ${code}; the reason is in the log above.`);
    const missing = missingFrom(log, expected);
    if (missing.length > 0) throw new Error(`The log lacks ${missing.join('; ')}.`);
    if (left.length > 0) throw new Error('Pods were left behind.');
    say(`Seen in the log: ${expected.map(({ what }) => what).join('; ')}`);
  }
}
