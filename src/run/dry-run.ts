import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import type { LogInputs } from '../github/inputs/inputs.ts';
import { setOutput } from '../github/outputs.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { dryRunPod } from '../kubernetes/dry-run.ts';
import { ApiError } from '../kubernetes/status.ts';
import { NONCE_ANNOTATION, PLAN_ANNOTATION } from '../pod/identity.ts';
import type { JsonObject } from '../pod/json.ts';
import { EXPIRY_ANNOTATION } from '../pod/lifetime.ts';
import { type PlacedPlan, type Plan, placed } from '../pod/manifest.ts';
import { printYaml } from '../pod/print.ts';
import { explained } from './create.ts';
import type { JobSummary } from './job-summary.ts';
import { refuseWrongNames } from './logs/check-names.ts';
import { redacting } from './redaction.ts';

/** What a dry run needs of the world. */
interface DryRun {
  plan: Plan;
  /** What the step was given as secrets. */
  secrets: string[];
  logs: LogInputs;
  /** Makes the client; fails where there is no usable cluster. */
  connect: () => ApiClient;
  /** Whether the step names a cluster, which then has to be usable. */
  clusterGiven: boolean;
  log: JobLog;
  summary: JobSummary;
  stop: AbortSignal;
}

/**
 * Shows the pod instead of running it: in the log and as the output `manifest`, each part with where it came from, checked by the server where one can be reached.
 * @throws StepError when the server refuses the pod, or the cluster that the step names cannot be used
 */
export async function dryRun({
  plan,
  secrets,
  logs,
  connect,
  clusterGiven,
  log,
  summary,
  stop,
}: DryRun): Promise<void> {
  let client: ApiClient | undefined;
  let unchecked = '';
  try {
    client = connect();
  } catch (error) {
    if (!(error instanceof StepError) || clusterGiven) throw error;
    unchecked = error.text;
  }
  const shown = client === undefined ? plan : placed(plan, client.target.namespace);
  const manifest = printPlan(shown, secrets);
  log.line('The pod as it would be created, with the source of each part:');
  log.line(manifest);
  setOutput('manifest', manifest);
  if (client !== undefined) unchecked = await check(client, placed(plan, client.target.namespace), logs, stop);
  setOutput('state', 'succeeded');
  const checked =
    unchecked === ''
      ? `The API server at ${client?.target.server} would take it (dryRun=All). Nothing was created.`
      : `No API server has checked it: ${unchecked} Nothing was created.`;
  log.line(checked);
  summary.dryRun(manifest, checked);
}

/** @returns why the server could not be asked, empty where it agrees. */
async function check(client: ApiClient, plan: PlacedPlan, logs: LogInputs, stop: AbortSignal): Promise<string> {
  try {
    refuseWrongNames(logs, await dryRunPod(client, plan.pod, plan.namespace, stop));
    return '';
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    if (error instanceof ApiError && error.reason !== 'Unauthorized' && error.code < 500) throw explained(error, plan);
    if (error instanceof StepError && error.reason === 'InvalidInput') throw error;
    if (error instanceof StepError) return error.text;
    throw error;
  }
}

const OF_THE_ATTEMPT = [NONCE_ANNOTATION, EXPIRY_ANNOTATION, PLAN_ANNOTATION];

/** @returns the plan's pod as YAML. What each attempt has another of is left out; what looks like a secret is hidden. */
export function printPlan(plan: Plan, secrets: string[] = []): string {
  const all = Object.entries(plan.pod.metadata?.annotations ?? {});
  const annotations = Object.fromEntries(all.filter(([key]) => !OF_THE_ATTEMPT.includes(key)));
  const pod = { ...plan.pod, metadata: { ...plan.pod.metadata, annotations } } as unknown as JsonObject;
  const made = plan.secrets.map(
    ({ name, data }) =>
      `# Right after the pod, Secret ${name} would be created for it, immutable, with ${Object.keys(data).join(', ')}.\n`,
  );
  const yaml = printYaml(pod, { sourceOf: path => plan.sourceOf(path), shown: redacting(pod, secrets) });
  return `${yaml}${made.join('')}`;
}
