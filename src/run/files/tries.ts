import { StepError } from '../../github/failure.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { pause } from '../../kubernetes/pause.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { containerEnded, containerStatus } from '../containers.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';

/** So often what the other side has got wrong is tried again. */
const MOST_TRIES = 5;
/** So often a connection may be cut. */
const MOST_CUTS = 30;

/** Decides whether a transfer that has failed is begun anew. */
export class Tries {
  readonly #step: Pick<Step, 'client' | 'log'>;
  readonly #pod: ObservedPod;
  readonly #container: string;
  readonly #reason: 'Upload' | 'Download';
  #cuts = 0;
  /** Tries that have failed. */
  count = 0;

  /** @param reason of a failure that is not the cluster's own */
  constructor(step: Pick<Step, 'client' | 'log'>, pod: ObservedPod, container: string, reason: 'Upload' | 'Download') {
    this.#reason = reason;
    this.#step = step;
    this.#pod = pod;
    this.#container = container;
  }

  /**
   * Waits until the next try.
   * @returns `over` where there is no container any more to try with
   * @throws what ends the trying
   */
  async again(error: unknown, signal: AbortSignal): Promise<'again' | 'over'> {
    if (error instanceof StepError && !(error instanceof ApiError)) throw error;
    const { client, log } = this.#step;
    this.count++;
    const isCut = error instanceof NetworkError || error instanceof ApiError;
    if (isCut) this.#cuts++;
    // A container that is not there any more is refused in many ways.
    await this.#pod.refresh();
    if (this.#isOver()) return 'over';
    const { message } = error as Error;
    if (this.count - this.#cuts >= MOST_TRIES || this.#cuts >= MOST_CUTS)
      throw new StepError(
        this.#reason,
        this.#reason === 'Upload' ? 'Workspace not uploaded' : 'Files not fetched',
        `After ${this.count} tries: ${message.replace(/\.$/, '')}.`,
        {
          remedy: 'Something between the runner and the node cuts such connections: see to proxies and load balancers.',
          cause: error,
        },
      );
    if (isCut) await client.endure(error, Math.min(this.#cuts - 1, 5), signal);
    else await pause(500, signal);
    log.line(`Begun anew: ${message.replace(/\.$/, '')}.`);
    return this.#isOver() ? 'over' : 'again';
  }

  #isOver(): boolean {
    const { pod, gone } = this.#pod.view;
    return (
      gone ||
      containerEnded(pod, this.#container) ||
      containerStatus(pod, this.#container)?.state?.running === undefined
    );
  }
}
