import type { JobLog } from '../github/commands.ts';
import type { JobSummary } from './job-summary.ts';
import { reportError } from './report.ts';

/** Nothing of an accident may reach stderr: its text can hold what the cluster sent. */
export function guard(log: JobLog, summary?: JobSummary): void {
  const bug = async (error: unknown) => {
    reportError(error, log);
    summary?.failed(error);
    summary?.write();
    await log.close();
    process.exit(1);
  };
  process.once('uncaughtException', bug);
  process.once('unhandledRejection', bug);
}
