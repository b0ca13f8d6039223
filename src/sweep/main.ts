import { JobLog } from '../github/commands.ts';
import { setOutput } from '../github/outputs.ts';
import { sweepRulesFor } from '../kubernetes/access.ts';
import { stopOnSignals } from '../run/cancel/cancellation.ts';
import { connect } from '../run/connect.ts';
import { guard } from '../run/guard.ts';
import { JobSummary, writeSummary } from '../run/job-summary.ts';
import { reportError } from '../run/report.ts';
import { offerRules } from '../run/role.ts';
import { type Account, deletedPods } from './account.ts';
import { readSweepInputs } from './inputs.ts';
import { readRepository } from './repository.ts';
import { sweepSummary } from './summary.ts';
import { sweep } from './sweep.ts';

/** The sweep: reads the inputs, deletes what was left behind, and reports. The process ends with 1 when the step failed. */
export async function main(): Promise<void> {
  const log = new JobLog();
  const summary = new JobSummary(log);
  guard(log, summary);
  const { env } = process;
  const account: Account = { dryRun: false, secrets: [] };
  let reported: unknown;
  let namespace = '';
  try {
    const { stop } = stopOnSignals(log);
    const inputs = readSweepInputs(env);
    log.mask(inputs.token);
    account.dryRun = inputs.dryRun;
    const repository = readRepository(env);
    const client = connect(inputs.cluster, log, { outageSeconds: inputs.outageTimeoutSeconds });
    namespace = client.target.namespace;
    await sweep({ inputs, repository, env, client, log, stop }, account).catch(error => {
      throw offerRules(error, sweepRulesFor(inputs), log);
    });
    setOutput('state', 'succeeded');
  } catch (error) {
    reported = error;
    reportError(error, log);
    summary.failed(error);
  }
  summary.write();
  setOutput('deleted', account.dryRun ? 0 : deletedPods(account).length);
  setOutput('pods', JSON.stringify(deletedPods(account)));
  if (account.pods !== undefined) {
    const place = { server: env['GITHUB_SERVER_URL'] ?? '', repository: env['GITHUB_REPOSITORY'] ?? '', namespace };
    writeSummary(log, md => sweepSummary(account, place, new Date(), md));
  }
  await log.close();
  process.exit(reported === undefined ? 0 : 1);
}
