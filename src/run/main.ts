import { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import { readIdentity } from '../github/identity.ts';
import { readInputs } from '../github/inputs/inputs.ts';
import { saveStarted } from '../github/state.ts';
import { connect } from './connect.ts';
import { reportEnd, reportError } from './report.ts';
import { runPod } from './run.ts';

/** The main step: reads the inputs, runs the pod, and reports. The process ends with 1 when the step failed. */
export async function main(): Promise<void> {
  const log = new JobLog();
  let failed = true;
  guard(log);
  try {
    saveStarted();
    const stop = stopOnSignals(log);
    const inputs = readInputs(process.env);
    const client = connect(inputs.cluster, log);
    const conclusion = await runPod({ inputs, identity: readIdentity(process.env), client, log, stop });
    reportEnd(conclusion, log);
    failed = conclusion.state === 'failed';
  } catch (error) {
    reportError(error, log);
  }
  await log.close();
  process.exit(failed ? 1 : 0);
}

/** Nothing of an accident may reach stderr: its text can hold what the cluster sent. */
export function guard(log: JobLog): void {
  const bug = async (error: unknown) => {
    reportError(error, log);
    await log.close();
    process.exit(1);
  };
  process.once('uncaughtException', bug);
  process.once('unhandledRejection', bug);
}

/** The runner cancels with SIGINT, after 7.5 s SIGTERM, and kills after 2.5 s more. */
function stopOnSignals(log: JobLog): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      controller.abort(new StepError('Cancelled', 'Cancelled', `The step was cancelled (${signal}).`));
      log.line('Cancelled: deleting the pod.');
    });
  }
  return controller.signal;
}
