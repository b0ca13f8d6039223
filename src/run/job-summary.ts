import type { JobLog } from '../github/commands.ts';
import { StepError } from '../github/failure.ts';
import { readMatrix } from '../github/identity.ts';
import { Markdown } from '../github/markdown.ts';
import { appendSummary } from '../github/summary.ts';
import { listEvents, type PodEvents } from '../kubernetes/events.ts';
import { keptPod, shouldDelete } from './cleanup.ts';
import { hiding } from './command-line.ts';
import { containerEnded, containerStarted } from './containers.ts';
import type { ObservedPod } from './observe.ts';
import { wordsOf } from './report.ts';
import type { Conclusion } from './result.ts';
import type { Step } from './run.ts';
import { gatesOf } from './start/scheduling.ts';
import { dryRunSummary, type Ending, type PodFacts, summaryOf } from './summary.ts';
import { stagesOf } from './timeline.ts';

/** Most pods start within a second or two: only after a slower start is it worth a request to know what the time went into. */
const SLOW_START_MS = 5000;

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
  follow(pod: ObservedPod, step: Pick<Step, 'inputs' | 'plan' | 'client' | 'stop'>): void {
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

class FollowedPod {
  events: PodEvents = 'unavailable';
  readonly #pod: ObservedPod;
  readonly #step: Pick<Step, 'inputs' | 'plan' | 'stop'>;
  readonly #since = performance.now();
  #gatesGoneMs: number | undefined;

  constructor(pod: ObservedPod, step: Pick<Step, 'inputs' | 'plan' | 'client' | 'stop'>) {
    this.#pod = pod;
    this.#step = step;
    void this.#noteGates().catch(ignore);
    void this.#askAfterSlowStart(step).catch(ignore);
  }

  facts(): PodFacts {
    const { pod, gone } = this.#pod.view;
    const { inputs, plan, stop } = this.#step;
    const deleted = gone || shouldDelete(stop.aborted ? 'delete_pod' : inputs.onFinishAction, { pod, gone }, plan.base);
    const stages = stagesOf(pod, plan.base, {
      untilMs: this.#clusterMs(),
      ...(this.#gatesGoneMs !== undefined && { gatesGoneMs: this.#gatesGoneMs }),
      ...(Array.isArray(this.events) && { events: this.events }),
    });
    return {
      pod,
      base: plan.base,
      stages,
      events: this.events,
      ...(!deleted && { kept: keptPod(this.#pod, plan.base) }),
    };
  }

  /** No field of the pod tells when its last scheduling gate went. */
  async #noteGates(): Promise<void> {
    if (gatesOf(this.#pod.view.pod).length === 0) return;
    await this.#pod.until(({ pod, gone }) => gone || gatesOf(pod).length === 0 || undefined);
    this.#gatesGoneMs = this.#clusterMs();
  }

  /** Beside everything else: the end of the step does not wait for it. */
  async #askAfterSlowStart({ client, plan, stop }: Pick<Step, 'plan' | 'client' | 'stop'>): Promise<void> {
    const started = await this.#pod.until(({ pod, gone }) =>
      gone || containerEnded(pod, plan.base) ? false : containerStarted(pod, plan.base) || undefined,
    );
    if (!started || performance.now() - this.#since < SLOW_START_MS) return;
    const events = await listEvents(client, this.#pod.identity, stop);
    if (this.events === 'unavailable') this.events = events;
  }

  /** The time by the cluster's clock, which has whole seconds: the pod's creation, and what has passed here since. */
  #clusterMs(): number {
    const created = new Date(this.#pod.view.pod.metadata?.creationTimestamp ?? 0).getTime();
    return Math.floor((created + performance.now() - this.#since) / 1000) * 1000;
  }
}

/** The observation has ended; what it was for is left out then. */
function ignore(): void {}
