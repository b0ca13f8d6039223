import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import { readMatrix } from '../github/identity.ts';
import { Markdown } from '../github/markdown.ts';
import { appendSummary } from '../github/summary.ts';
import type { PodEvents } from '../kubernetes/events.ts';
import { hiding } from './command-line.ts';
import { FollowedPod, type FollowingStep } from './followed-pod.ts';
import type { ObservedPod } from './observe.ts';
import { wordsOf } from './report.ts';
import type { Conclusion } from './result.ts';
import { dryRunSummary, type Ending, summaryOf } from './summary.ts';

/** The step's summary: gathers while the pod runs what its last state does not tell, and is written once, as soon as the end is known. Nothing that goes wrong with it is a failure of the step. */
export class JobSummary {
  /** The pod's name as planned. */
  name: string | undefined;
  readonly #log: JobLog;
  #pod: FollowedPod | undefined;
  #written = false;

  constructor(log: JobLog) {
    this.#log = log;
  }

  /** Notes from here on what becomes of the pod. */
  follow(pod: ObservedPod, step: FollowingStep): void {
    this.#pod = new FollowedPod(pod, step);
  }

  /** The pod's events, where somebody has read them. */
  note(events: PodEvents): void {
    if (this.#pod && events !== 'unavailable') this.#pod.events = events;
  }

  ended(conclusion: Conclusion): void {
    this.#write(md => this.#summary(conclusion, md));
  }

  /** @param error what ended the step without a conclusion */
  failed(error: unknown): void {
    const cancelled = error instanceof StepError && error.reason === 'Cancelled';
    const { remedy, ...words } = wordsOf(error);
    this.#write(md =>
      this.#summary(
        { state: cancelled ? 'cancelled' : 'failed', ...words, ...(remedy !== undefined && { remedy }) },
        md,
      ),
    );
  }

  /** @param checked a sentence: whether a server would take it */
  dryRun(manifest: string, checked: string): void {
    this.#write(md => dryRunSummary(this.name ?? '', manifest, checked, md));
  }

  #summary(ending: Ending, md: Markdown): string {
    return summaryOf(
      {
        ending,
        ...(this.name !== undefined && { name: this.name }),
        ...(this.#pod && { pod: this.#pod.facts() }),
        matrix: readMatrix(process.env),
      },
      md,
    );
  }

  #write(summary: (md: Markdown) => string): void {
    if (this.#written) return;
    this.#written = true;
    try {
      // JSON writes some characters of a secret in its own way.
      const secrets = [...this.#log.masked].flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1)]);
      appendSummary(summary(new Markdown(hiding(secrets))));
    } catch (error) {
      this.#log.line(`The job summary could not be written: ${(error as Error).message}`);
    }
  }
}
