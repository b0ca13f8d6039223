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
import type { Conclusion } from './result/conclusion.ts';
import { dryRunSummary, type Ending, summaryOf, type TriedFacts } from './summary.ts';

/** The step's summary: gathers while the pods run what their last state does not tell, and is written once. Nothing that goes wrong with it is a failure of the step. */
export class JobSummary {
  /** The pod's name as planned. */
  name: string | undefined;
  readonly #log: JobLog;
  #pod: FollowedPod | undefined;
  /** How the tries ended, the last one last. */
  readonly #tries: TriedFacts[] = [];
  /** How the step ended, where that was after one try and before the next. */
  #between: Ending | undefined;
  #dryRun: ((md: Markdown) => string) | undefined;
  /** Markdown that the script of the last try has written itself. */
  #ofScript = '';
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

  /** @param words what went into the pod, or came back */
  moved(words: string): void {
    this.#pod?.files.push(words);
  }

  /** Before the pod is deleted, for it is told of as it stands. */
  ended(conclusion: Conclusion): void {
    this.#ofScript = conclusion.stepFiles?.summary ?? '';
    this.#end(conclusion);
  }

  /** @param error what ended the step, or a try of it, without a conclusion; what has been told already is not told again */
  failed(error: unknown): void {
    const cancelled = error instanceof StepError && error.reason === 'Cancelled';
    const { remedy, ...words } = wordsOf(error);
    const ending: Ending = {
      state: cancelled ? 'cancelled' : 'failed',
      ...words,
      ...(remedy !== undefined && { remedy }),
    };
    const before = this.#pod === undefined ? this.#tries.at(-1) : undefined;
    if (before?.ending.sentence === ending.sentence) return;
    // Between two tries there is none that was cancelled.
    if (before !== undefined && cancelled) this.#between = ending;
    if (this.#between) return;
    this.#end(ending);
  }

  /** @param checked a sentence: whether a server would take it */
  dryRun(manifest: string, checked: string): void {
    this.#dryRun = md => dryRunSummary(this.name ?? '', manifest, checked, md);
  }

  write(): void {
    const [last] = this.#tries.slice(-1);
    const summary =
      this.#dryRun ??
      (last &&
        (md =>
          summaryOf(
            {
              ...last,
              ...(this.#between && { ending: this.#between }),
              tries: this.#tries,
              matrix: readMatrix(process.env),
            },
            md,
          )));
    if (this.#written || summary === undefined) return;
    this.#written = true;
    writeSummary(this.#log, summary);
    if (this.#ofScript.trim() !== '') addToSummary(this.#log, this.#ofScript);
  }

  #end(ending: Ending): void {
    this.#tries.push({
      ending,
      ...(this.name !== undefined && { name: this.name }),
      ...(this.#pod && { pod: this.#pod.facts(ending.state === 'deferred') }),
    });
    this.#pod = undefined;
  }
}

/** Appends to the job summary, with what was masked in the log hidden. What goes wrong with it is told in the log, and is no failure. */
export function writeSummary(log: JobLog, summary: (md: Markdown) => string): void {
  // JSON writes some characters of a secret in its own way.
  const secrets = [...log.masked].flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1)]);
  addToSummary(log, summary(new Markdown(hiding(secrets))));
}

function addToSummary(log: JobLog, markdown: string): void {
  try {
    appendSummary(markdown);
  } catch (error) {
    log.line(`The job summary could not be written: ${(error as Error).message}`);
  }
}
