import { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import type { Use } from '../kubernetes/access.ts';
import { placed } from '../pod/manifest.ts';
import { connect } from './connect.ts';
import { dryRun } from './dry-run.ts';
import { JobSummary } from './job-summary.ts';
import { type Prepared, prepare } from './prepare.ts';
import { reportEnd, reportError } from './report.ts';
import { offerRole, useOf } from './role.ts';
import { runPod } from './run.ts';

/** The main step: reads the inputs, runs the pod, and reports. The process ends with 1 when the step failed. */
export async function main(): Promise<void> {
  const log = new JobLog();
  const summary = new JobSummary(log);
  let failed = true;
  let use: Use | undefined;
  guard(log, summary);
  try {
    const stop = stopOnSignals(log);
    const { inputs, plan, ...prepared } = await prepare(process.env, stop);
    tell(prepared, log);
    use = useOf(inputs, plan);
    summary.name = plan.name;
    const cluster = { ...inputs.cluster, namespace: plan.pod.metadata?.namespace };
    const outage = inputs.outageTimeoutSeconds;
    if (inputs.dryRun) {
      const { kubeconfig, configFile, context } = inputs.cluster;
      const clusterGiven = (kubeconfig ?? configFile ?? context) !== undefined;
      const { secrets } = prepared;
      const { logs } = inputs;
      await dryRun({
        plan,
        secrets,
        logs,
        connect: () => connect(cluster, log, outage),
        clusterGiven,
        log,
        summary,
        stop,
      });
      failed = false;
    } else {
      const client = connect(cluster, log, outage);
      const step = {
        inputs,
        plan: placed(plan, client.target.namespace),
        secrets: prepared.secrets,
        client,
        log,
        summary,
        stop,
      };
      const conclusion = await runPod(step);
      reportEnd(conclusion, log);
      failed = conclusion.state === 'failed';
    }
  } catch (error) {
    const reported = use ? offerRole(error, use, log) : error;
    reportError(reported, log);
    summary.failed(reported);
  }
  await log.close();
  process.exit(failed ? 1 : 0);
}

/** Masks what was given as a secret before anything is said. */
function tell({ secrets, warnings, notices }: Omit<Prepared, 'inputs' | 'plan'>, log: JobLog): void {
  for (const secret of secrets) log.mask(secret);
  for (const notice of notices) log.notice('Input', notice);
  for (const warning of warnings) log.warning('Input', warning);
}

/** Nothing of an accident may reach stderr: its text can hold what the cluster sent. */
export function guard(log: JobLog, summary?: JobSummary): void {
  const bug = async (error: unknown) => {
    reportError(error, log);
    summary?.failed(error);
    await log.close();
    process.exit(1);
  };
  process.once('uncaughtException', bug);
  process.once('unhandledRejection', bug);
}

/** The runner cancels with SIGINT, after 7.5 s SIGTERM, and kills after 2.5 s more. One that has gone itself reads no log any more, and nobody will ever ask for this step's outcome. */
function stopOnSignals(log: JobLog): AbortSignal {
  const controller = new AbortController();
  log.onReaderGone(cause => {
    const sentence = `Nobody reads the step’s output any more: ${cause.message}.`;
    controller.abort(new StepError('Cancelled', 'Cancelled', sentence, { cause }));
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      controller.abort(new StepError('Cancelled', 'Cancelled', `The step was cancelled (${signal}).`));
      log.line('Cancelled: deleting the pod.');
    });
  }
  return controller.signal;
}
