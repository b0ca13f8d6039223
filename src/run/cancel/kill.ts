import { deletePod } from '../../kubernetes/pods.ts';
import { deletionOf } from '../../pod/manifest.ts';
import { fateWhenKilled } from '../cleanup.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';

/** What became of a pod whose step was cancelled. */
export type Killed = 'deleted' | 'kept' | { error: unknown };

/**
 * Sees to a pod the moment its step is cancelled. Nothing comes before the DELETE, as the runner gives little time and sometimes takes that back; the log is followed meanwhile.
 * A pod that is made while the step is being cancelled is seen to at once.
 */
export class Kill {
  readonly #step: Step;
  readonly #pod: ObservedPod;
  #killed: Promise<Killed> | undefined;
  /** The input that has decided. */
  why: string;
  readonly #act = () => {
    this.#killed = this.#kill();
  };

  constructor(step: Step, pod: ObservedPod) {
    this.#step = step;
    this.#pod = pod;
    this.why = `on_finish_action: ${step.inputs.onFinishAction}`;
    if (step.stop.aborted) this.#act();
    else step.stop.addEventListener('abort', this.#act, { once: true });
  }

  /** From here on a cancel is none of this pod's any more: it has been seen to. */
  release(): void {
    this.#step.stop.removeEventListener('abort', this.#act);
  }

  /** @returns what became of the pod; nothing where the step was not cancelled */
  get killed(): Promise<Killed> | undefined {
    return this.#killed;
  }

  async #kill(): Promise<Killed> {
    const { inputs, plan, client, log, lastCall } = this.#step;
    const { namespace, name } = this.#pod.identity;
    const { keep, why } = fateWhenKilled(this.#pod.view, plan.base, inputs);
    this.why = why;
    if (keep) return 'kept';
    const graceSeconds = plan.pod.spec?.terminationGracePeriodSeconds;
    const deleting = deletePod(client, this.#pod.identity, {
      signal: lastCall,
      ...(graceSeconds !== undefined && { graceSeconds }),
      ...deletionOf(plan.pod),
    });
    log.line(`Cancelled: deleting pod ${namespace}/${name}.`);
    try {
      await deleting;
      return 'deleted';
    } catch (error) {
      const late = `the API server at ${client.target.server} has not answered in the time that the runner gives a cancelled step`;
      return { error: lastCall.aborted ? new Error(late, { cause: error }) : error };
    }
  }
}
