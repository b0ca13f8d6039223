import type { PodEvents } from '../kubernetes/events.ts';
import { type Kept, keptPod, shouldDelete } from './cleanup.ts';
import { outcomeOf } from './end/outcome.ts';
import type { ObservedPod } from './observe.ts';
import type { Step } from './run.ts';
import { gatesOf } from './start/scheduling.ts';
import type { PodFacts } from './summary.ts';
import { stagesOf } from './timeline.ts';

/** What following a pod needs of its step. */
export interface FollowingStep extends Pick<Step, 'plan' | 'stop' | 'origin'> {
  inputs: Pick<Step['inputs'], 'onFinishAction' | 'onKillAction' | 'skipOnExitCodes' | 'logs'>;
}

/** A pod from its creation on, for the summary: what its last state alone does not tell. */
export class FollowedPod {
  /** As last read. */
  events: PodEvents = 'unavailable';
  /** What went into it, and what came back: words. */
  readonly files: string[] = [];
  readonly #pod: ObservedPod;
  readonly #step: FollowingStep;
  readonly #since = performance.now();
  #gatesGoneMs: number | undefined;

  constructor(pod: ObservedPod, step: FollowingStep) {
    this.#pod = pod;
    this.#step = step;
    void this.#noteGates().catch(ignore);
  }

  /** @param deferred whether it is left to run */
  facts(deferred = false): PodFacts {
    const { pod, gone } = this.#pod.view;
    const { inputs, plan, stop } = this.#step;
    const { onFinishAction, onKillAction, skipOnExitCodes } = inputs;
    const deleted = deferred
      ? false
      : stop.aborted && outcomeOf({ pod, gone }, plan.base) === undefined
        ? onKillAction === 'delete_pod'
        : gone || shouldDelete(onFinishAction, { pod, gone }, plan.base, skipOnExitCodes);
    const stages = stagesOf(pod, plan.base, {
      untilMs: this.#clusterMs(),
      ...(this.#gatesGoneMs !== undefined && { gatesGoneMs: this.#gatesGoneMs }),
      ...(Array.isArray(this.events) && { events: this.events }),
    });
    return {
      pod,
      base: plan.base,
      ...(this.#step.origin && { origin: this.#step.origin }),
      stages,
      files: this.files,
      events: inputs.logs.eventsOnFailure ? this.events : 'unavailable',
      ...(!deleted && { kept: kept(this.#pod, plan.base, deferred) }),
    };
  }

  /** No field of the pod tells when its last scheduling gate went. */
  async #noteGates(): Promise<void> {
    if (gatesOf(this.#pod.view.pod).length === 0) return;
    await this.#pod.until(({ pod, gone }) => gone || gatesOf(pod).length === 0 || undefined);
    this.#gatesGoneMs = this.#clusterMs();
  }

  /** The time by the cluster's clock, which has whole seconds: the pod's creation, and what has passed here since; of a pod that was there before, by the clock here. */
  #clusterMs(): number {
    const created = new Date(this.#pod.view.pod.metadata?.creationTimestamp ?? 0).getTime();
    const now = this.#step.origin ? Date.now() : created + performance.now() - this.#since;
    return Math.floor(now / 1000) * 1000;
  }
}

/** The observation has ended; what it was for is left out then. */
function ignore(): void {}

/** A pod that is left to run is meant to. */
function kept(pod: ObservedPod, base: string, deferred: boolean): Kept {
  const { warning, ...commands } = keptPod(pod, base);
  return warning === undefined || deferred ? commands : { ...commands, warning };
}
