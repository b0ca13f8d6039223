import { JobLog } from '../github/commands.ts';
import { PodRecord } from '../github/state.ts';
import type { Use } from '../kubernetes/access.ts';
import { placed } from '../pod/manifest.ts';
import { attach } from './attach.ts';
import { stopOnSignals } from './cancel/cancellation.ts';
import { connect } from './connect.ts';
import { dryRun } from './dry-run.ts';
import { guard } from './guard.ts';
import { JobSummary } from './job-summary.ts';
import { type Attached, type Prepared, prepare, prepareAttach } from './prepare.ts';
import { reportEnd, reportError } from './report.ts';
import { offerRole, useOf } from './role.ts';
import { runPod, type Step } from './run.ts';
import { runnerPod } from './runner-pod.ts';

/** The main step: reads the inputs, runs the pod, and reports. The process ends with 1 when the step failed. */
export async function main(): Promise<void> {
  const log = new JobLog();
  const summary = new JobSummary(log);
  let failed = true;
  let use: Use | undefined;
  guard(log, summary);
  try {
    const stops = stopOnSignals(log);
    const world = { log, summary, ...stops };
    const attaching = prepareAttach(process.env);
    if (attaching !== undefined) {
      use = useOf(attaching.inputs, { secrets: [] });
      failed = await runAttached(attaching, world);
    } else {
      const prepared = await prepare(process.env, stops.stop);
      tell(prepared, log);
      use = useOf(prepared.inputs, prepared.plan);
      summary.name = prepared.plan.name;
      failed = await (prepared.inputs.dryRun ? runDry(prepared, world) : runStep(prepared, world));
    }
  } catch (error) {
    const reported = use ? offerRole(error, use, log) : error;
    reportError(reported, log);
    summary.failed(reported);
  }
  summary.write();
  await log.close();
  process.exit(failed ? 1 : 0);
}

/** What every step has. */
type World = Pick<Step, 'log' | 'summary' | 'stop' | 'lastCall'>;

/** @returns whether it failed */
async function runStep({ inputs, identity, plan, replan, secrets }: Prepared, world: World): Promise<boolean> {
  const cluster = { ...inputs.cluster, namespace: plan.pod.metadata?.namespace };
  const client = connect(cluster, world.log, { outageSeconds: inputs.outageTimeoutSeconds });
  const { namespace } = client.target;
  const owner = await runnerPod(placed(plan, namespace), client, world.log, world.stop);
  const conclusion = await runPod({
    inputs,
    identity,
    plan: placed(plan, namespace, owner),
    replan: mark => placed(replan(mark), namespace, owner),
    secrets,
    client,
    record: new PodRecord(),
    ...world,
  });
  reportEnd(conclusion, world.log);
  return conclusion.state === 'failed';
}

async function runAttached(prepared: Attached, world: World): Promise<boolean> {
  tell(prepared, world.log);
  const { inputs, pod, identity, secrets } = prepared;
  world.summary.name = pod.pod;
  const client = connect(inputs.cluster, world.log, { outageSeconds: inputs.outageTimeoutSeconds });
  const conclusion = await attach({ inputs, identity, secrets, client, record: new PodRecord(), ...world }, pod);
  reportEnd(conclusion, world.log);
  return conclusion.state === 'failed';
}

async function runDry({ inputs, plan, secrets }: Prepared, { log, summary, stop }: World): Promise<false> {
  const { kubeconfig, configFile, context, url, inCluster } = inputs.cluster;
  const cluster = { ...inputs.cluster, namespace: plan.pod.metadata?.namespace };
  await dryRun({
    plan,
    secrets,
    logs: inputs.logs,
    connect: () => connect(cluster, log, { outageSeconds: inputs.outageTimeoutSeconds }),
    clusterGiven: (kubeconfig ?? configFile ?? context ?? url ?? inCluster) !== undefined,
    log,
    summary,
    stop,
  });
  return false;
}

/** Masks what was given as a secret before anything is said. */
function tell({ secrets, warnings, notices }: Pick<Prepared, 'secrets' | 'warnings' | 'notices'>, log: JobLog): void {
  for (const secret of secrets) log.mask(secret);
  for (const notice of notices) log.notice('Input', notice);
  for (const warning of warnings) log.warning('Input', warning);
}
